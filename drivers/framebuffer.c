/*
 * Text on a linear framebuffer.  Reading one is slow, so what stands on the
 * screen is kept in memory, and a move draws only cells that change.
 */
#include "drivers/framebuffer.h"
#include "hv/string.h"

#define COLUMNS_MAX 160
#define ROWS_MAX 64
#define SIDE_MAX 16384 /* pixels: wider modes are taken for nonsense */
#define COLUMNS_MIN 40
#define ROWS_MIN 12
#define WIDE_MODE 2560
#define ESCAPE 0x1b

enum colour { PLAIN_TEXT, RED_TEXT, GREEN_TEXT, YELLOW_TEXT, COLOURS };

struct cell {
	char c;
	u8 colour;
};

static struct {
	struct framebuffer mode;
	u32 pixel[COLOURS];
	unsigned int columns, rows, scale;
	unsigned int column, row;
	enum colour colour;
	struct cell cell[ROWS_MAX][COLUMNS_MAX];
	/* Inside of an escape sequence: after ESC, after ESC [ */
	enum { TEXT, AFTER_ESCAPE, IN_SEQUENCE } state;
	unsigned int parameter;
} screen;

static bool is_mask(u32 mask)
{
	return mask && !((mask >> __builtin_ctz(mask)) &
			 ((mask >> __builtin_ctz(mask)) + 1));
}

static unsigned int choose_scale(const struct framebuffer *mode)
{
	return mode->width >= WIDE_MODE ? 2 : 1;
}

u64 framebuffer_bytes(const struct framebuffer *mode)
{
	unsigned int scale = choose_scale(mode);
	u64 bytes = (u64)mode->pitch * mode->height * sizeof(u32);

	if (mode->width > mode->pitch || mode->pitch > SIDE_MAX ||
	    mode->height > SIDE_MAX || bytes > mode->size ||
	    !IS_ALIGNED(mode->base, PAGE_SIZE) || !mode->base ||
	    mode->base > UINT64_MAX - mode->size)
		return 0;
	if (mode->width / (FONT_WIDTH * scale) < COLUMNS_MIN ||
	    mode->height / (FONT_HEIGHT * scale) < ROWS_MIN)
		return 0;
	if (!is_mask(mode->red) || !is_mask(mode->green) ||
	    !is_mask(mode->blue))
		return 0;
	return bytes;
}

/* @level of 255 in the bits of @mask */
static u32 channel(u32 mask, u32 level)
{
	unsigned int shift = __builtin_ctz(mask);

	return (u32)((u64)(mask >> shift) * level / 255) << shift;
}

static u32 make_pixel(u32 red, u32 green, u32 blue)
{
	return channel(screen.mode.red, red) |
	       channel(screen.mode.green, green) |
	       channel(screen.mode.blue, blue);
}

static volatile u32 *line_at(unsigned int y)
{
	return (volatile u32 *)screen.mode.base + (u64)y * screen.mode.pitch;
}

static void clear_pixels(void)
{
	for (unsigned int y = 0; y < screen.mode.height; y++)
		for (unsigned int x = 0; x < screen.mode.width; x++)
			line_at(y)[x] = 0;
}

static void draw_glyph_line(unsigned int x, unsigned int y, u8 bits, u32 pixel)
{
	unsigned int scale = screen.scale;
	volatile u32 *to = line_at(y) + x;

	for (unsigned int i = 0; i < FONT_WIDTH * scale; i++)
		to[i] = bits & 0x80 >> i / scale ? pixel : 0;
}

static void draw(unsigned int column, unsigned int row)
{
	const struct cell *cell = &screen.cell[row][column];
	const u8 *glyph = font[cell->c - FONT_FIRST];
	unsigned int scale = screen.scale;

	for (unsigned int i = 0; i < FONT_HEIGHT * scale; i++)
		draw_glyph_line(column * FONT_WIDTH * scale,
				row * FONT_HEIGHT * scale + i, glyph[i / scale],
				screen.pixel[cell->colour]);
}

static void set_cell(unsigned int column, unsigned int row, struct cell to)
{
	struct cell *cell = &screen.cell[row][column];

	if (cell->c == to.c && (cell->colour == to.colour || to.c == ' '))
		return;
	*cell = to;
	draw(column, row);
}

static void move_up(unsigned int by)
{
	struct cell blank = {' ', PLAIN_TEXT};

	for (unsigned int row = 0; row < screen.rows; row++)
		for (unsigned int column = 0; column < screen.columns; column++)
			set_cell(column, row,
				 row + by < screen.rows
					 ? screen.cell[row + by][column]
					 : blank);
	screen.row -= by;
}

static void new_line(void)
{
	screen.column = 0;
	screen.row++;
	if (screen.row == screen.rows)
		move_up(screen.rows / 4);
}

static void put(char c)
{
	if (c == '\n') {
		new_line();
		return;
	}
	if ((u8)c < FONT_FIRST)
		return;
	if ((u8)c >= FONT_FIRST + FONT_GLYPHS)
		c = '?';
	if (screen.column == screen.columns)
		new_line();
	set_cell(screen.column++, screen.row, (struct cell){c, screen.colour});
}

/* Select Graphic Rendition, one parameter */
static void set_colour(unsigned int parameter)
{
	switch (parameter) {
	case 31:
		screen.colour = RED_TEXT;
		break;
	case 32:
		screen.colour = GREEN_TEXT;
		break;
	case 33:
		screen.colour = YELLOW_TEXT;
		break;
	default:
		screen.colour = PLAIN_TEXT;
		break;
	}
}

/* The parameters and the end of a sequence (ECMA-48 5.4) */
static void escape(char c)
{
	if (c >= '0' && c <= '9') {
		screen.parameter = (screen.parameter * 10 + c - '0') % 1000;
		return;
	}
	if (c >= 0x20 && c < 0x40)
		return;
	if (c == 'm')
		set_colour(screen.parameter);
	screen.state = TEXT;
}

static void take(char c)
{
	if (c == '\n') { /* neither colour nor sequence goes beyond a line */
		screen.state = TEXT;
		screen.colour = PLAIN_TEXT;
	}
	if (c == ESCAPE) {
		screen.state = AFTER_ESCAPE;
	} else if (screen.state == AFTER_ESCAPE) {
		screen.state = c == '[' ? IN_SEQUENCE : TEXT;
		screen.parameter = 0;
	} else if (screen.state == IN_SEQUENCE) {
		escape(c);
	} else {
		put(c);
	}
}

void framebuffer_write(const char *text, size_t length)
{
	for (size_t i = 0; screen.mode.size && i < length; i++)
		take(text[i]);
}

static void clear_text(void)
{
	move_up(screen.rows);
	screen.row = screen.column = 0;
	screen.state = TEXT;
	screen.colour = PLAIN_TEXT;
}

/* Bytes of the first line of @text, and the rows that it takes. */
static size_t measure(const char *text, size_t length, unsigned int *rows)
{
	size_t at = 0, shown = 0;
	bool sequence = false;

	while (at < length && text[at] != '\n') {
		char c = text[at++];

		if (c == ESCAPE)
			sequence = true;
		else if (!sequence)
			shown++;
		else if (c >= 0x40 && c != '[')
			sequence = false;
	}
	*rows = shown ? (shown - 1) / screen.columns + 1 : 1;
	return at + (at < length);
}

size_t framebuffer_page(const char *text, size_t length)
{
	size_t at = 0;

	if (!screen.mode.size)
		return length;
	clear_text();
	while (at < length) {
		unsigned int rows;
		size_t line = measure(text + at, length - at, &rows);

		if (at && screen.row + rows >= screen.rows)
			break;
		framebuffer_write(text + at, line);
		at += line;
	}
	return at;
}

void framebuffer_init(const struct framebuffer *mode)
{
	memset(&screen, 0, sizeof(screen));
	screen.mode = *mode;
	screen.mode.size = framebuffer_bytes(mode);
	screen.scale = choose_scale(mode);
	screen.columns = MIN(mode->width / (FONT_WIDTH * screen.scale),
			     (u32)COLUMNS_MAX);
	screen.rows =
		MIN(mode->height / (FONT_HEIGHT * screen.scale), (u32)ROWS_MAX);
	screen.pixel[PLAIN_TEXT] = make_pixel(200, 200, 200);
	screen.pixel[RED_TEXT] = make_pixel(255, 85, 85);
	screen.pixel[GREEN_TEXT] = make_pixel(85, 255, 85);
	screen.pixel[YELLOW_TEXT] = make_pixel(255, 255, 85);
	for (unsigned int row = 0; row < ROWS_MAX; row++)
		for (unsigned int column = 0; column < COLUMNS_MAX; column++)
			screen.cell[row][column].c = ' ';
	clear_pixels();
}

bool framebuffer_has(hpa_t page)
{
	return page >= screen.mode.base &&
	       page - screen.mode.base < screen.mode.size;
}

void framebuffer_give_up(hpa_t base, u64 size)
{
	const struct framebuffer *mode = &screen.mode;

	if (mode->size && size && base < mode->base + mode->size &&
	    mode->base - MIN(base, mode->base) < size)
		screen.mode.size = 0;
}
