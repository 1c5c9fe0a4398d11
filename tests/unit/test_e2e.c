/* Handshake, AUTH, check code and resume against somebody in the middle. Records: test_seal.c. */
#include "kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct kit kit;

static int make_kit(void **state) {
    (void)state;
    kit_init(&kit, &tas_crypto_openssl, TAS_SUITE_AES256);
    return 0;
}

/* ---- handshake ---- */

struct wire {
    uint8_t bytes[TAS_HS_MAX];
    int len; /* or the error of who should have written it */
};

struct ends {
    struct tas_handshake *end[2];
    struct wire h1, h2, h3;
    int h3_result;
};

static void ends_new(struct ends *e, uint16_t host_suites, uint16_t viewer_suites) {
    *e = (struct ends){0};
    for (unsigned i = 0; i < 2; i++) {
        struct tas_handshake_config cfg =
            kit_handshake_config(&kit, i, i == KIT_HOST ? host_suites : viewer_suites);
        e->end[i] = tas_handshake_new(&cfg);
        assert_non_null(e->end[i]);
    }
    e->h1.len = tas_handshake_start(e->end[KIT_VIEWER], e->h1.bytes);
    assert_int_equal(e->h1.len, TAS_SIZE_H1);
}

static void ends_free(struct ends *e) {
    tas_handshake_free(e->end[0]);
    tas_handshake_free(e->end[1]);
}

static struct wire give(struct tas_handshake *to, const struct wire *msg) {
    struct wire reply = {0};
    uint8_t *exact = malloc((size_t)msg->len); /* so that ASan sees a read past it */
    assert_non_null(exact);
    memcpy(exact, msg->bytes, (size_t)msg->len);
    reply.len = tas_handshake_input(to, tas_bytes_of(exact, (size_t)msg->len), reply.bytes);
    free(exact);
    return reply;
}

static bool run_h2(struct ends *e) {
    e->h2 = give(e->end[KIT_HOST], &e->h1);
    return e->h2.len > 0;
}

static bool run_h3(struct ends *e) {
    e->h3 = give(e->end[KIT_VIEWER], &e->h2);
    return e->h3.len > 0;
}

static bool run_end(struct ends *e) {
    e->h3_result = give(e->end[KIT_HOST], &e->h3).len;
    return e->h3_result == 0;
}

static void two_ends_agree_on_all_keys_and_the_strongest_common_suite(void **state) {
    (void)state;
    static const struct {
        uint16_t host, viewer, chosen;
    } cases[] = {{3, 3, 2}, {1, 3, 1}, {3, 1, 1}, {2, 3, 2}, {1, 1, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ends e;
        ends_new(&e, cases[i].host, cases[i].viewer);
        assert_true(run_h2(&e) && run_h3(&e) && run_end(&e));
        struct tas_generation gen[2];
        memset(gen, 0, sizeof(gen));
        for (unsigned end = 0; end < 2; end++) {
            assert_true(tas_handshake_is_done(e.end[end]));
            tas_handshake_take(e.end[end], &gen[end]);
            assert_false(tas_handshake_is_done(e.end[end]));
        }
        assert_memory_equal(&gen[0], &gen[1], sizeof(gen[0]));
        assert_int_equal(gen[0].suite, cases[i].chosen);
        assert_true(gen[0].sas6 < 1000000);
        assert_memory_not_equal(gen[0].traffic[0], gen[0].traffic[1], 32);
        assert_memory_not_equal(gen[0].finished[0], gen[0].finished[1], 32);
        ends_free(&e);
    }
}

static void ends_without_a_common_suite_do_not_meet(void **state) {
    (void)state;
    struct ends e;
    ends_new(&e, 1, 2);
    assert_false(run_h2(&e));
    assert_int_equal(e.h2.len, TAS_E_PROTO);
    ends_free(&e);
}

/* One flipped bit in message number `which`. The bit wanders, so that all eight get their turn. */
static void flip_and_run(unsigned which, size_t at) {
    struct ends e;
    ends_new(&e, 3, 3);
    struct wire *const msgs[] = {&e.h1, &e.h2, &e.h3};
    bool (*const steps[])(struct ends *) = {run_h2, run_h3, run_end};
    bool ok = true;
    for (unsigned i = 0; i < 3 && ok; i++) {
        if (i == which)
            msgs[i]->bytes[at] ^= (uint8_t)(1 << (at % 8));
        ok = steps[i](&e);
    }
    bool host_done = tas_handshake_is_done(e.end[KIT_HOST]);
    bool viewer_done = tas_handshake_is_done(e.end[KIT_VIEWER]);
    /* The commitment covers H1 and all of H3 but its head; a larger max_rec there is only seen in the keys.
     */
    bool is_max_rec = which == 2 && at >= 12 && at < 16;
    assert_false(host_done && which != 1 && !is_max_rec);
    if (host_done && viewer_done) {
        struct tas_generation a, b;
        tas_handshake_take(e.end[KIT_HOST], &a);
        tas_handshake_take(e.end[KIT_VIEWER], &b);
        assert_memory_not_equal(a.th, b.th, 32);
        assert_memory_not_equal(a.traffic[0], b.traffic[0], 32);
        assert_memory_not_equal(a.finished[0], b.finished[0], 32);
        assert_memory_not_equal(a.resume, b.resume, 32);
    }
    ends_free(&e);
}

static void a_changed_bit_in_any_byte_of_h1_makes_the_host_refuse(void **state) {
    (void)state;
    for (size_t at = 0; at < TAS_SIZE_H1; at++)
        flip_and_run(0, at);
}

static void a_changed_bit_in_any_byte_of_h2_never_gives_keys_that_agree(void **state) {
    (void)state;
    for (size_t at = 0; at < TAS_SIZE_H2; at++)
        flip_and_run(1, at);
}

static void a_changed_bit_in_any_byte_of_h3_makes_the_host_refuse_or_the_keys_differ(void **state) {
    (void)state;
    for (size_t at = 0; at < TAS_SIZE_H3; at++)
        flip_and_run(2, at);
}

static void messages_of_another_length_are_refused(void **state) {
    (void)state;
    for (int len = 1; len < TAS_HS_MAX; len += 3) {
        struct ends e;
        ends_new(&e, 3, 3);
        struct wire cut = e.h1;
        cut.len = len;
        if (len != TAS_SIZE_H1)
            assert_int_equal(give(e.end[KIT_HOST], &cut).len, TAS_E_PROTO);
        ends_free(&e);

        ends_new(&e, 3, 3);
        assert_true(run_h2(&e));
        cut = e.h2;
        cut.len = len;
        if (len != TAS_SIZE_H2)
            assert_int_equal(give(e.end[KIT_VIEWER], &cut).len, TAS_E_PROTO);
        ends_free(&e);
    }
}

static void own_messages_that_come_back_are_refused(void **state) {
    (void)state;
    struct ends e;
    ends_new(&e, 3, 3);
    assert_int_equal(give(e.end[KIT_VIEWER], &e.h1).len, TAS_E_PROTO);
    ends_free(&e);

    ends_new(&e, 3, 3);
    assert_true(run_h2(&e));
    assert_int_equal(give(e.end[KIT_HOST], &e.h2).len, TAS_E_PROTO);
    ends_free(&e);

    ends_new(&e, 3, 3);
    assert_true(run_h2(&e) && run_h3(&e));
    assert_int_equal(give(e.end[KIT_VIEWER], &e.h3).len, TAS_E_PROTO);
    ends_free(&e);

    /* H1 dressed up as an H2 of the host: key and nonce are the commitment and what follows it */
    ends_new(&e, 3, 3);
    struct wire dressed = {.len = TAS_SIZE_H2};
    memcpy(dressed.bytes, e.h1.bytes, TAS_SIZE_H1);
    dressed.bytes[0] = 2;
    assert_int_equal(give(e.end[KIT_VIEWER], &dressed).len, TAS_E_PROTO);
    ends_free(&e);
}

static void messages_out_of_order_are_refused_and_after_an_error_every_call_fails(void **state) {
    (void)state;
    struct ends e;
    uint8_t out[TAS_HS_MAX];
    ends_new(&e, 3, 3);
    assert_int_equal(tas_handshake_start(e.end[KIT_VIEWER], out), TAS_E_STATE); /* a second time */
    assert_int_equal(tas_handshake_start(e.end[KIT_HOST], out), TAS_E_STATE);
    assert_true(run_h2(&e) && run_h3(&e));
    struct tas_handshake_config cfg = kit_handshake_config(&kit, KIT_HOST, 3);
    struct tas_handshake *fresh = tas_handshake_new(&cfg);
    assert_non_null(fresh);
    assert_int_equal(give(fresh, &e.h3).len, TAS_E_PROTO); /* H3 first */
    assert_int_equal(give(fresh, &e.h1).len, TAS_E_PROTO); /* failed for good */
    tas_handshake_free(fresh);
    assert_int_equal(give(e.end[KIT_HOST], &e.h1).len, TAS_E_PROTO); /* H1 twice */
    assert_int_equal(give(e.end[KIT_HOST], &e.h3).len, TAS_E_PROTO);
    ends_free(&e);

    cfg = kit_handshake_config(&kit, KIT_VIEWER, 3);
    fresh = tas_handshake_new(&cfg);
    assert_non_null(fresh);
    assert_int_equal(give(fresh, &e.h2).len, TAS_E_PROTO); /* before H1 was written */
    tas_handshake_free(fresh);
    tas_handshake_free(NULL);
}

static void an_offer_that_the_relay_weakened_is_refused(void **state) {
    (void)state;
    struct ends e;
    ends_new(&e, 3, 3);
    e.h1.bytes[3] &= (uint8_t)~TAS_SUITE_AES256; /* suites of H1 */
    assert_true(run_h2(&e) && run_h3(&e));
    assert_false(run_end(&e));
    ends_free(&e);

    ends_new(&e, 3, 3);
    assert_true(run_h2(&e));
    e.h2.bytes[3] = TAS_SUITE_CHACHA20; /* suite of H2 */
    assert_true(run_h3(&e));
    assert_false(run_end(&e));
    ends_free(&e);
}

static void a_suite_that_was_not_offered_or_is_not_one_is_refused_by_the_viewer(void **state) {
    (void)state;
    for (unsigned suites = 0; suites < 0x10000; suites = suites < 300 ? suites + 1 : suites * 2 + 1) {
        struct ends e;
        ends_new(&e, 3, TAS_SUITE_AES256);
        assert_true(run_h2(&e));
        e.h2.bytes[2] = (uint8_t)(suites >> 8);
        e.h2.bytes[3] = (uint8_t)suites;
        assert_int_equal(run_h3(&e), suites == TAS_SUITE_AES256);
        ends_free(&e);
    }
}

static void another_version_than_ours_is_refused_in_h2(void **state) {
    (void)state;
    for (unsigned ver = 0; ver < 256; ver++) {
        struct ends e;
        ends_new(&e, 3, 3);
        assert_true(run_h2(&e));
        e.h2.bytes[1] = (uint8_t)ver;
        assert_int_equal(run_h3(&e), ver == TAS_VERSION);
        ends_free(&e);
    }
}

/* Points of order 1, 2, 4 and 8 as u-coordinates, and some that are not canonical. */
static const uint8_t low_points[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};
enum { LOW_POINTS = sizeof(low_points) / sizeof(low_points[0]) };

static void points_of_small_order_are_refused_by_both_ends(void **state) {
    (void)state;
    for (size_t i = 0; i < LOW_POINTS; i++) {
        struct ends e;
        ends_new(&e, 3, 3);
        assert_true(run_h2(&e));
        memcpy(e.h2.bytes + 24, low_points[i], 32);
        assert_false(run_h3(&e));
        assert_int_equal(e.h3.len, TAS_E_AUTH);
        assert_false(tas_handshake_is_done(e.end[KIT_VIEWER]));
        ends_free(&e);

        /* a dishonest viewer that commits to one */
        ends_new(&e, 3, 3);
        static const uint8_t r[16] = {1};
        const struct tas_bytes parts[] = {tas_bytes_of(e.h1.bytes, 24), tas_bytes_of(low_points[i], 32),
                                          tas_bytes_of(r, 16)};
        assert_int_equal(tas_hash(kit.crypto, e.h1.bytes + 24, "TSK1 commit", parts, 3), TAS_OK);
        assert_true(run_h2(&e) && run_h3(&e));
        memcpy(e.h3.bytes + 24, low_points[i], 32);
        memcpy(e.h3.bytes + 56, r, 16);
        assert_false(run_end(&e));
        assert_int_equal(e.h3_result, TAS_E_AUTH);
        assert_false(tas_handshake_is_done(e.end[KIT_HOST]));
        ends_free(&e);
    }
}

static void a_viewer_that_opens_its_commitment_with_other_values_is_refused(void **state) {
    (void)state;
    struct ends e, other;
    ends_new(&e, 3, 3);
    ends_new(&other, 3, 3);
    assert_true(run_h2(&e));
    other.h2 = e.h2; /* a second viewer, that had seen H2 before it chose its key */
    assert_true(run_h3(&other));
    e.h3 = other.h3;
    assert_false(run_end(&e));
    assert_int_equal(e.h3_result, TAS_E_PROTO);
    ends_free(&e);
    ends_free(&other);
}

static void h1_carries_random_unknown_bits_and_the_host_leaves_them_out(void **state) {
    (void)state;
    uint8_t seen_suites = 0, seen_caps[2] = {0};
    for (int i = 0; i < 32; i++) {
        struct ends e;
        ends_new(&e, 3, 3);
        seen_suites |= e.h1.bytes[2];
        seen_caps[0] |= e.h1.bytes[4];
        seen_caps[1] |= e.h1.bytes[5];
        assert_true(run_h2(&e));
        static const uint8_t chosen[] = {0, TAS_SUITE_AES256, 0, 0, 0, 5}; /* suites, caps */
        assert_memory_equal(e.h2.bytes + 2, chosen, 6);
        ends_free(&e);
    }
    assert_int_equal(seen_suites, 0xff);
    assert_int_equal(seen_caps[0] & seen_caps[1], 0xff);
}

/* ---- AUTH ---- */

static int check(unsigned end, const struct tas_msg_auth *auth, const struct tas_generation *gen) {
    struct tas_peer peer = {.perms = 0x7777};
    struct tas_auth_expected expected = kit_expected(&kit, end);
    int err = tas_auth_check(kit.crypto, &peer, auth, &kit.id[end], gen, &expected);
    if (err != TAS_OK)
        assert_int_equal(peer.perms, 0x7777);
    return err;
}

static struct tas_msg_auth auth_of(const struct tas_identity *id, const struct tas_generation *gen) {
    struct tas_msg_auth auth;
    assert_int_equal(tas_auth_make(kit.crypto, &auth, id, gen), TAS_OK);
    return auth;
}

static void each_end_knows_the_other_by_its_statement(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        struct tas_msg_auth auth = auth_of(&kit.id[!end], &kit.gen);
        struct tas_auth_expected expected = kit_expected(&kit, end);
        struct tas_peer peer;
        assert_int_equal(tas_auth_check(kit.crypto, &peer, &auth, &kit.id[end], &kit.gen, &expected), TAS_OK);
        assert_string_equal(peer.name, end == KIT_HOST ? "Anna" : "Empfang");
        assert_string_equal(peer.company, "Müller & Söhne");
        assert_int_equal(peer.perms, 7);
        assert_int_equal(peer.company_id, 42);
        assert_int_equal(peer.kind, 1);
        assert_memory_equal(peer.pop_pk, kit.id[!end].pop_pk, 32);
    }
}

static void a_changed_bit_in_any_byte_of_auth_is_refused(void **state) {
    (void)state;
    struct tas_msg_auth good = auth_of(&kit.id[KIT_VIEWER], &kit.gen);
    uint8_t bytes[416];
    assert_int_equal(tas_msg_auth_encode(&good, bytes, sizeof(bytes)), sizeof(bytes));
    for (size_t at = 0; at < sizeof(bytes); at++) {
        struct tas_msg_auth auth;
        bytes[at] ^= (uint8_t)(1 << (at % 8));
        assert_int_equal(tas_msg_auth_decode(&auth, tas_bytes_of(bytes, sizeof(bytes))), TAS_OK);
        assert_int_not_equal(check(KIT_HOST, &auth, &kit.gen), TAS_OK);
        bytes[at] ^= (uint8_t)(1 << (at % 8));
    }
    assert_int_equal(check(KIT_HOST, &good, &kit.gen), TAS_OK);
}

struct change {
    const char *why;
    void (*make)(struct tas_msg_statement *st);
    int err;
};

static void no_change(struct tas_msg_statement *st) {
    (void)st;
}
static void other_version(struct tas_msg_statement *st) {
    st->ver = 2;
}
static void other_kid(struct tas_msg_statement *st) {
    st->kid++;
}
static void host_role(struct tas_msg_statement *st) {
    st->role = TAS_ROLE_HOST;
}
static void no_role(struct tas_msg_statement *st) {
    st->role = 0;
}
static void other_slot(struct tas_msg_statement *st) {
    st->slot++;
}
static void host_slot(struct tas_msg_statement *st) {
    st->slot = 0;
}
static void unknown_kind(struct tas_msg_statement *st) {
    st->kind = 3;
}
static void other_session(struct tas_msg_statement *st) {
    st->session_id++;
}
static void expired(struct tas_msg_statement *st) {
    st->not_after_ms = KIT_NOW_MS;
}
static void long_expired(struct tas_msg_statement *st) {
    st->not_after_ms = 0;
}
static void our_key(struct tas_msg_statement *st) {
    memcpy(st->pop_pk, kit.id[KIT_HOST].pop_pk, 32);
}
static void key_of_small_order(struct tas_msg_statement *st) {
    memset(st->pop_pk, 0, 32);
    st->pop_pk[0] = 1;
}
static void turned_name(struct tas_msg_statement *st) {
    snprintf((char *)st->name, sizeof(st->name), "%s", "Anna\xe2\x80\xaegpj");
}
static void turned_company(struct tas_msg_statement *st) {
    snprintf((char *)st->company, sizeof(st->company), "%s", "\xe2\x81\xa7xyz");
}
static void line_in_name(struct tas_msg_statement *st) {
    st->name[2] = '\n';
}
static void hidden_name(struct tas_msg_statement *st) {
    st->name[50] = 'x';
}
static void no_company(struct tas_msg_statement *st) {
    memset(st->company, 0, sizeof(st->company));
}

static const struct change changes[] = {
    {"as it is", no_change, TAS_OK},
    {"another version", other_version, TAS_E_AUTH},
    {"a kid that is not there", other_kid, TAS_E_AUTH},
    {"the host's role", host_role, TAS_E_AUTH},
    {"no role", no_role, TAS_E_AUTH},
    {"another slot", other_slot, TAS_E_AUTH},
    {"the host's slot", host_slot, TAS_E_AUTH},
    {"an unknown kind", unknown_kind, TAS_E_AUTH},
    {"another session", other_session, TAS_E_AUTH},
    {"over at this moment", expired, TAS_E_EXPIRED},
    {"over long ago", long_expired, TAS_E_EXPIRED},
    {"our own key", our_key, TAS_E_AUTH},
    {"a key of small order", key_of_small_order, TAS_E_AUTH},
    {"a bidi character in the name", turned_name, TAS_E_PROTO},
    {"a bidi character in the company", turned_company, TAS_E_PROTO},
    {"a line break in the name", line_in_name, TAS_E_PROTO},
    {"something behind the name", hidden_name, TAS_E_PROTO},
    {"no company", no_company, TAS_E_PROTO},
};

static void statements_for_another_place_time_or_holder_are_refused_though_well_signed(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct tas_identity id = kit.id[KIT_VIEWER];
        struct tas_msg_statement st = kit_statement(&kit, KIT_VIEWER);
        changes[i].make(&st);
        if (changes[i].make == our_key) /* all that it signs holds; only the key is ours */
            memcpy(id.pop_seed, kit.id[KIT_HOST].pop_seed, sizeof(id.pop_seed));
        kit_sign_statement(&kit, id.statement, &st);
        struct tas_msg_auth auth = auth_of(&id, &kit.gen);
        int err = check(KIT_HOST, &auth, &kit.gen);
        if (err != changes[i].err)
            fail_msg("a statement with %s gives %s", changes[i].why, tas_err_name(err));
    }
}

static void wider(struct tas_msg_statement *st) {
    st->perms = 0x7f;
}
static void swapped(struct tas_msg_statement *st) {
    snprintf((char *)st->name, sizeof(st->name), "%s", "Chef");
}

static void statements_that_the_holder_changed_are_refused(void **state) {
    (void)state;
    static const struct change own[] = {
        {"wider rights", wider, TAS_E_AUTH},
        {"another name", swapped, TAS_E_AUTH},
        {"no signature", no_change, TAS_E_AUTH},
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        struct tas_identity id = kit.id[KIT_VIEWER];
        struct tas_msg_statement st = kit_statement(&kit, KIT_VIEWER);
        own[i].make(&st);
        if (own[i].make != no_change)
            memcpy(st.sig, id.statement + TAS_STATEMENT_SIGNED, sizeof(st.sig)); /* of what it was */
        assert_int_equal(tas_msg_statement_encode(&st, id.statement, sizeof(id.statement)),
                         TAS_SIZE_STATEMENT);
        struct tas_msg_auth auth = auth_of(&id, &kit.gen);
        if (check(KIT_HOST, &auth, &kit.gen) != own[i].err)
            fail_msg("a statement with %s is taken", own[i].why);
    }
}

static void a_statement_stolen_without_its_key_is_refused(void **state) {
    (void)state;
    struct tas_identity thief = kit.id[KIT_VIEWER];
    thief.pop_seed[0] ^= 1;
    struct tas_msg_auth auth = auth_of(&thief, &kit.gen);
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
}

static void an_auth_of_other_keys_or_the_other_direction_is_refused(void **state) {
    (void)state;
    struct tas_generation other = kit.gen;
    other.th[31] ^= 1;
    struct tas_msg_auth auth = auth_of(&kit.id[KIT_VIEWER], &other);
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    other = kit.gen;
    other.finished[TAS_OP_TO_HOST][0] ^= 1; /* knows the transcript, not the keys */
    auth = auth_of(&kit.id[KIT_VIEWER], &other);
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    auth = auth_of(&kit.id[KIT_HOST], &kit.gen); /* the host's own one comes back */
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    auth = auth_of(&kit.id[KIT_VIEWER], &kit.gen);
    assert_int_equal(check(KIT_VIEWER, &auth, &kit.gen), TAS_E_AUTH);
}

static void a_statement_key_counts_for_its_use_and_time_only(void **state) {
    (void)state;
    struct tas_msg_auth auth = auth_of(&kit.id[KIT_VIEWER], &kit.gen);
    struct tas_keyset kept = kit.keyset;
    kit.keyset.keys[0].use = TAS_USE_TICKET;
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    kit.keyset = kept;
    kit.keyset.keys[0].to_ms = KIT_NOW_MS;
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    kit.keyset = kept;
    kit.keyset.keys[0].from_ms = KIT_NOW_MS + 1;
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    kit.keyset = kept;
    kit.keyset.keys[0].pk[0] ^= 1;
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_E_AUTH);
    kit.keyset = kept;
    assert_int_equal(check(KIT_HOST, &auth, &kit.gen), TAS_OK);
}

static void a_keyset_is_opened_with_the_signature_of_the_root_only(void **state) {
    (void)state;
    static const uint8_t root_seed[32] = {9};
    uint8_t root_pk[32], bytes[TAS_KEYSET_MAX_LEN];
    assert_int_equal(kit.crypto->ed25519_public(root_pk, root_seed), TAS_OK);
    int len = tas_keyset_encode(&kit.keyset, bytes, sizeof(bytes));
    assert_true(len > 0);
    struct tas_bytes part = tas_bytes_of(bytes, (size_t)len);
    assert_int_equal(tas_sign(kit.crypto, bytes + len, root_seed, "TSK1 keyset", &part, 1), TAS_OK);
    struct tas_bytes all = tas_bytes_of(bytes, (size_t)len + 64);
    struct tas_keyset set;
    assert_int_equal(tas_keyset_open(kit.crypto, &set, all, root_pk), TAS_OK);
    assert_int_equal(set.count, 1);
    for (size_t i = 0; i < all.len; i++) {
        struct tas_keyset none = {.count = 77};
        bytes[i] ^= 0x40;
        assert_int_not_equal(tas_keyset_open(kit.crypto, &none, all, root_pk), TAS_OK);
        assert_int_equal(none.count, 77);
        bytes[i] ^= 0x40;
    }
    root_pk[5] ^= 1;
    assert_int_equal(tas_keyset_open(kit.crypto, &set, all, root_pk), TAS_E_AUTH);
}

/* ---- check code ---- */

static void the_check_code_is_nine_digits_in_threes_with_its_zeros(void **state) {
    (void)state;
    char text[TAS_CHECK_CODE_TEXT];
    tas_check_code_text(text, 482913, 527);
    assert_string_equal(text, "482-913-527");
    tas_check_code_text(text, 7, 0);
    assert_string_equal(text, "000-007-000");
    tas_check_code_text(text, 999999, 999);
    assert_string_equal(text, "999-999-999");
}

static void a_typed_code_is_nine_digits_with_hyphens_and_blanks_wherever(void **state) {
    (void)state;
    static const char *const good[] = {"482913527", "482-913-527", " 4 8 2 9 1 3 5 2 7 ", "--482913527",
                                       "482 913 527-"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint32_t sas6 = 0, last3 = 0;
        assert_int_equal(tas_check_code_parse(&sas6, &last3, good[i]), TAS_OK);
        assert_int_equal(sas6, 482913);
        assert_int_equal(last3, 527);
    }
    static const char *const bad[] = {
        "",          "482-913-52", "482-913-5270",  "482913527 1", "482_913_527", "482.913.527",
        "48291352a", "+482913527", "482\t913\t527", "４82913527",  "482913527\n", "4294967296482913527"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t sas6 = 77, last3 = 77;
        assert_int_equal(tas_check_code_parse(&sas6, &last3, bad[i]), TAS_E_PROTO);
        assert_true(sas6 == 77 && last3 == 77);
    }
}

static void every_code_that_is_shown_can_be_typed(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 1000000; i += 997) {
        char text[TAS_CHECK_CODE_TEXT];
        uint32_t sas6, last3;
        tas_check_code_text(text, i, i % 1000);
        assert_int_equal(tas_check_code_parse(&sas6, &last3, text), TAS_OK);
        assert_true(sas6 == i && last3 == i % 1000);
    }
}

/* ---- resume ---- */

static struct tas_resume_half half_of(unsigned end, const struct tas_generation *gen, const uint8_t *rs1) {
    struct tas_resume_half half;
    struct tas_random_source source = kit_random_source(&kit.random);
    assert_int_equal(tas_resume_make(kit.crypto, &half, &source, &kit.id[end], &kit.pair, gen, rs1), TAS_OK);
    return half;
}

static int check_rs(unsigned end, const uint8_t *rs, const struct tas_generation *gen, const uint8_t *rs1) {
    return tas_resume_check(kit.crypto, tas_bytes_of(rs, TAS_SIZE_RS), kit.id[end].role, kit.id[!end].pop_pk,
                            &kit.pair, gen, rs1);
}

/* One whole exchange; `gen` becomes the next one. */
static void resume(struct tas_generation *gen) {
    struct tas_resume_half one = half_of(KIT_VIEWER, gen, NULL);
    assert_int_equal(check_rs(KIT_HOST, one.bytes, gen, NULL), TAS_OK);
    struct tas_resume_half two = half_of(KIT_HOST, gen, one.bytes);
    assert_int_equal(check_rs(KIT_VIEWER, two.bytes, gen, one.bytes), TAS_OK);
    struct tas_generation next[2];
    memset(next, 0, sizeof(next));
    assert_int_equal(tas_resume_derive(kit.crypto, &next[0], gen, &two, TAS_ROLE_HOST, one.bytes), TAS_OK);
    assert_int_equal(tas_resume_derive(kit.crypto, &next[1], gen, &one, TAS_ROLE_VIEWER, two.bytes), TAS_OK);
    assert_memory_equal(&next[0], &next[1], sizeof(next[0]));
    *gen = next[0];
}

static void each_resume_gives_both_ends_the_same_new_keys_and_keeps_the_code(void **state) {
    (void)state;
    struct tas_generation gen = kit.gen;
    for (uint32_t i = 0; i < 6; i++) {
        struct tas_generation old = gen;
        resume(&gen);
        assert_int_equal(gen.gen, i + 1);
        assert_int_equal(gen.sas6, kit.gen.sas6);
        assert_int_equal(gen.suite, kit.gen.suite);
        assert_memory_not_equal(gen.th, old.th, 32);
        assert_memory_not_equal(gen.resume, old.resume, 32);
        assert_memory_not_equal(gen.traffic[0], old.traffic[0], 32);
    }
}

static void a_changed_bit_in_any_byte_of_rs1_or_rs2_is_refused(void **state) {
    (void)state;
    struct tas_resume_half one = half_of(KIT_VIEWER, &kit.gen, NULL);
    struct tas_resume_half two = half_of(KIT_HOST, &kit.gen, one.bytes);
    for (size_t at = 0; at < TAS_SIZE_RS; at++) {
        uint8_t bit = (uint8_t)(1 << (at % 8));
        one.bytes[at] ^= bit;
        int err = check_rs(KIT_HOST, one.bytes, &kit.gen, NULL);
        assert_int_equal(err, at >= 4 && at < 8 ? TAS_E_ABSENT : at < 16 ? TAS_E_PROTO : TAS_E_AUTH);
        /* an RS2 that answers another RS1 than ours */
        assert_int_equal(check_rs(KIT_VIEWER, two.bytes, &kit.gen, one.bytes), TAS_E_AUTH);
        one.bytes[at] ^= bit;
        two.bytes[at] ^= bit;
        err = check_rs(KIT_VIEWER, two.bytes, &kit.gen, one.bytes);
        assert_int_equal(err, at >= 4 && at < 8 ? TAS_E_ABSENT : at < 16 ? TAS_E_PROTO : TAS_E_AUTH);
        two.bytes[at] ^= bit;
    }
    assert_int_equal(check_rs(KIT_VIEWER, two.bytes, &kit.gen, one.bytes), TAS_OK);
    for (size_t len = 0; len < TAS_SIZE_RS + 20; len++) {
        uint8_t bytes[TAS_SIZE_RS + 20] = {0};
        memcpy(bytes, one.bytes, TAS_SIZE_RS);
        if (len != TAS_SIZE_RS)
            assert_int_equal(tas_resume_check(kit.crypto, tas_bytes_of(bytes, len), TAS_ROLE_HOST,
                                              kit.id[KIT_VIEWER].pop_pk, &kit.pair, &kit.gen, NULL),
                             TAS_E_PROTO);
    }
}

static void own_resume_messages_that_come_back_are_refused(void **state) {
    (void)state;
    struct tas_resume_half one = half_of(KIT_VIEWER, &kit.gen, NULL);
    struct tas_resume_half two = half_of(KIT_HOST, &kit.gen, one.bytes);
    assert_int_equal(check_rs(KIT_VIEWER, one.bytes, &kit.gen, one.bytes), TAS_E_PROTO);
    assert_int_equal(check_rs(KIT_VIEWER, one.bytes, &kit.gen, NULL), TAS_E_PROTO);
    assert_int_equal(check_rs(KIT_HOST, two.bytes, &kit.gen, NULL), TAS_E_PROTO);
    assert_int_equal(check_rs(KIT_HOST, two.bytes, &kit.gen, one.bytes), TAS_E_PROTO);
}

static void resume_messages_of_crossed_exchanges_and_old_generations_are_refused(void **state) {
    (void)state;
    struct tas_resume_half a = half_of(KIT_VIEWER, &kit.gen, NULL);
    struct tas_resume_half b = half_of(KIT_VIEWER, &kit.gen, NULL);
    struct tas_resume_half answer = half_of(KIT_HOST, &kit.gen, a.bytes);
    assert_int_equal(check_rs(KIT_VIEWER, answer.bytes, &kit.gen, b.bytes), TAS_E_AUTH);

    struct tas_generation next = kit.gen;
    resume(&next);
    assert_int_equal(check_rs(KIT_HOST, a.bytes, &next, NULL), TAS_E_ABSENT); /* replayed later */
    struct tas_generation pretended = next; /* the same number, of another exchange */
    pretended.resume[0] ^= 1;
    struct tas_resume_half c = half_of(KIT_VIEWER, &pretended, NULL);
    assert_int_equal(check_rs(KIT_HOST, c.bytes, &next, NULL), TAS_E_AUTH);
    pretended = next;
    pretended.th[0] ^= 1;
    c = half_of(KIT_VIEWER, &pretended, NULL);
    assert_int_equal(check_rs(KIT_HOST, c.bytes, &next, NULL), TAS_E_AUTH);
    pretended = kit.gen; /* the old keys under the new number */
    pretended.gen = next.gen;
    c = half_of(KIT_VIEWER, &pretended, NULL);
    assert_int_equal(check_rs(KIT_HOST, c.bytes, &next, NULL), TAS_E_AUTH);
}

static void a_replayed_rs1_never_brings_the_same_keys_again(void **state) {
    (void)state;
    struct tas_resume_half one = half_of(KIT_VIEWER, &kit.gen, NULL);
    struct tas_resume_half first = half_of(KIT_HOST, &kit.gen, one.bytes);
    struct tas_resume_half again = half_of(KIT_HOST, &kit.gen, one.bytes); /* the host draws anew */
    struct tas_generation a, b;
    assert_int_equal(tas_resume_derive(kit.crypto, &a, &kit.gen, &first, TAS_ROLE_HOST, one.bytes), TAS_OK);
    assert_int_equal(tas_resume_derive(kit.crypto, &b, &kit.gen, &again, TAS_ROLE_HOST, one.bytes), TAS_OK);
    assert_memory_not_equal(a.th, b.th, 32);
    assert_memory_not_equal(a.traffic[0], b.traffic[0], 32);
}

static void a_stolen_resume_key_without_the_key_of_the_holder_is_refused(void **state) {
    (void)state;
    struct tas_identity thief = kit.id[KIT_VIEWER];
    thief.pop_seed[31] ^= 1;
    struct tas_resume_half half;
    struct tas_random_source source = kit_random_source(&kit.random);
    assert_int_equal(tas_resume_make(kit.crypto, &half, &source, &thief, &kit.pair, &kit.gen, NULL), TAS_OK);
    assert_int_equal(check_rs(KIT_HOST, half.bytes, &kit.gen, NULL), TAS_E_AUTH);
}

static void resume_messages_for_another_pair_are_refused(void **state) {
    (void)state;
    struct tas_resume_half half;
    struct tas_random_source source = kit_random_source(&kit.random);
    struct tas_resume_pair other = kit.pair;
    other.viewer_slot++;
    assert_int_equal(tas_resume_make(kit.crypto, &half, &source, &kit.id[KIT_VIEWER], &other, &kit.gen, NULL),
                     TAS_OK);
    assert_int_equal(check_rs(KIT_HOST, half.bytes, &kit.gen, NULL), TAS_E_PROTO);
    other = kit.pair;
    other.session_id++;
    assert_int_equal(tas_resume_make(kit.crypto, &half, &source, &kit.id[KIT_VIEWER], &other, &kit.gen, NULL),
                     TAS_OK);
    assert_int_equal(check_rs(KIT_HOST, half.bytes, &kit.gen, NULL), TAS_E_PROTO);
}

static void points_of_small_order_give_no_resume(void **state) {
    (void)state;
    struct tas_resume_half one = half_of(KIT_VIEWER, &kit.gen, NULL);
    for (size_t i = 0; i < LOW_POINTS; i++) {
        uint8_t rs2[TAS_SIZE_RS];
        struct tas_resume_half two = half_of(KIT_HOST, &kit.gen, one.bytes);
        memcpy(rs2, two.bytes, sizeof(rs2));
        memcpy(rs2 + 32, low_points[i], 32);
        struct tas_generation next;
        assert_int_equal(tas_resume_derive(kit.crypto, &next, &kit.gen, &one, TAS_ROLE_VIEWER, rs2),
                         TAS_E_AUTH);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ends_agree_on_all_keys_and_the_strongest_common_suite),
        cmocka_unit_test(ends_without_a_common_suite_do_not_meet),
        cmocka_unit_test(a_changed_bit_in_any_byte_of_h1_makes_the_host_refuse),
        cmocka_unit_test(a_changed_bit_in_any_byte_of_h2_never_gives_keys_that_agree),
        cmocka_unit_test(a_changed_bit_in_any_byte_of_h3_makes_the_host_refuse_or_the_keys_differ),
        cmocka_unit_test(messages_of_another_length_are_refused),
        cmocka_unit_test(own_messages_that_come_back_are_refused),
        cmocka_unit_test(messages_out_of_order_are_refused_and_after_an_error_every_call_fails),
        cmocka_unit_test(an_offer_that_the_relay_weakened_is_refused),
        cmocka_unit_test(a_suite_that_was_not_offered_or_is_not_one_is_refused_by_the_viewer),
        cmocka_unit_test(another_version_than_ours_is_refused_in_h2),
        cmocka_unit_test(points_of_small_order_are_refused_by_both_ends),
        cmocka_unit_test(a_viewer_that_opens_its_commitment_with_other_values_is_refused),
        cmocka_unit_test(h1_carries_random_unknown_bits_and_the_host_leaves_them_out),
        cmocka_unit_test(each_end_knows_the_other_by_its_statement),
        cmocka_unit_test(a_changed_bit_in_any_byte_of_auth_is_refused),
        cmocka_unit_test(statements_for_another_place_time_or_holder_are_refused_though_well_signed),
        cmocka_unit_test(statements_that_the_holder_changed_are_refused),
        cmocka_unit_test(a_statement_stolen_without_its_key_is_refused),
        cmocka_unit_test(an_auth_of_other_keys_or_the_other_direction_is_refused),
        cmocka_unit_test(a_statement_key_counts_for_its_use_and_time_only),
        cmocka_unit_test(a_keyset_is_opened_with_the_signature_of_the_root_only),
        cmocka_unit_test(the_check_code_is_nine_digits_in_threes_with_its_zeros),
        cmocka_unit_test(a_typed_code_is_nine_digits_with_hyphens_and_blanks_wherever),
        cmocka_unit_test(every_code_that_is_shown_can_be_typed),
        cmocka_unit_test(each_resume_gives_both_ends_the_same_new_keys_and_keeps_the_code),
        cmocka_unit_test(a_changed_bit_in_any_byte_of_rs1_or_rs2_is_refused),
        cmocka_unit_test(own_resume_messages_that_come_back_are_refused),
        cmocka_unit_test(resume_messages_of_crossed_exchanges_and_old_generations_are_refused),
        cmocka_unit_test(a_replayed_rs1_never_brings_the_same_keys_again),
        cmocka_unit_test(a_stolen_resume_key_without_the_key_of_the_holder_is_refused),
        cmocka_unit_test(resume_messages_for_another_pair_are_refused),
        cmocka_unit_test(points_of_small_order_give_no_resume),
    };
    return cmocka_run_group_tests(tests, make_kit, NULL);
}
