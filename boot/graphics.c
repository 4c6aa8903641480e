/* This file finds the screen that firmware has set up (UEFI 2.9 12.9). */
#include "boot/graphics.h"
#include "boot/console.h"
#include "boot/loader.h"

static bool read_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode,
		       struct framebuffer *screen)
{
	switch (mode->PixelFormat) {
	case PixelRedGreenBlueReserved8BitPerColor:
		screen->red = 0x0000ff;
		screen->green = 0x00ff00;
		screen->blue = 0xff0000;
		return true;
	case PixelBlueGreenRedReserved8BitPerColor:
		screen->red = 0xff0000;
		screen->green = 0x00ff00;
		screen->blue = 0x0000ff;
		return true;
	case PixelBitMask:
		screen->red = mode->PixelInformation.RedMask;
		screen->green = mode->PixelInformation.GreenMask;
		screen->blue = mode->PixelInformation.BlueMask;
		/* A pixel ends with the highest bit of any mask: 32 bits? */
		return (screen->red | screen->green | screen->blue |
			mode->PixelInformation.ReservedMask) >>
		       24;
	default:
		return false; /* no linear framebuffer */
	}
}

static bool read_mode(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop,
		      struct framebuffer *screen)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;

	if (!gop->Mode || !gop->Mode->Info)
		return false;
	mode = gop->Mode->Info;
	if (!read_masks(mode, screen))
		return false;
	screen->base = gop->Mode->FrameBufferBase;
	screen->size = gop->Mode->FrameBufferSize;
	screen->width = mode->HorizontalResolution;
	screen->height = mode->VerticalResolution;
	screen->pitch = mode->PixelsPerScanLine;
	return true;
}

/* The GOP of the firmware's console is one for all screens where there are
 * several, and then has no framebuffer: so every GOP is asked. */
unsigned int graphics_find(struct framebuffer *screen, unsigned int max)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_HANDLE *handles;
	UINTN handle_count;
	unsigned int count = 0;

	if (EFI_ERROR(loader.bs->LocateHandleBuffer(ByProtocol, &guid, NULL,
						    &handle_count, &handles)))
		return 0;
	for (UINTN i = 0; i < handle_count && count < max; i++)
		if (!EFI_ERROR(loader.bs->HandleProtocol(handles[i], &guid,
							 (void **)&gop)))
			count += read_mode(gop, &screen[count]);
	loader.bs->FreePool(handles);
	return count;
}
