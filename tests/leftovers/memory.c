/* Leaves memory full, in many pieces, or wanted at the last moment (UEFI 2.9
 * 7.1, 7.2). */
#include "hv/asm.h"
#include "tests/leftovers/leftovers.h"

#define LOW_END (4 * GIB - 1)
#define LEFT_FREE (100 * MIB)
#define REAL_END 0x9efff
#define REAL_FREE (2 * PAGE_SIZE)
#define PIECES 150
#define PIECE (4 * MIB)
#define EVENT_BYTES (32 * MIB)
#define SCREEN_MEMORY 0x10000000
#define SCREEN_BYTES (16 * MIB)

#define COM1 0x3f8
#define COM1_STATUS 0x3fd
#define STATUS_EMPTY 0x20

static EFI_SYSTEM_TABLE *efi;

static bool take(EFI_ALLOCATE_TYPE type, u64 bytes, EFI_PHYSICAL_ADDRESS *at)
{
	return !EFI_ERROR(efi->BootServices->AllocatePages(
		type, EfiReservedMemoryType, bytes / PAGE_SIZE, at));
}

/* One piece to give back in the end, and some pages for real mode; then all, in
 * halving pieces. */
static void fill_low_memory(void)
{
	EFI_PHYSICAL_ADDRESS kept = LOW_END, real = REAL_END, at;

	if (!take(AllocateMaxAddress, LEFT_FREE, &kept) ||
	    !take(AllocateMaxAddress, REAL_FREE, &real))
		give_up("no memory below 4 GiB to leave free");
	for (u64 size = GIB; size >= PAGE_SIZE; size /= 2)
		do
			at = LOW_END;
		while (take(AllocateMaxAddress, size, &at));
	efi->BootServices->FreePages(kept, LEFT_FREE / PAGE_SIZE);
	efi->BootServices->FreePages(real, REAL_FREE / PAGE_SIZE);
	say("leftovers: memory is full below 4 GiB\n");
}

static void make_pieces(void)
{
	EFI_PHYSICAL_ADDRESS at = LOW_END;
	unsigned int made = 0;

	if (!take(AllocateMaxAddress, PIECES * PIECE, &at))
		give_up("no memory for pieces");
	efi->BootServices->FreePages(at, PIECES * PIECE / PAGE_SIZE);
	for (u64 i = 0; i < PIECES; i++) {
		EFI_PHYSICAL_ADDRESS page = at + i * PIECE + MIB;

		made += take(AllocateAddress, PAGE_SIZE, &page);
	}
	say("leftovers: %u pieces\n", made);
}

/* Where an integrated display has its picture */
static void set_screen_aside(void)
{
	EFI_PHYSICAL_ADDRESS at = SCREEN_MEMORY;

	if (!take(AllocateAddress, SCREEN_BYTES, &at))
		give_up("the screen's memory is taken");
	say("leftovers: the screen's memory is set aside\n");
}

static void put(char c)
{
	while (!(inb(COM1_STATUS) & STATUS_EMPTY))
		cpu_pause();
	outb(COM1, c);
}

static void EFIAPI at_exit(EFI_EVENT event, void *context)
{
	EFI_PHYSICAL_ADDRESS at = LOW_END;
	const char *text = take(AllocateMaxAddress, EVENT_BYTES, &at)
				   ? "leftovers: got it\n"
				   : "leftovers: NO MEMORY\n";

	(void)event;
	(void)context;
	while (*text)
		put(*text++);
}

void leave_memory(EFI_SYSTEM_TABLE *system)
{
	EFI_EVENT event;

	efi = system;
	if (wanted("memory-full"))
		fill_low_memory();
	if (wanted("pieces"))
		make_pieces();
	if (wanted("screen-memory"))
		set_screen_aside();
	if (wanted("exit-event") &&
	    EFI_ERROR(system->BootServices->CreateEvent(
		    EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_CALLBACK, at_exit, NULL,
		    &event)))
		give_up("no event");
}
