/* The guest's physical address space and I/O ports, in one place. */
#ifndef HV_GUEST_LAYOUT_H
#define HV_GUEST_LAYOUT_H

/* RAM from 0; what does not fit below this goes above 4 GiB.  A multiple of
 * 1 GiB, so that RAM can have 1 GiB leaves. */
#define GUEST_LOW_RAM_MAX 0xc0000000ULL
#define GUEST_HIGH_RAM 0x100000000ULL

/* Legacy area: RAM for EPT, reserved in the E820 map; holds the ACPI tables */
#define GUEST_LEGACY_START 0xa0000ULL
#define GUEST_ACPI_START 0xe0000ULL
#define GUEST_ACPI_SIZE 0x1f000ULL
#define GUEST_RESET_VECTOR 0xffff0ULL

/* Linux boot protocol: written once, RAM afterwards */
#define GUEST_BOOT_PARAMS 0x10000ULL
#define GUEST_BOOT_GDT 0x11000ULL
#define GUEST_BOOT_PAGES 0x12000ULL /* 6 pages: identity map of 4 GiB */
#define GUEST_CMDLINE 0x20000ULL

/* Device memory */
#define GUEST_PCI_WINDOW 0xc0000000ULL
#define GUEST_PCI_WINDOW_SIZE 0x20000000ULL
#define GUEST_PCI_IO_WINDOW 0xc000ULL /* ports */
#define GUEST_PCI_IO_WINDOW_SIZE 0x1000ULL
#define GUEST_ECAM 0xe0000000ULL
#define GUEST_ECAM_SIZE 0x100000ULL /* bus 0 */
#define GUEST_IOAPIC 0xfec00000ULL
#define GUEST_IOAPIC_PINS 24
#define GUEST_LAPIC 0xfee00000ULL /* for the MADT; the guest uses x2APIC */

/* Ports */
#define GUEST_UART_PORT 0x3f8
#define GUEST_UART_IRQ 4
#define GUEST_CMOS_PORT 0x70
#define GUEST_PCI_PORT 0xcf8 /* to 0xcff; a byte at 0xcf9 is the reset port */
#define GUEST_RESET_PORT 0xcf9
#define GUEST_RESET_VALUE 0x06
#define GUEST_SLEEP_CONTROL_PORT 0x600 /* ACPI 4.8.3.7 */
#define GUEST_SLEEP_STATUS_PORT 0x601
#define GUEST_S5_TYPE 5

#endif
