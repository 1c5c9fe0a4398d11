/* What came from the other end, made harmless to look at: plain text that shows itself, and nothing else. */
#pragma once

#include <stddef.h>

/* `text` without what cannot be seen, or turns the direction of writing, or makes one line look like two:
 * control characters (C0, C1), bidi and zero-width ones, U+2028 and U+2029, private use; no more than a few
 * combining marks on one character; tabs are spaces. It has at most max_lines lines (at least 1): what would
 * begin another one is a space. Bytes that are not UTF-8 become U+FFFD. Never NULL; free(). */
char *ui_plain(const char *text, size_t max_lines);
