/*
 * The log of mode=check, page by page: what it says does not fit on a screen,
 * and nothing else keeps it where there is no serial port.
 */
#ifndef HV_MACHINE_PAGER_H
#define HV_MACHINE_PAGER_H

#include "hv/types.h"

/* What the pager takes of the pool: 2400 lines of usual length.  Of a longer
 * log the first ones are kept, and the others go to the screen at once. */
#define PAGER_PAGES 64

/* Keep what is written to the screen from now on.  Nothing if there is no
 * screen, or no memory for it: then there is one page. */
void pager_start(void);

/* While it is held, what is logged is for the pages and does not scroll the
 * screen. */
void pager_hold(bool on);

/* What is logged from now on is a table, whose first line, of column heads, is
 * repeated on each page that shows its rows; it ends. */
void pager_table(bool begins);

/* What is logged from now on begins a page. */
void pager_last_page(void);

/* Show the next page, after the last one the first.  True: it is the last.  No
 * other CPU logs meanwhile. */
bool pager_turn(void);

#endif
