# Read by run.sh (bash): User-Mode Linux, a kernel that is an ordinary process.

# A pid namespace needs root. Its first process must not be the kernel, which kills itself when it panics.
IN_NAMESPACE=()
[ "$(id -u)" = 0 ] && IN_NAMESPACE=(unshare --pid --fork --kill-child=KILL sh -c '"$@"; exit $?' sh)
# The kernel and the processes in it take turns. On one processor they hand over without waking another, which halves the
# time of a lab. Each lab takes a processor that no other lab has; with this script ends its lock.
ON_ONE_CPU=()
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
  exec 5<"$cpu"
  if taskset --cpu-list "${cpu##*cpu}" true 2>/dev/null && flock --nonblock 5; then
    ON_ONE_CPU=(taskset --cpu-list "${cpu##*cpu}")
    break
  fi
  exec 5<&-
done
STDIN=null
[ $INTERACTIVE = terminal ] && STDIN=fd:6 TERMINAL=$(stty -g)
exec 6<&0
pipes_of_our_own
$LIMITED "${ON_ONE_CPU[@]}" "${IN_NAMESPACE[@]}" "${KERNEL_ROOT:+$KERNEL_ROOT/}linux.uml" mem="$MEM" rootfstype=hostfs rootflags=/ rw init="$HERE/uml-init.sh" \
  LAB_RUN="$RUN" uml_dir="$RUN/" umid=guest loglevel=5 panic=1 console=tty3 \
  con=null con1=$STDIN,fd:7 con2=null,fd:8 con3=null,fd:1 </dev/null >"$RUN/kernel.log" 2>&1 9>&- &
GUEST=$!
