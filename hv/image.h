/* Where the parts of the loaded application lie; symbols of linker.ld. */
#ifndef HV_IMAGE_H
#define HV_IMAGE_H

#define IMAGE_SYMBOL __attribute__((visibility("hidden")))

/* All but image_start, which is the PE header, are multiples of 4 KiB from it:
 * code; constants; variables up to the end of the image. */
extern const char image_start[] IMAGE_SYMBOL;
extern const char text_start[] IMAGE_SYMBOL, text_end[] IMAGE_SYMBOL;
extern const char rodata_start[] IMAGE_SYMBOL, rodata_end[] IMAGE_SYMBOL;
extern char data_start[] IMAGE_SYMBOL, image_end[] IMAGE_SYMBOL;

/* The build-id note, within the constants */
extern const char build_id_start[] IMAGE_SYMBOL, build_id_end[] IMAGE_SYMBOL;

#endif
