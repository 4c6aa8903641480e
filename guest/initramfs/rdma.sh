#!/bin/sh
# Two 82576 VFs reach each other through their card's switch: iperf3 between two
# network namespaces, then RDMA, by rdma_rxe on each VF.  Its lines are as
# demo.sh's.
#
# rdma_rxe of Linux 6.1 sends and receives in the first namespace alone, so for
# RDMA both VFs are in that.  What goes to an address of the own machine goes by
# lo there, unless it is bound to an interface, and what rdma_rxe sends is.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh
# shellcheck source=guest/initramfs/namespace.sh
. /etc/namespace.sh
port=5201
size=65536
writes=200
round_trips=50
block=60000

# --- what gangway-stat counts: silent

# shellcheck disable=SC2317  # called by wait_until
listens() {
	"$@" netstat -ltn | grep -q :"$port"
}

# both_ways SLOT SLOT: TCP for two seconds
# shellcheck disable=SC2317  # called by ourselves, counted
both_ways() {
	enter "$2" iperf3 -s -1 -p "$port" >/tmp/iperf.server 2>&1 &
	wait_until 5 listens enter "$2"
	enter "$1" timeout 30 iperf3 -c 10.9.0.2 -p "$port" --bidir -t 2 -f m \
		>/tmp/iperf 2>&1
}

# An answer may take 4 us times two to the 17th, half a second: the host may be
# busy.
# shellcheck disable=SC2317  # same
write_bw() {
	timeout 60 ib_write_bw -F -u 17 -s "$size" -n "$writes" -p "$port" "$@"
}

# write INDEX INDEX: of the GIDs of rxe0 and rxe1.  The two programs tell each
# other by TCP, over lo, where to write.
# shellcheck disable=SC2317  # same
write() {
	write_bw -d rxe1 -x "$2" >/tmp/write.server 2>&1 &
	wait_until 5 listens
	write_bw -d rxe0 -x "$1" 127.0.0.1 >/tmp/write 2>&1
	wait $!
}

# shellcheck disable=SC2317  # called by wait_until
awaits_connection() {
	rdma resource show cm_id | grep -q LISTEN
}

# The server reads what the client has in memory and writes it to another place
# there, and the client compares, and prints it.
# shellcheck disable=SC2317  # called by ourselves, counted
read_and_write() {
	timeout 60 rping -s -a 10.9.0.2 -S "$block" >/tmp/rping.server 2>&1 &
	wait_until 5 awaits_connection
	timeout 60 rping -c -v -V -I 10.9.0.1 -a 10.9.0.2 -C "$round_trips" \
		-S "$block" >/tmp/rping 2>&1
	wait $!
}

case ${1:-} in
both_ways | write | read_and_write)
	"$@"
	exit
	;;
esac

# ---

# Sets slots and interfaces of VF A and VF B, and in words the way from A to B.
check_vfs() {
	set -- /sys/bus/pci/drivers/igbvf/0000:*
	if [ $# -lt 2 ]; then
		fail "RDMA VFs" "two with driver igbvf are needed"
		finish
	fi
	slot_a=${1#*:00:} slot_b=${2#*:00:}
	slot_a=${slot_a%.0} slot_b=${slot_b%.0}
	interface_a=$(ls "$1/net")
	interface_b=$(ls "$2/net")
	judge "RDMA VFs" \
		"00:$slot_a.0 is $interface_a, 00:$slot_b.0 is $interface_b" \
		-n "$interface_a" -a -n "$interface_b"
	way="00:$slot_a.0 to 00:$slot_b.0"
}

# mbits WAY: what iperf3 says arrived, in Mbit/s
mbits() {
	sed -n "s,.*\[$1\].* \([0-9.]*\) Mbits/sec *receiver.*,\1,p" /tmp/iperf
}

check_namespaces() {
	make_namespace "$slot_a" "$interface_a"
	make_namespace "$slot_b" "$interface_b"
	enter "$slot_a" ip address add 10.9.0.1/24 dev "$interface_a"
	enter "$slot_b" ip address add 10.9.0.2/24 dev "$interface_b"
	if ! wait_until 20 has_carrier "$slot_a" "$interface_a" ||
		! wait_until 20 has_carrier "$slot_b" "$interface_b"; then
		fail "TCP between namespaces" "no carrier after 20 s"
		return
	fi
	counted /etc/rdma.sh both_ways "$slot_a" "$slot_b"
	there=$(mbits TX-C)
	back=$(mbits RX-C)
	judge "TCP between namespaces" \
		"iperf3 ${there:-no} Mbit/s, $way, and ${back:-no} Mbit/s back" \
		-n "$there" -a -n "$back"
	check_exits "TCP VM exits"
}

# A namespace that ends gives its interface back to the first one.
# shellcheck disable=SC2317  # called by wait_until
are_back() {
	[ -e "/sys/class/net/$interface_a" ] &&
		[ -e "/sys/class/net/$interface_b" ]
}

# set_up INTERFACE ADDRESS: in the first namespace
set_up() {
	# Take packets that come from an own address, and answer ARP for the
	# interface's own address alone
	echo 1 >"/proc/sys/net/ipv4/conf/$1/accept_local"
	echo 1 >"/proc/sys/net/ipv4/conf/$1/arp_ignore"
	echo 0 >"/proc/sys/net/ipv4/conf/$1/rp_filter"
	ip address add "$2/24" dev "$1"
	ip link set "$1" up
}

# gid_index DEVICE: that of its IPv4 address, which is 10.9.0.x, among the first
# of its many
# shellcheck disable=SC2317  # called by wait_until
gid_index() {
	gid=$(grep -ls ffff:0a09: \
		"/sys/class/infiniband/$1/ports/1/gids"/[0-7]) &&
		echo "${gid##*/}"
}

# has_link INTERFACE
# shellcheck disable=SC2317  # called by wait_until
has_link() {
	grep -qsx 1 "/sys/class/net/$1/carrier"
}

make_devices() {
	# A server that waits would keep its namespace
	killall iperf3
	kill "$(cat "/tmp/namespace.$slot_a")" "$(cat "/tmp/namespace.$slot_b")"
	wait_until 20 are_back || return
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	ip link set lo up
	set_up "$interface_a" 10.9.0.1
	set_up "$interface_b" 10.9.0.2
	/etc/load.sh rdma
	wait_until 20 has_link "$interface_a" &&
		wait_until 20 has_link "$interface_b" &&
		rdma link add rxe0 type rxe netdev "$interface_a" &&
		rdma link add rxe1 type rxe netdev "$interface_b" &&
		wait_until 20 gid_index rxe0 >/tmp/gid0 &&
		wait_until 20 gid_index rxe1 >/tmp/gid1
}

check_devices() {
	if make_devices >/tmp/rdma 2>&1; then
		pass "RDMA devices" "rxe0 on $interface_a, rxe1 on $interface_b"
	else
		fail "RDMA devices" "not ready in time: $(tail -1 /tmp/rdma)"
		finish
	fi
}

# packets: what VF A sent, VF B received, and lo carried
packets() {
	cat "/sys/class/net/$interface_a/statistics/tx_packets" \
		"/sys/class/net/$interface_b/statistics/rx_packets" \
		/sys/class/net/lo/statistics/rx_packets
}

check_write() {
	interrupts=$(interrupts_of "^$interface_b-rx")
	packets >/tmp/packets
	counted /etc/rdma.sh write "$(cat /tmp/gid0)" "$(cat /tmp/gid1)"
	packets >>/tmp/packets
	interrupts=$(($(interrupts_of "^$interface_b-rx") - interrupts))
	# size, number, peak, average, messages
	rate=$(awk -v size=$size '$1 == size && NF == 5 { print $4 }' /tmp/write)
	judge "RDMA write" \
		"ib_write_bw ${rate:-no} MiB/s, $writes of $size bytes, $way" \
		-n "$rate"
	# shellcheck disable=SC2046  # six numbers
	set -- $(cat /tmp/packets)
	sent=$(($4 - $1)) received=$(($5 - $2)) lo=$(($6 - $3))
	# With an MTU of 1500 a packet holds 1024 bytes of a write
	least=$((writes * size / 1024))
	judge "RDMA packets" \
		"$sent sent, $received received; over lo $lo" \
		$sent -ge $least -a $received -ge $least -a $lo -lt 100
	judge "RDMA interrupts" "$interrupts" "$interrupts" -gt 0
	check_exits "RDMA VM exits"
}

# rping also calls it a success when its connection breaks, so what it printed is
# counted.
check_content() {
	counted /etc/rdma.sh read_and_write
	came=$(grep -c "^ping data: rdma-ping-" /tmp/rping)
	judge "RDMA read and write" \
		"rping $came of $round_trips times $block bytes, as sent" \
		"$came" = "$round_trips"
	check_exits "RDMA read and write VM exits"
}

# Takes VF A away from its driver and gives it back.
check_blocked_dma() {
	rdma link delete rxe0
	rdma link delete rxe1
	ip link set "$interface_a" down
	if said=$(blocked-dma 2>&1); then
		pass "RDMA blocked DMA" "$said"
	else
		fail "RDMA blocked DMA" "$said"
	fi
}

check_vfs
check_namespaces
check_devices
check_write
check_content
check_blocked_dma
finish
