#!/bin/bash
# build.sh FOLDER [DEBIAN NODE]: builds the Dockerfile's image with buildah, from stand-ins for its base images, into the storage
# under FOLDER, saves it as FOLDER/image.tar, and mounts it. Prints the mounted root. It is an image for this machine's processor, or for
# ARM64 where the archive DEBIAN of a Debian for that and its program NODE are given. `build.sh -d FOLDER` takes it all away.
#
# The stand-ins have the base images' names and what the Dockerfile relies on of them: Debian 12, made with debootstrap,
# and the same with Node.js 24 (the one of package-lock.json) and npm in /usr/local.
set -eu

cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
[ "${1-}" = -d ] && { remove=yes; shift; } || remove=no
folder=${1:?expected a folder}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
own=$(dpkg --print-architecture)
target=$own
[ $# = 1 ] || target=arm64

buildah() {
  command buildah --root "$folder/storage" --runroot "$folder/run" --storage-driver overlay "$@"
}

if [ $remove = yes ]; then
  buildah umount --all >/dev/null 2>&1 || true
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit
fi

exec 3>&1 >"$folder/log" 2>&1
trap 'status=$?; [ $status = 0 ] || tail -n 40 "$folder/log" >&3; exit $status' EXIT
set -x

# stand_in ARCHITECTURE NODE: adds that architecture to both base images, from the Debian in the folder of its name.
stand_in() {
  container=$(buildah from --arch "$1" scratch)
  buildah config --arch "$1" "$container"
  buildah add "$container" "$folder/$1" /
  buildah commit "$container" "localhost/debian-$1"
  buildah manifest add --arch "$1" localhost/debian:bookworm-slim "containers-storage:localhost/debian-$1"

  usr=$folder/node/usr/local
  mkdir -p "$usr/bin" "$usr/etc" "$usr/lib/node_modules"
  cp -L "$2" "$usr/bin/node"
  cp -r "$(npm root -g)/npm" "$usr/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$usr/bin/npm"
  # The registry and the authorities that npm trusts here, for the build alone: this stage is not in the image.
  for key in registry cafile; do
    value=$(npm config get $key)
    case $value in null | undefined) ;; *) echo "$key=$value" >>"$usr/etc/npmrc" ;; esac
  done
  mkdir -p "$folder/node/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$folder/node/etc/ssl/certs/"
  buildah add "$container" "$folder/node" /
  buildah commit --rm "$container" "localhost/node-$1"
  buildah manifest add --arch "$1" localhost/node:24-bookworm-slim "containers-storage:localhost/node-$1"
  rm -rf "$folder/$1" "$folder/node"
}

for name in debian:bookworm-slim node:24-bookworm-slim; do buildah manifest create "localhost/$name"; done
debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/$own"
stand_in "$own" node_modules/node/bin/node
if [ "$target" != "$own" ]; then
  mkdir "$folder/$target"
  tar -xpf "$2" -C "$folder/$target"
  stand_in "$target" "$3"
fi

# Docker's format: the other has no health check. Of BUILDPLATFORM this buildah thinks that it is the target.
buildah build --format docker --pull-never --isolation chroot --network host \
  --platform "linux/$target" --build-arg "BUILDPLATFORM=linux/$own" -t localhost/marathon-ipvs .
image=$(buildah from --pull-never --arch "$target" localhost/marathon-ipvs)
buildah inspect --type image localhost/marathon-ipvs >"$folder/image.json"
buildah push localhost/marathon-ipvs "docker-archive:$folder/image.tar"
root=$(buildah mount "$image")
set +x
echo "$root" >&3
