/* Who may join, what waits for an end, and what a configuration may say: the parts of the relay without I/O.
 */
#include "relay/admit.h"
#include "relay/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { RELAY = 7, KID = 3, SECOND = 1000, RESUME = 1 };

static const uint64_t T0 = UINT64_C(1763800000000);
static const uint8_t signer[32] = {1}, holder[32] = {2}, stranger[32] = {3};

static const struct tas_crypto *crypto;
static struct relay_config config;
static struct tas_msg_ticket ticket;
static struct tas_msg_hello hello;
static uint8_t hello_bytes[224];
static struct relay_admission admission;

/* A relay, and a viewer whose ticket is as it should be at T0. */
static int sound(void **state) {
    (void)state;
    crypto = tas_crypto_native();
    config = (struct relay_config){.relay_id = RELAY, .n_ticket_keys = 1};
    config.ticket_keys[0] = (struct tas_msg_keyset_key){
        .kid = KID, .use = TAS_USE_TICKET, .from_ms = T0 - 3600 * SECOND, .to_ms = T0 + 3600 * SECOND};
    ticket = (struct tas_msg_ticket){
        .ver = 1,
        .kid = KID,
        .role = TAS_ROLE_VIEWER,
        .slot = 1,
        .max_viewers = 1,
        .session_id = 42,
        .not_before_ms = T0,
        .connect_ttl_s = 60,
        .session_ttl_s = 900,
        .relay_ids = {0, 99, RELAY, 0},
        .kind = 1,
    };
    hello = (struct tas_msg_hello){.magic = TAS_MAGIC, .ver_min = 1, .ver_max = 1, .rx_limit = 65536};
    return crypto->ed25519_public(config.ticket_keys[0].pk, signer) != TAS_OK ||
           crypto->ed25519_public(ticket.pop_pk, holder) != TAS_OK;
}

static void sign_with(const uint8_t seed[32], const char *domain) {
    assert_int_equal(tas_msg_ticket_encode(&ticket, hello.ticket, 192), 192);
    struct tas_bytes part = tas_bytes_of(hello.ticket, TAS_TICKET_SIGNED);
    assert_int_equal(tas_sign(crypto, hello.ticket + 128, seed, domain, &part, 1), TAS_OK);
    assert_int_equal(tas_msg_hello_encode(&hello, hello_bytes, 224), 224);
}

static unsigned given(const void *bytes, size_t len, uint64_t now_ms) {
    return relay_admit_hello(&admission, tas_bytes_of(bytes, len), &config, crypto, now_ms);
}

static unsigned at(uint64_t now_ms) {
    sign_with(signer, "TSK1 ticket");
    return given(hello_bytes, 224, now_ms);
}

/* ---- HELLO ---- */

static void a_sound_ticket_is_admitted_as_what_it_says(void **state) {
    (void)state;
    ticket.rate_Bps = 1000;
    hello.rx_limit = 262144;
    assert_int_equal(at(T0), 0);
    assert_int_equal(admission.ticket.session_id, 42);
    assert_int_equal(admission.ticket.slot, 1);
    assert_int_equal(admission.ticket.rate_Bps, 1000);
    assert_int_equal(admission.rx_limit, 262144);
    assert_memory_equal(admission.hello, hello_bytes, 224);
    ticket.session_id = 43; /* a ticket of another session is simply another session */
    assert_int_equal(at(T0), 0);
    assert_int_equal(admission.ticket.session_id, 43);
    ticket.role = TAS_ROLE_HOST;
    ticket.slot = 0;
    assert_int_equal(at(T0), 0);
    assert_int_equal(admission.ticket.slot, 0);
}

static void clocks_may_differ_by_30_s_and_not_by_a_millisecond_more(void **state) {
    (void)state;
    assert_int_equal(at(T0 - 30 * SECOND), 0);
    assert_int_equal(at(T0 - 30 * SECOND - 1), TAS_CLOSE_EXPIRED);
    assert_int_equal(at(T0 + 90 * SECOND - 1), 0);
    assert_int_equal(at(T0 + 90 * SECOND), TAS_CLOSE_EXPIRED);
    hello.flags = RESUME;
    assert_int_equal(at(T0 - 30 * SECOND - 1), TAS_CLOSE_EXPIRED);
    assert_int_equal(at(T0 + 90 * SECOND), 0);
    assert_int_equal(at(T0 + 930 * SECOND - 1), 0);
    assert_int_equal(at(T0 + 930 * SECOND), TAS_CLOSE_EXPIRED);
    ticket.session_ttl_s = 10; /* shorter than to connect: still what counts for RESUME */
    assert_int_equal(at(T0 + 40 * SECOND - 1), 0);
    assert_int_equal(at(T0 + 40 * SECOND), TAS_CLOSE_EXPIRED);
    hello.flags = 0;
    ticket.connect_ttl_s = 0;
    assert_int_equal(at(T0 + 30 * SECOND - 1), 0);
    assert_int_equal(at(T0 + 30 * SECOND), TAS_CLOSE_EXPIRED);
}

static void a_ticket_that_wants_to_live_too_long_is_refused(void **state) {
    (void)state;
    ticket.connect_ttl_s = 61;
    assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
    ticket.connect_ttl_s = UINT32_MAX;
    assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
    ticket.connect_ttl_s = 60;
    ticket.session_ttl_s = 901; /* also where the other one counts */
    assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
    ticket.session_ttl_s = UINT32_MAX;
    hello.flags = RESUME;
    assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
}

static void times_at_the_end_of_their_range_do_not_wrap(void **state) {
    (void)state;
    static const uint64_t ends[] = {UINT64_MAX,          UINT64_MAX - 29999,  UINT64_MAX - 60000,
                                    UINT64_MAX - 900000, UINT64_MAX - 930000, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        ticket.not_before_ms = ends[i];
        for (hello.flags = 0; hello.flags <= RESUME; hello.flags++) {
            assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
            assert_int_equal(at(0), TAS_CLOSE_EXPIRED);
        }
    }
    ticket.not_before_ms = 0;
    hello.flags = 0;
    assert_int_equal(at(T0), TAS_CLOSE_EXPIRED);
}

static void a_forged_byte_anywhere_is_noticed(void **state) {
    (void)state;
    sign_with(signer, "TSK1 ticket");
    for (size_t i = 0; i < 192; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            hello_bytes[32 + i] ^= (uint8_t)bit;
            assert_int_not_equal(given(hello_bytes, 224, T0), 0);
            hello_bytes[32 + i] ^= (uint8_t)bit;
        }
    }
    assert_int_equal(given(hello_bytes, 224, T0), 0);
}

static void only_the_ticket_key_of_that_number_signs_tickets(void **state) {
    (void)state;
    sign_with(stranger, "TSK1 ticket");
    assert_int_equal(given(hello_bytes, 224, T0), TAS_CLOSE_TICKET);
    sign_with(holder, "TSK1 ticket"); /* one who signs for himself */
    assert_int_equal(given(hello_bytes, 224, T0), TAS_CLOSE_TICKET);
    sign_with(signer, "TSK1 statement"); /* the right key for another purpose */
    assert_int_equal(given(hello_bytes, 224, T0), TAS_CLOSE_TICKET);
    ticket.kid = KID + 1;
    assert_int_equal(at(T0), TAS_CLOSE_TICKET);
    config.ticket_keys[1] = config.ticket_keys[0];
    config.ticket_keys[1].kid = KID + 1;
    assert_int_equal(at(T0), TAS_CLOSE_TICKET); /* there, but not counted */
    config.n_ticket_keys = 2;
    assert_int_equal(at(T0), 0);
    assert_int_equal(crypto->ed25519_public(config.ticket_keys[1].pk, stranger), TAS_OK);
    assert_int_equal(at(T0), TAS_CLOSE_TICKET);
}

static void a_key_signs_only_in_its_time(void **state) {
    (void)state;
    struct tas_msg_keyset_key *key = &config.ticket_keys[0];
    key->from_ms = T0 + 30 * SECOND;
    assert_int_equal(at(T0), 0);
    key->from_ms++;
    assert_int_equal(at(T0), TAS_CLOSE_TICKET);
    key->from_ms = 0;
    key->to_ms = T0 - 30 * SECOND;
    assert_int_equal(at(T0), TAS_CLOSE_TICKET);
    key->to_ms++;
    assert_int_equal(at(T0), 0);
}

static void a_ticket_counts_at_the_relays_that_it_lists(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        memset(ticket.relay_ids, 0, sizeof(ticket.relay_ids));
        assert_int_equal(at(T0), TAS_CLOSE_WRONG_RELAY);
        ticket.relay_ids[i] = RELAY;
        assert_int_equal(at(T0), 0);
    }
}

static void a_place_that_does_not_exist_is_refused(void **state) {
    (void)state;
    static const uint8_t wrong[][2] = {/* role, slot */
                                       {TAS_ROLE_HOST, 1},
                                       {TAS_ROLE_VIEWER, 0},
                                       {TAS_ROLE_VIEWER, 2},
                                       {TAS_ROLE_VIEWER, 15},
                                       {TAS_ROLE_VIEWER, 16},
                                       {TAS_ROLE_VIEWER, 255},
                                       {0, 0},
                                       {0, 1},
                                       {3, 0},
                                       {3, 1},
                                       {255, 1}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ticket.role = wrong[i][0];
        ticket.slot = wrong[i][1];
        assert_int_equal(at(T0), TAS_CLOSE_TICKET);
    }
    ticket.role = TAS_ROLE_VIEWER;
    ticket.slot = 1;
    for (unsigned kind = 0; kind < 256; kind++) { /* 2, browsers, without a binding: not carried yet */
        ticket.kind = (uint8_t)kind;
        assert_int_equal(at(T0), kind == 1 ? 0 : TAS_CLOSE_TICKET);
    }
    ticket.kind = 1;
    for (unsigned ver = 0; ver < 256; ver++) {
        ticket.ver = (uint8_t)ver;
        assert_int_equal(at(T0), ver == 1 ? 0 : TAS_CLOSE_TICKET);
    }
}

static void a_hello_of_another_form_is_a_bad_record(void **state) {
    (void)state;
    static const struct {
        uint8_t min, max;
        unsigned code;
    } versions[] = {{1, 1, 0}, {0, 1, 0}, {1, 9, 0}, {0, 255, 0}, {2, 9, 1}, {0, 0, 1}, {1, 0, 1}, {2, 1, 1}};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        hello.ver_min = versions[i].min;
        hello.ver_max = versions[i].max;
        assert_int_equal(at(T0), versions[i].code);
    }
    hello.ver_min = hello.ver_max = 1;
    static const uint32_t limits[] = {0, 65535, 262145, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        hello.rx_limit = limits[i];
        assert_int_equal(at(T0), TAS_CLOSE_BAD_RECORD);
    }
    hello.rx_limit = 65536;
    hello.magic ^= 1;
    assert_int_equal(at(T0), TAS_CLOSE_BAD_RECORD);
    hello.magic ^= 1;
    assert_int_equal(at(T0), 0);
    uint8_t longer[225] = {0};
    memcpy(longer, hello_bytes, 224);
    assert_int_equal(given(longer, 225, T0), TAS_CLOSE_BAD_RECORD);
    for (size_t len = 0; len < 224; len++)
        assert_int_equal(given(hello_bytes, len, T0), TAS_CLOSE_BAD_RECORD);
}

static void a_refused_hello_leaves_the_admission_alone(void **state) {
    (void)state;
    struct relay_admission before;
    memset(&admission, 0x5a, sizeof(admission));
    memcpy(&before, &admission, sizeof(before));
    assert_int_equal(at(T0 + 3600 * SECOND), TAS_CLOSE_EXPIRED);
    assert_memory_equal(&admission, &before, sizeof(before));
}

/* ---- PROOF ---- */

static void prove(uint8_t proof[64], const uint8_t seed[32], const uint8_t challenge[48],
                  const uint8_t cb[32]) {
    uint8_t digest[32];
    const struct tas_bytes both[] = {tas_bytes_of(hello_bytes, 224), tas_bytes_of(challenge, 48)};
    assert_int_equal(crypto->sha256(digest, both, 2), TAS_OK);
    const struct tas_bytes parts[] = {tas_bytes_of(digest, 32), tas_bytes_of(cb, 32)};
    assert_int_equal(tas_sign(crypto, proof, seed, "TSK1 pop", parts, 2), TAS_OK);
}

static unsigned proven(const uint8_t proof[64], const uint8_t challenge[48], const uint8_t cb[32]) {
    return relay_admit_proof(&admission, tas_bytes_of(proof, 64), challenge, cb, crypto);
}

static void a_proof_holds_for_its_hello_challenge_connection_and_key_only(void **state) {
    (void)state;
    uint8_t cb[32] = {9}, challenge[48] = {1, 0, 0, 0, 0, 0, 0, RELAY}, proof[64];
    assert_int_equal(at(T0), 0);
    prove(proof, holder, challenge, cb);
    assert_int_equal(proven(proof, challenge, cb), 0);
    for (size_t i = 0; i < 32; i++) { /* replayed over another connection */
        cb[i] ^= 1;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
        cb[i] ^= 1;
    }
    for (size_t i = 0; i < 48; i++) { /* replayed for another nonce, or made for another relay */
        challenge[i] ^= 1;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
        challenge[i] ^= 1;
    }
    for (size_t i = 0; i < 224; i++) { /* for another HELLO */
        admission.hello[i] ^= 1;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
        admission.hello[i] ^= 1;
    }
    for (size_t i = 0; i < 64; i++) {
        proof[i] ^= 1;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
        proof[i] ^= 1;
    }
    assert_int_equal(proven(proof, challenge, cb), 0);
    assert_int_equal(relay_admit_proof(&admission, tas_bytes_of(proof, 63), challenge, cb, crypto),
                     TAS_CLOSE_PROOF);
    prove(proof, signer, challenge, cb); /* not even the management server holds this key */
    assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
    prove(proof, stranger, challenge, cb);
    assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
}

/* Small order: a signature of zeros would hold for everything. */
static void a_key_of_small_order_proves_nothing(void **state) {
    (void)state;
    static const uint8_t points[][32] = {{0}, {1}};
    uint8_t cb[32] = {9}, challenge[48] = {1}, proof[64] = {0};
    for (size_t i = 0; i < 2; i++) {
        memcpy(ticket.pop_pk, points[i], 32);
        assert_int_equal(at(T0), 0);
        proof[0] = 0;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
        proof[0] = 1;
        assert_int_equal(proven(proof, challenge, cb), TAS_CLOSE_PROOF);
    }
}

/* ---- queue ---- */

enum { BATCH = TAS_RECORD_HEAD + TAS_RECORD_MAX };

static struct relay_queue q;
static uint8_t zeros[TAS_RECORD_MAX];

static int empty_queue(void **state) {
    (void)state;
    relay_queue_init(&q, 65536);
    return 0;
}

static int drop_queue(void **state) {
    (void)state;
    relay_queue_fini(&q);
    return 0;
}

static void push(uint8_t cls, size_t len) {
    assert_int_equal(relay_queue_push(&q, TAS_RECORD_DATA, cls, 1, tas_bytes_of(zeros, len)), TAS_OK);
}

/* The class of what goes out next, which then is out; -1: nothing. */
static int pop(void) {
    unsigned cls;
    struct tas_bytes out = relay_queue_peek(&q, BATCH, &cls);
    if (out.len == 0)
        return -1;
    relay_queue_drop(&q, cls, out.len);
    return (int)cls;
}

static void a_queued_record_has_its_source_as_route(void **state) {
    (void)state;
    static const uint8_t golden[] = {
        0x10,                   /* DATA */
        0x0e,                   /* class 2, UNIT_START, UNIT_END */
        0x00, 0x01,             /* from slot 1 */
        0x00, 0x00, 0x00, 0x02, /* two bytes */
        0xaa, 0xbb,
    };
    unsigned cls;
    assert_int_equal(relay_queue_push(&q, 0x10, 0x0e, 1, tas_bytes_of(golden + 8, 2)), TAS_OK);
    assert_int_equal(q.len, sizeof(golden));
    struct tas_bytes out = relay_queue_peek(&q, BATCH, &cls);
    assert_int_equal(cls, 2);
    assert_int_equal(out.len, sizeof(golden));
    assert_memory_equal(out.ptr, golden, sizeof(golden));
    relay_queue_drop(&q, cls, out.len);
    assert_int_equal(q.len, 0);
    assert_int_equal(pop(), -1);
}

static void control_goes_first_then_small_then_the_rest(void **state) {
    (void)state;
    push(3, 100);
    push(2, 100);
    push(1, 100);
    push(0, 100);
    assert_int_equal(pop(), 0);
    assert_int_equal(pop(), 1);
    push(0, 0); /* a newer one overtakes again */
    assert_int_equal(pop(), 0);
    assert_int_equal(pop(), 2);
    assert_int_equal(pop(), 3);
    assert_int_equal(pop(), -1);
}

static void screen_and_bulk_share_eight_to_one(void **state) {
    (void)state;
    unsigned sent[4] = {0};
    unsigned since_bulk = 0;
    for (int i = 0; i < 900; i++) {
        while (q.by_class[2].len < 20000)
            push(2, TAS_RECORD_MAX);
        while (q.by_class[3].len < 20000)
            push(3, TAS_RECORD_MAX);
        int cls = pop();
        assert_true(cls == 2 || cls == 3);
        sent[cls]++;
        since_bulk = cls == 3 ? 0 : since_bulk + 1;
        assert_in_range(since_bulk, 0, 8);
    }
    assert_int_equal(sent[2], 800);
    assert_int_equal(sent[3], 100);
}

static void bulk_alone_has_all_and_screen_does_not_wait_for_it(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        push(3, 1000);
        assert_int_equal(pop(), 3);
    }
    for (int i = 0; i < 20; i++) {
        push(2, 1000);
        assert_int_equal(pop(), 2);
    }
}

static void it_is_full_at_its_limit_and_takes_what_was_read_before(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_false(relay_queue_is_full(&q));
        push(2, TAS_RECORD_MAX);
    }
    assert_true(relay_queue_is_full(&q)); /* 4 x 16384 = 65536 */
    for (int i = 0; i < 4; i++)
        push(i % 4 ? 3 : 0, TAS_RECORD_MAX); /* headroom: two buffers full of records may be on their way */
    size_t len = q.len;
    assert_int_equal(relay_queue_push(&q, 0x10, 0, 1, tas_bytes_of(zeros, 0)), TAS_E_FULL);
    assert_int_equal(q.len, len);
    assert_int_equal(pop(), 0);
    push(0, 0);
}

static void a_batch_holds_whole_records_only_and_at_least_one(void **state) {
    (void)state;
    unsigned cls;
    for (int i = 0; i < 5; i++)
        push(2, 92); /* 100 with head */
    assert_int_equal(relay_queue_peek(&q, 499, &cls).len, 400);
    assert_int_equal(relay_queue_peek(&q, 500, &cls).len, 500);
    assert_int_equal(relay_queue_peek(&q, 100, &cls).len, 100);
    assert_int_equal(relay_queue_peek(&q, 1, &cls).len, 100);
    assert_int_equal(relay_queue_peek(&q, BATCH, &cls).len, 500);
}

/* Random pushes and drains: within a class everything comes out whole and in the order in which it came. */
static void order_within_a_class_is_kept_and_no_record_is_cut(void **state) {
    (void)state;
    uint32_t random = 12345, pushed[4] = {0}, popped[4] = {0};
    static uint8_t payload[TAS_RECORD_MAX];
    size_t bytes_in = 0, bytes_out = 0;
    for (int i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        unsigned cls = random >> 30;
        if (random & 1 << 20 && !relay_queue_is_full(&q)) {
            size_t len =
                random >> 8 & 7 ? 4 + (random >> 11 & 255) : 4 + (random >> 11) % (TAS_RECORD_MAX - 3);
            memset(payload, (int)(pushed[cls] & 0xff), len);
            memcpy(payload, &pushed[cls], 4);
            assert_int_equal(relay_queue_push(&q, 0x10, (uint8_t)cls, 0, tas_bytes_of(payload, len)), TAS_OK);
            pushed[cls]++;
            bytes_in += 8 + len;
            continue;
        }
        struct tas_bytes out = relay_queue_peek(&q, BATCH, &cls);
        if (out.len == 0)
            continue;
        assert_in_range(out.len, 1, BATCH);
        for (struct tas_bytes left = out; left.len;) {
            struct tas_record rec;
            size_t used;
            uint32_t number;
            assert_int_equal(tas_record_decode(&rec, &used, left), TAS_OK);
            assert_int_equal(rec.pf, cls);
            memcpy(&number, rec.payload.ptr, 4);
            assert_int_equal(number, popped[cls]++);
            for (size_t k = 4; k < rec.payload.len; k++)
                if (rec.payload.ptr[k] != (number & 0xff))
                    fail_msg("byte %zu of record %u", k, number);
            left = tas_bytes_of(left.ptr + used, left.len - used);
        }
        bytes_out += out.len;
        relay_queue_drop(&q, cls, out.len);
        assert_int_equal(q.len, bytes_in - bytes_out);
    }
    assert_in_range(bytes_out, 10000000, SIZE_MAX);
}

/* ---- configuration ---- */

#define KEY "public_key = \"0101010101010101010101010101010101010101010101010101010101010101\""
#define BASE                                                                                                 \
    "relay_id = 5\nlisten = {\"127.0.0.1:1\", \"[::1]:2\"}\ncertificate = \"c.pem\"\nprivate_key = "         \
    "\"k.pem\"\n"                                                                                            \
    "ticket_key \"7\" { " KEY " }\n"

static char path[64];

static struct relay_config *load(const char *text, char why[TAS_CONF_WHY]) {
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    why[0] = '\0';
    return relay_config_load(path, why);
}

static int name_file(void **state) {
    (void)state;
    snprintf(path, sizeof(path), "/tmp/tasuki-test-relay-%d.conf", getpid());
    return 0;
}

static int delete_file(void **state) {
    (void)state;
    return unlink(path);
}

static void a_configuration_gives_its_values_and_the_defaults(void **state) {
    (void)state;
    char why[TAS_CONF_WHY];
    struct relay_config *c = load(BASE "alternates = {\"2\", \"4294967295\"}\nclock = \"warn\"\n", why);
    assert_string_equal(why, "");
    assert_non_null(c);
    assert_int_equal(c->relay_id, 5);
    assert_int_equal(c->n_listen, 2);
    assert_string_equal(c->listen[1], "[::1]:2");
    assert_string_equal(c->certificate, "c.pem");
    assert_string_equal(c->http, "");
    assert_string_equal(c->user, "");
    assert_false(c->needs_clock);
    assert_int_equal(c->threads, 2);
    assert_int_equal(c->drain_s, 30);
    assert_int_equal(c->alternates[1], 4294967295);
    assert_int_equal(c->alternates[2], 0);
    assert_int_equal(c->n_ticket_keys, 1);
    assert_int_equal(c->ticket_keys[0].kid, 7);
    assert_int_equal(c->ticket_keys[0].pk[31], 1);
    relay_config_free(c);
    c = load(BASE "ticket_key \"8\" { " KEY " from = 10 to = 20 }\n", why);
    assert_non_null(c);
    assert_true(c->needs_clock);
    assert_int_equal(c->ticket_keys[1].from_ms, 10000);
    assert_int_equal(c->ticket_keys[1].to_ms, 20000);
    relay_config_free(c);
}

static void each_wrong_option_is_named_with_file_and_line(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int line; /* 0: of the file as a whole */
        const char *says;
    } wrong[] = {
        {BASE "thread = 2\n", 6, "thread"},
        {BASE "\n\nthreads = 0\nuser = \"x\"\n\n", 8, "threads = 0 must be from 1 to 64"},
        {BASE "threads = 65\n", 6, "threads = 65 must be from 1 to 64"},
        {BASE "threads = two\n\n", 6, "threads"},
        {BASE "threads = -1\n\n", 6, "must be from"},
        {BASE "threads = 99999999999999999999\n\n", 6, "threads"},
        {BASE "drain_seconds = 3601\n\n", 6, "drain_seconds = 3601 must be from 0 to 3600"},
        {BASE "max_connections = 0\n", 6, "max_connections"},
        {BASE "relay_id = 0\n\n", 6, "relay_id = 0 must be from 1"},
        {BASE "user = \"x\n", 0, ""},
        {BASE "ticket_key \"8\" { " KEY "\n from = -1 }\n\n\n", 7, "from = -1 must be from 0"},
        {BASE "ticket_key \"8\" { " KEY "\n until = 1 }\n\n\n", 7, "until"},
        {BASE "ticket_key \"8\" { from = 1 }\n", 0, "public_key must be given"},
        {BASE "ticket_key \"7\" { " KEY " }\n", 0, "duplicate"},
        {BASE "ticket_key \"07\" { " KEY " }\n", 0, "kid"},
        {BASE "ticket_key \"256\" { " KEY " }\n", 0, "kid"},
        {BASE "ticket_key \"x\" { " KEY " }\n", 0, "kid"},
        {BASE "ticket_key \"\" { " KEY " }\n", 0, "kid"},
        {BASE "ticket_key \"8\" { public_key = \"0101\" }\n", 0, "64 hexadecimal digits"},
        {BASE "ticket_key \"8\" { " KEY " from = 5 to = 5 }\n", 0, "from must be before to"},
        {BASE "clock = \"maybe\"\n", 0, "clock must be"},
        {BASE "log_level = \"loud\"\n", 0, "log_level must be"},
        {BASE "alternates = {\"x\"}\n", 0, "alternates"},
        {BASE "alternates = {\"-1\"}\n", 0, "alternates"},
        {BASE "alternates = {\"4294967296\"}\n", 0, "alternates"},
        {BASE "alternates = {\"1\",\"2\",\"3\",\"4\",\"5\"}\n", 0, "at most 4"},
        {BASE "listen = {}\n", 0, "listen"},
        {BASE "listen = {\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"}\n", 0, "listen"},
        {"", 0, "must be given"},
        {"listen = {\"127.0.0.1:1\"}\ncertificate = \"c\"\nprivate_key = \"k\"\nticket_key \"7\" { " KEY
         " }\n",
         0, "relay_id"},
        {"relay_id = 5\ncertificate = \"c\"\nprivate_key = \"k\"\nticket_key \"7\" { " KEY " }\n", 0,
         "listen"},
        {"relay_id = 5\nlisten = {\"1\"}\nprivate_key = \"k\"\nticket_key \"7\" { " KEY " }\n", 0,
         "certificate"},
        {"relay_id = 5\nlisten = {\"1\"}\ncertificate = \"c\"\nticket_key \"7\" { " KEY " }\n", 0,
         "private_key"},
        {"relay_id = 5\nlisten = {\"1\"}\ncertificate = \"c\"\nprivate_key = \"k\"\n", 0, "ticket_key"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char why[TAS_CONF_WHY], start[128];
        struct relay_config *c = load(wrong[i].text, why);
        if (wrong[i].line)
            snprintf(start, sizeof(start), "%s:%d: ", path, wrong[i].line);
        else
            snprintf(start, sizeof(start), "%s:", path);
        if (c || strncmp(why, start, strlen(start)) != 0 || !strstr(why, wrong[i].says))
            fail_msg("%s\n-> %s\nexpected %s ... %s", wrong[i].text, c ? "accepted" : why, start,
                     wrong[i].says);
    }
    char why[TAS_CONF_WHY];
    assert_null(relay_config_load("/nonexistent/relay.conf", why));
    assert_string_equal(why, "/nonexistent/relay.conf: No such file or directory");
    assert_null(relay_config_load("/tmp", why));
    assert_non_null(strstr(why, "/tmp"));
}

#define FRESH(test)     cmocka_unit_test_setup(test, sound)
#define QUEUE(test)     cmocka_unit_test_setup_teardown(test, empty_queue, drop_queue)
#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, name_file, delete_file)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(a_sound_ticket_is_admitted_as_what_it_says),
        FRESH(clocks_may_differ_by_30_s_and_not_by_a_millisecond_more),
        FRESH(a_ticket_that_wants_to_live_too_long_is_refused),
        FRESH(times_at_the_end_of_their_range_do_not_wrap),
        FRESH(a_forged_byte_anywhere_is_noticed),
        FRESH(only_the_ticket_key_of_that_number_signs_tickets),
        FRESH(a_key_signs_only_in_its_time),
        FRESH(a_ticket_counts_at_the_relays_that_it_lists),
        FRESH(a_place_that_does_not_exist_is_refused),
        FRESH(a_hello_of_another_form_is_a_bad_record),
        FRESH(a_refused_hello_leaves_the_admission_alone),
        FRESH(a_proof_holds_for_its_hello_challenge_connection_and_key_only),
        FRESH(a_key_of_small_order_proves_nothing),
        QUEUE(a_queued_record_has_its_source_as_route),
        QUEUE(control_goes_first_then_small_then_the_rest),
        QUEUE(screen_and_bulk_share_eight_to_one),
        QUEUE(bulk_alone_has_all_and_screen_does_not_wait_for_it),
        QUEUE(it_is_full_at_its_limit_and_takes_what_was_read_before),
        QUEUE(a_batch_holds_whole_records_only_and_at_least_one),
        QUEUE(order_within_a_class_is_kept_and_no_record_is_cut),
        FILE_TEST(a_configuration_gives_its_values_and_the_defaults),
        FILE_TEST(each_wrong_option_is_named_with_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
