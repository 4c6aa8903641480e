#!/bin/bash
# make test-distributions: the product and its unit tests with the compilers and
# libraries of other releases of Debian, each in a tree of its own (debootstrap).
#
#   distributions.sh [SUITE...]     default: bookworm trixie
#
# Needs root and a mirror of Debian's; says so and ends well where there is none.
# The trees are kept in ${XDG_CACHE_HOME:-~/.cache}/gangway/trees; in them
# tools/setup.sh installs what it says that it needs.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
trees=${XDG_CACHE_HOME:-$HOME/.cache}/gangway/trees
[ $# -gt 0 ] || set -- bookworm trixie

say() { echo "distributions: $*"; }
skip() {
	say "skipped: $*"
	exit 0
}

# Where apt gets Debian from, in either of its formats of sources
mirror() {
	# shellcheck disable=SC2016  # apt's words
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		sed -n 's/^Debian //p' | sort -u | head -1 | grep .
}

make_tree() {
	local tree=$1 suite=$2 work
	work=$(mktemp -d -p "$trees")
	say "making a tree of $suite"
	if ! debootstrap --variant=minbase "$suite" "$work/root" "$mirror" \
		>"$work/log" 2>&1; then
		tail -5 "$work/log"
		rm -rf "$work"
		return 1
	fi
	mv -T "$work/root" "$tree"
	rm -rf "$work"
}

# In a mount namespace: the sanitizers read /proc.
run_in() {
	# shellcheck disable=SC2016  # for the inner shell
	unshare --mount -- /bin/sh -ec 'mount -t proc proc "$1/proc"
		exec chroot "$1" /usr/bin/env -i HOME=/root PATH="$PATH" \
			/bin/sh -ec "cd /gangway && make -j$2 unit && make"' \
		sh "$1" "$(nproc)"
}

test_suite() {
	local tree=$trees/$1
	cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
	rm -rf "$tree/gangway"
	mkdir "$tree/gangway"
	tar -C "$here/.." --exclude=./build --exclude=./.git -c . |
		tar -C "$tree/gangway" -x
	# The first make installs make itself.
	chroot "$tree" /gangway/tools/setup.sh install build test &&
		run_in "$tree" && [ -s "$tree/gangway/build/gangway.efi" ]
}

[ "$(id -u)" = 0 ] || skip "only root can make a tree of another release"
mirror=$(mirror) || skip "apt's sources name no mirror of Debian's"
unshare --mount true 2>/dev/null || skip "no mount namespaces here"
"$here/setup.sh" install distributions
mkdir -p "$trees"
passed=0 failed=0
for suite; do
	if ! [ -d "$trees/$suite" ] && ! make_tree "$trees/$suite" "$suite"; then
		say "$suite: skipped: its tree cannot be made, for the reason above"
	elif test_suite "$suite"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		say "$suite: failed"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
