#!/bin/bash
# The first process of a QEMU guest that qemu.sh started, once its root is the machine's own. ttyS1 is the command's
# stdout (and stdin), ttyS2 its stderr, ttyS0 the kernel's log.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8
. "$LAB_RUN/settings"
. "$ROOT/test/lab/guest.sh"
. "$ROOT/test/lab/private.sh"

mount_all
modules_below "$KERNEL_ROOT"
run_command /dev/ttyS1 /dev/ttyS2
sync
echo b >/proc/sysrq-trigger # with -no-reboot, QEMU ends here
