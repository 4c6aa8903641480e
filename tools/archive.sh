# shellcheck shell=bash disable=SC2154  # kernel is the caller's
# A part of an initramfs.  Sourced by what sets kernel, an unpacked Debian kernel
# package; root is then an empty directory for its files.

root=$(mktemp -d)
trap 'rm -rf "$root" "$root.gz"' EXIT

# The file of module $1, wherever this release of Debian puts it
module_file() {
	find -L "$kernel" \( -name "$1.ko" -o -name "$1.ko.xz" -o \
		-name "$1.ko.zst" \) -print -quit
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
	*.zst) zstd -qdc "$file" >"$to" ;;
	*) cp "$file" "$to" ;;
	esac
	for dependency in $(tr '\0' '\n' <"$to" |
		sed -n 's/^depends=//p' | tr ',' ' '); do
		add_module "$dependency" "$2"
	done
	echo "$1" >>"$order"
}

# Copy program $1 and the libraries that it is linked with.  What is in
# directory $2, if that is given, goes to where it is there.
add_program() {
	local library list to
	list=$(ldd "$1")
	! grep "not found" <<<"$list" >&2 || exit 1
	cp "$1" "$root/bin/"
	# shellcheck disable=SC2013  # one word a library
	for library in $(grep -o '/[^ ]*' <<<"$list"); do
		to=$root${library#"${2:-}"}
		mkdir -p "$(dirname "$to")"
		cp -L "$library" "$to"
	done
}

# Pack all in root to $1, as a part of an initramfs.
pack() {
	find "$root" -exec touch -h -d @0 {} +
	(cd "$root" && find . | LC_ALL=C sort |
		cpio --quiet --reproducible -R 0:0 -H newc -o) |
		gzip -n -6 >"$root.gz"
	mv "$root.gz" "$1"
}
