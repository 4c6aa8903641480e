#!/bin/bash
# A GPT disk with one EFI system partition that boots Gangway.
#
#   image.sh OUT GANGWAY.EFI GANGWAY.CFG [FILE[=NAME]...]
#
# FILEs (the guest's kernel and initramfs) go to the root of the partition, as
# NAME.  It is as large as they are and 48 MiB more, or SIZE MiB.  No privilege is
# needed: mtools writes into the file.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
export MTOOLS_SKIP_CHECK=1
out=$1 efi=$2 config=$3
shift 3

kib=$(du -kLc "$efi" "${@%=*}" | tail -1 | cut -f1)
least=$((kib / 1024 + 34)) # FAT32 wants 33 at least
size=${SIZE:-$((kib / 1024 + 48))}
if [ "$size" -lt "$least" ]; then
	echo "image: SIZE=$size: expected $least MiB or more" >&2
	exit 1
fi
trap 'rm -f "$out.tmp"' EXIT
rm -f "$out.tmp"
truncate -s "$((size + 2))M" "$out.tmp"
sgdisk --clear --new=1:1M:+"$size"M --typecode=1:ef00 \
	--change-name=1:gangway "$out.tmp" >/dev/null
esp=$out.tmp@@1M
mformat -i "$esp" -F -v GANGWAY -T "$((size * 2048))" ::
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -i "$esp" "$efi" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$config" ::/EFI/BOOT/gangway.cfg
for file; do
	name=${file##*=}
	mcopy -i "$esp" "${file%=*}" "::/${name##*/}"
done
mv "$out.tmp" "$out"
