/* Requests and replies as routes see them, and what HTTP/1.1 peers write. */
#include "http/head.h"
#include "http/message.h"
#include "http/source.h"

#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct tas_bytes text(const char *s) {
    return tas_bytes_of(s, strlen(s));
}

static void assert_text(struct tas_bytes got, const char *want) {
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

/* ---- requests ---- */

static const char *query(const char *all, const char *name, size_t cap) {
    static char out[64];
    snprintf(out, sizeof(out), "untouched");
    const struct tas_http_request req = {.query = all};
    bool found = tas_http_query(&req, name, out, cap);
    assert_true(found || strcmp(out, "untouched") == 0);
    return found ? out : NULL;
}

static void a_value_of_the_query_is_decoded(void **state) {
    (void)state;
    assert_string_equal(query("after=7", "after", 64), "7");
    assert_string_equal(query("a=1&after=7&b=2", "after", 64), "7");
    assert_string_equal(query("q=a%20b+c%2B%e3%81%82", "q", 64), "a b c+\xe3\x81\x82");
    assert_string_equal(query("a=&b=1", "a", 64), "");
    assert_string_equal(query("a=1&a=2", "a", 64), "1");
    assert_string_equal(query("&&x=y", "x", 64), "y");
    assert_string_equal(query("a=b=c", "a", 64), "b=c");
}

static void what_is_not_there_or_badly_encoded_is_no_value(void **state) {
    (void)state;
    static const char *const bad[] = {"",          "b=1",     "after",    "xafter=1",  "after%3d1",
                                      "a%66ter=1", "after=%", "after=%4", "after=%4x", "after=%00"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(query(bad[i], "after", 64));
    assert_null(query("after=12345678", "after", 8));
    assert_string_equal(query("after=1234567", "after", 8), "1234567");
}

/* ---- replies ---- */

static void a_reply_begins_as_200_without_anything(void **state) {
    (void)state;
    struct tas_http_reply reply;
    tas_http_reply_init(&reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.content_type, "application/json");
    assert_int_equal(reply.file_fd, -1);
    assert_int_equal(reply.n_headers + reply.body.len + reply.topic, 0);
    tas_http_reply_fini(&reply);
}

static void a_header_with_a_line_break_is_left_out(void **state) {
    (void)state;
    struct tas_http_reply reply;
    char longer[400];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    tas_http_reply_init(&reply);
    tas_http_header(&reply, "etag:", "\"%d\"", 7);
    tas_http_header(&reply, "x:", "a\r\nset-cookie: b");
    tas_http_header(&reply, "x:", "a\nb");
    tas_http_header(&reply, "x:", "%s", longer);
    assert_int_equal(reply.n_headers, 1);
    assert_string_equal(reply.headers[0].name, "etag:");
    assert_string_equal(reply.headers[0].value, "\"7\"");
    for (int i = 0; i < 20; i++)
        tas_http_header(&reply, "x:", "%d", i);
    assert_int_equal(reply.n_headers, TAS_HTTP_HEADERS);
    tas_http_reply_fini(&reply);
}

static void a_problem_replaces_what_was_there(void **state) {
    (void)state;
    struct tas_http_reply reply;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    tas_http_reply_init(&reply);
    tas_http_printf(&reply, "%s", "half an answer");
    reply.topic = 7;
    reply.file_fd = ends[0];
    tas_http_problem(&reply, 404, "number_unknown", "The number is \"wrong\".");
    assert_int_equal(reply.status, 404);
    assert_int_equal(reply.topic, 0);
    assert_int_equal(reply.file_fd, -1);
    assert_int_equal(close(ends[0]), -1);
    assert_int_equal(close(ends[1]), 0);
    assert_string_equal(reply.content_type, "application/problem+json");
    assert_text(tas_buf_peek(&reply.body),
                "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                "\"code\":\"number_unknown\",\"detail\":\"The number is \\\"wrong\\\".\"}");
    tas_http_reply_fini(&reply);
}

static void json_that_could_not_be_made_is_a_500(void **state) {
    (void)state;
    struct tas_http_reply reply;
    tas_http_reply_init(&reply);
    struct tas_json *json = tas_json_object();
    tas_json_set_int(json, "n", 3);
    tas_http_json(&reply, 201, json);
    assert_int_equal(reply.status, 201);
    assert_text(tas_buf_peek(&reply.body), "{\"n\":3}");
    tas_http_json(&reply, 200, NULL);
    assert_int_equal(reply.status, 500);
    assert_string_equal(reply.content_type, "application/problem+json");
    tas_http_reply_fini(&reply);
}

static void an_event_has_its_lines(void **state) {
    (void)state;
    struct tas_http_reply reply;
    tas_http_reply_init(&reply);
    tas_http_event(&reply, 33, "session", "{}");
    tas_http_event(&reply, 0, "ready", "1"); /* without an id: the reader keeps the one it has */
    tas_http_event(&reply, 1, "session", "two\nlines");
    assert_text(tas_buf_peek(&reply.body), "id: 0000000000011\nevent: session\ndata: {}\n\n"
                                           "event: ready\ndata: 1\n\n");
    tas_http_reply_fini(&reply);
}

static void what_does_not_fit_is_left_out(void **state) {
    (void)state;
    struct tas_http_reply reply;
    tas_http_reply_init(&reply);
    char *large = malloc(TAS_HTTP_BODY_MAX);
    assert_non_null(large);
    memset(large, 'x', TAS_HTTP_BODY_MAX - 1);
    large[TAS_HTTP_BODY_MAX - 1] = '\0';
    tas_http_printf(&reply, "%s", large);
    assert_int_equal(reply.body.len, TAS_HTTP_BODY_MAX - 1);
    tas_http_printf(&reply, "ab");
    tas_http_event(&reply, 1, "x", "y");
    assert_int_equal(reply.body.len, TAS_HTTP_BODY_MAX - 1);
    tas_http_printf(&reply, "a");
    assert_int_equal(reply.body.len, TAS_HTTP_BODY_MAX);
    free(large);
    tas_http_reply_fini(&reply);
}

static void without_memory_a_reply_stays_whole(void **state) {
    (void)state;
    for (unsigned n = 1; n < 20; n++) {
        struct tas_http_reply reply;
        tas_http_reply_init(&reply);
        tas_oom_fail_at(n);
        tas_http_problem(&reply, 409, "wrong_state", "It is over.");
        tas_oom_fail_at(0);
        assert_int_equal(reply.status, 409);
        assert_true(reply.body.len == 0 || reply.body.mem[reply.body.start + reply.body.len - 1] == '}');
        tas_oom_fail_at(n);
        tas_http_printf(&reply, "%2000d", 1);
        tas_http_event(&reply, 1, "x", "y");
        tas_oom_fail_at(0);
        tas_http_reply_fini(&reply);
    }
}

/* ---- heads ---- */

static void the_end_of_a_head_is_found_wherever_it_was_cut(void **state) {
    (void)state;
    static const char head[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nbody";
    const size_t whole = sizeof(head) - 1 - 4;
    for (size_t cut = 0; cut < whole; cut++) {
        size_t scanned = 0;
        assert_int_equal(tas_http_head_len(tas_bytes_of(head, cut), &scanned), 0);
        assert_int_equal(tas_http_head_len(text(head), &scanned), whole);
    }
    size_t scanned = 0;
    assert_int_equal(tas_http_head_len(text("GET / HTTP/1.0\n\n"), &scanned), 16); /* to be refused */
}

static int read_line(const char *line, struct tas_http_line *out) {
    struct tas_reader r = tas_reader_of(text(line));
    return tas_http_line_take(&r, out);
}

static void a_request_line_is_read(void **state) {
    (void)state;
    struct tas_http_line line;
    assert_int_equal(read_line("POST /v1/a?b HTTP/1.1\r\n", &line), TAS_OK);
    assert_text(line.method, "POST");
    assert_text(line.target, "/v1/a?b");
    assert_int_equal(line.minor, 1);
    assert_int_equal(read_line("GET / HTTP/1.0\r\n", &line), TAS_OK);
    assert_int_equal(line.minor, 0);
}

static void a_line_that_is_not_quite_one_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "\r\n",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r",
        "GET  / HTTP/1.1\r\n",
        "GET /  HTTP/1.1\r\n",
        " GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",
        "GET / HTTP/2.0\r\n",
        "GET / HTTP/1.2\r\n",
        "GET / HTTP/1.11\r\n",
        "GET / http/1.1\r\n",
        "GET /\r\n",
        "GET\r\n",
        "GET / \r\n",
        "G(T / HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n",
        "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n",
        "GET /\x01 HTTP/1.1\r\n",
        "GET / HTTP/1.1\rX\r\n",
    };
    struct tas_http_line line = {.minor = 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_line(bad[i], &line), TAS_E_PROTO);
        assert_int_equal(line.minor, 7);
    }
}

static void headers_are_taken_one_by_one(void **state) {
    (void)state;
    struct tas_reader r = tas_reader_of(text("Host:x\r\nCookie: \t a=b; c \t\r\nEmpty:\r\n\r\n"));
    struct tas_bytes name, value;
    assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_OK);
    assert_text(name, "Host");
    assert_text(value, "x");
    assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_OK);
    assert_true(tas_http_is_named(name, "cookie"));
    assert_text(value, "a=b; c");
    assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_OK);
    assert_int_equal(value.len, 0);
    assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_E_MORE);
}

static void a_header_that_is_not_quite_one_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "Host : x\r\n\r\n", " folded\r\n\r\n",    ": x\r\n\r\n",    "Host\r\n\r\n",   "Ho st: x\r\n\r\n",
        "Host: x\n\r\n",    "Host: \x01\r\n\r\n", "Host: \x7f\r\n", "Host: a\rb\r\n", "\r\nmore"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tas_reader r = tas_reader_of(text(bad[i]));
        struct tas_bytes name, value;
        assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_E_PROTO);
    }
    const uint8_t nul[] = {'a', ':', 0, '\r', '\n'};
    struct tas_reader r = tas_reader_of(tas_bytes_of(nul, sizeof(nul)));
    struct tas_bytes name, value;
    assert_int_equal(tas_http_field_take(&r, &name, &value), TAS_E_PROTO);
}

static void lists_and_lengths(void **state) {
    (void)state;
    uint64_t length = 7;
    assert_true(tas_http_list_has(text("Keep-Alive, Upgrade"), "upgrade"));
    assert_true(tas_http_list_has(text(" close "), "close"));
    assert_false(tas_http_list_has(text("closed,enclose"), "close"));
    assert_false(tas_http_list_has(text(""), "close"));
    static const char *const bad[] = {"", "-1", "+1", "1 ", "0x1", "1,1", "1234567890123456", "\xd9\xa1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tas_http_length_parse(text(bad[i]), &length), TAS_E_PROTO);
    assert_int_equal(length, 7);
    assert_int_equal(tas_http_length_parse(text("0120"), &length), TAS_OK);
    assert_int_equal(length, 120);
}

/* ---- targets and hosts ---- */

static char target_mem[4096];

static int parse_target(const char *target, const char **path, const char **rest) {
    assert_true(strlen(target) + 2 <= sizeof(target_mem));
    return tas_http_target_parse(text(target), target_mem, path, rest);
}

static void a_path_is_decoded_and_its_query_is_not(void **state) {
    (void)state;
    const char *path, *rest;
    assert_int_equal(parse_target("/a%20b/%e3%81%82?x=%20&y", &path, &rest), TAS_OK);
    assert_string_equal(path, "/a b/\xe3\x81\x82");
    assert_string_equal(rest, "x=%20&y");
    assert_int_equal(parse_target("/", &path, &rest), TAS_OK);
    assert_string_equal(path, "/");
    assert_string_equal(rest, "");
    assert_int_equal(parse_target("/..a/b../.c/...?..", &path, &rest), TAS_OK);
    assert_string_equal(path, "/..a/b../.c/...");
}

static void a_path_that_leads_elsewhere_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",         "a",      "*",      "?x",      "/..",        "/a/../b",
                                      "/%2e%2E/", "/./a",   "/a/.",   "/a%00",   "/a%",        "/a%4",
                                      "/a%zz",    "/a%2fb", "/a\\..", "/a%5c..", "/a%0ab",     "/a%7f",
                                      "/a#b",     "/a?b#c", "/%ff",   "/%c0%af", "/%e2%80%ae", "/a?\xe3"};
    const char *path = "untouched", *rest = "untouched";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_target(bad[i], &path, &rest), TAS_E_PROTO);
    assert_string_equal(path, "untouched");
    char longest[TAS_HTTP_PATH_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    longest[TAS_HTTP_PATH_MAX] = '\0';
    assert_int_equal(parse_target(longest, &path, &rest), TAS_OK);
    longest[TAS_HTTP_PATH_MAX] = 'a';
    longest[TAS_HTTP_PATH_MAX + 1] = '\0';
    assert_int_equal(parse_target(longest, &path, &rest), TAS_E_LIMIT);
}

static void hosts_with_and_without_port(void **state) {
    (void)state;
    static const struct {
        const char *host;
        size_t len;
    } cases[] = {
        {"a", 1},        {"manager.tasuki.test", 19},
        {"a:80", 1},     {"127.0.0.1:65535", 9},
        {"[::1]", 5},    {"[::1]:443", 5},
        {"", 0},         {":80", 0},
        {"a:", 0},       {"a:x", 0},
        {"a:123456", 0}, {"a b", 0},
        {"a/b", 0},      {"a@b", 0},
        {"[::1", 0},     {"[]", 0},
        {"[g]", 0},      {"[::1]x", 0},
        {"a\r\nb", 0},   {".a", 0},
        {"-a", 0},       {"\xe3\x81\x82", 0},
        {"a_b", 0},      {"a?b", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(tas_http_host_len(text(cases[i].host)), cases[i].len);
}

/* ---- chunks ---- */

/* Fed in pieces of `step` bytes. */
static int unchunk(const char *chunked, size_t step, struct tas_buf *body, size_t *used) {
    struct tas_http_chunks chunks = {0};
    size_t len = strlen(chunked);
    int err = TAS_E_MORE;
    *used = 0;
    while (err == TAS_E_MORE && *used < len) {
        size_t n = len - *used < step ? len - *used : step;
        size_t taken = 0;
        err = tas_http_chunks_take(&chunks, tas_bytes_of(chunked + *used, n), &taken, body);
        *used += taken;
    }
    return err;
}

static void chunks_are_put_together_however_they_were_cut(void **state) {
    (void)state;
    static const char chunked[] = "5\r\nhello\r\n00006;a=\"b\"\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET";
    for (size_t step = 1; step < sizeof(chunked); step++) {
        struct tas_buf body;
        size_t used;
        tas_buf_init(&body, 11);
        assert_int_equal(unchunk(chunked, step, &body, &used), TAS_OK);
        assert_text(tas_buf_peek(&body), "hello world");
        assert_string_equal(chunked + used, "GET");
        tas_buf_fini(&body);
    }
}

static void broken_and_oversized_chunks_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\r\n",       "x\r\n",   "5\nhello",        "5\r\nhelloX",  "-1\r\n",        "123456789\r\n",
        "5 x\rhello", "0\r\n\n", "0\r\nx: y\n\r\n", "5\r\nhello\n", "5\r\nhello\r0", "0x5\r\nhello\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tas_buf body;
        size_t used;
        tas_buf_init(&body, 1000);
        assert_int_equal(unchunk(bad[i], 1, &body, &used), TAS_E_PROTO);
        tas_buf_fini(&body);
    }
    struct tas_buf body;
    size_t used;
    tas_buf_init(&body, 4);
    assert_int_equal(unchunk("5\r\n", 1, &body, &used), TAS_E_LIMIT); /* before it is read */
    tas_buf_fini(&body);
    tas_buf_init(&body, 0);
    assert_int_equal(unchunk("0\r\n\r\n", 1, &body, &used), TAS_OK);
    tas_buf_fini(&body);
}

static void endless_lines_between_chunks_are_refused(void **state) {
    (void)state;
    char line[8192];
    struct tas_buf body;
    size_t used;
    tas_buf_init(&body, 10);
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    memcpy(line, "1;", 2);
    assert_int_equal(unchunk(line, 100, &body, &used), TAS_E_PROTO);
    memcpy(line, "0\r\nx:", 5);
    assert_int_equal(unchunk(line, 100, &body, &used), TAS_E_PROTO);
    assert_true(used < 4200);
    tas_buf_fini(&body);
}

/* ---- sources ---- */

static void a_v6_network_is_one_source(void **state) {
    (void)state;
    struct tas_http_sources *sources = tas_http_sources_new();
    const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};
    const uint8_t other_v4[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 2};
    const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    const uint8_t same_v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
    const uint8_t other_v6[16] = {0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 1};
    assert_true(tas_http_sources_add(sources, v4, 2));
    assert_true(tas_http_sources_add(sources, v4, 2));
    assert_false(tas_http_sources_add(sources, v4, 2));
    assert_true(tas_http_sources_add(sources, other_v4, 2));
    assert_true(tas_http_sources_add(sources, v6, 2));
    assert_true(tas_http_sources_add(sources, same_v6, 2));
    assert_false(tas_http_sources_add(sources, v6, 2));
    assert_true(tas_http_sources_add(sources, other_v6, 2));
    tas_http_sources_remove(sources, same_v6);
    assert_true(tas_http_sources_add(sources, v6, 2));
    tas_http_sources_remove(sources, v4);
    tas_http_sources_remove(sources, v4);
    assert_true(tas_http_sources_add(sources, v4, 0));
    tas_http_sources_free(sources);
}

static void what_a_source_holds_is_counted_beside_its_connections(void **state) {
    (void)state;
    struct tas_http_sources *sources = tas_http_sources_new();
    const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};
    const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    const uint8_t same_v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
    assert_true(tas_http_sources_hold(sources, v4, 0, 1));
    assert_false(tas_http_sources_hold(sources, v4, 11, 10));
    assert_true(tas_http_sources_hold(sources, v4, 10, 10));
    assert_false(tas_http_sources_hold(sources, v4, 1, 10));
    assert_true(tas_http_sources_hold(sources, v4, 5, 0));
    assert_false(tas_http_sources_hold(sources, v4, 1, 10));
    assert_true(tas_http_sources_hold(sources, v6, 10, 10));
    assert_false(tas_http_sources_hold(sources, same_v6, 1, 10));
    /* Connections come and go, what is held stays, and the other way round. */
    assert_true(tas_http_sources_add(sources, v4, 1));
    tas_http_sources_remove(sources, v4);
    assert_int_equal(tas_http_sources_held(sources, v4), 15);
    assert_true(tas_http_sources_add(sources, v4, 1));
    tas_http_sources_release(sources, v4, 15);
    assert_int_equal(tas_http_sources_held(sources, v4), 0);
    assert_false(tas_http_sources_add(sources, v4, 1));
    tas_http_sources_free(sources);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_source_holds_is_counted_beside_its_connections),
        cmocka_unit_test(a_value_of_the_query_is_decoded),
        cmocka_unit_test(what_is_not_there_or_badly_encoded_is_no_value),
        cmocka_unit_test(a_reply_begins_as_200_without_anything),
        cmocka_unit_test(a_header_with_a_line_break_is_left_out),
        cmocka_unit_test(a_problem_replaces_what_was_there),
        cmocka_unit_test(json_that_could_not_be_made_is_a_500),
        cmocka_unit_test(an_event_has_its_lines),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(without_memory_a_reply_stays_whole),
        cmocka_unit_test(the_end_of_a_head_is_found_wherever_it_was_cut),
        cmocka_unit_test(a_request_line_is_read),
        cmocka_unit_test(a_line_that_is_not_quite_one_is_refused),
        cmocka_unit_test(headers_are_taken_one_by_one),
        cmocka_unit_test(a_header_that_is_not_quite_one_is_refused),
        cmocka_unit_test(lists_and_lengths),
        cmocka_unit_test(a_path_is_decoded_and_its_query_is_not),
        cmocka_unit_test(a_path_that_leads_elsewhere_is_refused),
        cmocka_unit_test(hosts_with_and_without_port),
        cmocka_unit_test(chunks_are_put_together_however_they_were_cut),
        cmocka_unit_test(broken_and_oversized_chunks_are_refused),
        cmocka_unit_test(endless_lines_between_chunks_are_refused),
        cmocka_unit_test(a_v6_network_is_one_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
