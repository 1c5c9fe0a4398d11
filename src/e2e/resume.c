#include "e2e/resume.h"

enum { MAC_OVER = 64, SIG_OVER = 96 };

static int rs_mac(const struct tas_crypto *c, uint8_t out[32], const struct tas_generation *gen,
                  const uint8_t *rs1, const uint8_t *rs) {
    const struct tas_bytes parts[] = {tas_bytes_of(gen->th, 32), tas_bytes_of(rs1, rs1 ? TAS_SIZE_RS : 0),
                                      tas_bytes_of(rs, MAC_OVER)};
    return tas_mac(c, out, gen->resume, "TSK1 resume", parts, 3);
}

int tas_resume_make(const struct tas_crypto *c, struct tas_resume_half *out,
                    const struct tas_random_source *random, const struct tas_identity *own,
                    const struct tas_resume_pair *pair, const struct tas_generation *gen,
                    const uint8_t *rs1) {
    struct tas_msg_rs rs = {
        .type = rs1 ? TAS_RS2 : TAS_RS1,
        .ver = TAS_VERSION,
        .role = (uint8_t)own->role,
        .slot = pair->viewer_slot,
        .gen = gen->gen,
        .session_id = pair->session_id,
    };
    random->fill(random->ctx, out->e_sk, sizeof(out->e_sk));
    random->fill(random->ctx, rs.n, sizeof(rs.n));
    int err = c->x25519_public(rs.e_pk, out->e_sk);
    if (err != TAS_OK || tas_msg_rs_encode(&rs, out->bytes, sizeof(out->bytes)) < 0)
        return TAS_E_NOMEM;
    err = rs_mac(c, out->bytes + MAC_OVER, gen, rs1, out->bytes);
    if (err != TAS_OK)
        return err;
    const struct tas_bytes parts[] = {tas_bytes_of(gen->th, 32), tas_bytes_of(rs1, rs1 ? TAS_SIZE_RS : 0),
                                      tas_bytes_of(out->bytes, SIG_OVER)};
    return tas_sign(c, out->bytes + SIG_OVER, own->pop_seed, "TSK1 resume sig", parts, 3);
}

int tas_resume_check(const struct tas_crypto *c, struct tas_bytes msg, enum tas_role own_role,
                     const uint8_t peer_pop_pk[32], const struct tas_resume_pair *pair,
                     const struct tas_generation *gen, const uint8_t *rs1) {
    struct tas_msg_rs rs;
    if (tas_msg_rs_decode(&rs, msg) != TAS_OK)
        return TAS_E_PROTO;
    enum tas_role other = own_role == TAS_ROLE_HOST ? TAS_ROLE_VIEWER : TAS_ROLE_HOST;
    if (rs.type != (rs1 ? TAS_RS2 : TAS_RS1) || rs.ver != TAS_VERSION || rs.role != other ||
        rs.slot != pair->viewer_slot || rs.session_id != pair->session_id)
        return TAS_E_PROTO;
    if (rs.gen != gen->gen)
        return TAS_E_ABSENT;
    uint8_t mac[32];
    int err = rs_mac(c, mac, gen, rs1, msg.ptr);
    if (err != TAS_OK)
        return err;
    if (!tas_same_secret(mac, rs.mac, sizeof(mac)))
        return TAS_E_AUTH;
    const struct tas_bytes parts[] = {tas_bytes_of(gen->th, 32), tas_bytes_of(rs1, rs1 ? TAS_SIZE_RS : 0),
                                      tas_bytes_of(msg.ptr, SIG_OVER)};
    return tas_verify(c, rs.sig, peer_pop_pk, "TSK1 resume sig", parts, 3);
}

int tas_resume_derive(const struct tas_crypto *c, struct tas_generation *next,
                      const struct tas_generation *gen, const struct tas_resume_half *half,
                      enum tas_role own_role, const uint8_t *peer_rs) {
    struct tas_msg_rs peer;
    int err = tas_msg_rs_decode(&peer, tas_bytes_of(peer_rs, TAS_SIZE_RS));
    if (err != TAS_OK)
        return err;
    bool is_host = own_role == TAS_ROLE_HOST;
    const struct tas_bytes transcript[] = {tas_bytes_of(gen->th, 32),
                                           tas_bytes_of(is_host ? peer_rs : half->bytes, TAS_SIZE_RS),
                                           tas_bytes_of(is_host ? half->bytes : peer_rs, TAS_SIZE_RS)};
    uint8_t th[32];
    uint8_t ss[32];
    uint8_t prk[32];
    err = tas_hash(c, th, "TSK1 resume th", transcript, 3);
    if (err == TAS_OK)
        err = c->x25519(ss, half->e_sk, peer.e_pk);
    if (err == TAS_OK) {
        const struct tas_bytes secret[] = {tas_bytes_of(ss, 32), tas_bytes_of(th, 32)};
        err = c->hmac(prk, tas_bytes_of(gen->resume, 32), secret, 2);
    }
    if (err == TAS_OK)
        err = tas_generation_derive(c, next, gen->suite, prk, th, true);
    if (err == TAS_OK) {
        next->gen = gen->gen + 1;
        next->sas6 = gen->sas6;
    }
    tas_wipe(ss, sizeof(ss));
    tas_wipe(prk, sizeof(prk));
    return err;
}
