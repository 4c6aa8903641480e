/* gangway.cfg: `key=value` lines, `#` comments. */
#ifndef HV_MACHINE_CONFIG_H
#define HV_MACHINE_CONFIG_H

#include "guest/assign/request.h"
#include "hv/power.h"

#define CONFIG_PATH_MAX 128
#define CONFIG_INITRDS_MAX 8
#define CONFIG_CMDLINE_MAX 2048 /* with the end: what Linux takes */
#define CONFIG_ALL_CPUS 0

/* Start the guest; or show what the machine can do, and end. */
enum run_mode { MODE_RUN, MODE_CHECK };

struct config {
	char kernel[CONFIG_PATH_MAX]; /* default \vmlinuz */
	/* One behind the other, as Linux unpacks them */
	char initrd[CONFIG_INITRDS_MAX][CONFIG_PATH_MAX];
	unsigned int initrd_count;
	char cmdline[CONFIG_CMDLINE_MAX];
	u64 memory; /* bytes; 0: all that is free */
	u32 cpus;   /* CONFIG_ALL_CPUS: all */
	struct assign_request assign[ASSIGN_MAX];
	unsigned int assign_count; /* 0: none */
	/* Assign part of an isolation group, at the user's own risk */
	bool allow_unsafe_groups;
	/* Same, a function whose driver can command what reaches beyond it */
	bool allow_unsafe_commands;
	bool strict_groups; /* no member of a group may stay behind, held */
	enum run_mode mode;
	size_t mode_at, mode_size; /* its place in the file; size 0: none */
	u32 menu;		   /* seconds to ask for the mode; 0: not */
	enum end_action on_poweroff, on_reboot, on_crash;
	enum end_action on_panic; /* reset or halt */
	bool selftest;		  /* the guest may crash the hypervisor */
	u8 log_port;		  /* 1: COM1, 2: COM2 */
	bool guest_power;	  /* its MWAIT and P-states (hv/vmx/) */
	bool check_ipis;	  /* the guest's IPIs exit (hv/vmx/icr.h) */
	u32 weaken;		  /* bits of hv/weaken.h; 0: nothing */
};

struct config_error {
	unsigned int line;
	char message[320]; /* what was found and what was expected */
};

/*
 * Parse @size bytes of @text (not NUL-terminated).  Keys, in capitals or not:
 * kernel, initrd (a list, and more than once), cmdline, memory (512M, 2G, or
 * `all`), cpus (number or `all`), assign (comma-separated, `none` or `auto`),
 * groups (held, strict), allow-unsafe-groups and allow-unsafe-commands (yes,
 * no), mode (run, check), menu (seconds), on-poweroff, on-reboot, on-crash
 * (poweroff, reset, halt), on-panic (reset, halt), ipis (direct, checked),
 * power (guest, fixed), selftest (none, panic), log (com1, com2), weaken (names
 * of hv/weaken.h, comma-separated). Unknown keys, doubled keys, bad values,
 * comments behind a value and quotes around one are errors, which say what was
 * probably meant. 0, or -EINVAL with
 * @error filled.
 */
int config_parse(const char *text, size_t size, struct config *config,
		 struct config_error *error);

#endif
