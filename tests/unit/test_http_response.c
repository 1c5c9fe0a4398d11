/* What a client makes of answers, URLs and proxies (http/), without I/O. */
#include "http/client_private.h"
#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BODY_MAX = 64 };

static struct tas_bytes str(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

struct got {
    int err;
    size_t used;
    struct tas_http_response response;
    char body[BODY_MAX + 1];
};

/* Feeds `in` in pieces of `step` bytes until something other than "more" is said. */
static struct got fed(struct tas_bytes in, size_t step, bool is_of_head) {
    struct got got = {.err = TAS_E_MORE};
    struct tas_buf body;
    tas_buf_init(&body, BODY_MAX);
    tas_http_response_init(&got.response, is_of_head);
    while (got.used < in.len && got.err == TAS_E_MORE) {
        size_t n = in.len - got.used < step ? in.len - got.used : step;
        size_t used = 0;
        got.err = tas_http_response_feed(&got.response, tas_bytes_of(in.ptr + got.used, n), &used, &body);
        assert_true(used <= n && (got.err != TAS_E_MORE || used == n));
        got.used += used;
    }
    struct tas_bytes all = tas_buf_peek(&body);
    if (all.len)
        memcpy(got.body, all.ptr, all.len);
    tas_buf_fini(&body);
    tas_http_response_fini(&got.response);
    return got;
}

static void answers_are_the_same_however_the_bytes_arrive(void **state) {
    (void)state;
    static const struct {
        const char *in, *body, *type;
        unsigned status;
        int err, retry;
        bool is_kept, is_of_head;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "", 200, TAS_OK, -1, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "", "", 200, TAS_OK, -1, true, true},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\nContent-Type: a\r\n\r\n", "", "a", 200, TAS_OK, -1, true,
         false},
        {"HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", "", "", 304, TAS_OK, -1, true, false},
        {"HTTP/1.1 503 x y\r\nRetry-After:  7 \r\nContent-Length: 0\r\n\r\n", "", "", 503, TAS_OK, 7, true,
         false},
        {"HTTP/1.1 503 \r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n", "", "",
         503, TAS_OK, -1, true, false},
        {"HTTP/1.1 429 \r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n", "", "", 429, TAS_OK,
         INT32_MAX, true, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "", 200, TAS_OK, -1, false, false},
        {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", "hi", "", 200, TAS_OK,
         -1, true, false},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", "hi", "", 200, TAS_OK, -1,
         false, false},
        {"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", "", 200, TAS_E_MORE, -1, false, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi", "", 200, TAS_OK,
         -1, true, false},
        {"HTTP/1.1 100 Go on\r\nContent-Type: x\r\nRetry-After: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
         "2\r\n\r\nhi",
         "hi", "", 200, TAS_OK, -1, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", "", "", 200, TAS_E_LIMIT, -1, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\nx", "", "", 200, TAS_E_LIMIT, -1, true,
         false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 200; step++) {
            struct got got = fed(str(cases[i].in), step, cases[i].is_of_head);
            assert_int_equal(got.err, cases[i].err);
            assert_int_equal(got.response.status, cases[i].status);
            assert_string_equal(got.body, cases[i].body);
            assert_string_equal(got.response.content_type, cases[i].type);
            assert_int_equal(got.response.retry_after_s, cases[i].retry);
            assert_int_equal(got.response.is_kept, cases[i].is_kept);
            assert_int_equal(tas_http_response_is_open_ended(&got.response), cases[i].err == TAS_E_MORE);
            assert_true(got.err == TAS_E_LIMIT || got.used == strlen(cases[i].in));
        }
}

static void what_is_no_answer_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "HTTP/1.1 2OO OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step < 100; step += 7)
            assert_int_equal(fed(str(cases[i]), step, false).err, TAS_E_PROTO);
}

static void heads_are_bounded_with_the_interim_ones_before(void **state) {
    (void)state;
    static const char interim[] = "HTTP/1.1 100 Go on\r\n\r\n";
    size_t n = TAS_HTTP_HEADERS_MAX / (sizeof(interim) - 1);
    char *in = malloc((n + 2) * sizeof(interim));
    assert_non_null(in);
    for (size_t i = 0; i < n + 2; i++)
        memcpy(in + i * (sizeof(interim) - 1), interim, sizeof(interim));
    assert_int_equal(fed(tas_bytes_of(in, n * (sizeof(interim) - 1)), 1000, false).err, TAS_E_MORE);
    assert_int_equal(fed(tas_bytes_of(in, (n + 2) * (sizeof(interim) - 1)), 1000, false).err, TAS_E_LIMIT);
    free(in);
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    for (unsigned n = 1;; n++) {
        tas_oom_fail_at(n);
        int err = fed(str("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 8, false).err;
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(err, has_failed ? TAS_E_NOMEM : TAS_OK);
        if (!has_failed)
            return;
    }
}

static void urls_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *url, *host, *port, *target; /* host NULL: refused */
    } cases[] = {
        {"https://a.test", "a.test", "443", ""},
        {"https://a.test:8443/x?y#z", "a.test", "8443", "/x?y"},
        {"HTTPS://[2001:db8::1]/", "2001:db8::1", "443", "/"},
        {"https://[::1]:44?q", "::1", "44", "?q"},
        {"https://a.test#x", "a.test", "443", ""},
        {"http://a.test", NULL, NULL, NULL},
        {"https://", NULL, NULL, NULL},
        {"https:///x", NULL, NULL, NULL},
        {"https://me:pw@a.test/", NULL, NULL, NULL},
        {"https://a.test:0/", NULL, NULL, NULL},
        {"https://a.test:65536/", NULL, NULL, NULL},
        {"https://a.test:/", NULL, NULL, NULL},
        {"https://a.test/a b", NULL, NULL, NULL},
        {"https://a.test/\r\nX: y", NULL, NULL, NULL},
        {"https://a.test/\xc3\xa4", NULL, NULL, NULL},
        {"https://[::1", NULL, NULL, NULL},
        {"a.test", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_url url;
        int err = http_url_parse(&url, cases[i].url);
        assert_int_equal(err, cases[i].host ? TAS_OK : TAS_E_CONFIG);
        if (err != TAS_OK)
            continue;
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.port, cases[i].port);
        assert_int_equal(url.target_len, strlen(cases[i].target));
        assert_memory_equal(url.target, cases[i].target, url.target_len);
    }
}

static void proxies_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *address, *user, *password; /* address NULL: refused; user NULL: none */
        enum http_proxy_kind kind;
    } cases[] = {
        {"http://p.test:3128", "p.test:3128", NULL, NULL, HTTP_PROXY_PLAIN},
        {"p.test", "p.test:1080", NULL, NULL, HTTP_PROXY_PLAIN},
        {"HTTP://p.test:8080/", "p.test:8080", NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://me:se%20c%3aret@p.test:1", "p.test:1", "me", "se c:ret", HTTP_PROXY_PLAIN},
        {"http://me@p.test:1", "p.test:1", "me", "", HTTP_PROXY_PLAIN},
        {"http://a@b:c@d@p.test:1", "p.test:1", "a@b", "c@d", HTTP_PROXY_PLAIN},
        {"http://[::1]:1", "[::1]:1", NULL, NULL, HTTP_PROXY_PLAIN},
        {"https://p.test:1", "p.test:1", NULL, NULL, HTTP_PROXY_TLS},
        {"socks5h://p.test:1", "p.test:1", NULL, NULL, HTTP_PROXY_SOCKS},
        {"ftp://p.test:1", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://me%zz@p.test:1", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://me%00@p.test:1", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://me%4@p.test:1", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://p.test:99999", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"http://", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
        {"", NULL, NULL, NULL, HTTP_PROXY_PLAIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_proxy proxy;
        int err = http_proxy_parse(&proxy, cases[i].text);
        assert_int_equal(err, cases[i].address ? TAS_OK : TAS_E_CONFIG);
        if (err != TAS_OK)
            continue;
        assert_string_equal(proxy.address, cases[i].address);
        assert_int_equal(proxy.kind, cases[i].kind);
        assert_int_equal(proxy.has_user, cases[i].user != NULL);
        assert_string_equal(proxy.user, cases[i].user ? cases[i].user : "");
        assert_string_equal(proxy.password, cases[i].password ? cases[i].password : "");
    }
}

/* Lengths of every remainder; the last is the example of RFC 7617 section 2. */
static void names_and_passwords_are_written_as_basic_wants_them(void **state) {
    (void)state;
    static const struct {
        const char *user, *password, *basic;
    } cases[] = {
        {"", "", "Og=="},        {"f", "", "Zjo="},
        {"fo", "", "Zm86"},      {"foo", "", "Zm9vOg=="},
        {"f", "oo", "Zjpvbw=="}, {"Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_proxy proxy = {.has_user = true};
        char basic[HTTP_BASIC_MAX];
        snprintf(proxy.user, sizeof(proxy.user), "%s", cases[i].user);
        snprintf(proxy.password, sizeof(proxy.password), "%s", cases[i].password);
        http_basic(basic, &proxy);
        assert_string_equal(basic, cases[i].basic);
    }
    struct http_proxy longest = {0};
    char basic[HTTP_BASIC_MAX];
    memset(longest.user, 'u', sizeof(longest.user) - 1);
    memset(longest.password, 'p', sizeof(longest.password) - 1);
    http_basic(basic, &longest);
    assert_int_equal(strlen(basic), (2 * (HTTP_USER_MAX - 1) + 1 + 2) / 3 * 4);
}

static void schemes_are_found_in_challenges(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned bits;
    } cases[] = {
        {"Basic realm=\"x\"", HTTP_AUTH_BASIC},
        {"NTLM", HTTP_AUTH_NTLM},
        {"ntlm TlRMTVNTUAACAAAA==", HTTP_AUTH_NTLM},
        {"Negotiate, NTLM ,\tBASIC realm=x", HTTP_AUTH_NEGOTIATE | HTTP_AUTH_NTLM | HTTP_AUTH_BASIC},
        {"Digest realm=\"a, Basic\", nonce=\"y\", Basic=1", HTTP_AUTH_DIGEST},
        {"Digest realm=\"never closed, Basic", HTTP_AUTH_DIGEST},
        {"Bearer, ,,", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(http_auth_schemes(str(cases[i].text)), cases[i].bits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same_however_the_bytes_arrive),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(heads_are_bounded_with_the_interim_ones_before),
        cmocka_unit_test(out_of_memory_is_told),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(proxies_are_taken_apart),
        cmocka_unit_test(names_and_passwords_are_written_as_basic_wants_them),
        cmocka_unit_test(schemes_are_found_in_challenges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
