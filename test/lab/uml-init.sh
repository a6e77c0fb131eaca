#!/bin/bash
# The first process of a User-Mode Linux guest that run.sh started. Its root is the machine's own, over hostfs;
# LAB_RUN, a folder there, arrives in the environment. tty1 is the command's stdout (and stdin), tty2 its stderr,
# tty3 the kernel's log.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lab/run /run/lab/modules/lib /run/netns /run/lock
mount --bind "$LAB_RUN" /run/lab/run # /var/tmp may be covered later
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -sfn /proc/self/fd /dev/fd
ln -sfn fd/0 /dev/stdin
ln -sfn fd/1 /dev/stdout
ln -sfn fd/2 /dev/stderr

# The modules lie elsewhere than modprobe looks; the kernel's own requests, for a scheduler say, must find them too.
ln -s /usr/lib/uml/modules /run/lab/modules/lib/modules
printf '#!/bin/sh\nexec /sbin/modprobe -d /run/lab/modules "$@"\n' >/run/lab/modprobe
chmod +x /run/lab/modprobe
echo /run/lab/modprobe >/proc/sys/kernel/modprobe

. /run/lab/run/settings
. "$ROOT/test/lab/private.sh"
as_on_a_new_machine
# shellcheck disable=SC2086 # a list of names
[ -n "$MODULES" ] && modprobe -d /run/lab/modules -a $MODULES
hostname lab

# A console is a terminal. Where the caller's output is none, the command must not see one either (colours, progress
# bars), so there it writes to a pipe.
relay() { # NAME TTY pipe|terminal
  if [ "$3" = terminal ]; then
    [ -n "$TERMINAL_SIZE" ] && stty -F "$2" rows "${TERMINAL_SIZE% *}" cols "${TERMINAL_SIZE#* }"
    ln -s "$2" "/run/lab/$1"
    return
  fi
  stty -F "$2" raw -echo
  mkfifo "/run/lab/$1"
  cat "/run/lab/$1" >"$2" &
  RELAYS+=($!)
}
RELAYS=()
relay stdout /dev/tty1 "$STDOUT"
if [ "$INTERACTIVE" = terminal ] && [ "$STDERR" = terminal ]; then
  ln -s /dev/tty1 /run/lab/stderr # a shell looks at its stderr for the terminal that it controls
else
  relay stderr /dev/tty2 "$STDERR"
fi
INPUT=/dev/null
SESSION=(setsid -w)
[ "$INTERACTIVE" = file ] && INPUT=/run/lab/run/stdin
# Its controlling terminal too, so that Ctrl-C and job control work.
[ "$INTERACTIVE" = terminal ] && INPUT=/dev/tty1 SESSION+=(-c)

cd "$CWD" || { echo "lab: no $CWD in the guest" >/dev/tty2; cd / || exit; }
"${SESSION[@]}" bash /run/lab/run/command <"$INPUT" >/run/lab/stdout 2>/run/lab/stderr
STATUS=$?

# What the command left running holds the pipes open. Threads of the kernel ignore the signal.
for folder in /proc/[0-9]*; do
  pid=${folder#/proc/}
  case " $$ ${RELAYS[*]} " in *" $pid "*) ;; *) kill -KILL "$pid" 2>/dev/null ;; esac
done
[ ${#RELAYS[@]} -gt 0 ] && wait "${RELAYS[@]}"
# Setting a terminal waits until its output has gone out.
stty -F /dev/tty1 sane
stty -F /dev/tty2 sane

echo $STATUS >/run/lab/run/status.new
mv /run/lab/run/status.new /run/lab/run/status
exec poweroff -f
