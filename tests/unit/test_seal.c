/* Sealed records against a relay that replays, reorders, drops, changes and reflects; and key updates. */
#include "inside_seal.h"
#include "kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct kit kit;

static int make_kit(void **state) {
    (void)state;
    kit_init(&kit, &tas_crypto_openssl, TAS_SUITE_AES256);
    return 0;
}

enum { SMALL = 64, RECORD = SMALL + TAS_SEALED_OVERHEAD };

struct record {
    uint8_t pf;
    uint8_t bytes[RECORD];
};

struct pair {
    struct tas_sealer *end[2];
    uint64_t now_us;
};

static struct pair pair_new(uint64_t update_records) {
    return (struct pair){
        .end = {kit_sealer(&kit, KIT_HOST, update_records), kit_sealer(&kit, KIT_VIEWER, update_records)}};
}

static void pair_free(struct pair *p) {
    tas_sealer_free(p->end[0]);
    tas_sealer_free(p->end[1]);
}

static struct record seal(struct pair *p, unsigned from, uint8_t pf, uint8_t what) {
    struct record rec = {.pf = pf};
    uint8_t plain[SMALL];
    memset(plain, what, sizeof(plain));
    int len = tas_sealer_seal(p->end[from], pf, tas_bytes_of(plain, SMALL), rec.bytes, RECORD, p->now_us);
    assert_int_equal(len, RECORD);
    return rec;
}

/* The first byte of the plaintext, or the error. */
static int open_sealed(struct pair *p, unsigned to, const struct record *rec) {
    uint8_t out[RECORD];
    memset(out, 0xa5, sizeof(out));
    int len = tas_sealer_open(p->end[to], rec->pf, tas_bytes_of(rec->bytes, RECORD), out, p->now_us);
    if (len < 0)
        return len;
    assert_int_equal(len, SMALL);
    for (size_t i = 1; i < SMALL; i++)
        assert_int_equal(out[i], out[0]);
    return out[0];
}

static void carry(struct pair *p, unsigned from, uint8_t pf, uint8_t what) {
    struct record rec = seal(p, from, pf, what);
    assert_int_equal(open_sealed(p, !from, &rec), what);
}

static void records_of_all_classes_arrive_in_both_directions_at_any_interleaving(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    for (unsigned i = 0; i < 200; i++)
        carry(&p, (i / 3) % 2,
              (uint8_t)((i * 7) % 4 | (i % 5 == 0 ? TAS_PF_UNIT_START | TAS_PF_UNIT_END : 0)), (uint8_t)i);
    uint64_t sent = 0, received = 0;
    for (int cls = 0; cls < TAS_CLASSES; cls++) {
        sent +=
            tas_sealer_sent(p.end[0], (enum tas_class)cls) + tas_sealer_sent(p.end[1], (enum tas_class)cls);
        received += tas_sealer_received(p.end[0], (enum tas_class)cls) +
                    tas_sealer_received(p.end[1], (enum tas_class)cls);
    }
    assert_int_equal(sent, 200);
    assert_int_equal(received, 200);
    pair_free(&p);
}

static void one_class_may_overtake_another(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record screen = seal(&p, KIT_HOST, 2, 'a'), cursor = seal(&p, KIT_HOST, 0, 'b');
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &cursor), 'b');
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &screen), 'a');
    pair_free(&p);
}

static void a_replayed_skipped_or_reordered_record_is_refused_and_the_right_one_still_opens(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record one = seal(&p, KIT_HOST, 1, 1), two = seal(&p, KIT_HOST, 1, 2),
                  three = seal(&p, KIT_HOST, 1, 3);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &two), TAS_E_PROTO);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &one), 1);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &one), TAS_E_PROTO);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &three), TAS_E_PROTO);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &two), 2);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &three), 3);
    assert_int_equal(tas_sealer_received(p.end[KIT_VIEWER], TAS_CLASS_SMALL), 3);
    pair_free(&p);
}

static void a_changed_bit_anywhere_in_a_record_is_refused(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record rec = seal(&p, KIT_VIEWER, 1, 7);
    for (size_t at = 0; at < RECORD; at++)
        for (int bit = 0; bit < 8; bit++) {
            rec.bytes[at] ^= (uint8_t)(1 << bit);
            int err = open_sealed(&p, KIT_HOST, &rec);
            bool is_kid = at == 0;
            int want = is_kid && (bit == 2 || bit == 3) ? TAS_E_ABSENT /* another generation */
                       : is_kid && bit == 0             ? TAS_E_AUTH   /* claims the next phase */
                       : at < 8                         ? TAS_E_PROTO
                                                        : TAS_E_AUTH;
            assert_int_equal(err, want);
            rec.bytes[at] ^= (uint8_t)(1 << bit);
        }
    assert_int_equal(open_sealed(&p, KIT_HOST, &rec), 7); /* none of them did harm */
    pair_free(&p);
}

static void a_record_cut_anywhere_or_too_long_is_refused(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record rec = seal(&p, KIT_VIEWER, 1, 7);
    uint8_t out[RECORD];
    for (size_t len = 0; len < RECORD; len++) {
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact + 1, rec.bytes, len);
        int want = len < TAS_SEALED_OVERHEAD ? TAS_E_PROTO : TAS_E_AUTH;
        assert_int_equal(tas_sealer_open(p.end[KIT_HOST], 1, tas_bytes_of(exact + 1, len), out, 0), want);
        free(exact);
    }
    static uint8_t big[TAS_RECORD_MAX + 1], plain[TAS_RECORD_MAX + 1];
    memcpy(big, rec.bytes, 8);
    assert_int_equal(tas_sealer_open(p.end[KIT_HOST], 1, tas_bytes_of(big, sizeof(big)), plain, 0),
                     TAS_E_PROTO);
    pair_free(&p);
}

static void every_other_pf_than_the_sealed_one_is_refused(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record rec = seal(&p, KIT_VIEWER, 1 | TAS_PF_UNIT_START, 7);
    for (unsigned pf = 0; pf < 256; pf++) {
        struct record changed = rec;
        changed.pf = (uint8_t)pf;
        if (pf == rec.pf)
            continue;
        bool is_form = (pf & TAS_PF_DROPPABLE) || (pf & TAS_PF_CLASS) != 1;
        assert_int_equal(open_sealed(&p, KIT_HOST, &changed), is_form ? TAS_E_PROTO : TAS_E_AUTH);
    }
    assert_int_equal(open_sealed(&p, KIT_HOST, &rec), 7);
    pair_free(&p);
}

static void a_record_moved_to_another_class_is_refused(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record rec = seal(&p, KIT_VIEWER, 1, 7);
    rec.pf = rec.bytes[1] = 0;
    assert_int_equal(open_sealed(&p, KIT_HOST, &rec), TAS_E_AUTH);
    pair_free(&p);
}

static void own_records_that_come_back_are_refused(void **state) {
    (void)state;
    for (unsigned end = 0; end < 2; end++) {
        struct pair p = pair_new(0);
        struct record rec = seal(&p, end, 1, 7);
        assert_int_equal(open_sealed(&p, end, &rec), TAS_E_AUTH);
        assert_int_equal(open_sealed(&p, !end, &rec), 7);
        pair_free(&p);
    }
}

static void records_of_another_session_or_slot_are_refused(void **state) {
    (void)state;
    struct tas_sealer_config cfg = {.crypto = kit.crypto, .mem = &tas_secret_heap, .role = TAS_ROLE_HOST};
    static const struct {
        uint8_t slot;
        int64_t session;
    } others[] = {{KIT_SLOT + 1, 0}, {KIT_SLOT, 1}};
    for (size_t i = 0; i < 2; i++) {
        struct pair p = pair_new(0);
        struct record rec = seal(&p, KIT_VIEWER, 1, 7);
        cfg.viewer_slot = others[i].slot;
        cfg.session_id = kit_session_id + (uint64_t)others[i].session;
        struct tas_sealer *host = tas_sealer_new(&cfg, &kit.gen, 0);
        assert_non_null(host);
        uint8_t out[RECORD];
        assert_int_equal(tas_sealer_open(host, 1, tas_bytes_of(rec.bytes, RECORD), out, 0), TAS_E_AUTH);
        tas_sealer_free(host);
        pair_free(&p);
    }
}

static void records_of_another_generation_are_late_and_those_of_a_group_refused(void **state) {
    (void)state;
    struct kit other = kit;
    for (uint32_t gen = 0; gen < 8; gen++) {
        struct pair p = pair_new(0);
        other.gen.gen = gen;
        struct tas_sealer *from = kit_sealer(&other, KIT_VIEWER, 0);
        struct pair mixed = {.end = {p.end[KIT_HOST], from}};
        struct record rec = seal(&mixed, KIT_VIEWER, 0, 7);
        assert_int_equal(rec.bytes[0], (gen & 3) << 2);
        assert_int_equal(open_sealed(&p, KIT_HOST, &rec), gen % 4 ? TAS_E_ABSENT : 7);
        for (unsigned kid = 16; kid < 256; kid++) {
            rec.bytes[0] = (uint8_t)kid;
            assert_int_equal(open_sealed(&p, KIT_HOST, &rec), TAS_E_PROTO);
        }
        tas_sealer_free(from);
        pair_free(&p);
    }
}

static void only_what_the_protocol_allows_is_sealed(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    static uint8_t plain[TAS_PLAIN_MAX + 1], out[TAS_RECORD_MAX + 1], back[TAS_RECORD_MAX];
    struct tas_sealer *s = p.end[KIT_HOST];
    assert_int_equal(tas_sealer_seal(s, 2, tas_bytes_of(plain, TAS_PLAIN_MAX + 1), out, sizeof(out), 0),
                     TAS_E_LIMIT);
    assert_int_equal(tas_sealer_seal(s, 2, tas_bytes_of(plain, 10), out, 33, 0), TAS_E_LIMIT);
    assert_int_equal(tas_sealer_seal(s, 2 | TAS_PF_DROPPABLE, tas_bytes_of(plain, 10), out, sizeof(out), 0),
                     TAS_E_LIMIT);
    assert_int_equal(tas_sealer_sent(s, TAS_CLASS_SCREEN), 0);
    int len = tas_sealer_seal(s, 2, tas_bytes_of(plain, TAS_PLAIN_MAX), out, sizeof(out), 0);
    assert_int_equal(len, TAS_RECORD_MAX);
    assert_int_equal(tas_sealer_open(p.end[KIT_VIEWER], 2, tas_bytes_of(out, (size_t)len), back, 0),
                     TAS_PLAIN_MAX);
    len = tas_sealer_seal(s, 2, (struct tas_bytes){0}, out, sizeof(out), 0);
    assert_int_equal(len, TAS_SEALED_OVERHEAD);
    assert_int_equal(tas_sealer_open(p.end[KIT_VIEWER], 2, tas_bytes_of(out, (size_t)len), back, 0), 0);
    pair_free(&p);
}

static void a_counter_never_passes_its_limit(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    const uint64_t last = (UINT64_C(1) << 48) - 2;
    inside_seal_set_tx(p.end[KIT_HOST], 0, TAS_CLASS_SCREEN, last, 0);
    inside_seal_set_rx(p.end[KIT_VIEWER], 0, TAS_CLASS_SCREEN, last);
    carry(&p, KIT_HOST, 2, 9);
    uint8_t out[RECORD];
    assert_int_equal(tas_sealer_seal(p.end[KIT_HOST], 2, (struct tas_bytes){0}, out, sizeof(out), 0),
                     TAS_E_LIMIT);
    carry(&p, KIT_HOST, 0, 9); /* the other classes have their own */
    pair_free(&p);
}

static void a_record_with_a_counter_of_the_other_half_is_not_taken_for_a_small_one(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    inside_seal_set_tx(p.end[KIT_HOST], 0, TAS_CLASS_CONTROL, UINT64_C(1) << 32, 0);
    struct record rec = seal(&p, KIT_HOST, 0, 9);
    assert_int_equal(rec.bytes[3], 1);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &rec), TAS_E_PROTO);
    inside_seal_set_rx(p.end[KIT_VIEWER], 0, TAS_CLASS_CONTROL, UINT64_C(1) << 32);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &rec), 9);
    pair_free(&p);
}

/* ---- key updates ---- */

static void phases_go_on_at_both_ends_with_all_classes_interleaved(void **state) {
    (void)state;
    struct pair p = pair_new(4);
    for (unsigned i = 0; i < 400; i++)
        carry(&p, i % 2, (uint8_t)(i / 2 % 4), (uint8_t)i);
    assert_true(tas_sealer_phase(p.end[0]) >= 20); /* kid names the phase modulo 4 */
    uint32_t apart = tas_sealer_phase(p.end[0]) - tas_sealer_phase(p.end[1]) + 1;
    assert_true(apart <= 2);
    pair_free(&p);
}

static void a_sender_alone_never_updates(void **state) {
    (void)state;
    struct pair p = pair_new(4);
    for (unsigned i = 0; i < 50; i++)
        carry(&p, KIT_HOST, 2, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 0);
    carry(&p, KIT_VIEWER, 0, 1); /* shows that the other end has the keys of phase 0 */
    carry(&p, KIT_HOST, 2, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_VIEWER]), 1); /* follows */
    for (unsigned i = 0; i < 50; i++)
        carry(&p, KIT_HOST, 2, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 1); /* nothing was opened under phase 1 yet */
    pair_free(&p);
}

static void time_updates_too(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    carry(&p, KIT_HOST, 0, 1);
    carry(&p, KIT_VIEWER, 0, 1);
    p.now_us = UINT64_C(3600) * 1000 * 1000 - 1;
    carry(&p, KIT_HOST, 0, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 0);
    p.now_us++;
    carry(&p, KIT_HOST, 0, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 1);
    pair_free(&p);
}

static void the_limit_of_records_is_two_to_the_24(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    inside_seal_set_tx(p.end[KIT_HOST], 0, TAS_CLASS_SCREEN, 0, (1u << 24) - 1);
    carry(&p, KIT_HOST, 2, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 0);
    carry(&p, KIT_HOST, 2, 1);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 1);
    pair_free(&p);
}

/* The host at phase 1, its first record of it in class 0 opened by the viewer; the last one of class 2 under
 * phase 0 still on its way. */
static struct pair pair_in_update(struct record *late) {
    struct pair p = pair_new(4);
    carry(&p, KIT_VIEWER, 0, 1);
    for (unsigned i = 0; i < 3; i++)
        carry(&p, KIT_HOST, 2, 1);
    *late = seal(&p, KIT_HOST, 2, 'l');
    carry(&p, KIT_HOST, 0, 2);
    assert_int_equal(tas_sealer_phase(p.end[KIT_HOST]), 1);
    return p;
}

static void a_class_that_lags_opens_the_old_phase_for_thirty_seconds(void **state) {
    (void)state;
    struct record late;
    struct pair p = pair_in_update(&late);
    p.now_us = 30 * 1000 * 1000 - 1;
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &late), 'l');
    pair_free(&p);
    p = pair_in_update(&late);
    p.now_us = 30 * 1000 * 1000;
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &late), TAS_E_PROTO);
    carry(&p, KIT_HOST, 2, 3); /* the class goes on in the new phase, from 0 */
    carry(&p, KIT_HOST, 1, 3);
    pair_free(&p);
}

static void a_class_never_goes_back_to_the_old_phase(void **state) {
    (void)state;
    struct record late;
    struct pair p = pair_in_update(&late);
    for (unsigned n = 0; n < 3; n++) /* up to the counter that the late one has */
        carry(&p, KIT_HOST, 2, 3);
    assert_int_equal(late.bytes[7], 3);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &late), TAS_E_PROTO);
    pair_free(&p);
}

static void a_record_that_only_claims_the_next_phase_changes_nothing(void **state) {
    (void)state;
    struct pair p = pair_new(0);
    struct record rec = seal(&p, KIT_HOST, 0, 7), forged = rec;
    for (unsigned phase = 1; phase < 4; phase++) {
        forged.bytes[0] = (uint8_t)phase;
        assert_int_equal(open_sealed(&p, KIT_VIEWER, &forged), phase == 1 ? TAS_E_AUTH : TAS_E_PROTO);
    }
    assert_int_equal(tas_sealer_phase(p.end[KIT_VIEWER]), 0);
    assert_int_equal(open_sealed(&p, KIT_VIEWER, &rec), 7);
    pair_free(&p);
}

/* A relay that keeps the order within a class and direction and else does as it likes. A record two phases
 * ahead of a class that lags is held back, as 2^24 records or an hour would hold it. */
enum { QUEUE = 256 };

struct lane {
    struct record rec[QUEUE];
    uint32_t phase[QUEUE];
    size_t head, tail;
};

struct relay {
    struct pair p;
    struct lane lane[2][TAS_CLASSES];
    uint32_t opened[2][TAS_CLASSES]; /* phase of the last record opened, by sender */
    uint32_t base[2];                /* what the receiver calls n */
};

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void relay_send(struct relay *r, unsigned from, unsigned cls, uint8_t what) {
    struct lane *lane = &r->lane[from][cls];
    if (lane->tail == QUEUE)
        return;
    lane->rec[lane->tail] = seal(&r->p, from, (uint8_t)cls, what);
    lane->phase[lane->tail++] = tas_sealer_phase(r->p.end[from]);
}

/* True: something moved. */
static bool relay_deliver(struct relay *r, unsigned from, unsigned cls) {
    struct lane *lane = &r->lane[from][cls];
    if (lane->head == lane->tail || lane->phase[lane->head] > r->base[from] + 1)
        return false;
    int got = open_sealed(&r->p, !from, &lane->rec[lane->head]);
    assert_true(got >= 0);
    r->opened[from][cls] = lane->phase[lane->head++];
    bool all = true;
    for (unsigned i = 0; i < TAS_CLASSES; i++)
        all = all && r->opened[from][i] > r->base[from];
    r->base[from] += all;
    return true;
}

static void update_survives_any_order_that_a_relay_may_cause(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        uint32_t random = seed * 0x9e3779b1u;
        struct relay *r = calloc(1, sizeof(*r));
        assert_non_null(r);
        r->p = pair_new(4);
        for (unsigned i = 0; i < 1200; i++) {
            uint32_t x = next_random(&random);
            unsigned from = x & 1, cls = x >> 1 & 3;
            if (x >> 8 & 1)
                relay_send(r, from, cls, (uint8_t)i);
            else
                (void)relay_deliver(r, from, cls);
        }
        for (bool moved = true; moved;) { /* the rest */
            moved = false;
            for (unsigned i = 0; i < 2 * TAS_CLASSES; i++)
                moved |= relay_deliver(r, i / TAS_CLASSES, i % TAS_CLASSES);
        }
        assert_true(tas_sealer_phase(r->p.end[0]) >= 2);
        pair_free(&r->p);
        free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_all_classes_arrive_in_both_directions_at_any_interleaving),
        cmocka_unit_test(one_class_may_overtake_another),
        cmocka_unit_test(a_replayed_skipped_or_reordered_record_is_refused_and_the_right_one_still_opens),
        cmocka_unit_test(a_changed_bit_anywhere_in_a_record_is_refused),
        cmocka_unit_test(a_record_cut_anywhere_or_too_long_is_refused),
        cmocka_unit_test(every_other_pf_than_the_sealed_one_is_refused),
        cmocka_unit_test(a_record_moved_to_another_class_is_refused),
        cmocka_unit_test(own_records_that_come_back_are_refused),
        cmocka_unit_test(records_of_another_session_or_slot_are_refused),
        cmocka_unit_test(records_of_another_generation_are_late_and_those_of_a_group_refused),
        cmocka_unit_test(only_what_the_protocol_allows_is_sealed),
        cmocka_unit_test(a_counter_never_passes_its_limit),
        cmocka_unit_test(a_record_with_a_counter_of_the_other_half_is_not_taken_for_a_small_one),
        cmocka_unit_test(phases_go_on_at_both_ends_with_all_classes_interleaved),
        cmocka_unit_test(a_sender_alone_never_updates),
        cmocka_unit_test(time_updates_too),
        cmocka_unit_test(the_limit_of_records_is_two_to_the_24),
        cmocka_unit_test(a_class_that_lags_opens_the_old_phase_for_thirty_seconds),
        cmocka_unit_test(a_class_never_goes_back_to_the_old_phase),
        cmocka_unit_test(a_record_that_only_claims_the_next_phase_changes_nothing),
        cmocka_unit_test(update_survives_any_order_that_a_relay_may_cause),
    };
    return cmocka_run_group_tests(tests, make_kit, NULL);
}
