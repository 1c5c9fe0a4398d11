/* What strangers and administrators feed the relay: HELLO and PROOF, records for a queue, a configuration.
 * The first byte says which. Laws: nothing unsigned is admitted; a queue gives back the records of each class
 * whole and in order; a configuration is refused with words or gives values within their ranges. */
#include "relay/admit.h"
#include "relay/queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- HELLO and PROOF; the rest of the input is laid over a sound HELLO, so that the fuzzer gets past the
 * form: pairs of offset and value ---- */

enum { NOW_MS = 1000000000, RELAY_ID = 7 };

static void public_of(uint8_t pk[32], const uint8_t seed[32]) {
    int err = tas_crypto_native()->ed25519_public(pk, seed);
    assert(err == TAS_OK);
}

static void sound_hello(uint8_t out[224], const uint8_t signer[32], const uint8_t pop_pk[32]) {
    struct tas_msg_ticket t = {.ver = 1,
                               .kid = 3,
                               .role = TAS_ROLE_HOST,
                               .session_id = 5,
                               .not_before_ms = NOW_MS,
                               .connect_ttl_s = 60,
                               .session_ttl_s = 900,
                               .relay_ids = {RELAY_ID},
                               .kind = 1};
    struct tas_msg_hello hello = {.magic = TAS_MAGIC, .ver_min = 1, .ver_max = 1, .rx_limit = 65536};
    memcpy(t.pop_pk, pop_pk, 32);
    int err = tas_msg_ticket_encode(&t, hello.ticket, sizeof(hello.ticket));
    assert(err == sizeof(hello.ticket));
    struct tas_bytes part = tas_bytes_of(hello.ticket, TAS_TICKET_SIGNED);
    err = tas_sign(tas_crypto_native(), hello.ticket + TAS_TICKET_SIGNED, signer, "TSK1 ticket", &part, 1);
    assert(err == TAS_OK);
    err = tas_msg_hello_encode(&hello, out, 224);
    assert(err == 224);
}

static void admit(struct tas_bytes in) {
    static const uint8_t signer[32] = {1}, holder[32] = {2};
    static struct relay_config config;
    static uint8_t sound[224];
    if (config.n_ticket_keys == 0) {
        uint8_t pop_pk[32];
        config = (struct relay_config){.relay_id = RELAY_ID, .n_ticket_keys = 1};
        config.ticket_keys[0] = (struct tas_msg_keyset_key){.kid = 3, .use = 1, .to_ms = 2u * NOW_MS};
        public_of(config.ticket_keys[0].pk, signer);
        public_of(pop_pk, holder);
        sound_hello(sound, signer, pop_pk);
    }
    uint8_t hello[224];
    memcpy(hello, sound, sizeof(hello));
    bool is_plain = in.len > 0 && in.ptr[0] % 2;
    struct tas_bytes given = tas_bytes_of(hello, sizeof(hello));
    if (is_plain)
        given = tas_bytes_of(in.ptr + 1, in.len - 1);
    for (size_t i = 1; !is_plain && i + 1 < in.len; i += 2)
        hello[in.ptr[i] % sizeof(hello)] = in.ptr[i + 1];
    struct relay_admission a;
    memset(&a, 0xee, sizeof(a));
    unsigned code = relay_admit_hello(&a, given, &config, tas_crypto_native(), NOW_MS);
    assert(code <= TAS_CLOSE_BYE);
    if (code) {
        for (size_t i = 0; i < sizeof(a); i++)
            assert(((const uint8_t *)&a)[i] == 0xee); /* nothing is left behind */
        return;
    }
    assert(given.len == 224 && memcmp(given.ptr + 32, sound + 32, 192) == 0); /* nobody else can sign */
    assert(a.rx_limit >= 65536 && a.rx_limit <= 262144 && a.ticket.slot == 0);
    uint8_t challenge[48] = {1}, cb[32] = {0};
    uint8_t proof[64] = {0};
    assert(relay_admit_proof(&a, tas_bytes_of(proof, 64), challenge, cb, tas_crypto_native()) ==
           TAS_CLOSE_PROOF);
    assert(relay_admit_proof(&a, given, challenge, cb, tas_crypto_native()) == TAS_CLOSE_PROOF);
}

/* ---- the queue: each byte pushes a record or takes what is to be sent; every record has its number ---- */

static void take(struct relay_queue *q, uint32_t next[TAS_CLASSES]) {
    unsigned cls = TAS_CLASSES;
    struct tas_bytes out = relay_queue_peek(q, TAS_RECORD_HEAD + TAS_RECORD_MAX, &cls);
    assert((out.len == 0) == (q->len == 0));
    if (out.len == 0)
        return;
    assert(cls < TAS_CLASSES && out.len <= q->len && out.len <= TAS_RECORD_HEAD + TAS_RECORD_MAX);
    for (unsigned higher = 0; higher < cls && higher < TAS_CLASS_SCREEN; higher++)
        assert(q->by_class[higher].len == 0);
    for (struct tas_bytes left = out; left.len;) {
        struct tas_record rec;
        size_t used;
        int err = tas_record_decode(&rec, &used, left);
        assert(err == TAS_OK && (rec.pf & TAS_PF_CLASS) == cls);
        struct tas_reader r = tas_reader_of(rec.payload);
        assert(tas_read_u32(&r) == next[cls]++);
        left = tas_bytes_of(left.ptr + used, left.len - used);
    }
    relay_queue_drop(q, cls, out.len);
}

static void queue(struct tas_bytes in) {
    static uint8_t payload[TAS_RECORD_MAX];
    struct relay_queue q;
    uint32_t pushed[TAS_CLASSES] = {0}, next[TAS_CLASSES] = {0};
    relay_queue_init(&q, 65536);
    for (size_t i = 0; i < in.len && i < 4096; i++) {
        uint8_t op = in.ptr[i];
        uint8_t cls = op & 3;
        if (op >= 0xc0) {
            take(&q, next);
            continue;
        }
        struct tas_writer w = tas_writer_of(payload, 4);
        tas_write_u32(&w, pushed[cls]);
        size_t n = op >= 0x80 ? TAS_RECORD_MAX : 4 + (size_t)(op >> 2) * 97;
        size_t before = q.len;
        int err = relay_queue_push(&q, 0x10, cls, 1, tas_bytes_of(payload, n));
        assert(err == TAS_OK || err == TAS_E_FULL);
        assert(err == TAS_OK || relay_queue_is_full(&q)); /* one that was read is never dropped */
        assert(q.len == before + (err == TAS_OK ? TAS_RECORD_HEAD + n : 0));
        pushed[cls] += err == TAS_OK;
    }
    while (q.len)
        take(&q, next);
    assert(memcmp(pushed, next, sizeof(next)) == 0);
    relay_queue_fini(&q);
}

/* ---- configuration ---- */

static void config(struct tas_bytes in) {
    char path[64], why[TAS_CONF_WHY] = "";
    int fd = memfd_create("relay.conf", MFD_CLOEXEC);
    assert(fd >= 0);
    ssize_t put = write(fd, in.ptr, in.len);
    assert(put == (ssize_t)in.len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct relay_config *c = relay_config_load(path, why);
    close(fd);
    assert(c || why[0]);
    if (!c)
        return;
    assert(c->relay_id > 0 && c->n_listen > 0 && c->n_listen <= RELAY_LISTEN_MAX && c->threads > 0);
    assert(c->n_ticket_keys > 0 && c->n_ticket_keys <= TAS_KEYSET_MAX_KEYS);
    assert(c->certificate && c->private_key && c->http && c->user);
    relay_config_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    struct tas_bytes rest = tas_bytes_of(data + 1, len - 1);
    switch (data[0] % 3) {
    case 0:
        admit(rest);
        break;
    case 1:
        queue(rest);
        break;
    default:
        config(rest);
    }
    return 0;
}
