# shellcheck shell=bash disable=SC2154  # packages is the caller's
# Debian packages by their exact names, downloaded and unpacked, not installed.
# Sourced by what has a function say and sets packages, the directory where they
# are kept by version.

# Fetch apt's lists.  Fails if only root can.
update_lists() {
	[ "$(id -u)" = 0 ] || return 1
	say "updating apt's lists"
	apt-get -qq update >&2
}

# What apt would download for package $1, as NAME=VERSION.  Fails if it knows no
# place for it.
available() {
	local list
	list=$(apt-get -qq --print-uris download "$1" 2>/dev/null) || return 1
	# 'URI' NAME_VERSION_ARCHITECTURE.deb SIZE CHECKSUM
	sed 's/^[^ ]* \([^_]*\)_\([^_]*\)_.*/\1=\2/; s/%3a/:/' <<<"$list"
}

# The latest of $1 that is kept, as NAME=VERSION
kept() {
	find "$packages" -maxdepth 1 -name "$1=*" -printf '%f\n' | sort -V |
		tail -1 | grep .
}

# The first of the names in $1 ("librdmacm1t64|librdmacm1") that apt knows, or
# that is kept, as NAME=VERSION
package_version() {
	local name names
	IFS='|' read -ra names <<<"$1"
	for name in "${names[@]}"; do
		available "$name" && return
	done
	for name in "${names[@]}"; do
		kept "$name" && return
	done
	return 1
}

# Print NAME=VERSION of each of $@, with fresh lists where there are none.
package_versions() {
	local name unknown=() fresh=
	mkdir -p "$packages"
	for name; do
		package_version "$name" && continue
		[ -n "$fresh" ] || { fresh=yes; update_lists; } &&
			package_version "$name" && continue
		unknown+=("$name")
	done
	[ ${#unknown[@]} -eq 0 ] && return
	say "apt knows no ${unknown[*]}; run apt-get update, as root"
	return 1
}

# Unpack each NAME=VERSION of $@ to $packages/NAME=VERSION, if it is not there.
package_unpack() (
	missing=()
	for package; do
		[ -d "$packages/$package" ] || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	work=$(mktemp -d -p "$packages")
	trap 'rm -rf "$work"' EXIT
	say "downloading ${missing[*]}"
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root \
		download "${missing[@]}" >&2) || return
	for package in "${missing[@]}"; do
		dpkg-deb -x "$work/${package%%=*}"_*.deb "$work/root" || return
		# Another run may have been faster
		mv -T "$work/root" "$packages/$package" 2>/dev/null ||
			rm -rf "$work/root"
	done
)
