# Read by the first process of a guest with a kernel of its own (bash): LAB_RUN is run.sh's folder, on the machine's root.

# mount_all: what a kernel needs around the machine's files.
mount_all() {
  mount -t proc proc /proc
  mount -t sysfs sys /sys
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/lab/run /run/netns /run/lock
  mount --bind "$LAB_RUN" /run/lab/run # /var/tmp may be covered later
  mount -t devtmpfs dev /dev
  mkdir -p /dev/pts /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  ln -sfn /proc/self/fd /dev/fd
  ln -sfn fd/0 /dev/stdin
  ln -sfn fd/1 /dev/stdout
  ln -sfn fd/2 /dev/stderr
}

# modules_below DIR: the modules lie elsewhere than modprobe looks, in DIR/lib/modules; the kernel's own requests, for a
# scheduler say, must find them too.
modules_below() {
  printf '#!/bin/sh\nexec /sbin/modprobe -d %q "$@"\n' "$1" >/run/lab/modprobe
  chmod +x /run/lab/modprobe
  echo /run/lab/modprobe >/proc/sys/kernel/modprobe
}

# relay NAME TTY pipe|terminal: a console is a terminal. Where the caller's output is none, the command must not see one
# either (colours, progress bars), so there it writes to a pipe.
RELAYS=()
relay() {
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

# run_command OUT ERR: runs the caller's command, with the consoles OUT (stdin too) and ERR, and leaves its status.
run_command() {
  local out=$1 err=$2 input=/dev/null session=(setsid -w) status pid
  as_on_a_new_machine
  # shellcheck disable=SC2086 # a list of names
  [ -n "$MODULES" ] && /run/lab/modprobe -a $MODULES
  hostname lab

  relay stdout "$out" "$STDOUT"
  if [ "$INTERACTIVE" = terminal ] && [ "$STDERR" = terminal ]; then
    ln -s "$out" /run/lab/stderr # a shell looks at its stderr for the terminal that it controls
  else
    relay stderr "$err" "$STDERR"
  fi
  [ "$INTERACTIVE" = file ] && input=/run/lab/run/stdin
  # Its controlling terminal too, so that Ctrl-C and job control work.
  [ "$INTERACTIVE" = terminal ] && input=$out session+=(-c)

  cd "$CWD" || { echo "lab: no $CWD in the guest" >"$err"; cd / || exit; }
  "${session[@]}" bash /run/lab/run/command <"$input" >/run/lab/stdout 2>/run/lab/stderr
  status=$?

  # What the command left running holds the pipes open. Threads of the kernel ignore the signal.
  for pid in /proc/[0-9]*; do
    pid=${pid#/proc/}
    case " $$ ${RELAYS[*]} " in *" $pid "*) ;; *) kill -KILL "$pid" 2>/dev/null ;; esac
  done
  [ ${#RELAYS[@]} -gt 0 ] && wait "${RELAYS[@]}"
  # Setting a terminal waits until its output has gone out.
  stty -F "$out" sane
  stty -F "$err" sane

  echo $status >/run/lab/run/status.new
  mv /run/lab/run/status.new /run/lab/run/status
}
