#include "admin/audit_hash.h"

#include "crypto/crypto.h"

enum { PURPOSE = 16, KEYSET_SIGNED_MAX = 2048 };

/* Everything that is hashed or signed begins with 16 bytes that say for what. */
static struct tas_writer begin(uint8_t *out, size_t cap, const char *purpose) {
    struct tas_writer w = tas_writer_of(out, cap);
    size_t len = strlen(purpose);
    tas_write_bytes(&w, purpose, len);
    tas_write_zero(&w, PURPOSE - len);
    return w;
}

int audit_hash_genesis(uint8_t out[32], int64_t company_id) {
    uint8_t bytes[PURPOSE + 4];
    if (company_id < 0 || company_id > UINT32_MAX)
        return TAS_E_LIMIT;
    struct tas_writer w = begin(bytes, sizeof(bytes), "TSK1 chain");
    tas_write_u32(&w, (uint32_t)company_id);
    return audit_hash_plain(out, tas_bytes_of(bytes, w.len));
}

int audit_hash_event(uint8_t out[32], const struct audit_hashed *e) {
    uint8_t bytes[PURPOSE + 32 + 4 + 4 * 8 + 2];
    uint8_t kind_len[2];
    uint8_t detail_len[4];
    if (e->company_id < 0 || e->company_id > UINT32_MAX || e->actor.len > UINT16_MAX ||
        e->kind.len > UINT16_MAX || e->detail.len > UINT32_MAX)
        return TAS_E_LIMIT;
    struct tas_writer head = begin(bytes, sizeof(bytes), "TSK1 event");
    tas_write_bytes(&head, e->before, 32);
    tas_write_u32(&head, (uint32_t)e->company_id);
    tas_write_u64(&head, (uint64_t)e->seq);
    tas_write_u64(&head, e->id);
    tas_write_u64(&head, e->session_id);
    tas_write_u64(&head, (uint64_t)e->at);
    tas_write_u16(&head, (uint16_t)e->actor.len);
    struct tas_writer kind = tas_writer_of(kind_len, sizeof(kind_len));
    tas_write_u16(&kind, (uint16_t)e->kind.len);
    struct tas_writer detail = tas_writer_of(detail_len, sizeof(detail_len));
    tas_write_u32(&detail, (uint32_t)e->detail.len);
    const struct tas_bytes parts[] = {tas_bytes_of(bytes, head.len),
                                      e->actor,
                                      tas_bytes_of(kind_len, sizeof(kind_len)),
                                      e->kind,
                                      tas_bytes_of(detail_len, sizeof(detail_len)),
                                      e->detail};
    return tas_crypto_sodium.sha256(out, parts, sizeof(parts) / sizeof(parts[0]));
}

int audit_hash_plain(uint8_t out[32], struct tas_bytes bytes) {
    return tas_crypto_sodium.sha256(out, &bytes, 1);
}

int audit_hash_checkpoint(const uint8_t sig[64], const uint8_t pk[32], int64_t company_id, int64_t seq,
                          const uint8_t hash[32], int64_t at) {
    uint8_t bytes[PURPOSE + 4 + 8 + 32 + 8];
    if (company_id < 0 || company_id > UINT32_MAX)
        return TAS_E_AUTH;
    struct tas_writer w = begin(bytes, sizeof(bytes), "TSK1 checkpoint");
    tas_write_u32(&w, (uint32_t)company_id);
    tas_write_u64(&w, (uint64_t)seq);
    tas_write_bytes(&w, hash, 32);
    tas_write_u64(&w, (uint64_t)at);
    return tas_ed25519_verify(&tas_crypto_sodium, sig, pk, tas_bytes_of(bytes, w.len));
}

int audit_hash_keyset(const uint8_t sig[64], const uint8_t root[32], struct tas_bytes signed_part) {
    uint8_t bytes[KEYSET_SIGNED_MAX];
    struct tas_writer w = begin(bytes, sizeof(bytes), "TSK1 keyset");
    tas_write_bytes(&w, signed_part.ptr, signed_part.len);
    return w.bad ? TAS_E_AUTH : tas_ed25519_verify(&tas_crypto_sodium, sig, root, tas_bytes_of(bytes, w.len));
}
