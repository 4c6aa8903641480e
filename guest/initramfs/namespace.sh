#!/bin/sh
# For the demonstrations: network namespaces, each called after the slot of the
# function that is in it, and kept by a process that sleeps there.  Needs
# judge.sh.

# enter SLOT COMMAND...: in the network namespace of function 00:SLOT.0
enter() {
	enter_pid=$(cat "/tmp/namespace.$1")
	shift
	nsenter -n -t "$enter_pid" "$@"
}

# make_namespace SLOT INTERFACE
make_namespace() {
	unshare -n sleep 1000000 &
	echo $! >"/tmp/namespace.$1"
	# The process is in its namespace when it has become sleep
	wait_until 5 grep -q sleep "/proc/$!/comm"
	ip link set dev "$2" netns $!
	# Else the network set-up of IPv6 goes on while exits are counted
	enter "$1" sh -c "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"
	enter "$1" ip link set dev lo up
	enter "$1" ip link set dev "$2" up
}

# has_carrier SLOT INTERFACE, for wait_until
# shellcheck disable=SC2317  # called by wait_until
has_carrier() {
	enter "$1" ip link show dev "$2" | grep -q LOWER_UP
}
