#!/bin/bash
# What lab 11's Linux needs beside the initramfs: virtio's drivers, and row.sh.
#
#   initramfs.sh KERNEL OUT
#
# KERNEL is an unpacked Debian kernel package.  OUT is an archive to follow that
# of tools/initramfs.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034  # archive.sh reads it
kernel=$1 out=$2

# shellcheck source=tools/archive.sh
. "$here/../../tools/archive.sh"
mkdir -p "$root"/{etc,lib/modules}
add_module virtio_pci virtio_net
add_module virtio_net virtio_net
cp "$here/row.sh" "$root/etc/"
chmod 755 "$root" "$root"/{etc,lib,lib/modules} "$root"/etc/*.sh

pack "$out"
