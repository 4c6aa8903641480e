/* The assigned 82576 VF, driven by hand.  Section numbers are the 82576
 * datasheet's. */
#ifndef ATTACK_VF_H
#define ATTACK_VF_H

#include "tests/attack/kernel/attack.h"

#define VF_CONFIG (GUEST_ECAM + (1 << 15)) /* 00:01.0 */
#define CONFIG_COMMAND 0x04
#define CONFIG_BAR0 0x10
#define CONFIG_BAR3 0x1c
#define CONFIG_CAPABILITIES 0x34
#define COMMAND_ON 6 /* memory decoding, bus mastering */
#define COMMAND_MASTER 4

static inline volatile u32 *config32(unsigned int reg)
{
	return (volatile u32 *)(VF_CONFIG + reg);
}

static inline volatile u16 *config16(unsigned int reg)
{
	return (volatile u16 *)(VF_CONFIG + reg);
}

static inline volatile u8 *config8(unsigned int reg)
{
	return (volatile u8 *)(VF_CONFIG + reg);
}

/* Offset of capability @id, or 0. */
unsigned int vf_capability(u8 id);

/* Where BAR0 and BAR3 are; VF_BAR0 and VF_BAR3 unless they were moved. */
#define VF_BAR0 GUEST_PCI_WINDOW
#define VF_BAR3 (GUEST_PCI_WINDOW + 0x4000)

volatile u32 *vf_register(unsigned int reg);

/* From any state: function-level reset, BARs, mailbox, one transmit queue.
 * False, with a line, if it does not come back. */
bool vf_start(void);

/* What is added to the address of our memory in what the device is told; 0 but
 * where its requests are not translated. */
extern u64 vf_offset;

/*
 * The device writes the 4 bytes @value (below 255) to @target: the head of its
 * transmit ring, written back (7.2.3.5.4).  True once it has sent the frame
 * that makes it do so.
 */
bool vf_write(u64 target, u32 value);

/* Function-level reset, and the BARs where they were. */
void vf_reset(void);

/* True if the transmit queue is still on after a function-level reset. */
bool vf_survives_reset(void);

/* The device reads 64 bytes at @target, as a frame to send. */
bool vf_read(u64 target);

/* Write the two halves of the BAR at offset @bar. */
void move_bar(unsigned int bar, u64 address);

/* --- attacks that need it */

void attack_msix(void);
void attack_bars(void);
void attack_table_moved(void);
void attack_bus_mastering(void);
void attack_config(void);
void attack_mailbox(void);
void attack_flr(void);

/* Commands from the console, until "end": see command.c.  @echo: for people. */
void take_commands(bool echo);

#endif
