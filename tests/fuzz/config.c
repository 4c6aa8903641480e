/* sources: hv/machine/config.c hv/machine/config_assign.c hv/machine/config_text.c hv/weaken.c */
/* longest input: 4096 */
/* gangway.cfg, as it was read from the disk. */
#include "hv/machine/config.h"
#include "tests/fuzz/fuzz.h"
#include <string.h>

static void check_accepted(const struct config *c)
{
	CHECK(memchr(c->kernel, '\0', sizeof(c->kernel)) && c->kernel[0]);
	CHECK(c->initrd_count <= CONFIG_INITRDS_MAX);
	for (unsigned int i = 0; i < c->initrd_count; i++)
		CHECK(memchr(c->initrd[i], '\0', CONFIG_PATH_MAX) &&
		      c->initrd[i][0]);
	CHECK(memchr(c->cmdline, '\0', sizeof(c->cmdline)));
	CHECK(IS_ALIGNED(c->memory, 2 * MIB) && c->memory <= BIT(46));
	CHECK(c->cpus <= 4096);
	CHECK(c->assign_count <= ASSIGN_MAX);
	for (unsigned int i = 0; i < c->assign_count; i++)
		CHECK(c->assign[i].kind == ASSIGN_ADDRESS ||
		      c->assign[i].kind == ASSIGN_VF ||
		      (c->assign[i].kind == ASSIGN_AUTO && !i));
	CHECK(c->on_poweroff <= END_HALT && c->on_reboot <= END_HALT &&
	      c->on_crash <= END_HALT);
	CHECK(c->log_port == 1 || c->log_port == 2);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	static struct config config;
	struct config_error error;

	fuzz_begin();
	memset(&error, 0xff, sizeof(error));
	if (config_parse((const char *)bytes, size, &config, &error) == 0) {
		check_accepted(&config);
		return 0;
	}
	CHECK(memchr(error.message, '\0', sizeof(error.message)));
	CHECK(error.message[0]);
	for (const char *c = error.message; *c; c++)
		CHECK((u8)*c >= ' ' || *c == '\t');
	CHECK(error.line <= size + 1);
	return 0;
}
