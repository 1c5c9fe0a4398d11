/* The audit chain's writer: docs/audit.md says what is hashed. `tasukictl audit verify` shares none of this.
 */
#include "manager/manager.h"

#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>

int mgr_chain_genesis(uint8_t out[32], uint32_t company_id) {
    uint8_t id[4];
    struct tas_writer w = tas_writer_of(id, sizeof(id));
    tas_write_u32(&w, company_id);
    const struct tas_bytes part = tas_bytes_of(id, sizeof(id));
    return tas_hash(tas_crypto_native(), out, "TSK1 chain", &part, 1);
}

static void write_text(struct tas_writer *w, const char *text, size_t width) {
    size_t len = strlen(text);
    tas_write_uint(w, len, width);
    tas_write_bytes(w, text, len);
}

static int chain_hash(const struct tas_crypto *c, uint8_t out[32], const uint8_t prev[32],
                      const struct store_event *e) {
    uint8_t row[STORE_DETAIL + 512];
    struct tas_writer w = tas_writer_of(row, sizeof(row));
    tas_write_bytes(&w, prev, 32);
    tas_write_u32(&w, (uint32_t)e->company_id);
    tas_write_u64(&w, (uint64_t)e->seq);
    tas_write_u64(&w, e->id);
    tas_write_u64(&w, e->session_id);
    tas_write_u64(&w, (uint64_t)e->at);
    write_text(&w, e->actor, 2);
    write_text(&w, e->kind, 2);
    write_text(&w, e->detail, 4);
    if (w.bad)
        return TAS_E_LIMIT;
    const struct tas_bytes part = tas_bytes_of(row, w.len);
    return tas_hash(c, out, "TSK1 event", &part, 1);
}

int mgr_audit(struct mgr *m, struct tas_db *db, int64_t company_id, uint64_t session_id, const char *actor,
              const char *kind, struct tas_json *detail, const uint8_t *ekey) {
    char *text = tas_json_dump(detail);
    uint8_t prev[32];
    tas_json_free(detail);
    if (!text)
        return TAS_E_NOMEM;
    struct store_event e = {
        .company_id = company_id,
        .id = mgr_new_id(m),
        .session_id = session_id,
        .at = mgr_now(),
        .actor = actor,
        .kind = kind,
        .detail = text,
        .ekey = ekey,
    };
    int err = strlen(text) > STORE_DETAIL ? TAS_E_LIMIT : store_chain_next(db, company_id, &e.seq, prev);
    if (err == TAS_OK)
        err = chain_hash(m->crypto, e.hash, prev, &e);
    if (err == TAS_OK)
        err = store_chain_put(db, &e);
    if (err == TAS_OK)
        mgr_count(&m->stats.events_total);
    free(text);
    return err;
}

const char *mgr_actor(char out[STORE_ACTOR], const char *who, const char *login) {
    snprintf(out, STORE_ACTOR, "%s:%s", who, login);
    return out;
}

/* ---- whose database this is ---- */

struct newest {
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len;
};

static int read_newest(struct tas_db *db, void *ctx) {
    struct newest *n = ctx;
    return store_keyset_newest(db, n->bytes, sizeof(n->bytes), &n->len);
}

static bool read_root(const struct mgr *m, uint8_t root[32]) {
    char path[512];
    char line[80] = "";
    snprintf(path, sizeof(path), "%s/root.pub", m->config->keys);
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(line, sizeof(line), f);
    if (f)
        fclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    return ok && tas_hex_decode(root, 32, line) == TAS_OK;
}

int mgr_check_root(struct mgr *m, struct tas_db *db) {
    struct newest n;
    struct tas_keyset set;
    uint8_t root[32];
    int err = tas_db_read(db, read_newest, &n);
    if (err != TAS_OK || !read_root(m, root))
        return err == TAS_E_ABSENT ? TAS_OK
                                   : err; /* a new database; or root.pub is not here to compare with */
    err = tas_keyset_decode(&set, tas_bytes_of(n.bytes, n.len));
    return err != TAS_OK ? TAS_E_AUTH
                         : tas_verify(m->crypto, set.sig, root, "TSK1 keyset", &set.signed_part, 1);
}
