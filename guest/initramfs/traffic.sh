#!/bin/sh
# traffic.sh GATEWAY [URL]: 200 pings, one download.  Silent: what it printed
# would be VM exits.
ping -q -A -c 200 "$1" >/tmp/ping 2>&1
[ -z "$2" ] || wget -q -O /tmp/payload "$2" >/tmp/wget 2>&1
