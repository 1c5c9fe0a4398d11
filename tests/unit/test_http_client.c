/* Event streams and proxy rules (http/), without I/O. */
#include "http/client_private.h"
#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tas_bytes str(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

/* Feeds all of `in` in pieces of `step` bytes; writes "[id|event|text]" for each event. What ended it. */
static int events_of(char *out, size_t cap, struct tas_bytes in, size_t step) {
    struct tas_sse sse;
    tas_sse_init(&sse);
    size_t len = 0;
    int err = TAS_E_MORE;
    out[0] = '\0';
    for (size_t at = 0; at < in.len && err == TAS_E_MORE;) {
        size_t n = in.len - at < step ? in.len - at : step;
        size_t used = 0;
        err = tas_sse_feed(&sse, tas_bytes_of(in.ptr + at, n), &used);
        assert_true(used <= n);
        at += used;
        if (err == TAS_OK) {
            len += (size_t)snprintf(out + len, cap - len, "[%s|%s|%s]", sse.id, sse.event, sse.text);
            err = TAS_E_MORE;
        }
    }
    tas_sse_fini(&sse);
    return err;
}

static void events_are_the_same_however_the_bytes_arrive(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"data: a\n\n", "[|message|a]"},
        {"data: a\r\rdata: b\r\n\r\ndata: c\n\n", "[|message|a][|message|b][|message|c]"},
        {"data: a\ndata: b\ndata:  c\n\n", "[|message|a\nb\n c]"},
        {"data:a\ndata\n\n", "[|message|a\n]"},
        {"data\n\n", "[|message|]"},
        {"data: never closed", ""},
        {"data: never closed\n", ""},
        {"id: 7\nevent: kill\ndata: {}\n\ndata: x\n\n", "[7|kill|{}][|message|x]"},
        {"event: lost\n\ndata: x\n\n", "[|message|x]"},
        {"event: a\nevent: b\nid: 1\nid\ndata: x\n\n", "[|b|x]"},
        {": a comment\n\n:\ndata: x\n: within\n\n", "[|message|x]"},
        {"retry: 10\nfuture: 1\nfield\n Data: x\ndata : x\n\n", ""},
        {"\xef\xbb\xbf"
         "data: x\n\n\xef\xbb\xbf"
         "data: y\n\n",
         "[|message|x]"},
        {"data: \xe8\xa5\xb7:\n\n", "[|message|\xe8\xa5\xb7:]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t step = 1; step < 40; step++) {
            char out[256];
            assert_int_equal(events_of(out, sizeof(out), str(cases[i].in), step), TAS_E_MORE);
            assert_string_equal(out, cases[i].out);
        }
    }
}

/* `head`, then `n` times 'x', then `tail`. */
static int fed(const char *head, size_t n, const char *tail, size_t step) {
    size_t len = strlen(head) + n + strlen(tail);
    uint8_t *in = malloc(len + 1);
    assert_non_null(in);
    memcpy(in, head, strlen(head));
    memset(in + strlen(head), 'x', n);
    memcpy(in + strlen(head) + n, tail, strlen(tail));
    char *out = malloc(len + 64);
    assert_non_null(out);
    int err = events_of(out, len + 64, tas_bytes_of(in, len), step);
    free(out);
    free(in);
    return err;
}

static void what_is_too_long_is_refused(void **state) {
    (void)state;
    static const size_t steps[] = {1000, 16 * 1024, 4 * 1024 * 1024};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t line = TAS_SSE_EVENT_MAX - 6;
        assert_int_equal(fed("data: ", line, "\n\n", steps[i]), TAS_E_MORE);
        assert_int_equal(fed("data: ", line + 1, "\n\n", steps[i]), TAS_E_LIMIT);
        assert_int_equal(fed("data: ", line + 1, "", steps[i]), TAS_E_LIMIT);
        assert_int_equal(fed("data: ", line, "\ndata:1234\n\n", steps[i]), TAS_E_MORE);
        assert_int_equal(fed("data: ", line, "\ndata:123456\n\n", steps[i]), TAS_E_LIMIT);
        assert_int_equal(fed("event: ", 127, "\ndata\n\n", steps[i]), TAS_E_MORE);
        assert_int_equal(fed("event: ", 128, "\ndata\n\n", steps[i]), TAS_E_LIMIT);
        assert_int_equal(fed("id: ", 128, "\n", steps[i]), TAS_E_LIMIT);
    }
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    char out[64];
    assert_int_equal(events_of(out, sizeof(out), tas_bytes_of("data: a\0b\n\n", 11), 64), TAS_E_PROTO);
    assert_int_equal(events_of(out, sizeof(out), tas_bytes_of("id: \0\n", 6), 1), TAS_E_PROTO);
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    char out[64];
    const struct tas_bytes in = str("id: 7\ndata: a\ndata: b\n\n");
    for (unsigned n = 1;; n++) {
        tas_oom_fail_at(n);
        int err = events_of(out, sizeof(out), in, 5);
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        if (!has_failed) {
            assert_string_equal(out, "[7|message|a\nb]");
            return;
        }
        assert_int_equal(err, TAS_E_NOMEM);
    }
}

static void hosts_are_found_in_urls(void **state) {
    (void)state;
    static const struct {
        const char *url, *host;
    } cases[] = {
        {"https://a.test", "a.test"},
        {"https://a.test:8443/x@y:z", "a.test"},
        {"https://a.test?x=/@b", "a.test"},
        {"https://[2001:db8::1]:443/", "2001:db8::1"},
        {"https://[::1", "::1"},
        {"https://u:p@a.test:1/", "a.test"},
        {"https://u@v@a.test#", "a.test"},
        {"https://", ""},
        {"a.test:443", "a.test"},
        {"", ""},
        {"https://u@[::1]:443", "::1"},
        {"https:///x", ""},
        {"https://[", ""},
        {"https://@", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char host[HTTP_HOST_MAX];
        http_host_of(cases[i].url, host);
        assert_string_equal(host, cases[i].host);
    }
    char url[1000] = "https://";
    char host[HTTP_HOST_MAX];
    memset(url + 8, 'h', sizeof(url) - 9);
    http_host_of(url, host);
    assert_int_equal(strlen(host), HTTP_HOST_MAX - 1);
}

static void exceptions_name_hosts_and_their_domains(void **state) {
    (void)state;
    static const struct {
        const char *list, *host;
        bool names;
    } cases[] = {
        {"", "a.test", false},
        {"*", "a.test", true},
        {"*.test", "a.test", false},
        {"test", "a.test", true},
        {"est", "a.test", false},
        {".test.", "a.test", true},
        {"b.test, A.TEST", "a.test", true},
        {" ,, ", "a.test", false},
        {".", "a.test", false},
        {"a.test", "test", false},
        {"a.test", "a.test.", true},
        {"b.test\ta.test", "x.a.test", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"", "", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(http_no_proxy_names(cases[i].list, cases[i].host), cases[i].names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_the_same_however_the_bytes_arrive),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(out_of_memory_is_told),
        cmocka_unit_test(hosts_are_found_in_urls),
        cmocka_unit_test(exceptions_name_hosts_and_their_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
