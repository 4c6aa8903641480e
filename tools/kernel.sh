#!/bin/bash
# The guest's kernel: Debian's own, downloaded by its exact name and unpacked,
# not installed.
#
#   kernel.sh LINK     LINK becomes a symbolic link to the unpacked package,
#                      and vmlinuz beside LINK a copy of the kernel
#
# Kept in ${XDG_CACHE_HOME:-~/.cache}/gangway/kernel, by version.
set -euo pipefail
link=$1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gangway/kernel
mkdir -p "$cache"

say() { echo "kernel: $*" >&2; }

# The package that Debian's linux-image-amd64 stands for, as NAME=VERSION.
# Not the cloud kernel: it has no igbvf.
current_package() {
	local name version
	name=$(apt-cache depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	[ -n "$name" ] || return 1
	version=$(apt-cache show --no-all-versions "$name" |
		sed -n 's/^Version: //p')
	echo "$name=$version"
}

# Resolve the name, with fresh lists where there are none.
resolve() {
	current_package && return
	[ "$(id -u)" = 0 ] || return 1
	say "updating apt's lists"
	apt-get -qq update >&2
	current_package
}

fetch() {
	local package=$1 work
	work=$(mktemp -d -p "$cache")
	# shellcheck disable=SC2064  # expand now
	trap "rm -rf '$work'" EXIT
	say "downloading $package"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root \
		download "$package" >&2)
	dpkg-deb -x "$work"/*.deb "$work/root"
	rm -rf "${cache:?}/$package"
	mv "$work/root" "$cache/$package"
}

if package=$(resolve); then
	[ -d "$cache/$package" ] || fetch "$package"
else
	# No lists and no right to fetch them: take what an earlier run left.
	package=$(find "$cache" -name 'linux-image-*=*' -printf '%f\n' |
		sort -V | tail -1)
	[ -n "$package" ] || { say "apt knows no linux-image-amd64;" \
		"run apt-get update"; exit 2; }
fi
say "${package/=/ }"
ln -sfn "$cache/$package" "$link"
cp "$link"/boot/vmlinuz-* "$(dirname "$link")/vmlinuz"
