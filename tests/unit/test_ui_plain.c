/* ui/plain.h: what the other end sends shows itself, and nothing else. */
#include "ui/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void is(const char *text, size_t max_lines, const char *wanted) {
    char *plain = ui_plain(text, max_lines);
    assert_string_equal(plain, wanted);
    free(plain);
}

static void ordinary_text_stays(void **state) {
    (void)state;
    is("", 1, "");
    is("Hello, 日本語 が 👍🏽 é e\u0301", 1, "Hello, 日本語 が 👍🏽 é e\u0301");
    is("a\nb\n\nc", 4, "a\nb\n\nc");
    is("a\tb", 1, "a b");
}

static void breaks_are_counted_whatever_they_are(void **state) {
    (void)state;
    is("a\nb\nc\nd", 2, "a\nb c d");
    is("a\r\nb\rc\xc2\x85"
       "d\u2028e\u2029f\vg\fh",
       99, "a\nb\nc\nd\ne\nf\ng\nh");
    is("a\r\nb\rc\xc2\x85"
       "d\u2028e\u2029f\vg\fh",
       1, "a b c d e f g h");
    is("a\nb", 0, "a b");
}

static void what_cannot_be_seen_goes(void **state) {
    (void)state;
    is("a\x01\x1b[31m\x7f\xc2\x9bz", 1, "a[31mz");
    is("\u202eabc\u202c\u2066d\u2069\u200e\u200f\u061c", 1, "abcd");
    is("p\u200ba\u200dy\u2060p\ufeffa\u00adl\u3164", 1, "paypal");
    is("a\U000e0041b\ue000c\ufff9d", 1, "abcd");
}

static void marks_do_not_pile_up(void **state) {
    (void)state;
    char tower[1 + 100 * 2 + 2] = "e";
    for (size_t i = 0; i < 100; i++)
        memcpy(tower + 1 + 2 * i, "\u0301", 2);
    tower[201] = 'x';
    is(tower, 1, "e\u0301\u0301\u0301x");
    is("e\u0301\u200b\u0301\u200b\u0301\u200b\u0301", 1, "e\u0301\u0301\u0301"); /* nothing between them */
}

static void other_bytes_do_no_harm(void **state) {
    (void)state;
    is("a\xff\xc3(", 1, "a\ufffd\ufffd(");
    is("\xed\xa0\x80", 1, "\ufffd\ufffd\ufffd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_stays),      cmocka_unit_test(breaks_are_counted_whatever_they_are),
        cmocka_unit_test(what_cannot_be_seen_goes), cmocka_unit_test(marks_do_not_pile_up),
        cmocka_unit_test(other_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
