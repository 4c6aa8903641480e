#!/bin/sh
# Called by udhcpc with what the DHCP server gave.
# shellcheck disable=SC2154  # set by udhcpc
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route add default via "${router%% *}"
[ -z "$dns" ] || echo "nameserver ${dns%% *}" >/etc/resolv.conf
echo "${router%% *}" >/tmp/gateway
echo "$ip" >/tmp/lease
