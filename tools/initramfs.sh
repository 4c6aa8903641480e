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

root=$(mktemp -d)
trap 'rm -rf "$root" "$root.gz"' EXIT
mkdir -p "$root"/{bin,dev,etc,lib/modules,proc,run,sys,tmp,usr/share/misc}

# The file of module $1, wherever this release of Debian puts it
module_file() {
	find -L "$kernel" \( -name "$1.ko" -o -name "$1.ko.xz" \) -print -quit
}

# Copy module $1 after what it depends on, uncompressed, and note the order for
# driver $2.
add_module() {
	local file dependency to=$root/lib/modules/$1.ko
	local order=$root/lib/modules/$2.order
	! grep -qsx "$1" "$order" || return 0
	file=$(module_file "$1")
	[ -n "$file" ] || { echo "initramfs: no module $1 in $kernel" >&2
		exit 1; }
	case $file in
	*.xz) xz -dc "$file" >"$to" ;;
	*) cp "$file" "$to" ;;
	esac
	for dependency in $(tr '\0' '\n' <"$to" |
		sed -n 's/^depends=//p' | tr ',' ' '); do
		add_module "$dependency" "$2"
	done
	echo "$1" >>"$order"
}

# Copy program $1 and the libraries that it is linked with.
add_program() {
	local library
	cp "$1" "$root/bin/"
	for library in $(ldd "$1" | grep -o '/[^ ]*'); do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
}

cp "$(command -v busybox)" "$root/bin/"
ln -s busybox "$root/bin/sh"
for driver in igbvf e1000e nvme xhci-pci ahci bochs; do
	add_module "$driver" "$driver"
done
# Disks behind a controller; crc32c and the like are the kernel's to find
for driver in xhci-pci ahci; do
	add_module sd_mod "$driver"
done
add_module usb-storage xhci-pci
add_program "$(command -v lspci)"
cp -L /usr/share/misc/pci.ids "$root/usr/share/misc/"
cp "$@" "$root/bin/"
cp "$here"/../guest/initramfs/init "$root/init"
cp "$here"/../guest/initramfs/*.sh "$root/etc/"
chmod 755 "$root" "$root/init" "$root"/etc/*.sh "$root"/bin/*

find "$root" -exec touch -h -d @0 {} +
cd "$root"
find . | LC_ALL=C sort |
	cpio --quiet --reproducible -R 0:0 -H newc -o |
	gzip -n -6 >"$root.gz"
cd - >/dev/null
mv "$root.gz" "$out"
