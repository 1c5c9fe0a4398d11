#include "session/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Every state (row) times every event (column), written by hand from docs/protocol.md sections 3, 6 and 7:
 * where it leads, "" where there is no such edge. */
enum { EVENTS = 17 };
/* clang-format off */
static const char *const columns[EVENTS] = {
                 "SECURED", "CHALLENGED", "WELCOMED",  "AWAIT_H1", "AWAIT_H2", "GOT_H1", "GOT_H2", "GOT_H3", "AUTHENTICATED", "CODE_RIGHT", "GRANTED", "SOCKET_LOST", "PEER_LOST", "RESUMED_KEYED", "RESUMED_VERIFIED", "RESUMED_ACTIVE", "CLOSE"};
static const struct {
    const char *from;
    const char *to[EVENTS];
} table[] = {
    {"DIAL",      {"HELLO", "",      "",          "",   "",   "",   "",     "",     "",      "",         "",       "DIAL",      "",          "",      "",         "",       "CLOSED"}},
    {"HELLO",     {"",      "PROOF", "",          "",   "",   "",   "",     "",     "",      "",         "",       "DIAL",      "",          "",      "",         "",       "CLOSED"}},
    {"PROOF",     {"",      "",      "WAIT_PEER", "",   "",   "",   "",     "",     "",      "",         "",       "DIAL",      "",          "",      "",         "",       "CLOSED"}},
    {"WAIT_PEER", {"",      "",      "",          "H1", "H2", "",   "",     "",     "",      "",         "",       "DIAL",      "",          "",      "",         "",       "CLOSED"}},
    {"H1",        {"",      "",      "",          "",   "",   "H3", "",     "",     "KEYED", "",         "",       "DIAL",      "WAIT_PEER", "",      "",         "",       "CLOSED"}},
    {"H2",        {"",      "",      "",          "",   "",   "",   "AUTH", "",     "",      "",         "",       "DIAL",      "WAIT_PEER", "",      "",         "",       "CLOSED"}},
    {"H3",        {"",      "",      "",          "",   "",   "H3", "",     "AUTH", "",      "",         "",       "DIAL",      "WAIT_PEER", "",      "",         "",       "CLOSED"}},
    {"AUTH",      {"",      "",      "",          "",   "",   "H3", "",     "",     "KEYED", "",         "",       "DIAL",      "WAIT_PEER", "",      "",         "",       "CLOSED"}},
    {"KEYED",     {"",      "",      "",          "",   "",   "",   "",     "",     "",      "VERIFIED", "",       "SUSPENDED", "SUSPENDED", "",      "",         "",       "CLOSED"}},
    {"VERIFIED",  {"",      "",      "",          "",   "",   "",   "",     "",     "",      "",         "ACTIVE", "SUSPENDED", "SUSPENDED", "",      "",         "",       "CLOSED"}},
    {"ACTIVE",    {"",      "",      "",          "",   "",   "",   "",     "",     "",      "",         "ACTIVE", "SUSPENDED", "SUSPENDED", "",      "",         "",       "CLOSED"}},
    {"SUSPENDED", {"",      "",      "",          "",   "",   "",   "",     "",     "",      "",         "",       "SUSPENDED", "SUSPENDED", "KEYED", "VERIFIED", "ACTIVE", "CLOSED"}},
    {"CLOSED",    {"",      "",      "",          "",   "",   "",   "",     "",     "",      "",         "",       "CLOSED",    "",          "",      "",         "",       "CLOSED"}},
};
/* clang-format on */
enum { STATES = sizeof(table) / sizeof(table[0]) };

static void every_state_times_every_event_leads_where_the_table_says(void **state) {
    (void)state;
    assert_int_equal(TAS_STATE_COUNT, STATES);
    assert_int_equal(TAS_ON_COUNT, EVENTS);
    for (unsigned from = 0; from < STATES; from++) {
        assert_string_equal(tas_state_name((enum tas_state)from), table[from].from);
        for (unsigned on = 0; on < EVENTS; on++) {
            assert_string_equal(tas_state_event_name((enum tas_state_event)on), columns[on]);
            enum tas_state to = TAS_STATE_COUNT;
            int err = tas_state_next(&to, (enum tas_state)from, (enum tas_state_event)on);
            const char *want = table[from].to[on];
            if (*want && (err != TAS_OK || strcmp(tas_state_name(to), want) != 0))
                fail_msg("%s on %s does not lead to %s", table[from].from, columns[on], want);
            if (!*want && (err != TAS_E_STATE || to != TAS_STATE_COUNT))
                fail_msg("%s on %s has an edge", table[from].from, columns[on]);
        }
    }
}

static void a_lost_socket_has_an_edge_in_every_state(void **state) {
    (void)state;
    for (unsigned from = 0; from < TAS_STATE_COUNT; from++) {
        enum tas_state to;
        assert_int_equal(tas_state_next(&to, (enum tas_state)from, TAS_ON_SOCKET_LOST), TAS_OK);
        bool keeps = tas_state_keeps_keys((enum tas_state)from);
        assert_int_equal(to, from == TAS_STATE_CLOSED ? TAS_STATE_CLOSED
                             : keeps                  ? TAS_STATE_SUSPENDED
                                                      : TAS_STATE_DIAL);
    }
}

static void close_ends_it_from_anywhere_and_nothing_leads_out_again(void **state) {
    (void)state;
    for (unsigned i = 0; i < TAS_STATE_COUNT; i++) {
        enum tas_state to;
        assert_int_equal(tas_state_next(&to, (enum tas_state)i, TAS_ON_CLOSE), TAS_OK);
        assert_int_equal(to, TAS_STATE_CLOSED);
    }
    for (unsigned on = 0; on < TAS_ON_COUNT; on++) {
        enum tas_state to = TAS_STATE_CLOSED;
        int err = tas_state_next(&to, TAS_STATE_CLOSED, (enum tas_state_event)on);
        assert_true(err == TAS_E_STATE || to == TAS_STATE_CLOSED);
    }
}

static void keys_survive_a_lost_line_from_keyed_on(void **state) {
    (void)state;
    for (unsigned i = 0; i < TAS_STATE_COUNT; i++) {
        bool want = i == TAS_STATE_KEYED || i == TAS_STATE_VERIFIED || i == TAS_STATE_ACTIVE ||
                    i == TAS_STATE_SUSPENDED;
        assert_int_equal(tas_state_keeps_keys((enum tas_state)i), want);
    }
}

static void only_auth_or_a_resume_leads_to_keyed_and_only_the_code_to_verified(void **state) {
    (void)state;
    for (unsigned from = 0; from < TAS_STATE_COUNT; from++)
        for (unsigned on = 0; on < TAS_ON_COUNT; on++) {
            enum tas_state to;
            if (tas_state_next(&to, (enum tas_state)from, (enum tas_state_event)on) != TAS_OK)
                continue;
            if (to == TAS_STATE_KEYED)
                assert_true(on == TAS_ON_AUTHENTICATED || on == TAS_ON_RESUMED_KEYED);
            if (to == TAS_STATE_VERIFIED)
                assert_true(on == TAS_ON_CODE_RIGHT || on == TAS_ON_RESUMED_VERIFIED);
        }
}

static void names_out_of_range_are_unknown(void **state) {
    (void)state;
    assert_string_equal(tas_state_name(TAS_STATE_COUNT), "unknown");
    assert_string_equal(tas_state_event_name(TAS_ON_COUNT), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_times_every_event_leads_where_the_table_says),
        cmocka_unit_test(a_lost_socket_has_an_edge_in_every_state),
        cmocka_unit_test(close_ends_it_from_anywhere_and_nothing_leads_out_again),
        cmocka_unit_test(keys_survive_a_lost_line_from_keyed_on),
        cmocka_unit_test(only_auth_or_a_resume_leads_to_keyed_and_only_the_code_to_verified),
        cmocka_unit_test(names_out_of_range_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
