/*
 * Text on linear framebuffers.  Reading one is slow, so what stands on a
 * screen is kept in memory, and a move draws only cells that change.
 */
#include "drivers/framebuffer.h"
#include "hv/alloc.h"
#include "hv/asm.h"
#include "hv/string.h"
#include <limits.h>

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

struct screen {
	struct framebuffer mode;
	u32 pixel[COLOURS];
	unsigned int columns, rows, scale;
	unsigned int column, row;
	enum colour colour;
	struct cell *cells; /* by row, then by column */
	/* Inside of an escape sequence: after ESC, after ESC [ */
	enum { TEXT, AFTER_ESCAPE, IN_SEQUENCE } state;
	unsigned int parameter;
};

/* In use where mode.size is not 0 */
static struct screen screens[FRAMEBUFFERS_MAX];

#define FOR_EACH_SCREEN(s)                                                     \
	for (struct screen *s = screens; s < screens + FRAMEBUFFERS_MAX; s++)  \
		if (s->mode.size)

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

static u32 make_pixel(const struct screen *s, u32 red, u32 green, u32 blue)
{
	return channel(s->mode.red, red) | channel(s->mode.green, green) |
	       channel(s->mode.blue, blue);
}

static struct cell *cell_at(const struct screen *s, unsigned int column,
			    unsigned int row)
{
	return &s->cells[row * s->columns + column];
}

static volatile u32 *line_at(const struct screen *s, unsigned int y)
{
	return (volatile u32 *)s->mode.base + (u64)y * s->mode.pitch;
}

static void clear_pixels(const struct screen *s)
{
	for (unsigned int y = 0; y < s->mode.height; y++)
		for (unsigned int x = 0; x < s->mode.width; x++)
			line_at(s, y)[x] = 0;
}

static void draw_glyph_line(const struct screen *s, unsigned int x,
			    unsigned int y, u8 bits, u32 pixel)
{
	unsigned int scale = s->scale;
	volatile u32 *to = line_at(s, y) + x;

	for (unsigned int i = 0; i < FONT_WIDTH * scale; i++)
		to[i] = bits & 0x80 >> i / scale ? pixel : 0;
}

static void draw(const struct screen *s, unsigned int column, unsigned int row)
{
	const struct cell *cell = cell_at(s, column, row);
	const u8 *glyph = font[cell->c - FONT_FIRST];
	unsigned int scale = s->scale;

	for (unsigned int i = 0; i < FONT_HEIGHT * scale; i++)
		draw_glyph_line(s, column * FONT_WIDTH * scale,
				row * FONT_HEIGHT * scale + i, glyph[i / scale],
				s->pixel[cell->colour]);
}

static void set_cell(struct screen *s, unsigned int column, unsigned int row,
		     struct cell to)
{
	struct cell *cell = cell_at(s, column, row);

	if (!s->cells) /* only counted: fits() */
		return;
	if (cell->c == to.c && (cell->colour == to.colour || to.c == ' '))
		return;
	*cell = to;
	draw(s, column, row);
}

static void move_up(struct screen *s, unsigned int by)
{
	struct cell blank = {' ', PLAIN_TEXT};

	for (unsigned int row = 0; row < s->rows; row++)
		for (unsigned int column = 0; column < s->columns; column++)
			set_cell(s, column, row,
				 row + by < s->rows
					 ? *cell_at(s, column, row + by)
					 : blank);
	s->row -= by;
}

static void new_line(struct screen *s)
{
	s->column = 0;
	s->row++;
	if (s->row == s->rows)
		move_up(s, s->rows / 4);
}

static void put(struct screen *s, char c)
{
	if (c == '\n') {
		new_line(s);
		return;
	}
	if ((u8)c < FONT_FIRST)
		return;
	if ((u8)c >= FONT_FIRST + FONT_GLYPHS)
		c = '?';
	if (s->column == s->columns) {
		if (c == ' ') /* a word follows, on the next row */
			return;
		new_line(s);
	}
	set_cell(s, s->column++, s->row, (struct cell){c, s->colour});
}

/* Select Graphic Rendition, one parameter */
static void set_colour(struct screen *s, unsigned int parameter)
{
	switch (parameter) {
	case 31:
		s->colour = RED_TEXT;
		break;
	case 32:
		s->colour = GREEN_TEXT;
		break;
	case 33:
		s->colour = YELLOW_TEXT;
		break;
	default:
		s->colour = PLAIN_TEXT;
		break;
	}
}

/* The parameters and the end of a sequence (ECMA-48 5.4) */
static void escape(struct screen *s, char c)
{
	if (c >= '0' && c <= '9') {
		s->parameter = (s->parameter * 10 + c - '0') % 1000;
		return;
	}
	if (c >= 0x20 && c < 0x40)
		return;
	if (c == 'm')
		set_colour(s, s->parameter);
	s->state = TEXT;
}

static void take(struct screen *s, char c)
{
	if (c == '\n') { /* neither colour nor sequence goes beyond a line */
		s->state = TEXT;
		s->colour = PLAIN_TEXT;
	}
	if (c == ESCAPE) {
		s->state = AFTER_ESCAPE;
	} else if (s->state == AFTER_ESCAPE) {
		s->state = c == '[' ? IN_SEQUENCE : TEXT;
		s->parameter = 0;
	} else if (s->state == IN_SEQUENCE) {
		escape(s, c);
	} else {
		put(s, c);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n';
}

/* Characters that the word shows that @text begins with */
static size_t word_length(const char *text, size_t length)
{
	bool sequence = false;
	size_t shown = 0;

	for (size_t i = 0; i < length && !is_blank(text[i]); i++) {
		if (text[i] == ESCAPE)
			sequence = true;
		else if (!sequence)
			shown++;
		else if (text[i] >= 0x40 && text[i] != '[')
			sequence = false;
	}
	return shown;
}

/* A word is not broken, but where it is longer than a row. */
static void write(struct screen *s, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (i && is_blank(text[i - 1]) && !is_blank(text[i])) {
			size_t word = word_length(text + i, length - i);

			if (word <= s->columns && s->column + word > s->columns)
				new_line(s);
		}
		take(s, text[i]);
	}
}

void framebuffer_write(const char *text, size_t length)
{
	FOR_EACH_SCREEN(s)
		write(s, text, length);
	/* What write combining holds back */
	store_fence();
}

static void clear_text(struct screen *s)
{
	move_up(s, s->rows);
	s->row = s->column = 0;
	s->state = TEXT;
	s->colour = PLAIN_TEXT;
}

/* Bytes of the first line of @text */
static size_t line_length(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && text[at] != '\n')
		at++;
	return at + (at < length);
}

/* Room for a line, and a row below: it is written, but not drawn. */
static bool fits(const struct screen *s, const char *line, size_t length)
{
	struct screen count = *s;

	count.cells = NULL;
	count.rows = UINT_MAX;
	write(&count, line, length);
	return count.row + (count.column != 0) < s->rows;
}

static bool fits_everywhere(const char *line, size_t length)
{
	FOR_EACH_SCREEN(s)
		if (!fits(s, line, length))
			return false;
	return true;
}

static bool any_screen(void)
{
	FOR_EACH_SCREEN(s)
		return true;
	return false;
}

size_t framebuffer_page(const char *head, size_t head_length, const char *text,
			size_t length)
{
	size_t at = 0;

	if (!any_screen())
		return length;
	FOR_EACH_SCREEN(s)
		clear_text(s);
	framebuffer_write(head, head_length);
	while (at < length) {
		size_t line = line_length(text + at, length - at);

		if (at && !fits_everywhere(text + at, line))
			break;
		framebuffer_write(text + at, line);
		at += line;
	}
	return at;
}

static struct screen *free_screen(void)
{
	for (unsigned int i = 0; i < FRAMEBUFFERS_MAX; i++)
		if (!screens[i].mode.size)
			return &screens[i];
	return NULL;
}

static unsigned int columns_of(const struct framebuffer *mode)
{
	return mode->width / (FONT_WIDTH * choose_scale(mode));
}

static unsigned int rows_of(const struct framebuffer *mode)
{
	return mode->height / (FONT_HEIGHT * choose_scale(mode));
}

size_t framebuffer_pages(const struct framebuffer *mode)
{
	size_t cells = (size_t)columns_of(mode) * rows_of(mode);

	if (!framebuffer_bytes(mode))
		return 0;
	return ALIGN_UP(cells * sizeof(struct cell), PAGE_SIZE) / PAGE_SIZE;
}

static void prepare(struct screen *s, const struct framebuffer *mode,
		    struct cell *cells)
{
	*s = (struct screen){
		.mode = *mode,
		.scale = choose_scale(mode),
		.columns = columns_of(mode),
		.rows = rows_of(mode),
		.cells = cells,
	};
	s->pixel[PLAIN_TEXT] = make_pixel(s, 200, 200, 200);
	s->pixel[RED_TEXT] = make_pixel(s, 255, 85, 85);
	s->pixel[GREEN_TEXT] = make_pixel(s, 85, 255, 85);
	s->pixel[YELLOW_TEXT] = make_pixel(s, 255, 255, 85);
	for (unsigned int i = 0; i < s->columns * s->rows; i++)
		cells[i].c = ' ';
	s->mode.size = framebuffer_bytes(mode);
}

bool framebuffer_add(const struct framebuffer *mode)
{
	struct screen *s = free_screen();
	struct cell *cells =
		s ? page_alloc(framebuffer_pages(mode), PAGES_DEVICE) : NULL;

	if (!cells)
		return false;
	prepare(s, mode, cells);
	clear_pixels(s);
	return true;
}

bool framebuffer_has(hpa_t page)
{
	FOR_EACH_SCREEN(s)
		if (page >= s->mode.base && page - s->mode.base < s->mode.size)
			return true;
	return false;
}

static void give_up(struct screen *s)
{
	page_free(s->cells, framebuffer_pages(&s->mode), PAGES_DEVICE);
	s->mode.size = 0;
}

void framebuffer_give_up(hpa_t base, u64 size)
{
	FOR_EACH_SCREEN(s)
		if (size && base < s->mode.base + s->mode.size &&
		    s->mode.base - MIN(base, s->mode.base) < size)
			give_up(s);
}
