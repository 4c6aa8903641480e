#!/bin/sh
# gangway.show=attack: attacks by root beside the VF's traffic, which must go
# through afterwards, and where only masks change also meanwhile.  Its lines are
# as demo.sh's.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh
gateway=10.0.2.2
slot=0000:00:01.0

# shellcheck disable=SC2317  # called by wait_until
has_carrier() {
	[ "$(cat "/sys/class/net/$interface/carrier" 2>/dev/null)" = 1 ]
}

# Bring the VF's network up; fails if it does not come.
network() {
	interface=$(ls "/sys/bus/pci/devices/$slot/net" 2>/dev/null)
	[ -n "$interface" ] || return 1
	ip address flush dev "$interface"
	ip link set "$interface" up
	wait_until 20 has_carrier &&
		udhcpc -n -q -t 10 -T 2 -i "$interface" -s /etc/udhcpc.sh \
			>/tmp/udhcpc.log 2>&1
}

# traffic NAME: every ping is answered, every byte comes.
traffic() {
	/etc/traffic.sh "$gateway" "$(parameter url)"
	received=$(sed -n 's/.* \([0-9]*\) packets received.*/\1/p' /tmp/ping)
	sum=$(sha256sum </tmp/payload | cut -d' ' -f1)
	rm -f /tmp/payload
	judge "traffic $1" "${received:-0} of 200 pings; SHA-256 $sum" \
		"${received:-0} $sum" = "200 $(parameter sha256)"
}

# shellcheck disable=SC2317  # called by during
pings() {
	ping -q -A -w 3 "$gateway" >/tmp/hostile
}

# during ATTACK COMMAND...: COMMAND beside attack ATTACK, which ends after it
during() {
	attack "$1" &
	shift
	"$@"
	kill $!
	wait $!
}

# Takes the VF from its driver and gives it back.
rebind() {
	echo "$slot" >"/sys/bus/pci/devices/$slot/driver/unbind"
	echo "$slot" >/sys/bus/pci/drivers/igbvf/bind
}

insmod /lib/modules/msr.ko allow_writes=on
network || fail "network" "$(tail -1 /tmp/udhcpc.log)"
attack instructions ports msrs memory
during mask traffic "while vectors are masked and unmasked"
during table pings
sed -n 's/^\([0-9]* packets.*\)/attack: beside hostile messages: \1/p' \
	/tmp/hostile
traffic "after hostile messages"
attack config
rebind
network || fail "network" "$(tail -1 /tmp/udhcpc.log)"
traffic "after writes to configuration space"
finish
