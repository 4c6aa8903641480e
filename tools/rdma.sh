#!/bin/bash
# What guest/initramfs/rdma.sh needs beside the initramfs: rdma_rxe, and programs
# of Debian's, downloaded by their exact names and unpacked, not installed.
#
#   rdma.sh KERNEL OUT
#
# KERNEL is an unpacked Debian kernel package.  OUT is an archive to follow that
# of initramfs.sh.  Packages are kept in
# ${XDG_CACHE_HOME:-~/.cache}/gangway/packages, by version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 out=$2
packages=${XDG_CACHE_HOME:-$HOME/.cache}/gangway/packages

say() { echo "rdma: $*" >&2; }
# shellcheck source=tools/packages.sh
. "$here/packages.sh"
# shellcheck source=tools/archive.sh
. "$here/archive.sh"

# The programs' packages, then those of libraries that may not be installed here
list=$(package_versions perftest rdmacm-utils iproute2 iperf3 \
	ibverbs-providers libibverbs1 'librdmacm1t64|librdmacm1' libibumad3 \
	libnl-3-200 libnl-route-3-200 libmnl0 libbsd0 libmd0 libcap2 \
	libiperf0 libsctp1 libgcc-s1) || exit 2
# shellcheck disable=SC2086  # one word a package
package_unpack $list

tree=$root/tree
mkdir -p "$root"/{bin,lib/modules,usr/lib} "$tree"
for package in $list; do
	cp -a "$packages/$package/." "$tree"
done
libraries=$(find "$tree" -name '*.so*' -printf '%h\n' | sort -u | paste -sd :)
for program in ib_write_bw rping rdma iperf3; do
	LD_LIBRARY_PATH=$libraries add_program "$tree/usr/bin/$program" "$tree"
done
# What is loaded by name: libibverbs' part for the device, and the C library's
# for the end of a thread
for library in 'librxe-rdmav*.so' libgcc_s.so.1 rxe.driver; do
	file=$(find "$tree" -name "$library")
	install -D -m 644 "$file" "$root${file#"$tree"}"
done
rm -rf "$tree"

# crc32_generic: for the packets' checksum; the kernel finds it by that name
for module in crc32_generic rdma_rxe rdma_ucm; do
	add_module "$module" rdma
done
chmod 755 "$root"
pack "$out"
