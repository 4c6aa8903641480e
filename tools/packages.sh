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

# What apt would download for $@, each as NAME=VERSION.  Fails if it knows no
# place for one of them.
available() {
	local list
	list=$(apt-get -qq --print-uris download "$@" 2>/dev/null) || return 1
	# 'URI' NAME_VERSION_ARCHITECTURE.deb SIZE CHECKSUM
	sed 's/^[^ ]* \([^_]*\)_\([^_]*\)_.*/\1=\2/; s/%3a/:/' <<<"$list"
}

# The latest of each of $@ that is kept.
kept() {
	local name
	for name; do
		find "$packages" -maxdepth 1 -name "$name=*" -printf '%f\n' |
			sort -V | tail -1 | grep . ||
			{ say "apt knows no $name; run apt-get update"
				return 1; }
	done
}

# Print NAME=VERSION of each of $@, with fresh lists where there are none.
# Without these it is what an earlier run left; names may then be patterns.
package_versions() {
	mkdir -p "$packages"
	available "$@" || { update_lists && available "$@"; } || kept "$@"
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
