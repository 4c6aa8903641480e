/*
 * Says on the host what Gangway would say of a gangway.cfg and its files:
 * check-config FILE [ROOT].  The parser and the checks are the product's own.
 * ROOT: the folder that is the root of the stick; without it that of FILE, or
 * two above where FILE is in EFI/BOOT.
 */
#include "guest/linux.h"
#include "hv/log.h"
#include "hv/machine/config.h"
#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_SIZE 4096

static struct config config;
static char root[PATH_SIZE], folder[PATH_SIZE];

/* guest/linux.c's */
void hv_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

/* All of @path, allocated; NULL: it cannot be read. */
static char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	long end;

	if (!file)
		return NULL;
	if (!fseek(file, 0, SEEK_END) && (end = ftell(file)) >= 0) {
		rewind(file);
		bytes = malloc(end + 1);
		*size = bytes ? fread(bytes, 1, end, file) : 0;
		if (*size != (size_t)end) {
			free(bytes);
			bytes = NULL;
		}
	}
	fclose(file);
	return bytes;
}

/* Lengthen @path by @name, as it is written there: FAT takes capitals and small
 * letters for the same. */
static void append(char path[PATH_SIZE], const char *name)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t length = strlen(path);

	while (dir && (entry = readdir(dir)))
		if (!strcasecmp(entry->d_name, name))
			break;
	snprintf(path + length, PATH_SIZE - length, "/%s",
		 dir && entry ? entry->d_name : name);
	if (dir)
		closedir(dir);
}

/* @file of the configuration, as firmware finds it */
static void find(const char *file, char path[PATH_SIZE])
{
	char copy[CONFIG_PATH_MAX];
	bool from_root = file[0] == '\\' || file[0] == '/';

	snprintf(copy, sizeof(copy), "%s", file);
	snprintf(path, PATH_SIZE, "%s", from_root ? root : folder);
	for (char *c = copy; *c; c++)
		if (*c == '\\')
			*c = '/';
	for (char *name = strtok(copy, "/"); name; name = strtok(NULL, "/"))
		append(path, name);
}

static char *load(const char *what, const char *file, size_t *size)
{
	char path[PATH_SIZE];
	char *bytes;

	find(file, path);
	bytes = read_file(path, size);
	if (bytes)
		printf("%s %s: %zu KiB\n", what, file, *size / 1024);
	else
		printf("%s %s: not found as %s\n", what, file, path);
	return bytes;
}

static int check_files(void)
{
	char reason[240];
	size_t size, all = 0;
	char *kernel = load("kernel", config.kernel, &size);
	int bad = !kernel;

	for (unsigned int i = 0; i < config.initrd_count; i++) {
		size_t part;
		char *initrd = load("initrd", config.initrd[i], &part);

		bad |= !initrd;
		all += initrd ? part : 0;
		free(initrd);
	}
	if (kernel && !linux_check(kernel, size, reason, sizeof(reason))) {
		printf("kernel %s: %s\n", config.kernel, reason);
		bad = 1;
	} else if (kernel) {
		printf("guest: needs %llu MiB of memory\n",
		       (unsigned long long)(linux_memory_needed(kernel, size,
								all) >>
					    20));
	}
	free(kernel);
	return bad;
}

static void cut_last(char *path)
{
	char *end = strrchr(path, '/');

	if (end)
		*end = '\0';
	else
		strcpy(path, ".");
}

/* Of the configuration @file; @given: the root, or NULL */
static void find_folders(const char *file, const char *given)
{
	size_t length;

	snprintf(folder, sizeof(folder), "%s", file);
	cut_last(folder);
	snprintf(root, sizeof(root), "%s", given ? given : folder);
	length = strlen(root);
	if (given || length < 8 || length + 8 > PATH_SIZE ||
	    strcasecmp(root + length - 8, "EFI/BOOT"))
		return;
	strcat(root, "/../..");
}

int main(int argc, char **argv)
{
	struct config_error error;
	size_t size;
	char *text;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "check-config FILE [ROOT]\n");
		return 2;
	}
	text = read_file(argv[1], &size);
	if (!text) {
		perror(argv[1]);
		return 2;
	}
	if (config_parse(text, size, &config, &error)) {
		printf("%s:%u: %s\n", argv[1], error.line, error.message);
		free(text);
		return 1;
	}
	free(text);
	printf("%s: good: mode=%s, %u functions to assign, command line of %zu "
	       "characters\n",
	       argv[1], config.mode == MODE_RUN ? "run" : "check",
	       config.assign_count, strlen(config.cmdline));
	find_folders(argv[1], argc > 2 ? argv[2] : NULL);
	return check_files();
}
