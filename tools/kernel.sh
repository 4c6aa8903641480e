#!/bin/bash
# The guest's kernel: Debian's own, downloaded by its exact name and unpacked,
# not installed.
#
#   kernel.sh LINK     LINK becomes a symbolic link to the unpacked package,
#                      and vmlinuz beside LINK a copy of the kernel
#
# Kept in ${XDG_CACHE_HOME:-~/.cache}/gangway/kernel, by version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
link=$1
packages=${XDG_CACHE_HOME:-$HOME/.cache}/gangway/kernel

say() { echo "kernel: $*" >&2; }
# shellcheck source=tools/packages.sh
. "$here/packages.sh"

# The package that Debian's linux-image-amd64 stands for.  Not the cloud kernel:
# it has no igbvf.
kernel_name() {
	apt-cache depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | grep -m1 .
}

name=$(kernel_name || { update_lists && kernel_name; } || echo 'linux-image-*')
package=$(package_versions "$name") || exit 2
package_unpack "$package"
say "${package/=/ }"
ln -sfn "$packages/$package" "$link"
cp "$link"/boot/vmlinuz-* "$(dirname "$link")/vmlinuz"
