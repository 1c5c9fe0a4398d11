#include "base/buf.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct tas_bytes str(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

/* ---- bytes ---- */

static void a_reader_gives_big_endian_numbers_and_stays_bad_after_the_end(void **state) {
    (void)state;
    static const uint8_t in[] = {
        0x01,                                           /* u8 */
        0x02, 0x03,                                     /* u16 */
        0x04, 0x05, 0x06, 0x07,                         /* u32 */
        0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, /* u64 */
        0x00, 0x00,                                     /* zero */
        0x10,                                           /* left */
    };
    struct tas_reader r = tas_reader_of(tas_bytes_of(in, sizeof(in)));
    assert_int_equal(tas_read_u8(&r), 0x01);
    assert_int_equal(tas_read_u16(&r), 0x0203);
    assert_int_equal(tas_read_u32(&r), 0x04050607);
    assert_int_equal(tas_read_u64(&r), 0x08090a0b0c0d0e0f);
    tas_read_zero(&r, 2);
    assert_false(r.bad);
    assert_int_equal(tas_read_u16(&r), 0); /* only one is left */
    assert_true(r.bad);
    assert_int_equal(tas_read_u8(&r), 0);
    assert_int_equal(tas_read_bytes(&r, 0).len, 0);
    assert_true(r.bad);
}

static void padding_that_is_not_zero_makes_a_reader_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        uint8_t in[5] = {0};
        in[i] = 0x80;
        struct tas_reader r = tas_reader_of(tas_bytes_of(in, sizeof(in)));
        tas_read_zero(&r, sizeof(in));
        assert_true(r.bad);
    }
}

static void a_writer_writes_what_fits_and_nothing_after_the_first_that_does_not(void **state) {
    (void)state;
    uint8_t out[4] = {0xa5, 0xa5, 0xa5, 0xa5};
    struct tas_writer w = tas_writer_of(out, 3);
    tas_write_u16(&w, 0x0102);
    tas_write_u16(&w, 0x0304);
    assert_true(w.bad);
    tas_write_u8(&w, 5);
    assert_int_equal(w.len, 2);
    static const uint8_t want[] = {0x01, 0x02, 0xa5, 0xa5};
    assert_memory_equal(out, want, sizeof(want));
    struct tas_writer none = tas_writer_of(NULL, 0);
    tas_write_bytes(&none, NULL, 0);
    tas_write_zero(&none, 0);
    assert_false(none.bad);
    tas_write_zero(&none, 1000);
    assert_true(none.bad);
}

/* ---- buf ---- */

static void a_queue_gives_bytes_out_in_the_order_they_came_in(void **state) {
    (void)state;
    struct tas_buf buf;
    tas_buf_init(&buf, 1000);
    uint8_t in = 0, out = 0;
    for (unsigned round = 0; round < 500; round++) {
        uint8_t some[17];
        size_t n = round % 18;
        for (size_t i = 0; i < n; i++)
            some[i] = in++;
        assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, n)), TAS_OK);
        struct tas_bytes got = tas_buf_peek(&buf);
        size_t drop = got.len > 400 ? got.len - 7 : got.len / 5;
        for (size_t i = 0; i < drop; i++)
            assert_int_equal(got.ptr[i], out++);
        tas_buf_drop(&buf, drop);
        assert_int_equal(tas_buf_room(&buf), 1000 - buf.len);
    }
    tas_buf_fini(&buf);
}

static void a_full_queue_refuses_all_of_what_does_not_fit(void **state) {
    (void)state;
    static const uint8_t some[701];
    struct tas_buf buf;
    tas_buf_init(&buf, 700);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 701)), TAS_E_FULL);
    assert_null(buf.mem);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 300)), TAS_OK);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 401)), TAS_E_FULL);
    assert_int_equal(buf.len, 300);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 400)), TAS_OK);
    assert_int_equal(buf.cap, 700);
    assert_int_equal(tas_buf_room(&buf), 0);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 1)), TAS_E_FULL);
    assert_int_equal(tas_buf_append(&buf, (struct tas_bytes){0}), TAS_OK);
    assert_null(tas_buf_reserve(&buf, 1));
    assert_null(tas_buf_reserve(&buf, SIZE_MAX));
    tas_buf_drop(&buf, 1);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 1)), TAS_OK);
    tas_buf_fini(&buf);
}

static void reserving_and_committing_is_as_good_as_appending(void **state) {
    (void)state;
    struct tas_buf buf;
    tas_buf_init(&buf, 300);
    for (int i = 0; i < 3; i++) {
        uint8_t *to = tas_buf_reserve(&buf, 100);
        assert_non_null(to);
        memset(to, 'a' + i, 100);
        tas_buf_commit(&buf, 50);
        tas_buf_drop(&buf, 10);
    }
    struct tas_bytes got = tas_buf_peek(&buf);
    assert_int_equal(got.len, 120);
    assert_int_equal(got.ptr[0], 'a');
    assert_int_equal(got.ptr[119], 'c');
    tas_buf_fini(&buf);
}

static bool is_all_zero(const struct tas_buf *buf) {
    for (size_t i = 0; i < buf->cap; i++)
        if (buf->mem[i])
            return false;
    return true;
}

static void what_left_a_queue_is_wiped_wherever_it_lay(void **state) {
    (void)state;
    uint8_t some[256];
    memset(some, 0x5a, sizeof(some));
    struct tas_buf buf;
    tas_buf_init(&buf, 256);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 256)), TAS_OK);
    memset(buf.mem, 0x5a, buf.cap);
    tas_buf_drop(&buf, 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(buf.mem[i], 0);
    assert_int_equal(tas_buf_append(&buf, tas_bytes_of(some, 10)), TAS_OK); /* moves the rest to the front */
    assert_int_equal(buf.start, 0);
    tas_buf_drop(&buf, 66);
    assert_true(is_all_zero(&buf));
    assert_int_equal(buf.len, 0);
    assert_int_equal(tas_buf_peek(&buf).len, 0);
    tas_buf_fini(&buf);
    assert_null(buf.mem);
}

static void an_empty_queue_gives_its_memory_back_and_a_full_one_keeps_it(void **state) {
    (void)state;
    struct tas_buf buf;
    tas_buf_init(&buf, 64);
    tas_buf_shrink(&buf);
    assert_int_equal(tas_buf_append(&buf, str("text")), TAS_OK);
    tas_buf_shrink(&buf);
    assert_non_null(buf.mem);
    tas_buf_drop(&buf, 4);
    tas_buf_shrink(&buf);
    assert_null(buf.mem);
    assert_int_equal(buf.max, 64);
    assert_int_equal(tas_buf_append(&buf, str("again")), TAS_OK);
    tas_buf_fini(&buf);
    tas_buf_fini(&buf);
}

static void a_queue_without_memory_keeps_what_it_holds(void **state) {
    (void)state;
    static const uint8_t some[600];
    struct tas_buf buf;
    tas_buf_init(&buf, 1000);
    tas_oom_fail_at(1);
    int err = tas_buf_append(&buf, str("one"));
    tas_oom_fail_at(0);
    assert_int_equal(err, TAS_E_NOMEM);
    assert_int_equal(tas_buf_append(&buf, str("two")), TAS_OK);
    tas_oom_fail_at(1);
    err = tas_buf_append(&buf, tas_bytes_of(some, sizeof(some)));
    bool has_room = tas_buf_reserve(&buf, sizeof(some)) != NULL; /* the second allocation is given */
    tas_oom_fail_at(0);
    assert_int_equal(err, TAS_E_NOMEM);
    assert_true(has_room);
    assert_true(tas_bytes_equal(tas_buf_peek(&buf), str("two")));
    tas_buf_fini(&buf);
}

/* ---- utf8 ---- */

static void every_code_point_is_written_and_read_back(void **state) {
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp += cp < 0x3000 ? 1 : 61) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        uint8_t text[4];
        size_t len = tas_utf8_put(text, cp);
        size_t want = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
        assert_int_equal(len, want);
        struct tas_reader r = tas_reader_of(tas_bytes_of(text, len));
        assert_int_equal(tas_utf8_next(&r), cp);
        assert_false(r.bad);
        assert_int_equal(r.in.len, 0);
        for (size_t cut = 0; cut < len; cut++) {
            struct tas_reader short_one = tas_reader_of(tas_bytes_of(text, cut));
            assert_int_equal(tas_utf8_next(&short_one), 0);
            assert_true(short_one.bad);
        }
    }
}

static void broken_utf8_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",                     /* a continuation alone */
        "\xbf",                     /* the last of them */
        "a\x80",                    /* one behind a letter */
        "\xc0\x80",                 /* NUL in two bytes */
        "\xc1\xbf",                 /* U+7F in two bytes */
        "\xc3",                     /* cut */
        "\xc3(",                    /* not followed by a continuation */
        "\xc3\xc3",                 /* followed by a lead */
        "\xe0\x80\x80",             /* NUL in three */
        "\xe0\x9f\xbf",             /* U+7FF in three */
        "\xe2\x82",                 /* cut */
        "\xe2(\xa1",                /* second is none */
        "\xe2\x82(",                /* third is none */
        "\xed\xa0\x80",             /* U+D800 */
        "\xed\xbf\xbf",             /* U+DFFF */
        "\xed\xa0\xbd\xed\xb8\x80", /* a pair of surrogates (CESU-8) */
        "\xf0\x80\x80\x80",         /* NUL in four */
        "\xf0\x8f\xbf\xbf",         /* U+FFFF in four */
        "\xf0\x9f\x98",             /* cut */
        "\xf0(\x8c\xbc",            /* second is none */
        "\xf0\x90(\xbc",            /* third is none */
        "\xf0\x90\x8c(",            /* fourth is none */
        "\xf4\x90\x80\x80",         /* U+110000 */
        "\xf5\x80\x80\x80",         /* beyond */
        "\xf8\x88\x80\x80\x80",     /* five bytes */
        "\xfc\x84\x80\x80\x80\x80", /* six bytes */
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (tas_utf8_is_valid(str(bad[i])) || tas_utf8_is_plain(str(bad[i])))
            fail_msg("bad form %zu is taken", i);
    }
}

static void good_utf8_is_valid_up_to_its_borders(void **state) {
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "Gr\xc3\xbc\xc3\x9f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "\n\t\x1b[0m",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(tas_utf8_is_valid(str(good[i])));
    assert_true(tas_utf8_is_valid(tas_bytes_of("a\0b", 3)));
    assert_false(tas_utf8_is_plain(tas_bytes_of("a\0b", 3)));
}

static bool is_plain(uint32_t cp) {
    uint8_t text[6] = {'a'};
    size_t len = tas_utf8_put(text + 1, cp);
    text[1 + len] = 'b';
    assert_true(tas_utf8_is_valid(tas_bytes_of(text, len + 2)));
    return tas_utf8_is_plain(tas_bytes_of(text, len + 2));
}

static void controls_and_bidi_characters_are_not_plain_and_their_neighbours_are(void **state) {
    (void)state;
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}};
    for (uint32_t cp = 0; cp < 0x20; cp++)
        assert_false(is_plain(cp));
    assert_true(is_plain(0x20));
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        assert_true(is_plain(ranges[i].first - 1));
        for (uint32_t cp = ranges[i].first; cp <= ranges[i].last; cp++)
            assert_false(is_plain(cp));
        assert_true(is_plain(ranges[i].last + 1));
    }
}

/* ---- hex ---- */

static void hex_of_either_case_is_read_and_lower_case_is_written(void **state) {
    (void)state;
    uint8_t out[5];
    char text[11];
    assert_int_equal(tas_hex_decode(out, 5, "00fF7aA9e0"), TAS_OK);
    static const uint8_t want[] = {0x00, 0xff, 0x7a, 0xa9, 0xe0};
    assert_memory_equal(out, want, 5);
    tas_hex_encode(text, tas_bytes_of(out, 5));
    assert_string_equal(text, "00ff7aa9e0");
    tas_hex_encode(text, (struct tas_bytes){0});
    assert_string_equal(text, "");
    assert_int_equal(tas_hex_decode(out, 0, ""), TAS_OK);
}

static void hex_of_another_length_or_with_another_character_is_refused_and_leaves_out_alone(void **state) {
    (void)state;
    uint8_t out[2] = {0xa5, 0xa5};
    static const char *const bad[] = {"",     "0",    "000",  "00000", "00 0", "000g",
                                      "G000", "0x00", "00/:", "@@`g",  "-001"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(tas_hex_decode(out, 2, bad[i]), TAS_E_PROTO);
        assert_int_equal(out[0], 0xa5);
        assert_int_equal(out[1], 0xa5);
    }
    for (int c = 1; c < 256; c++) { /* every character in a digit's place */
        char text[3] = {'0', (char)c, '\0'};
        bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        assert_int_equal(tas_hex_decode(out, 1, text), is_digit ? TAS_OK : TAS_E_PROTO);
    }
}

/* ---- errors ---- */

static void every_error_has_a_name_and_a_text_of_its_own(void **state) {
    (void)state;
    assert_string_equal(tas_err_name(TAS_E_PROTO), "PROTO");
    assert_string_equal(tas_err_text(TAS_E_FULL), "no room now");
    assert_string_equal(tas_err_name(TAS_OK), "OK");
    assert_string_equal(tas_err_text(TAS_OK), "ok");
    assert_string_equal(tas_err_name(1), "UNKNOWN");
    assert_string_equal(tas_err_text(-99), "unknown error");
    static const int all[] = {
#define X(name, value, text) TAS_E_##name,
        TAS_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_true(all[i] < 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(all[i], all[j]);
            assert_string_not_equal(tas_err_name(all[i]), tas_err_name(all[j]));
            assert_string_not_equal(tas_err_text(all[i]), tas_err_text(all[j]));
        }
    }
}

/* ---- wipe, random, time ---- */

static void wiping_leaves_zeros_and_nothing_else_changes(void **state) {
    (void)state;
    uint8_t mem[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t want[8] = {1, 0, 0, 0, 0, 0, 0, 8};
    tas_wipe(mem + 1, 6);
    assert_memory_equal(mem, want, 8);
    tas_wipe(NULL, 0);
    tas_wipe(mem, 0);
    assert_memory_equal(mem, want, 8);
}

static void secrets_are_the_same_only_when_every_byte_is(void **state) {
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(tas_same_secret(a, b, sizeof(a)));
    assert_true(tas_same_secret(a, b, 0));
    for (size_t i = 0; i < 256; i++) {
        b[i / 8] = (uint8_t)(1 << (i % 8));
        assert_false(tas_same_secret(a, b, sizeof(a)));
        b[i / 8] = 0;
    }
}

static void secret_memory_from_the_heap_comes_zeroed(void **state) {
    (void)state;
    static const uint8_t zeros[100];
    uint8_t *mem = tas_secret_heap.alloc(100);
    assert_non_null(mem);
    assert_memory_equal(mem, zeros, 100);
    tas_secret_heap.release(mem, 100);
    tas_secret_heap.release(NULL, 100);
    tas_oom_fail_at(1);
    mem = tas_secret_heap.alloc(100);
    tas_oom_fail_at(0);
    assert_null(mem);
}

static void random_bytes_differ_and_fill_exactly_what_was_asked_for(void **state) {
    (void)state;
    uint8_t a[600] = {0}, b[600] = {0};
    tas_random(a, 599);
    tas_random(b, 599);
    assert_memory_not_equal(a, b, 599);
    assert_int_equal(a[599], 0);
    tas_random(a, 0);
}

static void the_monotonic_clock_never_goes_back(void **state) {
    (void)state;
    uint64_t before = tas_mono_us();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = tas_mono_us();
        assert_true(now >= before);
        before = now;
    }
    assert_true(tas_wall_ms() > UINT64_C(1700000000000));
}

/* ---- log ---- */

/* What tas_log() wrote while `write_lines` ran. */
static size_t logged(char *out, size_t cap, void (*write_lines)(void)) {
    FILE *into = tmpfile();
    assert_non_null(into);
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && dup2(fileno(into), STDERR_FILENO) >= 0);
    write_lines();
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    rewind(into);
    size_t len = fread(out, 1, cap - 1, into);
    out[len] = '\0';
    fclose(into);
    return len;
}

/* One JSON string or number at *p; *p goes behind it. Printable ASCII only, escapes as JSON has them. */
static bool take_value(const char **p) {
    const char *at = *p;
    if (*at != '"') {
        size_t digits = strspn(at, "0123456789");
        bool ok = digits > 0 && (digits == 1 || *at != '0');
        *p = at + digits;
        return ok;
    }
    for (at++; *at != '"'; at++) {
        if (*at < 0x20 || *at > 0x7e)
            return false;
        if (*at != '\\')
            continue;
        at++;
        if (*at == 'u' && strspn(at + 1, "0123456789abcdef") >= 4)
            at += 4;
        else if (*at != '"' && *at != '\\')
            return false;
    }
    *p = at + 1;
    return true;
}

/* Is `line` one flat JSON object and a newline? */
static bool is_json_line(const char *line) {
    const char *p = line;
    if (*p++ != '{')
        return false;
    for (;;) {
        if (*p != '"' || !take_value(&p) || *p++ != ':' || !take_value(&p))
            return false;
        if (*p != ',')
            break;
        p++;
    }
    return strcmp(p, "}\n") == 0;
}

static void log_paired(void) {
    tas_log(TAS_LOG_INFO, "relay", "paired", "room=%04x wait_ms=%u id=%s none= big=%s zero=0 old=007",
            0x9f3au, 41u, "12ab", "1234567890123456");
}

static void a_log_line_is_json_and_digits_become_numbers(void **state) {
    (void)state;
    char line[4096];
    logged(line, sizeof(line), log_paired);
    assert_true(is_json_line(line));
    assert_memory_equal(line, "{\"time\":\"2", 10);
    assert_int_equal(line[9 + 10], 'T');
    assert_int_equal(line[9 + 23], 'Z');
    assert_string_equal(
        line + 9 + 24, "\",\"level\":\"info\",\"component\":\"relay\",\"event\":\"paired\",\"room\":\"9f3a\","
                       "\"wait_ms\":41,\"id\":\"12ab\",\"none\":\"\",\"big\":\"1234567890123456\",\"zero\":0,"
                       "\"old\":\"007\"}\n");
}

static void log_levels(void) {
    tas_log(TAS_LOG_DEBUG, "t", "hidden", "n=%d", 1);
    tas_log(TAS_LOG_INFO, "t", "shown", "n=%d", 2);
    tas_log_set_level(TAS_LOG_ERROR);
    tas_log(TAS_LOG_WARN, "t", "hidden", "n=%d", 3);
    tas_log(TAS_LOG_ERROR, "t", "also", "n=%d", 4);
    tas_log_set_level(TAS_LOG_DEBUG);
    tas_log(TAS_LOG_DEBUG, "t", "last", "%s", "");
    tas_log_set_level(TAS_LOG_INFO);
}

static void lines_below_the_level_are_left_out(void **state) {
    (void)state;
    char lines[4096];
    logged(lines, sizeof(lines), log_levels);
    assert_null(strstr(lines, "hidden"));
    assert_non_null(strstr(lines, "\"level\":\"info\",\"component\":\"t\",\"event\":\"shown\",\"n\":2}\n"));
    assert_non_null(strstr(lines, "\"level\":\"error\",\"component\":\"t\",\"event\":\"also\",\"n\":4}\n"));
    assert_non_null(strstr(lines, "\"level\":\"debug\",\"component\":\"t\",\"event\":\"last\"}\n"));
}

static char hostile[300];

static void log_hostile(void) {
    char quoted[2000];
    tas_log(TAS_LOG_INFO, "t", "named", "who=%s n=%d", tas_log_quote(quoted, sizeof(quoted), hostile), 7);
}

static void quoted_text_from_outside_cannot_break_a_line_whatever_it_holds(void **state) {
    (void)state;
    char line[4096];
    for (int c = 1; c < 256; c++) {
        snprintf(hostile, sizeof(hostile), "a %c=%c\",\"level\":\"error\\", c, c);
        logged(line, sizeof(line), log_hostile);
        assert_true(is_json_line(line));
        assert_non_null(strstr(line, "\"n\":7}\n"));
    }
}

static unsigned long_len;

static void log_long(void) {
    char text[2200];
    char quoted[2600];
    memset(text, '\\', sizeof(text));
    text[long_len] = '\0';
    tas_log(TAS_LOG_INFO, "t", "long", "a=%.*s b=%s c=1", (int)long_len,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", tas_log_quote(quoted, sizeof(quoted), text));
}

static void a_line_that_is_too_long_loses_whole_pairs_and_stays_json(void **state) {
    (void)state;
    char line[4096];
    for (long_len = 0; long_len < 2190; long_len += long_len < 900 || long_len > 1100 ? 13 : 1) {
        size_t len = logged(line, sizeof(line), log_long);
        assert_true(len <= 2048);
        assert_true(is_json_line(line));
    }
}

static void log_many(void) {
    char pairs[2500];
    size_t len = 0;
    for (unsigned i = 0; len < long_len; i++)
        len += (size_t)snprintf(pairs + len, sizeof(pairs) - len, "k%u=\"%u\\\"\" ", i, i);
    tas_log(TAS_LOG_INFO, "t", "many", "%s", pairs);
}

static void many_pairs_are_cut_at_any_length_without_harm(void **state) {
    (void)state;
    char line[4096];
    for (long_len = 1; long_len < 2300; long_len += 3) {
        size_t len = logged(line, sizeof(line), log_many);
        assert_true(len <= 2048);
        assert_true(is_json_line(line));
    }
}

static void quoting_stays_within_its_room(void **state) {
    (void)state;
    for (size_t cap = 8; cap < 60; cap++) {
        char out[64];
        memset(out, 0x5a, sizeof(out));
        assert_ptr_equal(tas_log_quote(out, cap, "\x01\xff\"\\abc\x7f\n\r\t and a good deal more of it"),
                         out);
        assert_true(memchr(out, '\0', cap) != NULL);
        assert_int_equal(out[cap], 0x5a);
        const char *p = out;
        assert_true(take_value(&p) && *p == '\0');
    }
}

static void level_words_are_known_and_others_refused(void **state) {
    (void)state;
    enum tas_log_level level = TAS_LOG_WARN;
    assert_int_equal(tas_log_level_of("loud", &level), TAS_E_CONFIG);
    assert_int_equal(tas_log_level_of("", &level), TAS_E_CONFIG);
    assert_int_equal(level, TAS_LOG_WARN);
    assert_int_equal(tas_log_level_of("debug", &level), TAS_OK);
    assert_int_equal(level, TAS_LOG_DEBUG);
    assert_int_equal(tas_log_level_of("error", &level), TAS_OK);
    assert_int_equal(level, TAS_LOG_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gives_big_endian_numbers_and_stays_bad_after_the_end),
        cmocka_unit_test(padding_that_is_not_zero_makes_a_reader_bad),
        cmocka_unit_test(a_writer_writes_what_fits_and_nothing_after_the_first_that_does_not),
        cmocka_unit_test(a_queue_gives_bytes_out_in_the_order_they_came_in),
        cmocka_unit_test(a_full_queue_refuses_all_of_what_does_not_fit),
        cmocka_unit_test(reserving_and_committing_is_as_good_as_appending),
        cmocka_unit_test(what_left_a_queue_is_wiped_wherever_it_lay),
        cmocka_unit_test(an_empty_queue_gives_its_memory_back_and_a_full_one_keeps_it),
        cmocka_unit_test(a_queue_without_memory_keeps_what_it_holds),
        cmocka_unit_test(every_code_point_is_written_and_read_back),
        cmocka_unit_test(broken_utf8_is_refused),
        cmocka_unit_test(good_utf8_is_valid_up_to_its_borders),
        cmocka_unit_test(controls_and_bidi_characters_are_not_plain_and_their_neighbours_are),
        cmocka_unit_test(hex_of_either_case_is_read_and_lower_case_is_written),
        cmocka_unit_test(hex_of_another_length_or_with_another_character_is_refused_and_leaves_out_alone),
        cmocka_unit_test(every_error_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(wiping_leaves_zeros_and_nothing_else_changes),
        cmocka_unit_test(secrets_are_the_same_only_when_every_byte_is),
        cmocka_unit_test(secret_memory_from_the_heap_comes_zeroed),
        cmocka_unit_test(random_bytes_differ_and_fill_exactly_what_was_asked_for),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(a_log_line_is_json_and_digits_become_numbers),
        cmocka_unit_test(lines_below_the_level_are_left_out),
        cmocka_unit_test(quoted_text_from_outside_cannot_break_a_line_whatever_it_holds),
        cmocka_unit_test(a_line_that_is_too_long_loses_whole_pairs_and_stays_json),
        cmocka_unit_test(many_pairs_are_cut_at_any_length_without_harm),
        cmocka_unit_test(quoting_stays_within_its_room),
        cmocka_unit_test(level_words_are_known_and_others_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
