#!/bin/sh
# Every function that the guest has, at work: gangway.show=devices.  Its lines
# are as demo.sh's.  From the kernel's command line, beside what that reads:
#   gangway.pair=01,02       network functions 00:01.0 and 00:02.0 reach each
#                            other; more than once
#   gangway.apart=01,03      they do not
#   gangway.inside=03        and this one does not reach the gateway
# Each network interface is in a namespace of its own.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh
# shellcheck source=guest/initramfs/namespace.sh
. /etc/namespace.sh
gateway=10.0.2.2

# --- network

# SLOT to the gateway and back: sets nothing
check_outside() {
	rm -f /tmp/lease /tmp/payload
	enter "$1" udhcpc -n -q -t 10 -T 2 -i "$2" -s /etc/udhcpc.sh \
		>/tmp/udhcpc.log 2>&1
	judge "$1 DHCP lease" "$(cat /tmp/lease 2>/dev/null || echo none)" \
		-e /tmp/lease
	counted nsenter -n -t "$(cat "/tmp/namespace.$1")" \
		/etc/traffic.sh "$gateway" "$(parameter url)"
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	judge "$1 pings without loss" "${received:-0} of 200 answered" \
		"${received:-0}" = 200
	touch /tmp/payload
	sum=$(sha256sum </tmp/payload | cut -d' ' -f1)
	judge "$1 32 MiB by HTTP" "$(wc -c </tmp/payload) bytes, SHA-256 $sum" \
		"$sum" = "$(parameter sha256)"
	check_exits "$1 VM exits"
}

# The driver's interface of function $1: $2 is its address in sysfs
check_network() {
	interface=$(ls "/sys/bus/pci/devices/$2/net")
	# Drivers mark an address that they had to invent (1)
	judge "$1 MAC address" "$(cat "/sys/class/net/$interface/address")" \
		"$(cat "/sys/class/net/$interface/addr_assign_type")" = 0
	make_namespace "$1" "$interface"
	if ! wait_until 20 has_carrier "$1" "$interface"; then
		fail "$1 link" "no carrier after 20 s"
		return
	fi
	enter "$1" ip address add "10.9.0.$((0x$1))/24" dev "$interface"
	if grep -qw "gangway.inside=$1" /proc/cmdline; then
		return
	fi
	check_outside "$1" "$interface"
	count=$(interrupts_of "^$interface(-|$)")
	judge "$1 interrupts" "$count" "$count" -gt 0
}

# Of a PF's VFs nobody would know
check_no_vfs() {
	if [ -e "/sys/bus/pci/devices/$2/sriov_totalvfs" ]; then
		fail "$1 SR-IOV" "the guest could enable VFs"
	else
		pass "$1 SR-IOV" "not shown"
	fi
}

# exchange FROM TO: 100 pings, then 2 MiB by TCP.  Silent.  nc would hang up at
# the end of its own input, so the receiver's never ends.
# shellcheck disable=SC2317  # called by ourselves, counted
exchange() {
	enter "$1" ping -q -A -c 100 "10.9.0.$((0x$2))" >/tmp/ping 2>&1
	rm -f /tmp/quiet
	mkfifo /tmp/quiet
	exec 3<>/tmp/quiet
	enter "$2" nc -l -p 5001 <&3 >/tmp/arrived &
	wait_until 5 listens "$2"
	enter "$1" nc "10.9.0.$((0x$2))" 5001 </tmp/sent
	wait $!
}

# shellcheck disable=SC2317  # called by wait_until
listens() {
	enter "$1" netstat -ltn | grep -q :5001
}

# check_pair FROM TO
check_pair() {
	dd if=/dev/urandom of=/tmp/sent bs=1M count=2 2>/dev/null
	counted /etc/devices.sh exchange "$1" "$2"
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	judge "$1 to $2 pings without loss" "${received:-0} of 100 answered" \
		"${received:-0}" = 100
	if cmp /tmp/sent /tmp/arrived >/tmp/cmp 2>&1; then
		pass "$1 to $2 2 MiB by TCP" "arrived as sent"
	else
		fail "$1 to $2 2 MiB by TCP" "$(head -1 /tmp/cmp)"
	fi
	check_exits "$1 to $2 VM exits"
	rm -f /tmp/sent /tmp/arrived
}

# check_apart FROM TO
check_apart() {
	enter "$1" ping -q -c 5 -W 1 "10.9.0.$((0x$2))" >/tmp/ping 2>&1
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	judge "$1 apart from $2" "${received:-no count} of 5 pings answered" \
		"$received" = 0
}

# --- disks

# The disk behind function $1, by its address in sysfs
# shellcheck disable=SC2317  # called by wait_until
disk_of() {
	for disk in /sys/block/*; do
		case $(readlink -f "$disk") in
		*/"$1"/*) echo "${disk##*/}" && return ;;
		esac
	done
	return 1
}

# copy DISK NUMBER: its first 8 MiB to /tmp/read, /tmp/written to those 8 MiB
# times NUMBER further on, and that back to /tmp/again.  Past the page cache,
# silent.
# shellcheck disable=SC2317  # same
copy() {
	dd if="/dev/$1" of=/tmp/read bs=64k count=128 iflag=direct 2>/dev/null
	dd if=/tmp/written of="/dev/$1" bs=64k seek=$((128 * $2)) oflag=direct \
		2>/dev/null
	dd if="/dev/$1" of=/tmp/again bs=64k skip=$((128 * $2)) count=128 \
		iflag=direct 2>/dev/null
}

sum_of() {
	sha256sum <"$1" | cut -d' ' -f1
}

# check_disk SLOT ADDRESS INTERRUPTS: whoever sees the disk's image knows what
# must have been read and written.  Each function has its own place there, for
# two may be controllers of one drive.
check_disk() {
	if ! wait_until 20 disk_of "$2" >/tmp/disk; then
		fail "$1 disk" "none after 20 s"
		return
	fi
	disk=$(tail -1 /tmp/disk)
	dd if=/dev/urandom of=/tmp/written bs=1M count=8 2>/dev/null
	counted /etc/devices.sh copy "$disk" "$((0x$1))"
	judge "$1 disk read" "/dev/$disk, SHA-256 $(sum_of /tmp/read)" \
		"$(wc -c </tmp/read)" = 8388608
	judge "$1 disk written" "/dev/$disk, SHA-256 $(sum_of /tmp/again)" \
		"$(sum_of /tmp/again)" = "$(sum_of /tmp/written)"
	rm -f /tmp/read /tmp/written /tmp/again
	check_exits "$1 VM exits"
	count=$(interrupts_of "$3")
	judge "$1 interrupts" "$count" "$count" -gt 0
}

# --- others

# Colours at the top left of the console: white, red, green, blue; whoever sees
# the screen knows them.
check_display() {
	if ! wait_until 10 test -e /dev/fb0; then
		fail "$1 display" "no frame buffer after 10 s"
		return
	fi
	printf '\033[?25l\033[2J\033[H\033[47m  \033[41m  \033[42m  \033[44m  \033[0m' \
		>/dev/tty1
	pass "$1 display" "$(cat /sys/class/graphics/fb0/name), $(
		cat /sys/class/graphics/fb0/virtual_size)"
}

check_edu() {
	if said=$(edu 2>&1); then
		pass "$1 edu" "$said"
	else
		fail "$1 edu" "$said"
	fi
}

# A driver that could have several MSI vectors has the one that there is
check_msi() {
	shown=$(lspci -vv -s "$2" 2>/dev/null |
		sed -n 's/.* MSI: \(Enable. Count=[0-9/]*\).*/\1/p')
	[ -z "$shown" ] || judge "$1 MSI" "$shown" "$shown" = "Enable+ Count=1/1"
}

# Registers in a BAR of less than a page, which keep what is written; and
# memory, which whoever gave it to the machine sees.
check_shared_memory() {
	echo 1 >"/sys/bus/pci/devices/$2/enable"
	# shellcheck disable=SC2046  # start and rest of each line
	set -- "$1" $(cut -d' ' -f1 "/sys/bus/pci/devices/$2/resource")
	devmem "$2" 32 0x5aa5c33c
	said=$(devmem "$2" 32)
	judge "$1 small BAR" "$said" "$said" = 0x5AA5C33C
	counted devmem "$4" 64 0x1122334455667788
	pass "$1 shared memory" "$(devmem "$4" 64)"
	check_exits "$1 VM exits"
}

# get_ports FILE OFFSET COUNT: bytes
get_ports() {
	dd if="$1" bs=1 skip="$2" count="$3" 2>/dev/null
}

# put_port FILE OFFSET: the byte from standard input
put_port() {
	dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# pci-testdev: byte 0 of its ports chooses a test, which counts, in bytes 12 to
# 15, how often byte 8 is written to where bytes 4 to 7 say; its name is at 16.
check_ports() {
	echo 1 >"/sys/bus/pci/devices/$2/enable"
	ports=/sys/bus/pci/devices/$2/resource1
	printf '\000' | put_port "$ports" 0
	name=$(get_ports "$ports" 16 17)
	judge "$1 I/O BAR" "test $name" "$name" = portio-no-eventfd
	where=$(get_ports "$ports" 4 4 | od -An -tu4)
	for _ in 1 2 3; do
		get_ports "$ports" 8 1 | put_port "$ports" "$((where))"
	done
	count=$(get_ports "$ports" 12 4 | od -An -tu4)
	judge "$1 I/O BAR writes" "$((count)) of 3" "$((count))" = 3
}

# check_function SLOT ADDRESS
check_function() {
	shown=$(lspci -nnk -s "$2" 2>/dev/null)
	driver=$(echo "$shown" | sed -n 's/.*driver in use: //p')
	read -r class <"/sys/bus/pci/devices/$2/class"
	judge "$1 driver" "$(echo "$shown" | head -1), ${driver:-no driver}" \
		-n "$driver" -o "$class" = 0x00ff00 -o "$class" = 0x050000
	case $class:$driver in
	*:igbvf | *:e1000e) check_network "$1" "$2" ;;
	*:igb)
		check_network "$1" "$2"
		check_no_vfs "$1" "$2"
		;;
	*:nvme) check_disk "$1" "$2" "^$(ls "/sys/bus/pci/devices/$2/nvme")q" ;;
	*:xhci_hcd)
		check_disk "$1" "$2" "xhci_hcd"
		check_msi "$1" "$2"
		;;
	*:ahci) check_disk "$1" "$2" "^ahci" ;;
	*:bochs-drm) check_display "$1" ;;
	0x050000:*) check_shared_memory "$1" "$2" ;;
	0x00ff00:*)
		case $(cat "/sys/bus/pci/devices/$2/device") in
		0x11e8) check_edu "$1" ;;
		*) check_ports "$1" "$2" ;;
		esac
		;;
	esac
}

case ${1:-} in
exchange | copy)
	"$@"
	exit
	;;
esac

for function in /sys/bus/pci/devices/*; do
	address=${function##*/}
	slot=${address#0000:00:}
	slot=${slot%.0}
	[ "$slot" = 00 ] || check_function "$slot" "$address"
done
tr ' ' '\n' </proc/cmdline |
	sed -n 's/^gangway\.\(pair\|apart\)=\(..\),\(..\)$/\1 \2 \3/p' >/tmp/pairs
while read -r what from to; do
	case $what in
	pair) check_pair "$from" "$to" </dev/null ;;
	apart) check_apart "$from" "$to" </dev/null ;;
	esac
done </tmp/pairs
finish
