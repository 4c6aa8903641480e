/* Integer types, sizes and the error numbers that every module uses. */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 hpa_t; /* host-physical address; the hypervisor maps HPA = VA */
typedef u64 gpa_t; /* guest-physical address */

#define KIB ((u64)1 << 10)
#define MIB ((u64)1 << 20)
#define GIB ((u64)1 << 30)
#define PAGE_SIZE ((u64)4096)
#define PAGE_SHIFT 12

#define BIT(n) ((u64)1 << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* @align is a power of two. */
#define ALIGN_DOWN(x, align) ((x) & ~((u64)(align) - 1))
#define ALIGN_UP(x, align) ALIGN_DOWN((x) + (u64)(align) - 1, align)
#define IS_ALIGNED(x, align) (((x) & ((u64)(align) - 1)) == 0)

/* Error numbers as in Linux; functions return them negated. */
#ifndef EINVAL
#define EPERM 1
#define ENOENT 2
#define EIO 5
#define E2BIG 7
#define ENOMEM 12
#define EBUSY 16
#define EEXIST 17
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34
#define EOPNOTSUPP 95
#define ETIMEDOUT 110
#endif

#endif
