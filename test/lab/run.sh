#!/bin/bash
# Runs a command on a kernel with IPVS. README.md, beside this file, says what it sees there.
set -u

usage() {
  cat <<'TEXT'
usage: test/lab/run.sh [OPTIONS] -- COMMAND [ARGS…]

Runs COMMAND, in this folder, on a kernel that has IPVS, as root of a network of its own; passes on its stdout and
stderr, each by itself, and its exit status. 124: out of time. 125: the lab itself failed. Nothing outlives it.

  -m MEM      memory of the guest (default 1024M)
  -t SECONDS  time limit, 0 for none (default 300)
  -k MODULES  kernel modules to load at the start (default: IPVS with wlc, dummy, veth, bridge)
  -i          pass on stdin: a terminal as it is, anything else read to its end beforehand
  -T          keep the machine's own /tmp instead of an empty one

LAB=uml   use User-Mode Linux even where this machine's kernel has IPVS
LAB=qemu  use Debian's kernel in an emulated machine: nftables and two processors, but slow (root only)
LAB=host  use a namespace of this machine's kernel, or fail

LAB_KERNEL=5.10|6.1|6.12|7.2  that kernel, in the kind of lab that runs it: kernel.sh fetches it
TEXT
}

MEM=1024M LIMIT=300 INTERACTIVE=no PRIVATE_TMP=1
MODULES="ip_vs ip_vs_wlc dummy veth bridge"
while getopts m:t:k:iTh option; do
  case $option in
    m) MEM=$OPTARG ;;
    t) LIMIT=$OPTARG ;;
    k) MODULES=$OPTARG ;;
    i) INTERACTIVE=file; [ -t 0 ] && INTERACTIVE=terminal ;;
    T) PRIVATE_TMP=0 ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { usage >&2; exit 2; }

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
KERNEL_ROOT=
if [ -n "${LAB_KERNEL-}" ]; then
  KERNEL=$("$HERE/kernel.sh" "$LAB_KERNEL") || exit 125
  read -r LAB KERNEL_ROOT _ <<<"$KERNEL"
fi
LAB=${LAB:-$("$HERE/kind.sh")}
[ -e "$HERE/start-$LAB.sh" ] || { echo "lab: LAB=$LAB: expected host, uml or qemu" >&2; exit 125; }

# Not below /tmp: the guest has another one.
RUN=$(mktemp -d /var/tmp/marathon-ipvs-lab.XXXXXX) || exit 125
GUEST= TERMINAL=
cleanup() {
  [ -n "$GUEST" ] && { kill -KILL -- -"$GUEST"; wait "$GUEST"; } 2>/dev/null
  [ -n "$TERMINAL" ] && stty "$TERMINAL"
  rm -rf "$RUN"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Removes the folder when this script is gone, however it went: its end of the pipe then closes.
exec 9> >(trap '' HUP INT TERM; cat >/dev/null; sleep 1; rm -rf "$RUN")

STDOUT=pipe STDERR=pipe
[ -t 1 ] && STDOUT=terminal
[ -t 2 ] && STDERR=terminal
{
  # TMPDIR may name a folder that the lab does not have.
  export -p | grep -v '^declare -x TMPDIR='
  printf 'exec'
  printf ' %q' "$@"
  echo
} >"$RUN/command"
printf '%s=%q\n' MEM "$MEM" CWD "$PWD" ROOT "$(cd "$HERE/../.." && pwd)" PRIVATE_TMP "$PRIVATE_TMP" MODULES "$MODULES" \
  KERNEL_ROOT "$KERNEL_ROOT" INTERACTIVE "$INTERACTIVE" STDOUT "$STDOUT" STDERR "$STDERR" TERMINAL_SIZE "$(stty size 2>/dev/null)" >"$RUN/settings"

[ $INTERACTIVE = file ] && cat >"$RUN/stdin"

# Each process dies with its parent, and the guest is a pid namespace: SIGKILL of this script ends them all.
DIE="setpriv --pdeathsig KILL"
LIMITED="$DIE timeout --foreground -s KILL $LIMIT $DIE"

RELAYS=()
# pipes_of_our_own: as descriptors 7 and 8, what is written to stdout and stderr. A guest's kernel or machine makes what
# it writes to non-blocking, for everyone who shares it.
pipes_of_our_own() {
  exec 7> >(exec cat)
  RELAYS+=($!)
  exec 8> >(exec cat >&2)
  RELAYS+=($!)
}

set -m # a process group of its own for the guest
# shellcheck source=/dev/null # starts it in the background and sets GUEST
. "$HERE/start-$LAB.sh"
set +m
STARTED=$SECONDS
wait "$GUEST" 2>/dev/null
STATUS=$?
GUEST=
exec 7>&- 8>&-
[ ${#RELAYS[@]} -gt 0 ] && wait "${RELAYS[@]}" # what the guest wrote last must be out before we are

if [ -e "$RUN/status" ]; then exit "$(cat "$RUN/status")"; fi
if [ $STATUS = 137 ] && [ "$LIMIT" != 0 ] && [ $((SECONDS - STARTED)) -ge "$LIMIT" ]; then
  echo "lab: killed after $LIMIT s" >&2
  exit 124
fi
{
  echo "lab: the guest ended without a status ($STATUS)"
  [ -e "$RUN/kernel.log" ] && tail -n 30 "$RUN/kernel.log"
} >&2
exit 125
