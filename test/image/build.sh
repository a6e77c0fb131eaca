#!/bin/bash
# build.sh FOLDER: builds the Dockerfile's image with buildah, from stand-ins for its base images, into the storage under
# FOLDER, saves it as FOLDER/image.tar, and mounts it. Prints the mounted root. `build.sh -d FOLDER` takes it all away.
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

debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/debian"
debian=$(buildah from scratch)
buildah add "$debian" "$folder/debian" /
buildah commit "$debian" localhost/debian:bookworm-slim

usr=$folder/node/usr/local
mkdir -p "$usr/bin" "$usr/etc" "$usr/lib/node_modules"
cp -L node_modules/node/bin/node "$usr/bin/node"
cp -r "$(npm root -g)/npm" "$usr/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$usr/bin/npm"
# The registry and the authorities that npm trusts here, for the build alone: this stage is not in the image.
for key in registry cafile; do
  value=$(npm config get $key)
  case $value in null | undefined) ;; *) echo "$key=$value" >>"$usr/etc/npmrc" ;; esac
done
mkdir -p "$folder/node/etc/ssl/certs"
cp -L /etc/ssl/certs/ca-certificates.crt "$folder/node/etc/ssl/certs/"
buildah add "$debian" "$folder/node" /
buildah commit --rm "$debian" localhost/node:24-bookworm-slim
rm -rf "$folder/debian" "$folder/node"

# Docker's format: the other has no health check.
buildah build --format docker --pull-never --isolation chroot --network host -t localhost/marathon-ipvs .
image=$(buildah from --pull-never localhost/marathon-ipvs)
buildah inspect --type image localhost/marathon-ipvs >"$folder/image.json"
buildah push localhost/marathon-ipvs "docker-archive:$folder/image.tar"
root=$(buildah mount "$image")
set +x
echo "$root" >&3
