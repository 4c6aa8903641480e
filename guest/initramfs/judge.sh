#!/bin/sh
# For the demonstrations, each of which sources this: lines that start with PASS
# or FAIL and end with the measured value, or with SKIP and end with why there is
# none on this machine.
passed=0
failed=0
skipped=0

pass() {
	echo "PASS $1: $2"
	passed=$((passed + 1))
}

fail() {
	echo "FAIL $1: $2"
	failed=$((failed + 1))
}

skip() {
	echo "SKIP $1: not shown, because $2"
	skipped=$((skipped + 1))
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
	[ "$skipped" = 0 ] || not_shown=", $skipped not shown"
	echo "DEMO: $passed passed, $failed failed$not_shown"
	exit
}

# interrupts_of PATTERN: how many there were on lines whose name matches
interrupts_of() {
	awk -v name="$1" '$NF ~ name {
		for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i
	}
	END { print sum + 0 }' /proc/interrupts
}

# counted COMMAND...: by gangway-stat, in /tmp/exits.  What was said before leaves
# the port first (TCSADRAIN): each byte is an exit.
counted() {
	stty cs8 </dev/console
	gangway-stat -m -- "$@" >/tmp/exits 2>&1
	[ $? != 125 ] || "$@"
}

# check_exits NAME: what gangway-stat counted while a command ran, in
# /tmp/exits.  Not one exit may be for a doorbell (an access that no device
# answers, in EPT), an interrupt or its EOI, an IPI, HLT or a timer; and of the
# rest there may be 20, each named.  Under some hypervisors reads of the page with
# a VF's mailbox exit too; igbvf looks at its link by ten of them every two
# seconds whatever goes on, and these may come on top.
check_exits() {
	if ! grep -q ^time_us= /tmp/exits; then
		fail "$1" "$(head -1 /tmp/exits)"
		return
	fi
	set -- "$1" /sys/bus/pci/drivers/igbvf/0000:*
	verdict=$(awk -F= -v vfs=$(($# - 1)) '
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
			if (name == "PF_MAILBOX_READ") reads = $2
			devices = devices ", " name " " $2
		}
		BEGIN {
			never = "^(EXTERNAL_INTERRUPT|INTERRUPT_WINDOW|HLT|" \
				"RDMSR|WRMSR|MWAIT|TPR_BELOW_THRESHOLD|" \
				"APIC_ACCESS|VIRTUALIZED_EOI|APIC_WRITE|" \
				"PREEMPTION_TIMER|EPT_MISCONFIGURATION)$"
		}
		END {
			allowed = 10 * vfs * int(seconds / 2 + 1)
			printf "%s %d in %.1f s", \
				(bad == "" && total - reads <= 20 && \
				reads <= allowed) ? "PASS" : "FAIL", \
				total, seconds
			if (list != "") printf " (%s)", substr(list, 3)
			if (devices != "") printf ", for %s", substr(devices, 3)
			if (bad != "") printf "; not one may be:%s", bad
			printf "; apart from these CPUID %d\n", cpuid
		}' /tmp/exits)
	judge "$1" "${verdict#* }" "${verdict%% *}" = PASS
}
