/* The event loop and dialling, with real sockets on loopback. */
#include "base/time.h"
#include "net/loop.h"
#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- addresses ---- */

static void addresses_are_split_and_bad_ones_refused(void **state) {
    (void)state;
    char host[32];
    char port[6];
    assert_int_equal(tas_address_split("127.0.0.1:443", host, sizeof(host), port), TAS_OK);
    assert_string_equal(host, "127.0.0.1");
    assert_string_equal(port, "443");
    assert_int_equal(tas_address_split("[::1]:8443", host, sizeof(host), port), TAS_OK);
    assert_string_equal(host, "::1");
    static const char *const bad[] = {"",
                                      "host",
                                      ":443",
                                      "host:",
                                      "host:0",
                                      "h:65536",
                                      "h:44x",
                                      "[::1:443",
                                      "[]:443",
                                      "h:-1",
                                      "a-name-that-is-longer-than-the-32-bytes-there:443"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tas_address_split(bad[i], host, sizeof(host), port), TAS_E_CONFIG);
}

/* ---- timers and posts ---- */

struct turns {
    struct tas_loop *loop;
    char order[16];
    size_t n;
};

static void mark(struct turns *t, char what) {
    t->order[t->n++] = what;
}

static void on_late(void *ctx) {
    mark(ctx, 'l');
    tas_loop_stop(((struct turns *)ctx)->loop);
}

static void on_early(void *ctx) {
    mark(ctx, 'e');
}

static void on_never(void *ctx) {
    mark(ctx, 'n');
}

static void timers_fire_in_order_and_cancelled_ones_do_not(void **state) {
    (void)state;
    struct turns t = {.loop = tas_loop_new()};
    struct tas_timer *late = tas_timer_new(t.loop, on_late, &t);
    struct tas_timer *never = tas_timer_new(t.loop, on_never, &t);
    struct tas_timer *early = tas_timer_new(t.loop, on_early, &t);
    uint64_t now = tas_mono_us();
    tas_timer_set(late, now + 20000);
    tas_timer_set(never, now + 10000);
    tas_timer_set(early, now + 50000);
    tas_timer_set(early, now + 5000); /* moved forward */
    tas_timer_set(never, UINT64_MAX);
    assert_int_equal(tas_loop_run(t.loop), TAS_OK);
    assert_string_equal(t.order, "el");
    tas_timer_free(late);
    tas_timer_free(never);
    tas_timer_free(early);
    tas_loop_free(t.loop);
}

enum { POSTS = 1000, POSTERS = 4 };

struct posts {
    struct tas_loop *loop;
    unsigned n;
};

static void on_post(void *ctx) {
    struct posts *p = ctx;
    if (++p->n == POSTS * POSTERS)
        tas_loop_stop(p->loop);
}

static void *poster(void *ctx) {
    struct posts *p = ctx;
    for (int i = 0; i < POSTS; i++)
        assert_int_equal(tas_loop_post(p->loop, on_post, p), TAS_OK);
    return NULL;
}

static void work_from_other_threads_is_done_once_each(void **state) {
    (void)state;
    struct posts p = {.loop = tas_loop_new()};
    pthread_t threads[POSTERS];
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poster, &p), 0);
    assert_int_equal(tas_loop_run(p.loop), TAS_OK);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(p.n, POSTS * POSTERS);
    tas_loop_free(p.loop);
}

/* ---- dialling ---- */

struct result {
    struct tas_loop *loop;
    int fd;
    char why[128];
    unsigned calls;
};

static void on_dialled(void *ctx, int fd, const char *why) {
    struct result *r = ctx;
    r->fd = fd;
    r->calls++;
    snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
    tas_loop_stop(r->loop);
}

/* A listener on a free port of one loopback address; its port. */
static unsigned listen_on(int family, int *fd) {
    struct sockaddr_storage addr = {.ss_family = (sa_family_t)family};
    if (family == AF_INET)
        ((struct sockaddr_in *)&addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&addr)->sin6_addr = in6addr_loopback;
    socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    *fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, (struct sockaddr *)&addr, len) != 0 || listen(*fd, 4) != 0)
        return 0;
    getsockname(*fd, (struct sockaddr *)&addr, &len);
    return ntohs(family == AF_INET ? ((struct sockaddr_in *)&addr)->sin_port
                                   : ((struct sockaddr_in6 *)&addr)->sin6_port);
}

static struct result dial(const char *host, unsigned port) {
    char address[64];
    snprintf(address, sizeof(address), "%s:%u", host, port);
    struct result r = {.loop = tas_loop_new(), .fd = -2};
    struct tas_dial *d = tas_dial_start(r.loop, address, on_dialled, &r);
    assert_non_null(d);
    assert_int_equal(r.calls, 0); /* never from within the call */
    assert_int_equal(tas_loop_run(r.loop), TAS_OK);
    tas_dial_free(d);
    tas_loop_free(r.loop);
    return r;
}

static void numeric_addresses_of_both_families_are_dialled(void **state) {
    (void)state;
    int fd4;
    int fd6;
    unsigned port4 = listen_on(AF_INET, &fd4);
    struct result r = dial("127.0.0.1", port4);
    assert_true(r.fd >= 0);
    close(r.fd);
    unsigned port6 = listen_on(AF_INET6, &fd6);
    if (port6) { /* a machine without IPv6 has nothing to show here */
        r = dial("[::1]", port6);
        assert_true(r.fd >= 0);
        close(r.fd);
        close(fd6);
    }
    close(fd4);
}

static void a_name_with_several_addresses_is_tried_until_one_answers(void **state) {
    (void)state;
    int fd;
    unsigned port = listen_on(AF_INET, &fd); /* nobody listens on ::1, which "localhost" may name first */
    struct result r = dial("localhost", port);
    assert_true(r.fd >= 0);
    assert_int_equal(r.calls, 1);
    close(r.fd);
    close(fd);
}

static void a_refused_port_and_an_unknown_name_are_told_in_words(void **state) {
    (void)state;
    int fd;
    unsigned port = listen_on(AF_INET, &fd);
    close(fd);
    struct result r = dial("127.0.0.1", port);
    assert_int_equal(r.fd, -1);
    assert_string_equal(r.why, "Connection refused");
    r = dial("no-such-host.invalid", 443);
    assert_int_equal(r.fd, -1);
    assert_true(strlen(r.why) > 0);
}

static void a_dial_that_is_given_up_calls_nobody(void **state) {
    (void)state;
    struct result r = {.loop = tas_loop_new(), .fd = -2};
    struct turns t = {.loop = r.loop};
    struct tas_dial *d = tas_dial_start(r.loop, "localhost:9", on_dialled, &r);
    tas_dial_free(d);
    d = tas_dial_start(r.loop, "127.0.0.1:9", on_dialled, &r);
    tas_dial_free(d);
    struct tas_timer *end = tas_timer_new(r.loop, on_late, &t);
    tas_timer_set(end, tas_mono_us() + 100000);
    assert_int_equal(tas_loop_run(r.loop), TAS_OK);
    assert_int_equal(r.calls, 0);
    tas_timer_free(end);
    tas_loop_free(r.loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_split_and_bad_ones_refused),
        cmocka_unit_test(timers_fire_in_order_and_cancelled_ones_do_not),
        cmocka_unit_test(work_from_other_threads_is_done_once_each),
        cmocka_unit_test(numeric_addresses_of_both_families_are_dialled),
        cmocka_unit_test(a_name_with_several_addresses_is_tried_until_one_answers),
        cmocka_unit_test(a_refused_port_and_an_unknown_name_are_told_in_words),
        cmocka_unit_test(a_dial_that_is_given_up_calls_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
