/* This file asks, while the firmware still reads every keyboard, what this boot
 * is for. */
#include "boot/menu.h"
#include "boot/console.h"
#include "boot/files.h"
#include "hv/string.h"

/* In place of the mode that the file has, as long as that */
static void write_mode(const struct config *config, const char *path)
{
	char word[] = "run             ";
	EFI_STATUS status;

	if (config->mode_size < 3 || config->mode_size >= sizeof(word))
		return; /* the file has none, and the default is run */
	status = file_change(path, config->mode_at, word, config->mode_size);
	boot_print("gangway: %s: %s%s\n", path,
		   EFI_ERROR(status) ? "cannot be written, set mode=run by "
				       "hand: "
				     : "mode=run from now on",
		   EFI_ERROR(status) ? boot_status(status) : "");
}

void menu_ask(struct config *config, const char *path)
{
	char key;

	if (!config->menu)
		return;
	boot_drop_keys(); /* before the question: an answer may come at once */
	boot_print("gangway: R: run the guest;  A: run it, now and at each "
		   "boot;  C: check what this machine can give.\n"
		   "gangway: without a key it is %s, in %u s\n",
		   config->mode == MODE_RUN ? "R" : "C", config->menu);
	key = boot_key(config->menu) | 0x20;
	if (key == 'c')
		config->mode = MODE_CHECK;
	if (key == 'r' || key == 'a')
		config->mode = MODE_RUN;
	if (key == 'a')
		write_mode(config, path);
}
