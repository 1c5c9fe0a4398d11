/* Each allocation of the tools' side fails in turn: calls say so, nothing is lost (ASan's leak check looks).
 */
#include "oom.h"
#include "test_api_kit.h"

#include "api/renewal.h"
#include "api/report.h"
#include "api/stream.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tas_loop *loop;
static struct api_client *client;
static struct api_side side = {.as = {.token = "o.0123456789abc"}, .id = 1};

/* One manager, at an address where nobody listens. */
static struct api_client *make_client(void) {
    static struct org org = {.n_managers = 1,
                             .managers = {{.url = "https://manager.tasuki.test", .address = "127.0.0.1:1"}}};
    const struct api_client_config config = {.loop = loop, .org = &org, .user_agent = "test"};
    char why[API_WHY];
    return api_client_new(&config, why);
}

static int set_up(void **state) {
    (void)state;
    loop = tas_loop_new();
    client = loop ? make_client() : NULL;
    return client ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    api_client_free(client);
    tas_loop_free(loop);
    return 0;
}

static void never(void *ctx, const struct api_result *result) {
    (void)ctx;
    (void)result;
    fail_msg("no loop runs here");
}

/* Runs `fn` with the 1st, 2nd ... allocation failing until none fails any more. fn: whether it said that it
 * was done. */
static void each_allocation_fails(bool (*fn)(void)) {
    for (unsigned n = 1;; n++) {
        tas_oom_fail_at(n);
        bool is_done = fn();
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        if (!has_failed) {
            assert_true(is_done);
            assert_true(n > 1);
            return;
        }
        assert_false(is_done);
    }
}

static bool client_is_made(void) {
    struct api_client *c = make_client();
    api_client_free(c);
    return c != NULL;
}

static bool is_cancelled(struct api_call *call) {
    api_cancel(call);
    return call != NULL;
}

static bool is_issued(void) {
    const struct api_issue_order order = {.customer = "a", .reason = "b", .ticket_no = "c"};
    return is_cancelled(api_issue(client, &side.as, &order, never, NULL));
}

static bool is_logging_in(void) {
    const struct api_login_order order = {
        .company = "a", .id = "b", .password = "c", .device_seed = side.as.seed};
    return is_cancelled(api_login(client, &order, never, NULL));
}

static bool is_claimed(void) {
    const struct api_claim_order order = {.number = "123456782",
                                          .pop_seed = side.as.seed,
                                          .host_name = "a",
                                          .os = "b",
                                          .tool_version = "c",
                                          .language = "en",
                                          .terms_version = "1"};
    return is_cancelled(api_claim(client, &order, never, NULL));
}

static bool is_choosing(void) {
    const struct api_claim_order order = {.number = "123456782",
                                          .pop_seed = side.as.seed,
                                          .tool_version = "c",
                                          .language = "en",
                                          .terms_version = "1",
                                          .is_choosing = true};
    return is_cancelled(api_claim(client, &order, never, NULL));
}

static bool is_ready(void) {
    return is_cancelled(api_claim_ready(client, &side.as, 1, "a", "b", never, NULL));
}

static bool is_answered(void) {
    const struct api_rtt rtt = {1, 2};
    return is_cancelled(api_answer(client, &side.as, 1, 2, side.as.seed, &rtt, 1, never, NULL));
}

static bool is_ending(void) {
    const struct api_end end = {.reason = "operator", .text = "a", .bytes_in = 1, .relay = 1};
    return is_cancelled(api_end(client, &side, &end, 0, never, NULL));
}

static bool is_reported(void) {
    struct api_report *report = api_report_new(client, &side);
    api_report_free(report);
    return report != NULL;
}

static bool is_watched(void) {
    static const struct api_stream_events events;
    struct api_stream *stream = api_stream_open(client, &side.as, 0, &events, NULL);
    api_stream_close(stream);
    return stream != NULL;
}

static bool is_renewed(void) {
    static struct api_grant grant;
    struct api_renewal *renewal = api_renewal_new(client, &grant, NULL, NULL, NULL);
    api_renewal_free(renewal);
    return renewal != NULL;
}

static void calls_without_memory_say_so(void **state) {
    (void)state;
    static bool (*const all[])(void) = {client_is_made, is_issued,  is_logging_in, is_claimed,
                                        is_choosing,    is_ready,   is_answered,   is_ending,
                                        is_reported,    is_watched, is_renewed};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        each_allocation_fails(all[i]);
}

static struct tas_json *page_json;

static bool page_is_read(void) {
    struct api_page page;
    char why[TAS_JSON_WHY];
    int err = api_page_read(&page, page_json, why);
    if (err == TAS_OK)
        api_page_fini(&page);
    else
        assert_int_equal(err, TAS_E_NOMEM);
    return err == TAS_OK;
}

static void answers_without_memory_are_not_half_read(void **state) {
    (void)state;
    static const char text[] =
        "{\"sessions\":[{\"id\":\"0000000000001\",\"state\":\"issued\",\"issued_at\":1},"
        "{\"id\":\"0000000000002\",\"state\":\"ended\",\"issued_at\":1}]}";
    char why[TAS_JSON_WHY];
    page_json = tas_json_parse(tas_bytes_of(text, sizeof(text) - 1), why);
    assert_non_null(page_json);
    each_allocation_fails(page_is_read);
    tas_json_free(page_json);
}

static void a_full_queue_of_events_drops_and_stays_sound(void **state) {
    (void)state;
    struct api_report *report = api_report_new(client, &side);
    assert_non_null(report);
    tas_log_set_level(TAS_LOG_ERROR);
    for (unsigned i = 0; i < API_REPORT_QUEUE + 50; i++)
        api_report_add(report, "chat", tas_json_object());
    tas_log_set_level(TAS_LOG_INFO);
    assert_int_equal(api_report_waiting(report), API_REPORT_QUEUE);
    api_report_free(report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_without_memory_say_so),
        cmocka_unit_test(answers_without_memory_are_not_half_read),
        cmocka_unit_test(a_full_queue_of_events_drops_and_stays_sound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
