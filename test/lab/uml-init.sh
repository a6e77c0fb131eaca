#!/bin/bash
# The first process of a User-Mode Linux guest that run.sh started. Its root is the machine's own, over hostfs;
# LAB_RUN, a folder there, arrives in the environment. tty1 is the command's stdout (and stdin), tty2 its stderr,
# tty3 the kernel's log.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8
. "$LAB_RUN/settings"
. "$ROOT/test/lab/guest.sh"
. "$ROOT/test/lab/private.sh"

mount_all
if [ -z "$KERNEL_ROOT" ]; then
  KERNEL_ROOT=/run/lab/modules
  mkdir -p $KERNEL_ROOT/lib
  ln -s /usr/lib/uml/modules $KERNEL_ROOT/lib/modules
fi
modules_below "$KERNEL_ROOT"
run_command /dev/tty1 /dev/tty2
exec poweroff -f
