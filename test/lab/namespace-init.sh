#!/bin/bash
# The first process of a pid, mount and network namespace of this machine's own kernel, which has IPVS. $1: run.sh's folder.
set -u
RUN=$1
. "$RUN/settings"
. "$ROOT/test/lab/private.sh"

# shellcheck disable=SC2086 # a list of names
[ -n "$MODULES" ] && modprobe -a -q $MODULES
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
mount -t sysfs sys /sys 2>/dev/null # so that /sys/class/net shows this network
as_on_a_new_machine
hostname lab

cd "$CWD" || exit 125
bash "$RUN/command"
echo $? >"$RUN/status"
# With the first process of a namespace go all others.
