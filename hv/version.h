/* Gangway's version. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

#define GANGWAY_VERSION "0.1.0"
#define GANGWAY_VERSION_MAJOR 0
#define GANGWAY_VERSION_MINOR 1
#define GANGWAY_VERSION_PATCH 0

/*
 * The build id as 40 hexadecimal digits, NUL-terminated, into @buf of at least
 * BUILD_ID_TEXT bytes; shorter, or empty, if the linker made another kind.
 */
#define BUILD_ID_TEXT 41

#endif
