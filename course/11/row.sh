#!/bin/sh
# row.sh up|down DRIVER: the network card of that driver, in a Linux that has no
# hypervisor below it.  igbvf: a VF of the card that igb drives.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh

interface_of() {
	for net in /sys/class/net/*; do
		case $(readlink "$net/device/driver") in
		*/"$1") echo "${net##*/}" && return ;;
		esac
	done
	return 1
}

has_carrier() {
	[ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = 1 ]
}

# A VF has a link when its PF has
make_vf() {
	pf=$(interface_of igb)
	ip link set "$pf" up
	echo 1 >"/sys/class/net/$pf/device/sriov_numvfs"
}

up() {
	[ "$1" != igbvf ] || make_vf
	/etc/load.sh "$1"
	wait_until 10 interface_of "$1" >/dev/null
	interface=$(interface_of "$1")
	echo 1 >"/proc/sys/net/ipv6/conf/$interface/disable_ipv6"
	ip link set "$interface" up
	wait_until 20 has_carrier "$interface"
	udhcpc -n -q -t 10 -T 2 -i "$interface" -s /etc/udhcpc.sh \
		>/tmp/udhcpc.log 2>&1
	echo "row: $1 is $interface, $(cat /tmp/lease)"
}

down() {
	interface=$(interface_of "$1")
	ip address flush dev "$interface"
	ip link set "$interface" down
}

case ${1:-} in
up | down) "$@" ;;
esac
