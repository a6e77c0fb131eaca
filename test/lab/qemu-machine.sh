#!/bin/bash
# The first process of a pid and mount namespace of this machine: the machine that QEMU emulates, and the daemon that
# gives it this machine's files. $1: run.sh's folder; fd 7 and 8: where the command's stdout and stderr go.
set -u
RUN=$1
. "$RUN/settings"
export KERNEL_ROOT
read -r KERNEL_ROOT KERNEL < <("$ROOT/test/lab/qemu-kernel.sh" find) || {
  echo "no kernel for QEMU: 'test/lab/qemu-kernel.sh fetch' gets it"
  exit 1
}
printf 'KERNEL_ROOT=%q\n' "$KERNEL_ROOT" >>"$RUN/settings"
bash "$ROOT/test/lab/qemu-kernel.sh" initramfs "$RUN/initramfs" || exit

mount -t tmpfs tmpfs /run # the daemon leaves a file there; the guest has a /run of its own
/usr/lib/qemu/virtiofsd --socket-path="$RUN/files" -o source=/ -o cache=always -o sandbox=chroot 7>&- 8>&- &
for _ in {1..200}; do [ -S "$RUN/files" ] && break; sleep 0.05; done

# An output of a device is a path, not a descriptor, except for `stdio`.
OUT=file,path=/dev/fd/7,append=on
[ "$INTERACTIVE" = terminal ] && OUT=stdio,signal=off
# A session of its own: it may then read the terminal, though it is no job in the foreground.
setsid qemu-system-x86_64 -accel tcg,thread=multi -cpu max -M q35 -nodefaults -no-user-config -display none -no-reboot \
  -smp 2 -m "$MEM" -object memory-backend-memfd,id=memory,size="$MEM",share=on -numa node,memdev=memory \
  -chardev socket,id=files,path="$RUN/files" -device vhost-user-fs-pci,chardev=files,tag=root,queue-size=1024 \
  -chardev file,id=log,path=/dev/fd/2,append=on -serial chardev:log -chardev "$OUT,id=stdout" -serial chardev:stdout \
  -chardev file,id=stderr,path=/dev/fd/8,append=on -serial chardev:stderr \
  -kernel "${KERNEL_ROOT}boot/vmlinuz-$KERNEL" -initrd "$RUN/initramfs" \
  -append "console=ttyS0 panic=-1 quiet tsc=unstable LAB_RUN=$RUN" >&7
# With the first process of a namespace go all others.
