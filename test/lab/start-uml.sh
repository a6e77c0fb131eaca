# Read by run.sh (bash): User-Mode Linux, a kernel that is an ordinary process.

# A pid namespace needs root. Its first process must not be the kernel, which kills itself when it panics.
IN_NAMESPACE=()
[ "$(id -u)" = 0 ] && IN_NAMESPACE=(unshare --pid --fork --kill-child=KILL sh -c '"$@"; exit $?' sh)
STDIN=null
[ $INTERACTIVE = terminal ] && STDIN=fd:6 TERMINAL=$(stty -g)
exec 6<&0
pipes_of_our_own
$LIMITED "${IN_NAMESPACE[@]}" "${KERNEL_ROOT:+$KERNEL_ROOT/}linux.uml" mem="$MEM" rootfstype=hostfs rootflags=/ rw init="$HERE/uml-init.sh" \
  LAB_RUN="$RUN" uml_dir="$RUN/" umid=guest loglevel=5 panic=1 console=tty3 \
  con=null con1=$STDIN,fd:7 con2=null,fd:8 con3=null,fd:1 </dev/null >"$RUN/kernel.log" 2>&1 9>&- &
GUEST=$!
