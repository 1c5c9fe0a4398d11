#include "ui/plain.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { MARKS_MAX = 3 };

/* U+0085, U+2028, U+2029 and the C0 ones that end a line, page or paragraph in one viewer or another. */
static bool is_break(gunichar c) {
    return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Characters that turn the direction of writing, or cannot be seen, make a text look like another one. */
static bool is_hidden(gunichar c) {
    return g_unichar_iscntrl(c) || c == 0xad || c == 0x034f || c == 0x061c || c == 0x115f || c == 0x1160 ||
           c == 0x17b4 || c == 0x17b5 || (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 || c == 0xfeff ||
           c == 0xffa0 || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff) ||
           g_unichar_type(c) == G_UNICODE_PRIVATE_USE;
}

static bool is_mark(gunichar c) {
    GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

/* No more line breaks than fit a window, no towers of accents that reach over what stands above. */
char *ui_plain(const char *text, size_t max_lines) {
    GString *out = g_string_new(NULL);
    char *valid = g_utf8_make_valid(text, -1);
    size_t lines = 1;
    unsigned marks = 0;
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == '\r' && at[1] == '\n')
            continue; /* one break, not two */
        if (is_break(c))
            c = lines < max_lines ? '\n' : ' ';
        else if (c == '\t')
            c = ' ';
        else if (is_hidden(c))
            continue;
        lines += c == '\n';
        marks = is_mark(c) ? marks + 1 : 0;
        if (marks <= MARKS_MAX)
            g_string_append_unichar(out, c);
    }
    memset(valid, 0, strlen(valid));
    g_free(valid);
    return g_string_free(out, FALSE);
}
