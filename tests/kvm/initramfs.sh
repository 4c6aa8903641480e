#!/bin/bash
# A Linux that does nothing but run our QEMU with KVM.
#
#   initramfs.sh KERNEL OUT EMULATOR FILE...
#
# KERNEL is an unpacked Debian kernel package; FILEs are at the same paths there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034  # archive.sh reads it
kernel=$1 out=$2 emulator=$3
shift 3

# shellcheck source=tools/archive.sh
. "$here/../../tools/archive.sh"
mkdir -p "$root"/{bin,dev,lib/modules,proc,sys,tmp}
cp "$(command -v busybox)" "$root/bin/"
ln -s busybox "$root/bin/sh"
for module in virtio_pci virtio_blk kvm-intel; do
	add_module "$module" "$module"
done
add_program "$emulator"
for file; do
	install -D -m 644 "$file" "$root$file"
done
cp "$here/init" "$root/init"
chmod 755 "$root" "$root/init" "$root"/bin/*

pack "$out"
