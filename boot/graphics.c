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

void graphics_find(struct framebuffer *screen)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
	EFI_STATUS status;

	/* The screen of the firmware's console, or any */
	status = loader.bs->HandleProtocol(loader.system->ConsoleOutHandle,
					   &guid, (void **)&gop);
	if (EFI_ERROR(status))
		status = loader.bs->LocateProtocol(&guid, NULL, (void **)&gop);
	if (EFI_ERROR(status) || !gop->Mode || !gop->Mode->Info)
		return;
	mode = gop->Mode->Info;
	if (!read_masks(mode, screen))
		return;
	screen->base = gop->Mode->FrameBufferBase;
	screen->size = gop->Mode->FrameBufferSize;
	screen->width = mode->HorizontalResolution;
	screen->height = mode->VerticalResolution;
	screen->pitch = mode->PixelsPerScanLine;
}
