#!/bin/bash
# kernel.sh VERSION: prints the kind of lab that runs this kernel, the folder it lies below and its release, for example
# `uml /…/node_modules/.cache/lab-kernels/5.10 5.10.46`. Fetches it from Debian first where it is not there.
# Without VERSION: prints the versions it knows.
#
# apt reads the suite that has it into a folder of its own: the machine's own lists and sources stay as they are, and apt
# checks the signature of the suite and the SHA256 of each package. Unpacked, not installed: installing a kernel also
# makes it the one that this machine boots next.
set -eu
CACHE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/node_modules/.cache/lab-kernels
PATH=$PATH:/usr/sbin:/sbin
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# VERSION KIND SUITE PACKAGES: of the packages that match, those of the newest release. User-Mode Linux is the faster one, but that of 6.12 and of 7.2
# panics under load ("Bad page map").
KERNELS='
5.10 uml  bullseye ^user-mode-linux$
6.1  uml  bookworm ^user-mode-linux$
6.12 qemu trixie   ^linux-image-6\.12\.[0-9.]+\+deb13-cloud-amd64$
7.2  qemu sid      ^linux-(binary|modules|base)-7\.2\.[0-9.]+\+deb14-cloud-amd64$
'

fail() {
  echo "kernel $VERSION: $*" >&2
  exit 1
}

# Where this machine gets Debian from.
mirror() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /security|backports|debug/ { print $2; exit }'
}

# Puts linux.uml or boot/vmlinuz-RELEASE, with lib/modules/RELEASE, into the folder $1.
fetch() {
  local into=$1 base packages name apt release kernel
  command -v apt-get >/dev/null || fail 'cannot be fetched: this machine has no apt-get (it is no Debian)'
  base=$(mirror)
  [ -n "$base" ] || fail "cannot be fetched: apt knows no mirror of Debian ('apt-get update' tells it)"
  work=$into.new
  trap 'rm -rf "$work"' EXIT
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
  : >"$work/status"
  [ -e "$KEYRING" ] && name=" [signed-by=$KEYRING]" || name=
  echo "deb$name $base $SUITE main" >"$work/sources.list"
  apt=(-q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$work/lists"
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o Acquire::Languages=none -o APT::Architecture=amd64
    -o APT::Architectures=amd64 -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" --error-on=any update >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; fail "apt cannot read $SUITE of $base"; }
  packages=$(apt-cache "${apt[@]}" search --names-only "$PACKAGES" | awk '{ print $1 }')
  release=$(sed -n 's/^linux-[a-z]*-\([0-9.]*+deb[0-9]*\)-.*/\1/p' <<<"$packages" | sort -V | tail -n 1)
  [ -z "$release" ] || packages=$(grep -F -- "$release" <<<"$packages")
  packages=$(tr '\n' ' ' <<<"$packages")
  [ -n "${packages% }" ] || fail "$SUITE of $base has no package $PACKAGES any more"
  # shellcheck disable=SC2086 # a list
  (cd "$work" && apt-get "${apt[@]}" download $packages) >"$work/log" 2>&1 ||
    { tail -n 5 "$work/log" >&2; fail "apt cannot download $packages"; }
  for name in "$work"/*.deb; do dpkg-deb -x "$name" "$work/root"; done
  mkdir -p "$work/kernel/lib" "$work/kernel/boot"
  for name in usr/lib/uml/modules usr/lib/modules lib/modules; do
    [ ! -d "$work/root/$name" ] || { mv "$work/root/$name" "$work/kernel/lib/modules"; break; }
  done
  release=$(ls "$work/kernel/lib/modules")
  kernel=boot/vmlinuz-$release
  [ "$KIND" = qemu ] || kernel=linux.uml
  for name in "$work/root/usr/bin/linux.uml" "$work/root/boot/vmlinuz-$release" "$work/kernel/lib/modules/$release/vmlinuz"; do
    [ ! -e "$name" ] || mv "$name" "$work/kernel/$kernel"
  done
  [ -e "$work/kernel/$kernel" ] || fail "the kernel does not lie where it was expected in $packages"
  depmod -b "$work/kernel" "$release"
  mv "$work/kernel" "$into"
}

VERSION=${1-}
if [ -z "$VERSION" ]; then
  awk 'NF { print $1 }' <<<"$KERNELS"
  exit
fi
read -r _ KIND SUITE PACKAGES < <(grep "^$VERSION " <<<"$KERNELS" || true) || true
[ -n "${KIND-}" ] || fail "unknown: expected one of $(awk 'NF { print $1 }' <<<"$KERNELS" | xargs)"
mkdir -p "$CACHE"
# Two runs at the same time: one fetches.
exec 9>"$CACHE/$VERSION.lock"
flock 9
[ -d "$CACHE/$VERSION" ] || fetch "$CACHE/$VERSION"
echo "$KIND $CACHE/$VERSION $(ls "$CACHE/$VERSION/lib/modules")"
