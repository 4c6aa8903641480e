#!/bin/bash
# The guest's kernel and its modules.
#
#   kernel.sh DIR      DIR/vmlinuz becomes the kernel, DIR/kernel a symbolic link
#                      to a directory that has its modules somewhere below
#
# KERNEL=       Debian's own, of the release that runs here
# KERNEL=6.12   Debian's of that version, from the suites that apt knows
# KERNEL=FILE MODULES=DIRECTORY   these (/lib/modules/VERSION)
#
# Debian's are downloaded by their exact names and unpacked, not installed; kept
# in ${XDG_CACHE_HOME:-~/.cache}/gangway/kernel, by version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
packages=${XDG_CACHE_HOME:-$HOME/.cache}/gangway/kernel

say() { echo "kernel: $*" >&2; }
# shellcheck source=tools/packages.sh
. "$here/packages.sh"

# The dependencies of package $1 that begin with $2
depends_on() {
	apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2.*\)/\1/p"
}

# The package that linux-image-amd64 stands for, or the latest one of version
# $KERNEL.  Not the cloud kernel: it has no igbvf.
kernel_name() {
	if [ -z "${KERNEL:-}" ]; then
		depends_on linux-image-amd64 'linux-image-[0-9]' | grep -m1 .
	else
		apt-cache pkgnames "linux-image-$KERNEL" 2>/dev/null |
			grep -E "^linux-image-${KERNEL//./\\.}[-.+][^-]*(-[0-9]+)?-amd64$" |
			sort -V | tail -1 | grep .
	fi
}

# The packages that hold the files of package $1: since 7.0 not itself
kernel_packages() {
	depends_on "$1" 'linux-\(binary\|modules\)-[0-9]' | grep . || echo "$1"
}

# Take from $1, an unpacked package, the kernel, the modules, or both.
take_package() {
	local file
	file=$(find "$1" \( -path '*/boot/vmlinuz-*' -o \
		-path '*/modules/*/vmlinuz' \) -print -quit)
	[ -z "$file" ] || cp "$file" "$out/vmlinuz"
	file=$(find "$1" -name '*.ko*' -print -quit)
	[ -z "$file" ] || ln -sfn "$1" "$out/kernel"
}

debian_kernel() {
	local name list package
	name=$(kernel_name || { update_lists && kernel_name; } ||
		{ [ -z "${KERNEL:-}" ] && echo 'linux-image-*'; }) ||
		{ say "apt knows no linux-image-$KERNEL...-amd64; add a suite" \
			"that has it, or give KERNEL=FILE MODULES=DIRECTORY"
			exit 2; }
	# shellcheck disable=SC2046  # one word a package
	list=$(package_versions $(kernel_packages "$name")) || exit 2
	# shellcheck disable=SC2086
	package_unpack $list
	say "${list//$'\n'/ }"
	for package in $list; do
		take_package "$packages/$package"
	done
}

if [ -f "${KERNEL:-}" ]; then
	[ -d "${MODULES:-}" ] || { say "KERNEL=$KERNEL: MODULES=${MODULES:-}:" \
		"expected the directory of its modules, as /lib/modules/6.1"
		exit 2; }
	ln -sfn "$(realpath "$MODULES")" "$out/kernel"
	cp "$KERNEL" "$out/vmlinuz"
	say "$KERNEL, modules of $MODULES"
else
	debian_kernel
fi
