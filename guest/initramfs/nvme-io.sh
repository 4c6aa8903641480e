#!/bin/sh
# nvme-io.sh DISK: /tmp/random to the disk's start and back to /tmp/read, in
# large and in small requests, without cache.  Silent: what it printed would be
# VM exits.
dd if=/tmp/random of="$1" bs=64k oflag=direct 2>/tmp/dd
dd if="$1" of=/tmp/read bs=64k count=256 iflag=direct 2>>/tmp/dd
dd if="$1" of=/dev/null bs=4k count=512 iflag=direct 2>>/tmp/dd
