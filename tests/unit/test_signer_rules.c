/* What the signing process signs, and what not. */
#include "manager/signer_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const uint64_t now = UINT64_C(1795000000000); /* 2026-11 */
static const uint64_t day = 24 * 3600 * 1000;

static void tickets_that_are_not_well_formed_are_refused(void **state) {
    (void)state;
    const struct tas_msg_ticket good = {.role = 2,
                                        .slot = 1,
                                        .perms = 0x7f,
                                        .max_viewers = 1,
                                        .session_id = 77,
                                        .not_before_ms = now,
                                        .connect_ttl_s = 60,
                                        .session_ttl_s = 900,
                                        .pop_pk = {9},
                                        .relay_ids = {1, 2},
                                        .kind = 1};
    assert_true(mgr_signer_takes_ticket(&good, now));
#define TAKES(expect, change)                                                                                \
    do {                                                                                                     \
        struct tas_msg_ticket t = good;                                                                      \
        change;                                                                                              \
        if (mgr_signer_takes_ticket(&t, now) != (expect))                                                    \
            fail_msg("a ticket with %s", #change);                                                           \
    } while (0)
    TAKES(false, t.role = 0);
    TAKES(false, t.role = 3);
    TAKES(false, t.role = 1);
    TAKES(true, (t.role = 1, t.slot = 0));
    TAKES(false, t.slot = 0);
    TAKES(true, t.slot = 15);
    TAKES(false, t.slot = 16);
    TAKES(true, t.perms = 0);
    TAKES(false, t.perms = 0x80);
    TAKES(false, t.perms = 0xffff);
    TAKES(false, t.max_viewers = 0);
    TAKES(true, t.max_viewers = 15);
    TAKES(false, t.max_viewers = 16);
    TAKES(false, t.session_id = 0);
    TAKES(false, t.connect_ttl_s = 0);
    TAKES(true, t.connect_ttl_s = 1);
    TAKES(false, t.connect_ttl_s = 61);
    TAKES(false, t.session_ttl_s = 0);
    TAKES(false, t.session_ttl_s = 901);
    TAKES(true, t.not_before_ms = now + 60000);
    TAKES(true, t.not_before_ms = now - 60000);
    TAKES(false, t.not_before_ms = now + 60001);
    TAKES(false, t.not_before_ms = now - 60001);
    TAKES(false, t.not_before_ms = 0);
    TAKES(false, t.not_before_ms = UINT64_MAX);
    TAKES(false, t.kind = 0);
    TAKES(true, t.kind = 2);
    TAKES(false, t.kind = 3);
    TAKES(false, memset(t.pop_pk, 0, 32));
    TAKES(false, t.relay_ids[0] = 0);
    TAKES(true, t.relay_ids[1] = 0);
    TAKES(false, t.relay_ids[3] = 4);
    TAKES(true, (t.relay_ids[2] = 3, t.relay_ids[3] = 4));
    TAKES(false, memset(t.relay_ids, 0, sizeof(t.relay_ids)));
#undef TAKES
}

static void statements_that_are_not_well_formed_are_refused(void **state) {
    (void)state;
    const struct tas_msg_statement good = {.role = 1,
                                           .perms = 3,
                                           .kind = 2,
                                           .session_id = 77,
                                           .not_after_ms = now + day,
                                           .pop_pk = {9},
                                           .company = "例株式会社",
                                           .name = "佐藤 花子"};
    assert_true(mgr_signer_takes_statement(&good, now));
#define TAKES(expect, change)                                                                                \
    do {                                                                                                     \
        struct tas_msg_statement s = good;                                                                   \
        change;                                                                                              \
        if (mgr_signer_takes_statement(&s, now) != (expect))                                                 \
            fail_msg("a statement with %s", #change);                                                        \
    } while (0)
    TAKES(false, s.role = 0);
    TAKES(false, s.role = 2);
    TAKES(true, (s.role = 2, s.slot = 15));
    TAKES(false, s.slot = 1);
    TAKES(false, s.perms = 0x100);
    TAKES(false, s.kind = 0);
    TAKES(false, s.kind = 3);
    TAKES(false, s.session_id = 0);
    TAKES(false, s.not_after_ms = now);
    TAKES(true, s.not_after_ms = now + 1);
    TAKES(true, s.not_after_ms = now + day + 60000);
    TAKES(false, s.not_after_ms = now + day + 60001);
    TAKES(false, s.not_after_ms = UINT64_MAX);
    TAKES(false, memset(s.pop_pk, 0, 32));
    TAKES(false, s.company[0] = 0);
    TAKES(false, memset(s.name, 0, sizeof(s.name)));
    TAKES(false, s.name[0] = 0xff);
    TAKES(false, s.name[1] = '\n');
    TAKES(false, memcpy(s.name, "a\xe2\x80\xae", 4));
    TAKES(false, s.name[95] = 'x');
    TAKES(true, memset(s.name, 'x', sizeof(s.name)));
#undef TAKES
}

static void checkpoints_that_are_not_well_formed_are_refused(void **state) {
    (void)state;
    const struct mgr_checkpoint good = {.company_id = 1, .seq = 1, .at_ms = now};
    struct mgr_checkpoint c = good;
    assert_true(mgr_signer_takes_checkpoint(&c, now));
    assert_true(mgr_signer_takes_checkpoint(&c, now + 60000));
    assert_false(mgr_signer_takes_checkpoint(&c, now + 60001));
    assert_false(mgr_signer_takes_checkpoint(&c, now - 60001));
    c.company_id = 0;
    assert_false(mgr_signer_takes_checkpoint(&c, now));
    c = good;
    c.seq = 0;
    assert_false(mgr_signer_takes_checkpoint(&c, now));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_that_are_not_well_formed_are_refused),
        cmocka_unit_test(statements_that_are_not_well_formed_are_refused),
        cmocka_unit_test(checkpoints_that_are_not_well_formed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
