# Read by run.sh (bash): a namespace of this machine's own kernel.

STDIN=/dev/null
[ $INTERACTIVE = file ] && STDIN=$RUN/stdin
[ $INTERACTIVE = terminal ] && STDIN=/dev/stdin
$LIMITED unshare --net --mount --uts --ipc --pid --fork --kill-child=KILL --mount-proc \
  bash "$HERE/namespace-init.sh" "$RUN" <"$STDIN" 9>&- &
GUEST=$!
