#!/bin/bash
# Debian's kernel for virtual machines, for the kind `qemu`. KERNEL_ROOT in the environment: the one below that folder.
#   qemu-kernel.sh find           prints the folder it lies below (it has boot/ and lib/modules/) and its version
#   qemu-kernel.sh fetch          gets it from Debian, into node_modules/.cache, where the machine has none
#   qemu-kernel.sh initramfs OUT  writes the file that QEMU starts it with
set -eu
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=$(cd "$HERE/../.." && pwd)/node_modules/.cache/lab-kernel
PATH=$PATH:/usr/sbin:/sbin

find_kernel() {
  local root modules version
  for root in ${KERNEL_ROOT:+"${KERNEL_ROOT%/}/"} / "$CACHE/"; do
    [ -d "$root" ] || continue
    # The newest first.
    for modules in $(cd "$root" && ls -d lib/modules/*-cloud-amd64 2>/dev/null | sort -rV); do
      version=${modules##*/}
      [ -e "$root$modules/modules.dep" ] && [ -r "${root}boot/vmlinuz-$version" ] || continue
      echo "$root $version"
      return
    done
  done
  return 1
}

# Unpacked, not installed: installing a kernel also makes it the one that this machine boots next.
fetch() {
  local package
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
  [ -n "$package" ] || { echo 'apt-cache knows no linux-image-cloud-amd64' >&2; return 1; }
  rm -rf "$CACHE"
  mkdir -p "$CACHE"
  cd "$CACHE"
  apt-get download "$package"
  dpkg-deb -x "$package"_*.deb .
  rm -r "$package"_*.deb usr
  depmod -b . "${package#linux-image-}"
}

# busybox, the modules that the root over virtiofs needs, and a script that goes there.
initramfs() {
  local out=$1 root version folder number=10 module name
  read -r root version < <(find_kernel)
  folder=$(mktemp -d "$out.XXXXXX")
  mkdir "$folder/bin" "$folder/modules" "$folder/root" "$folder/proc"
  cp "$(command -v busybox)" "$folder/bin/"
  # Its libraries too, where it is not the static one.
  { ldd "$(command -v busybox)" 2>/dev/null || true; } | grep -o '/[^ ]*' | xargs -r cp -L --parents -t "$folder"
  for name in sh insmod mount switch_root; do ln -s busybox "$folder/bin/$name"; done
  for module in $(modprobe -d "$root" -S "$version" --show-depends -a virtio_pci virtiofs | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'); do
    cp "$module" "$folder/modules/$((number++))-${module##*/}"
  done
  cat >"$folder/init" <<'INIT'
#!/bin/sh
for module in /modules/*; do insmod "$module"; done
mount -t proc proc /proc
mount -t virtiofs root /root || echo 'lab: the root over virtiofs cannot be mounted'
# LAB_RUN=… of the kernel's command line is in the environment.
exec switch_root /root /bin/bash -c '. "$LAB_RUN/settings"; exec bash "$ROOT/test/lab/qemu-init.sh"'
INIT
  chmod +x "$folder/init"
  (cd "$folder" && find . | cpio -o -H newc --quiet) >"$out"
  rm -r "$folder"
}

case ${1-} in
  find) find_kernel ;;
  fetch) find_kernel >/dev/null || fetch ;;
  initramfs) initramfs "$2" ;;
  *) echo "usage: $0 find | fetch | initramfs OUT" >&2; exit 2 ;;
esac
