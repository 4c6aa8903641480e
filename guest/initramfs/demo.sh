#!/bin/sh
# The demonstration: its lines are judge.sh's.  From the kernel's command line:
#   gangway.smp=N            CPUs that the machine has; else as many as Gangway says
#   gangway.url=, .sha256=   what to download, and its checksum
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh

check_cpus() {
	cpus=$(grep -c ^processor /proc/cpuinfo)
	all=${1:-$(gangway-stat -m | sed -n 's/^cpus=//p')}
	judge "CPUs online" "$cpus of ${all:-?}" "$cpus" = "$all"
}

# Sets slot and interface.
check_vf() {
	slot=$(lspci -D -d 8086:10ca | cut -d' ' -f1 | head -1)
	if [ -z "$slot" ]; then
		skip "VF and driver" "the guest has no VF of an 82576 \
(8086:10ca): Gangway's list of this machine says what assign= may name"
		finish
	fi
	shown=$(lspci -nnk -s "$slot" 2>/dev/null)
	driver=$(echo "$shown" | sed -n 's/.*driver in use: //p')
	judge "VF and driver" "$(echo "$shown" | head -1), ${driver:-no driver}" \
		"$driver" = igbvf
	interface=$(ls "/sys/bus/pci/devices/$slot/net" 2>/dev/null)
	if [ -z "$interface" ]; then
		fail "MAC address" "the driver made no network interface"
		finish
	fi
}

# igbvf marks an address that it had to invent (addr_assign_type 1).  That it is
# the very one of the PF's log line is for whoever sees both.
check_mac() {
	net=/sys/class/net/$interface
	judge "MAC address" "$(cat "$net/address")" \
		"$(cat "$net/addr_assign_type")" = 0
}

# shellcheck disable=SC2317  # called by wait_until
has_carrier() {
	[ "$(cat "/sys/class/net/$interface/carrier" 2>/dev/null)" = 1 ]
}

check_link() {
	# Else the network set-up of IPv6 goes on while exits are counted: it joins
	# groups, and igbvf sends the PF the list of them
	echo 1 >"/proc/sys/net/ipv6/conf/$interface/disable_ipv6"
	ip link set "$interface" up
	if wait_until 20 has_carrier; then
		pass "link" "up, $(cat "/sys/class/net/$interface/speed") Mbit/s"
	else
		skip "link" "there is no carrier after 20 s: is the cable in?"
		finish
	fi
}

get_lease() {
	rm -f /tmp/lease
	ip address flush dev "$interface"
	udhcpc -n -q -t 10 -T 2 -i "$interface" -s /etc/udhcpc.sh \
		>/tmp/udhcpc.log 2>&1
}

# Sets gateway.
check_dhcp() {
	get_lease
	lease=$(cat /tmp/lease 2>/dev/null)
	gateway=$(cat /tmp/gateway 2>/dev/null)
	if [ -n "$lease" ]; then
		pass "DHCP lease" "$lease"
	else
		skip "DHCP lease" "no DHCP server answered"
	fi
}

# Counted by gangway-stat; without Gangway there is traffic, but no count.
make_traffic() {
	gangway-stat -m -- /etc/traffic.sh "$gateway" "$1" >/tmp/exits 2>&1
	[ $? != 125 ] || /etc/traffic.sh "$gateway" "$1"
}

# check_traffic SHA256: there is a gateway
check_traffic() {
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	judge "pings without loss" "${received:-0} of 200 answered$(
		sed -n 's,^round-trip.*= \(.*\),; min/avg/max \1,p' /tmp/ping)" \
		"${received:-0}" = 200
	if [ -z "$(parameter url)" ]; then
		skip "32 MiB by HTTP" "gangway.url= names nothing to load"
		return
	fi
	touch /tmp/payload
	size=$(wc -c </tmp/payload)
	sum=$(sha256sum </tmp/payload | cut -d' ' -f1)
	rm /tmp/payload
	judge "32 MiB by HTTP" "$size bytes, SHA-256 $sum" \
		"$sum" = "$1"
}

check_interrupts() {
	count=$(awk -v name="$interface" '
		$NF ~ "^" name "(-|$)" {
			for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i
		}
		END { print sum + 0 }' /proc/interrupts)
	judge "VF interrupts" "$count" "$count" -gt 0
}

# Takes the VF away from its driver and gives it back.
check_blocked_dma() {
	ip link set "$interface" down
	if said=$(blocked-dma 2>&1); then
		pass "blocked DMA" "$said"
	else
		fail "blocked DMA" "$said"
	fi
}

restore_network() {
	interface=$(ls "/sys/bus/pci/devices/$slot/net" 2>/dev/null) || return
	ip link set "$interface" up
	wait_until 20 has_carrier && get_lease
}

check_cpus "$(parameter smp)"
check_vf
check_mac
check_link
check_dhcp
if [ -n "$gateway" ]; then
	make_traffic "$(parameter url)"
	check_traffic "$(parameter sha256)"
	check_interrupts
	check_exits "VM exits"
else
	skip "traffic" "the DHCP lease names no gateway"
fi
check_blocked_dma
restore_network
finish
