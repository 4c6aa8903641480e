#!/bin/bash
# What Gangway needs on a Debian machine.
#
#   setup.sh check GROUP...     say what is missing and the command that installs it
#   setup.sh install GROUP...   install it if we are root, else as check
#   setup.sh optional GROUP     the same where apt has all of it, else say so
#   setup.sh packages           the command that installs everything
#   setup.sh emulator           build the emulator, once; prints nothing if it is there
#   setup.sh emulator-path      its path
#
# SETUP=skip: check, install and optional do nothing, for another distribution than Debian.
#
# Groups: build, run, test, fuzz, bochs, lint, models, prove, contracts (Debian 12
# has them), distributions, course, book, emulator (nothing if it is built, or QEMU= names another).
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gangway
pc=/usr/lib/x86_64-linux-gnu/pkgconfig
firmware=${OVMF:-/usr/share/OVMF/OVMF_CODE_4M.fd}

# What is looked for (a command, or a file), and the Debian package it is in.
# shellcheck disable=SC2034  # read as ${!group}
{
build="gcc:gcc ld:binutils make:make nasm:nasm iasl:acpica-tools
       ${EFI_INCLUDE:-/usr/include/efi}/efi.h:gnu-efi
       /usr/include/stdio.h:libc6-dev python3:python3
       /usr/share/consolefonts/Lat15-Fixed16.psf.gz:console-setup-linux"
run="python3:python3 sgdisk:gdisk mformat:mtools cpio:cpio xz:xz-utils
     lspci:pciutils flock:util-linux
     /usr/share/misc/pci.ids:pci.ids
     /usr/share/doc/busybox-static:busybox-static
     $firmware:ovmf
     /usr/share/seabios/bios-256k.bin:seabios
     /usr/share/qemu/keymaps:qemu-system-data"
test='/usr/include/cmocka.h:libcmocka-dev
      /usr/lib/python3/dist-packages/pytest:python3-pytest
      /usr/lib/python3/dist-packages/xdist:python3-pytest-xdist'
fuzz='clang:clang /usr/share/doc/libclang-rt-dev:libclang-rt-dev'
bochs='bochs-bin:bochs
       /usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so:bochs-term
       /usr/share/vgabios/vgabios.bin:vgabios
       /usr/share/ovmf/OVMF.fd:ovmf mformat:mtools cpio:cpio'
distributions='debootstrap:debootstrap unshare:util-linux'
course='patch:patch git:git'
book='/usr/share/doc/python3-markdown:python3-markdown'
lint='shellcheck:shellcheck clang-format-19:clang-format-19'
models='gcc:gcc spin:spin'
prove='clang:clang z3:z3'
contracts='frama-c:frama-c-base why3:why3 z3:z3 cvc4:cvc4 gcc:gcc'
emulator="gcc:gcc ninja:ninja-build pkg-config:pkg-config patch:patch
          flex:flex bison:bison xz:xz-utils dpkg-source:dpkg-dev
          /usr/share/doc/python3-venv:python3-venv
          $pc/glib-2.0.pc:libglib2.0-dev $pc/pixman-1.pc:libpixman-1-dev
          $pc/slirp.pc:libslirp-dev /usr/include/libfdt.h:libfdt-dev"
}

say() { echo "setup: $*" >&2; }

is_there() {
	case $1 in
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# The packages of the groups $@ that are missing, one a line
missing_packages() {
	local group item
	for group; do
		[ "$group" != emulator ] || emulator_wanted || continue
		for item in ${!group}; do
			is_there "${item%:*}" || echo "${item##*:}"
		done
	done | sort -u
}

# Only root can install; the others are told the command.
install_packages() {
	local how=$1
	shift
	[ $# -gt 0 ] || return 0
	if [ "$how" = check ] || [ "$(id -u)" != 0 ]; then
		say "something is missing here.  As root:"
		echo "apt-get update && apt-get install" \
			"--no-install-recommends $*" >&2
		exit 2
	fi
	say "installing $*"
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y install \
		--no-install-recommends "$@" >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 2; }
	say "installed"
}

known_groups() {
	local group
	for group; do
		case $group in
		build | run | test | fuzz | bochs | lint | models | prove | \
		contracts | emulator | distributions | course | book) ;;
		*) say "no such group: $group"; exit 2 ;;
		esac
	done
}

# Whether apt has all of the packages $@; if not, says which it lacks.
apt_has() {
	local package
	for package; do
		apt-cache show "$package" >/dev/null 2>&1 ||
			{ echo "$package"; return 1; }
	done
}

# All packages of all groups
all_packages() {
	local item
	apt_has frama-c-base >/dev/null || contracts=
	# shellcheck disable=SC2086,SC2154  # one word an item
	for item in git $build $run $test $fuzz $bochs $lint $models $prove \
		$contracts $distributions $course $book $emulator; do
		echo "${item##*:}"
	done | sort -u
}

# The QEMU that is meant by QEMU=; auto: the installed one, where that will do.
# Fails if it is our emulator.
other_qemu() {
	case ${QEMU:-} in
	'') return 1 ;;
	auto) python3 "$here/qemu.py" 2>/dev/null ;;
	*)
		command -v "$QEMU" ||
			{ say "QEMU=$QEMU: no such program"; exit 2; }
		;;
	esac
}

# Whether there is an emulator to be built
emulator_wanted() {
	! other_qemu >/dev/null || return 1
	! "$here/qemu-vmx/build.sh" --built "$cache/qemu-vmx" >/dev/null
}

# One builder at a time.  A finished one, by its stamp, waits for nobody: the
# cache may be shared, and only be read.
emulator() {
	! other_qemu || return 0
	! "$here/qemu-vmx/build.sh" --built "$cache/qemu-vmx" || return 0
	mkdir -p "$cache/qemu-vmx"
	flock -n "$cache/qemu-vmx" true ||
		say "waiting for another build of the emulator"
	flock "$cache/qemu-vmx" "$here/qemu-vmx/build.sh" "$cache/qemu-vmx"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
command=${1:-}
[ $# -gt 0 ] && shift
case $command in
check | install)
	known_groups "$@"
	[ "${SETUP:-}" != skip ] || exit 0
	packages=$(missing_packages "$@")
	# shellcheck disable=SC2086  # one word a package
	install_packages "$command" $packages
	;;
optional)
	known_groups "$@"
	[ "${SETUP:-}" != skip ] || exit 0
	packages=$(missing_packages "$@")
	[ -n "$packages" ] || exit 0
	[ "$(id -u)" != 0 ] || apt-get -qq update
	# shellcheck disable=SC2086  # one word a package
	missing=$(apt_has $packages) ||
		{ say "apt has no $missing: left out"; exit 0; }
	# shellcheck disable=SC2086
	install_packages install $packages
	;;
packages)
	echo "apt-get update && apt-get install --no-install-recommends" \
		"$(all_packages | paste -sd " ")"
	;;
emulator)
	# Why the machine's own QEMU will not do, before minutes of compiling
	{ [ "${QEMU:-}" = auto ] && emulator_wanted; } &&
		{ python3 "$here/qemu.py" >/dev/null || true; }
	emulator >/dev/null
	;;
emulator-path) emulator | tail -1 ;;
*) sed -n '2,/^set/s/^# \?//p' "$0" >&2; exit 2 ;;
esac
