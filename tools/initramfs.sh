#!/bin/bash
# The guest's initramfs: busybox, the VFs' drivers, lspci, our programs.
#
#   initramfs.sh KERNEL OUT PROGRAM...
#
# KERNEL is an unpacked Debian kernel package.  The same inputs give the same
# bytes.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 out=$2
shift 2
pci_ids=/usr/share/misc/pci.ids
[ -e "$pci_ids" ] || pci_ids=/usr/share/hwdata/pci.ids

# shellcheck source=tools/archive.sh
. "$here/archive.sh"
mkdir -p "$root"/{bin,dev,etc,lib/modules,proc,run,sys,tmp,usr/share/misc}

cp "$(command -v busybox)" "$root/bin/"
ln -s busybox "$root/bin/sh"
for driver in igbvf igb e1000e nvme xhci-pci ahci bochs; do
	add_module "$driver" "$driver"
done
# Disks behind a controller; crc32c and the like are the kernel's to find
for driver in xhci-pci ahci; do
	add_module sd_mod "$driver"
done
add_module usb-storage xhci-pci
add_program "$(command -v lspci)"
cp -L "$pci_ids" "$root/usr/share/misc/pci.ids"
cp "$@" "$root/bin/"
cp "$here"/../guest/initramfs/init "$root/init"
cp "$here"/../guest/initramfs/*.sh "$root/etc/"
chmod 755 "$root" "$root/init" "$root"/etc/*.sh "$root"/bin/*

pack "$out"
