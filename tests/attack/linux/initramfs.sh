#!/bin/bash
# What the attacks need beside the initramfs: their program, their scripts, and
# the module for MSRs.
#
#   initramfs.sh KERNEL OUT PROGRAM
#
# KERNEL is an unpacked Debian kernel package.  OUT is an archive to follow that
# of tools/initramfs.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034  # archive.sh reads it
kernel=$1 out=$2 program=$3

# shellcheck source=tools/archive.sh
. "$here/../../../tools/archive.sh"
mkdir -p "$root"/{bin,etc,lib/modules}
add_module msr msr
cp "$program" "$root/bin/attack"
cp "$here"/{attack,namespaces}.sh "$root/etc/"
chmod 755 "$root" "$root"/{bin,etc,lib,lib/modules} "$root"/etc/*.sh

pack "$out"
