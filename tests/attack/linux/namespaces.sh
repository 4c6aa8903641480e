#!/bin/sh
# gangway.show=namespaces: root in the guest commands by the queues of an NVMe
# VF what is not the VF's own.  Its lines are as demo.sh's; what fails is an
# attack that worked.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh

# shellcheck disable=SC2317  # called by wait_until
has_disk() {
	[ -b /dev/nvme0n1 ]
}

wait_until 20 has_disk || fail "NVMe disk" "no namespace appeared in 20 s"
attack registers namespaces commands
# The VF's own namespace is there as ever
judge "own namespace" "$(dd if=/dev/nvme0n1 of=/dev/null bs=1M count=1 \
	iflag=direct 2>&1 | tail -1)" \
	"$(dd if=/dev/nvme0n1 bs=1M count=1 iflag=direct 2>/dev/null | wc -c)" \
	= 1048576
attack management
finish
