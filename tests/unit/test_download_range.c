/* What the download server reads of a request (Range, If-None-Match, Accept-Language) and how it fills in its
 * pages. */
#include "download/etag.h"
#include "download/language.h"
#include "download/range.h"
#include "download/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SIZE 1000

static void is_part(const char *header, uint64_t first, uint64_t len) {
    struct download_part part = {0};
    assert_int_equal(download_range_read(&part, header, SIZE), DOWNLOAD_PART);
    assert_int_equal(part.first, first);
    assert_int_equal(part.len, len);
}

static void is_not_part(const char *header, enum download_range what) {
    struct download_part part = {7, 7};
    if (download_range_read(&part, header, SIZE) != what)
        fail_msg("\"%s\"", header);
    assert_int_equal(part.first, 7);
    assert_int_equal(part.len, 7);
}

static void a_range_names_one_part(void **state) {
    (void)state;
    is_part("bytes=0-0", 0, 1);
    is_part("bytes=0-999", 0, 1000);
    is_part("bytes=10-19", 10, 10);
    is_part("bytes=999-", 999, 1);
    is_part("bytes=0-", 0, 1000);
    is_part("BYTES=5-9", 5, 5);
    is_part("bytes= 5-9 ", 5, 5);
    is_part("bytes=,5-9, ,", 5, 5);
    is_part("bytes=000005-0009", 5, 5);
}

static void a_range_beyond_the_end_is_cut(void **state) {
    (void)state;
    is_part("bytes=990-1000", 990, 10);
    is_part("bytes=990-18446744073709551615", 990, 10);
    is_part("bytes=990-99999999999999999999999999", 990, 10);
}

static void a_suffix_counts_from_the_end(void **state) {
    (void)state;
    is_part("bytes=-1", 999, 1);
    is_part("bytes=-1000", 0, 1000);
    is_part("bytes=-5000", 0, 1000);
    is_part("bytes=-99999999999999999999999999", 0, 1000);
}

static void what_lies_behind_the_end_is_unsatisfiable(void **state) {
    (void)state;
    static const char *const headers[] = {"bytes=1000-", "bytes=1000-1001", "bytes=-0",
                                          "bytes=18446744073709551615-",
                                          "bytes=99999999999999999999-99999999999999999999999"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        is_not_part(headers[i], DOWNLOAD_UNSATISFIABLE);
}

static void what_is_not_one_part_is_the_whole(void **state) {
    (void)state;
    static const char *const headers[] = {"",
                                          "bytes",
                                          "bytes=",
                                          "bytes=,",
                                          "bytes=-",
                                          "bytes=5",
                                          "bytes=9-5",
                                          "bytes=a-b",
                                          "bytes=5-9x",
                                          "bytes=5 - 9",
                                          "bytes=+5-9",
                                          "bytes=-5-9",
                                          "bytes=0x5-9",
                                          "bytes=--5",
                                          "lines=5-9",
                                          "bytes:5-9",
                                          " bytes=5-9",
                                          "bytes=5-9;",
                                          "bytes=1-2,3",
                                          "bytes=1-2-3",
                                          "bytes=5.0-9",
                                          "bytes=5-9 6-7",
                                          "bytes=0-1,5-9",
                                          "bytes=0-1, -1",
                                          "bytes=2000-,3000-",
                                          "bytes=\"5-9\"",
                                          "bytes =5-9",
                                          "5-9"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        is_not_part(headers[i], DOWNLOAD_WHOLE);
}

static void a_tag_is_found_in_a_list(void **state) {
    (void)state;
    static const char *const yes[] = {
        "*",         "\"abc\"",         "W/\"abc\"", "\"x\", \"abc\"", "\"x\",W/\"y\" , \"abc\",",
        ", \"abc\"", "\"a,b\", \"abc\""};
    static const char *const no[] = {
        "",     "abc",        "\"abcd\"", "\"ab\"",      "\"abc",      "w/\"abc\"",
        "* ",   "*, \"abc\"", "\"ABC\"",  "\"x\" abc",   "W/",         "\"x\", abc\"",
        "\"\"", "W\"abc\"",   "'abc'",    "\", \"abc\"", "\"x\"\"ab\""};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (!download_etag_is_in(yes[i], "\"abc\""))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (download_etag_is_in(no[i], "\"abc\""))
            fail_msg("%s", no[i]);
}

static void the_language_is_what_is_wanted_most(void **state) {
    (void)state;
    static const char *const japanese[] = {"ja",
                                           "ja-JP",
                                           "JA",
                                           "ja,en",
                                           "fr, ja;q=0.1",
                                           "en;q=0.8,ja;q=0.9",
                                           "en;q=0,ja",
                                           "en;q=0.9, ja",
                                           "ja ; q=0.5",
                                           "fr,de;q=0.9,ja-JP;q=0.3,en;q=0.2",
                                           "en;q=1.1,ja;q=0.1",
                                           "ja;q=1.000",
                                           "en;q=0.998,ja;q=0.999"};
    static const char *const english[] = {
        "",       "en",     "en-US", "fr",          "*",          "en,ja",      "ja;q=0.8,en", "jav",   "j",
        "ja;q=0", "ja;q=2", "ja;q=", "ja;q=0.1234", "ja;level=1", "ja;q=0.5;x", ",,,;q=,ja;q", "e n ja"};
    for (size_t i = 0; i < sizeof(japanese) / sizeof(japanese[0]); i++)
        if (download_language_choose("", japanese[i]) != DOWNLOAD_JA)
            fail_msg("%s", japanese[i]);
    for (size_t i = 0; i < sizeof(english) / sizeof(english[0]); i++)
        if (download_language_choose("", english[i]) != DOWNLOAD_EN)
            fail_msg("%s", english[i]);
}

static void the_address_decides_before_the_header(void **state) {
    (void)state;
    assert_int_equal(download_language_choose("en", "ja"), DOWNLOAD_EN);
    assert_int_equal(download_language_choose("ja", "en"), DOWNLOAD_JA);
    assert_int_equal(download_language_choose("fr", "ja"), DOWNLOAD_JA);
    assert_int_equal(download_language_choose("ja-JP", "en"), DOWNLOAD_EN);
}

static void is_filled(const char *text, const char *expected) {
    static const struct download_value values[] = {
        {"a", "1"}, {"b", "<x y=\"&'\">"}, {"none", NULL}, {"empty", ""}, {NULL, NULL}};
    struct tas_buf buf;
    tas_buf_init(&buf, 256);
    assert_int_equal(download_template_fill(&buf, text, values), TAS_OK);
    struct tas_bytes got = tas_buf_peek(&buf);
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.ptr, expected, got.len);
    tas_buf_fini(&buf);
}

static void a_template_is_filled_and_escaped(void **state) {
    (void)state;
    is_filled("", "");
    is_filled("plain { }", "plain { }");
    is_filled("{{a}}-{{a}}", "1-1");
    is_filled("[{{b}}]", "[&lt;x y=&quot;&amp;&#39;&quot;&gt;]");
    is_filled("{{none}}{{empty}}.", ".");
}

static void a_part_without_its_value_is_left_out(void **state) {
    (void)state;
    is_filled("{{#a}}yes{{/a}}{{^a}}no{{/a}}!", "yes!");
    is_filled("{{#none}}yes {{b}}{{/none}}{{^none}}no{{/none}}!", "no!");
    is_filled("{{#empty}}yes{{/empty}}", "yes");
    is_filled("{{#none}}{{#a}}x{{/a}}{{/none}}y", "y");
}

static void a_text_over_its_limit_is_an_error(void **state) {
    (void)state;
    static const struct download_value values[] = {{"a", "12345"}, {NULL, NULL}};
    struct tas_buf buf;
    tas_buf_init(&buf, 8);
    assert_int_equal(download_template_fill(&buf, "{{a}}{{a}}", values), TAS_E_FULL);
    tas_buf_fini(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_names_one_part),
        cmocka_unit_test(a_range_beyond_the_end_is_cut),
        cmocka_unit_test(a_suffix_counts_from_the_end),
        cmocka_unit_test(what_lies_behind_the_end_is_unsatisfiable),
        cmocka_unit_test(what_is_not_one_part_is_the_whole),
        cmocka_unit_test(a_tag_is_found_in_a_list),
        cmocka_unit_test(the_language_is_what_is_wanted_most),
        cmocka_unit_test(the_address_decides_before_the_header),
        cmocka_unit_test(a_template_is_filled_and_escaped),
        cmocka_unit_test(a_part_without_its_value_is_left_out),
        cmocka_unit_test(a_text_over_its_limit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
