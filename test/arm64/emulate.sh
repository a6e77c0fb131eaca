#!/bin/sh
# emulate.sh COMMAND…: runs a command as root of a user namespace in which programs for arm64 are run by qemu-user, with a network
# of its own. The machine's own list of such formats (binfmt_misc) stays as it is: a user namespace has one from Linux 6.7 on.
set -eu

formats=/proc/sys/fs/binfmt_misc
# Its last part is the flags: F opens the emulator now, so that it need not be in the other system's folder.
register=$(cat /usr/lib/binfmt.d/qemu-aarch64.conf)

if [ "${1-}" = --inside ]; then
  shift
  # Until it has its identities it may do nothing.
  read -r _
  mount -t binfmt_misc binfmt_misc $formats
  printf '%s' "$register" >$formats/register
  exec "$@" </dev/null
fi

folder=$(mktemp -d)
mkfifo "$folder/ready"
unshare --user --mount --net --pid --fork --kill-child sh "$0" --inside "$@" <"$folder/ready" &
child=$!
# unshare itself ignores SIGTERM. With the first process of the namespace all of them end.
trap 'kill -9 "$(cat "/proc/$child/task/$child/children")"' TERM INT
exec 3>"$folder/ready"
rm -r "$folder"
own=$(readlink /proc/self/ns/user)
while kill -0 $child && [ "$(readlink /proc/$child/ns/user)" = "$own" ]; do sleep 0.1; done
# All identities, each as itself: files of the other system belong to whom they say.
for map in uid_map gid_map; do echo '0 0 65536' >/proc/$child/$map; done
echo ready >&3
exec 3>&-
wait $child
