#!/bin/bash
# A Linux that does nothing but run our QEMU with KVM.
#
#   initramfs.sh KERNEL OUT EMULATOR
#
# KERNEL is an unpacked Debian kernel package.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034  # archive.sh reads it
kernel=$1 out=$2 emulator=$3

# shellcheck source=tools/archive.sh
. "$here/../../tools/archive.sh"
mkdir -p "$root"/{bin,dev,lib/modules,proc,sys,tmp}
cp "$(command -v busybox)" "$root/bin/"
ln -s busybox "$root/bin/sh"
for module in virtio_pci virtio_blk kvm-intel; do
	add_module "$module" "$module"
done
add_program "$emulator"
for file in OVMF/OVMF_CODE_4M.fd OVMF/OVMF_VARS_4M.fd qemu/kvmvapic.bin; do
	install -D -m 644 "/usr/share/$file" "$root/usr/share/$file"
done
cp "$here/init" "$root/init"
chmod 755 "$root" "$root/init" "$root"/bin/*

pack "$out"
