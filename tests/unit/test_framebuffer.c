/* sources: drivers/framebuffer.c */
#include "drivers/framebuffer.h"
#include "hv/alloc.h"
#include "hv/colour.h"
#include "tests/unit/support.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 328  /* 41 columns */
#define HEIGHT 192 /* 12 rows */
#define PITCH 336
#define GREY 0xc8c8c8

/* Every glyph differs in its first line: the character's code. */
const u8 font[FONT_GLYPHS][FONT_HEIGHT] = {
	['A' - FONT_FIRST] = {0x81, 0xff},
	['B' - FONT_FIRST] = {0x42, 0xff},
	['C' - FONT_FIRST] = {0x18, 0x01},
	['?' - FONT_FIRST] = {0x3f},
};

static u32 *memory;
static struct framebuffer mode;

/* Whole pages, so memory ends with the last line: drawing beyond is seen. */
static int build(void **state)
{
	size_t size = PITCH * HEIGHT * sizeof(u32);

	(void)state;
	mode = (struct framebuffer){.size = size,
				    .width = WIDTH,
				    .height = HEIGHT,
				    .pitch = PITCH,
				    .red = 0xff0000,
				    .green = 0xff00,
				    .blue = 0xff};
	memory = aligned_alloc(PAGE_SIZE, ALIGN_UP(size, PAGE_SIZE));
	assert_non_null(memory);
	memset(memory, 0x55, ALIGN_UP(size, PAGE_SIZE));
	mode.base = (hpa_t)memory;
	framebuffer_add(&mode);
	return 0;
}

static int release(void **state)
{
	(void)state;
	framebuffer_give_up(0, UINT64_MAX);
	free(memory);
	return 0;
}

static void show(const char *text)
{
	framebuffer_write(text, strlen(text));
}

/* The first line of a cell as bits; each pixel is black or @pixel. */
static u8 top(unsigned int column, unsigned int row, u32 pixel)
{
	const u32 *at = memory + row * 16 * PITCH + column * 8;
	u8 bits = 0;

	for (unsigned int i = 0; i < 8; i++) {
		if (at[i])
			assert_int_equal(at[i], pixel);
		bits = bits << 1 | !!at[i];
	}
	return bits;
}

static void starts_black(void **state)
{
	(void)state;
	for (unsigned int y = 0; y < HEIGHT; y++)
		for (unsigned int x = 0; x < WIDTH; x++)
			assert_int_equal(memory[y * PITCH + x], 0);
	/* What is no pixel is not touched */
	assert_int_equal(memory[WIDTH], 0x55555555);
}

static void draws_glyphs(void **state)
{
	(void)state;
	show("AB\n C\n");
	assert_int_equal(top(0, 0, GREY), 0x81);
	assert_int_equal(top(1, 0, GREY), 0x42);
	assert_int_equal(top(0, 1, GREY), 0);
	assert_int_equal(top(1, 1, GREY), 0x18);
	/* Bit 0 is the rightmost pixel; the glyph's second line */
	assert_int_equal(memory[17 * PITCH + 15], GREY);
	assert_int_equal(memory[17 * PITCH + 14], 0);
}

static void continues_long_lines(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 41; i++)
		show("A");
	assert_int_equal(top(40, 0, GREY), 0x81);
	assert_int_equal(top(0, 1, GREY), 0);
	show("B\nC");
	assert_int_equal(top(0, 1, GREY), 0x42);
	assert_int_equal(top(0, 2, GREY), 0x18);
}

/* 12 rows: the 12th newline moves up by 3. */
static void moves_up_when_full(void **state)
{
	(void)state;
	show("A\nB\nC\nA\nB\n\n\n\n\n\n\nC");
	assert_int_equal(top(0, 0, GREY), 0x81);
	assert_int_equal(top(0, 11, GREY), 0x18);
	show("\nB");
	assert_int_equal(top(0, 0, GREY), 0x81);
	assert_int_equal(top(0, 1, GREY), 0x42);
	assert_int_equal(top(0, 2, GREY), 0);
	assert_int_equal(top(0, 8, GREY), 0x18);
	assert_int_equal(top(0, 9, GREY), 0x42);
	assert_int_equal(top(0, 11, GREY), 0);
	for (unsigned int i = 0; i < 100; i++)
		show("A\n");
	assert_int_equal(top(0, 0, GREY), 0x81);
}

static void obeys_colours(void **state)
{
	(void)state;
	show(GREEN "A" PLAIN "B" RED "C" YELLOW "A\nB");
	assert_int_equal(top(0, 0, 0x55ff55), 0x81);
	assert_int_equal(top(1, 0, GREY), 0x42);
	assert_int_equal(top(2, 0, 0xff5555), 0x18);
	assert_int_equal(top(3, 0, 0xffff55), 0x81);
	assert_int_equal(top(0, 1, GREY), 0x42);
}

/* The same character in another colour is drawn again. */
static void colours_move_too(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		show("A\n");
	show(GREEN "A\n");
	for (unsigned int i = 0; i < 8; i++)
		show("A\n");
	assert_int_equal(top(0, 0, 0x55ff55), 0x81);
	assert_int_equal(top(0, 3, GREY), 0x81);
}

static void leaves_out_other_bytes(void **state)
{
	(void)state;
	show("\x1b[2;999999999999H\x1b[?25lA\r\t\x1bzB\xe4\x7f\x1b[31\nC");
	assert_int_equal(top(0, 0, GREY), 0x81);
	assert_int_equal(top(1, 0, GREY), 0x42);
	assert_int_equal(top(2, 0, GREY), 0x3f);
	assert_int_equal(top(3, 0, GREY), 0x3f);
	assert_int_equal(top(0, 1, GREY), 0x18);
}

static void uses_the_masks(void **state)
{
	(void)state;
	mode.red = 0x3ff;
	mode.green = 0xffc00;
	mode.blue = 0x3ff00000;
	framebuffer_give_up(mode.base, 1);
	framebuffer_add(&mode);
	show(RED "A");
	/* 255 and 85 of 255, in ten bits */
	assert_int_equal(top(0, 0, 0x3ff | 341 << 10 | 341 << 20), 0x81);
}

static void wide_modes_get_larger_letters(void **state)
{
	struct framebuffer wide = {.width = 2560,
				   .height = 400,
				   .pitch = 2560,
				   .size = 2560 * 400 * 4,
				   .red = 0xff0000,
				   .green = 0xff00,
				   .blue = 0xff};
	u32 *pixels = aligned_alloc(PAGE_SIZE, wide.size);

	(void)state;
	assert_non_null(pixels);
	wide.base = (hpa_t)pixels;
	assert_true(framebuffer_bytes(&wide) == wide.size);
	framebuffer_add(&wide);
	show(" C");
	assert_int_equal(pixels[16 + 6], GREY);
	assert_int_equal(pixels[2560 + 16 + 9], GREY);
	assert_int_equal(pixels[16 + 5], 0);
	assert_int_equal(pixels[2 * 2560 + 16 + 6], 0);
	assert_int_equal(pixels[3 * 2560 + 16 + 14], GREY);
	for (unsigned int i = 0; i < 20; i++)
		show("A\n");
	framebuffer_give_up(0, UINT64_MAX);
	free(pixels);
}

/* Whole lines, the last of 12 rows free. */
static void pages(void **state)
{
	char text[2000] = "";

	(void)state;
	show("C\nC\nC\nC\nC\nC\nC\nC\nC\nC\nC\nCC");
	for (unsigned int i = 0; i < 14; i++)
		strcat(text, i == 12 ? "B\n" : "A\n");
	assert_int_equal(framebuffer_page("", 0, text, 28), 22);
	assert_int_equal(top(0, 0, GREY), 0x81);
	assert_int_equal(top(0, 10, GREY), 0x81);
	assert_int_equal(top(0, 11, GREY), 0);
	assert_int_equal(top(1, 11, GREY), 0);
	show("C");
	assert_int_equal(top(0, 11, GREY), 0x18);
	assert_int_equal(framebuffer_page("", 0, text + 22, 6), 6);
	assert_int_equal(top(0, 1, GREY), 0x42);
	assert_int_equal(top(0, 3, GREY), 0);
	/* One more row than is left; without the colours one less */
	strcpy(text, "A\nA\nA\nA\nA\nA\nA\nA\nA\nA\n" RED);
	for (unsigned int i = 0; i < 41; i++)
		strcat(text, "B");
	strcat(text, PLAIN);
	assert_int_equal(framebuffer_page("", 0, text, strlen(text)),
			 strlen(text));
	assert_int_equal(top(40, 10, 0xff5555), 0x42);
	strcat(text, "C\n");
	assert_int_equal(framebuffer_page("", 0, text, strlen(text)), 20);
	assert_int_equal(top(0, 10, GREY), 0);
}

static void words_are_not_broken(void **state)
{
	char text[128];

	(void)state;
	/* 38 letters, a blank, and a word that ends in the last column */
	memset(text, 'A', sizeof(text));
	strcpy(text + 38, " BB " GREEN "C" PLAIN "C\nA");
	show(text);
	assert_int_equal(top(40, 0, GREY), 0x42);
	assert_int_equal(top(0, 1, 0x55ff55), 0x18);
	assert_int_equal(top(1, 1, GREY), 0x18);
	assert_int_equal(top(0, 2, GREY), 0x81);
	/* One more letter than is left: the word begins the next row */
	strcpy(text + 38, " BBB\nC");
	show("\n");
	show(text);
	assert_int_equal(top(39, 3, GREY), 0);
	assert_int_equal(top(0, 4, GREY), 0x42);
	assert_int_equal(top(0, 5, GREY), 0x18);
	/* A word longer than a row is, where the row is full */
	show("\nB ");
	memset(text, 'A', sizeof(text));
	text[42] = '\0';
	show(text);
	assert_int_equal(top(40, 6, GREY), 0x81);
}

static void pages_have_their_head(void **state)
{
	char text[64] = "";

	(void)state;
	for (unsigned int i = 0; i < 14; i++)
		strcat(text, "A\n");
	assert_int_equal(framebuffer_page("B\n", 2, text, 28), 20);
	assert_int_equal(top(0, 0, GREY), 0x42);
	assert_int_equal(top(0, 10, GREY), 0x81);
	assert_int_equal(top(0, 11, GREY), 0);
}

static void pages_have_a_line_at_least(void **state)
{
	char text[41 * 20 + 3];

	(void)state;
	memset(text, 'A', sizeof(text));
	text[41 * 20] = '\n';
	text[41 * 20 + 2] = '\n';
	assert_int_equal(framebuffer_page("", 0, text, sizeof(text)),
			 41 * 20 + 1);
	assert_int_equal(framebuffer_page("", 0, text, 0), 0);
	framebuffer_give_up(mode.base, mode.size);
	assert_int_equal(framebuffer_page("", 0, text, sizeof(text)),
			 sizeof(text));
}

static void is_given_up(void **state)
{
	(void)state;
	assert_true(framebuffer_has(mode.base));
	assert_true(framebuffer_has(mode.base + mode.size - 1));
	assert_false(framebuffer_has(mode.base + mode.size));
	assert_false(framebuffer_has(mode.base - 1));
	framebuffer_give_up(mode.base + mode.size, PAGE_SIZE);
	framebuffer_give_up(mode.base - PAGE_SIZE, PAGE_SIZE);
	framebuffer_give_up(mode.base, 0);
	show("A");
	assert_int_equal(top(0, 0, GREY), 0x81);
	framebuffer_give_up(mode.base - PAGE_SIZE, PAGE_SIZE + 1);
	show("B");
	assert_int_equal(top(1, 0, GREY), 0);
	assert_false(framebuffer_has(mode.base));
}

/* A second screen, narrower and lower: 40 columns, 13 rows */
static u32 *second_memory;
static struct framebuffer second;

static void add_second(void)
{
	second = mode;
	second.width = second.pitch = 320;
	second.height = 13 * 16;
	second.size = 320 * 13 * 16 * sizeof(u32);
	second_memory = aligned_alloc(PAGE_SIZE, ALIGN_UP(second.size, 4096));
	assert_non_null(second_memory);
	second.base = (hpa_t)second_memory;
	assert_true(framebuffer_add(&second));
}

static void all_screens_show_the_same(void **state)
{
	(void)state;
	add_second();
	show("AB\n");
	assert_int_equal(top(1, 0, GREY), 0x42);
	/* 'B': 01000010 */
	assert_int_equal(second_memory[8], 0);
	assert_int_equal(second_memory[9], GREY);
	assert_true(framebuffer_has(mode.base));
	assert_true(framebuffer_has(second.base + second.size - 1));
	/* One is given away, the other goes on */
	framebuffer_give_up(mode.base, 1);
	show("C");
	assert_int_equal(top(0, 1, GREY), 0);
	assert_int_equal(second_memory[16 * 320 + 3], GREY);
	framebuffer_give_up(second.base, 1);
	free(second_memory);
}

/* Lines of 41 characters, each two rows of the second: the page ends where that
 * one is full, though the first has room. */
static void pages_end_where_one_screen_is_full(void **state)
{
	char text[42 * 8];

	(void)state;
	add_second();
	memset(text, 'A', sizeof(text));
	for (unsigned int line = 0; line < 8; line++)
		text[42 * line + 41] = '\n';
	assert_int_equal(framebuffer_page("", 0, text, sizeof(text)), 42 * 6);
	framebuffer_give_up(second.base, 1);
	free(second_memory);
	assert_int_equal(framebuffer_page("", 0, text, sizeof(text)),
			 sizeof(text));
}

static void too_many_are_refused(void **state)
{
	u32 *more[FRAMEBUFFERS_MAX];
	struct framebuffer other = mode;

	(void)state;
	for (unsigned int i = 0; i < FRAMEBUFFERS_MAX; i++) {
		more[i] = aligned_alloc(PAGE_SIZE,
					ALIGN_UP(mode.size, PAGE_SIZE));
		other.base = (hpa_t)more[i];
		/* One is there already */
		assert_int_equal(framebuffer_add(&other),
				 i < FRAMEBUFFERS_MAX - 1);
	}
	framebuffer_give_up(0, UINT64_MAX);
	for (unsigned int i = 0; i < FRAMEBUFFERS_MAX; i++)
		free(more[i]);
}

/* Two bytes a cell: 41 columns and 12 rows take a page, and 240 columns and 67
 * rows, of the full width, take 8. */
static void memory_for_what_stands_there(void **state)
{
	struct framebuffer full = mode, nonsense = mode;

	(void)state;
	full.width = full.pitch = 1920;
	full.height = 1080;
	full.size = 1920 * 1080 * sizeof(u32);
	nonsense.pitch = 0;
	assert_int_equal(framebuffer_pages(&mode), 1);
	assert_int_equal(framebuffer_pages(&full), 8);
	assert_int_equal(framebuffer_pages(&nonsense), 0);
	assert_int_equal(page_count(PAGES_DEVICE), 1);
	framebuffer_give_up(mode.base, 1);
	assert_int_equal(page_count(PAGES_DEVICE), 0);
	test_pages_left = 0;
	assert_false(framebuffer_add(&mode));
	test_pages_left = 1;
	assert_true(framebuffer_add(&mode));
	test_pages_left = SIZE_MAX;
}

static void modes_without_sense_are_refused(void **state)
{
	struct framebuffer bad;

	(void)state;
	assert_true(framebuffer_bytes(&mode) == (u64)PITCH * HEIGHT * 4);
#define REFUSE(change)                                                         \
	do {                                                                   \
		bad = mode;                                                    \
		bad.change;                                                    \
		assert_true(framebuffer_bytes(&bad) == 0);                     \
	} while (0)
	REFUSE(size = 0);
	REFUSE(size -= 1);
	REFUSE(base = 0);
	REFUSE(base += 4);
	REFUSE(base = ALIGN_DOWN(UINT64_MAX, PAGE_SIZE));
	REFUSE(width = PITCH + 1);
	REFUSE(width = 319);
	REFUSE(height = 191);
	REFUSE(height = 0xffffffff);
	REFUSE(pitch = 0xffffffff);
	REFUSE(red = 0);
	REFUSE(green = 0xf0f0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(starts_black, build, release),
		cmocka_unit_test_setup_teardown(draws_glyphs, build, release),
		cmocka_unit_test_setup_teardown(continues_long_lines, build,
						release),
		cmocka_unit_test_setup_teardown(moves_up_when_full, build,
						release),
		cmocka_unit_test_setup_teardown(obeys_colours, build, release),
		cmocka_unit_test_setup_teardown(colours_move_too, build,
						release),
		cmocka_unit_test_setup_teardown(leaves_out_other_bytes, build,
						release),
		cmocka_unit_test_setup_teardown(uses_the_masks, build, release),
		cmocka_unit_test_setup_teardown(wide_modes_get_larger_letters,
						build, release),
		cmocka_unit_test_setup_teardown(pages, build, release),
		cmocka_unit_test_setup_teardown(pages_have_a_line_at_least,
						build, release),
		cmocka_unit_test_setup_teardown(words_are_not_broken, build,
						release),
		cmocka_unit_test_setup_teardown(pages_have_their_head, build,
						release),
		cmocka_unit_test_setup_teardown(is_given_up, build, release),
		cmocka_unit_test_setup_teardown(all_screens_show_the_same,
						build, release),
		cmocka_unit_test_setup_teardown(
			pages_end_where_one_screen_is_full, build, release),
		cmocka_unit_test_setup_teardown(too_many_are_refused, build,
						release),
		cmocka_unit_test_setup_teardown(memory_for_what_stands_there,
						build, release),
		cmocka_unit_test_setup_teardown(modes_without_sense_are_refused,
						build, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
