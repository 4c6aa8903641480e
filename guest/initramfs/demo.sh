#!/bin/sh
# The demonstration: each line starts with PASS or FAIL and ends with the
# measured value.  From the kernel's command line:
#   gangway.smp=N            CPUs that the machine has
#   gangway.url=, .sha256=   what to download, and its checksum
passed=0
failed=0
gateway=10.0.2.2

pass() {
	echo "PASS $1: $2"
	passed=$((passed + 1))
}

fail() {
	echo "FAIL $1: $2"
	failed=$((failed + 1))
}

# judge NAME VALUE CONDITION...: CONDITION is given to test
judge() {
	judge_name=$1 judge_value=$2
	shift 2
	if test "$@"; then
		pass "$judge_name" "$judge_value"
	else
		fail "$judge_name" "$judge_value"
	fi
}

# parameter NAME: its value on the kernel's command line
parameter() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^gangway\.$1=//p" | tail -1
}

# wait_until SECONDS COMMAND...: until it succeeds; fails when it is too late
wait_until() {
	wait_tries=$(($1 * 10))
	shift
	until "$@"; do
		[ $wait_tries -gt 0 ] || return 1
		wait_tries=$((wait_tries - 1))
		usleep 100000
	done
}

finish() {
	echo "DEMO: $passed passed, $failed failed"
	exit
}

check_cpus() {
	cpus=$(grep -c ^processor /proc/cpuinfo)
	judge "CPUs online" "$cpus of ${1:-?}" "$cpus" = "$1"
}

# Sets slot and interface.
check_vf() {
	slot=$(lspci -D -d 8086:10ca | cut -d' ' -f1 | head -1)
	if [ -z "$slot" ]; then
		fail "VF and driver" "lspci shows no VF (8086:10ca)"
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
	ip link set "$interface" up
	if wait_until 20 has_carrier; then
		pass "link" "up, $(cat "/sys/class/net/$interface/speed") Mbit/s"
	else
		fail "link" "no carrier after 20 s"
	fi
}

get_lease() {
	rm -f /tmp/lease
	ip address flush dev "$interface"
	udhcpc -n -q -t 10 -T 2 -i "$interface" -s /etc/udhcpc.sh \
		>/tmp/udhcpc.log 2>&1
}

check_dhcp() {
	get_lease
	lease=$(cat /tmp/lease 2>/dev/null)
	judge "DHCP lease" "${lease:-none}" -n "$lease"
}

# Counted by gangway-stat; without Gangway there is traffic, but no count.
make_traffic() {
	gangway-stat -m -- /etc/traffic.sh "$gateway" "$1" >/tmp/exits 2>&1
	[ $? != 125 ] || /etc/traffic.sh "$gateway" "$1"
}

check_traffic() {
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	judge "pings without loss" "${received:-0} of 200 answered$(
		sed -n 's,^round-trip.*= \(.*\),; min/avg/max \1,p' /tmp/ping)" \
		"${received:-0}" = 200
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

# What gangway-stat counted during the traffic.  Not one exit may be for a
# doorbell (an access that no device answers, in EPT), an interrupt or its EOI,
# an IPI, HLT or a timer; and of the rest there may be 20, each named.
check_exits() {
	if ! grep -q ^time_us= /tmp/exits; then
		fail "VM exits" "$(head -1 /tmp/exits)"
		return
	fi
	verdict=$(awk -F= '
		/\.cpu[0-9]+=/ { next }
		$1 == "time_us" { seconds = $2 / 1000000 }
		$1 == "exit.CPUID" { cpuid = $2; next }
		$1 ~ /^exit\./ {
			total += $2
			name = substr($1, 6)
			if (name ~ never) bad = bad " " name
			list = list ", " name " " $2
		}
		$1 ~ /^access\./ {
			name = substr($1, 8)
			if (name == "NO_DEVICE") bad = bad " " name
			devices = devices ", " name " " $2
		}
		BEGIN {
			never = "^(EXTERNAL_INTERRUPT|INTERRUPT_WINDOW|HLT|" \
				"RDMSR|WRMSR|MWAIT|TPR_BELOW_THRESHOLD|" \
				"APIC_ACCESS|VIRTUALIZED_EOI|APIC_WRITE|" \
				"PREEMPTION_TIMER|EPT_MISCONFIGURATION)$"
		}
		END {
			printf "%s %d in %.1f s", \
				(bad == "" && total <= 20) ? "PASS" : "FAIL", \
				total, seconds
			if (list != "") printf " (%s)", substr(list, 3)
			if (devices != "") printf ", for %s", substr(devices, 3)
			if (bad != "") printf "; not one may be:%s", bad
			printf "; apart from these CPUID %d\n", cpuid
		}' /tmp/exits)
	judge "VM exits" "${verdict#* }" "${verdict%% *}" = PASS
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
make_traffic "$(parameter url)"
check_traffic "$(parameter sha256)"
check_interrupts
check_exits
check_blocked_dma
restore_network
finish
