#!/bin/sh
# The demonstration for an NVMe VF.  Overwrites the start of its namespace.
# shellcheck source=guest/initramfs/judge.sh
. /etc/judge.sh
size_mib=16

# Sets slot and disk.
check_vf() {
	slot=$(lspci -D -d ::0108 | cut -d' ' -f1 | head -1)
	if [ -z "$slot" ]; then
		fail "NVMe VF and driver" "lspci shows no NVMe controller"
		finish
	fi
	shown=$(lspci -nnk -s "$slot" 2>/dev/null)
	driver=$(echo "$shown" | sed -n 's/.*driver in use: //p')
	judge "NVMe VF and driver" \
		"$(echo "$shown" | head -1), ${driver:-no driver}" \
		"$driver" = nvme
	if wait_until 20 has_disk; then
		disk=${disk##*/}
		pass "NVMe disk" "/dev/$disk, $(($(cat \
			"/sys/block/$disk/size") / 2048)) MiB"
	else
		fail "NVMe disk" "no namespace appeared in 20 s"
		finish
	fi
}

# shellcheck disable=SC2317  # called by wait_until
has_disk() {
	for disk in /sys/block/nvme*n*; do
		[ -b "/dev/${disk##*/}" ] && return
	done
	return 1
}

# The driver has as many vectors as the VF's MSI-X table has: the admin queue's
# and the I/O queue's.
check_vectors() {
	table=$(lspci -vv -s "$slot" 2>/dev/null |
		sed -n 's/.*MSI-X: Enable+ Count=\([0-9]*\).*/\1/p')
	set -- "/sys/bus/pci/devices/$slot/msi_irqs"/*
	judge "NVMe vectors" "$# of ${table:-no MSI-X}" "$#" = "$table"
}

count_interrupts() {
	awk '$NF ~ /^nvme[0-9]+q[0-9]+$/ {
		for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i
	} END { print sum + 0 }' /proc/interrupts
}

# Counted by gangway-stat; without Gangway there is I/O, but no count.
make_io() {
	dd if=/dev/urandom of=/tmp/random bs=1M count=$size_mib 2>/dev/null
	interrupts=$(count_interrupts)
	gangway-stat -m -- /etc/nvme-io.sh "/dev/$disk" >/tmp/exits 2>&1
	[ $? != 125 ] || /etc/nvme-io.sh "/dev/$disk"
	interrupts=$(($(count_interrupts) - interrupts))
}

checksum() {
	sha256sum <"$1" | cut -d' ' -f1
}

# What was written has come back, past the guest's own cache.
check_io() {
	wrote=$(checksum /tmp/random)
	touch /tmp/read
	judge "NVMe write and read" \
		"$(wc -c </tmp/read) bytes, SHA-256 $wrote" \
		"$(checksum /tmp/read)" = "$wrote"
	rm /tmp/read
	judge "NVMe interrupts" "$interrupts" "$interrupts" -gt 0
}

# The driver quiesces its queues, the function is reset, and all starts again.
check_reset() {
	if ! echo 1 >"/sys/bus/pci/devices/$slot/reset"; then
		fail "NVMe reset" "the kernel could not reset the function"
		return
	fi
	dd if="/dev/$disk" of=/tmp/read bs=1M count=$size_mib iflag=direct \
		2>/dev/null
	judge "NVMe reset" "read back after a function-level reset" \
		"$(checksum /tmp/read)" = "$wrote"
	rm /tmp/read /tmp/random
}

# Takes the VF away from its driver and gives it back.
check_blocked_dma() {
	if said=$(nvme-blocked-dma 2>&1); then
		pass "NVMe blocked DMA" "$said"
	else
		fail "NVMe blocked DMA" "$said"
	fi
}

check_vf
check_vectors
make_io
check_io
check_exits "NVMe VM exits"
check_reset
check_blocked_dma
finish
