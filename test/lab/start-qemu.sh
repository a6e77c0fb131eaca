# Read by run.sh (bash): Debian's kernel in a machine that QEMU emulates.

[ "$(id -u)" = 0 ] || { echo 'lab: LAB=qemu needs root (the daemon that shares the files does)' >&2; exit 125; }
STDIN=/dev/null # the terminal is opened anew: it gets settings that its other users must not see
[ $INTERACTIVE = terminal ] && STDIN=$(tty) TERMINAL=$(stty -g)
pipes_of_our_own
$LIMITED unshare --mount --pid --fork --kill-child=KILL \
  bash "$HERE/qemu-machine.sh" "$RUN" <"$STDIN" >"$RUN/kernel.log" 2>&1 9>&- &
GUEST=$!
