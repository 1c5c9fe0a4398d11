#include "manager/signer_private.h"

#include "wire/record.h"

enum {
    RIGHTS = TAS_RIGHT_SEE | TAS_RIGHT_CONTROL | TAS_RIGHT_CHAT | TAS_RIGHT_FILES | TAS_RIGHT_CLIPBOARD |
             TAS_RIGHT_DEVICE | TAS_RIGHT_DRAW,
    SLOT_MAX = 15,
    VIEWERS_MAX = 15,
    CONNECT_TTL_MAX_S = 60,
    SESSION_TTL_MAX_S = 900,
    KIND_NATIVE = 1,
    KIND_BROWSER = 2,
    SLACK_MS = 60 * 1000,
    STATEMENT_MS = 24 * 3600 * 1000, /* a statement is good for so long */
};

static bool is_about_now(uint64_t at_ms, uint64_t now_ms) {
    return at_ms >= now_ms ? at_ms - now_ms <= SLACK_MS : now_ms - at_ms <= SLACK_MS;
}

static bool place_is_sound(uint8_t role, uint8_t slot) {
    return (role == TAS_ROLE_HOST && slot == 0) || (role == TAS_ROLE_VIEWER && slot >= 1 && slot <= SLOT_MAX);
}

static bool who_is_sound(uint8_t role, uint8_t slot, uint16_t perms, uint8_t kind, uint64_t session_id) {
    return place_is_sound(role, slot) && !(perms & ~RIGHTS) &&
           (kind == KIND_NATIVE || kind == KIND_BROWSER) && session_id != 0;
}

/* Whether it is a point at all is asked by whoever checks a proof with it. */
static bool key_is_there(const uint8_t pk[32]) {
    uint8_t any = 0;
    for (size_t i = 0; i < 32; i++)
        any |= pk[i];
    return any != 0;
}

/* At least one, the unused ones last. */
static bool relays_are_sound(const uint32_t ids[4]) {
    for (size_t i = 1; i < 4; i++)
        if (ids[i] != 0 && ids[i - 1] == 0)
            return false;
    return ids[0] != 0;
}

static bool text_is_sound(const uint8_t *field, size_t size) {
    struct tas_bytes text;
    return tas_text_field(&text, field, size) == TAS_OK;
}

bool mgr_signer_takes_ticket(const struct tas_msg_ticket *t, uint64_t now_ms) {
    return who_is_sound(t->role, t->slot, t->perms, t->kind, t->session_id) && t->max_viewers >= 1 &&
           t->max_viewers <= VIEWERS_MAX && t->connect_ttl_s >= 1 && t->connect_ttl_s <= CONNECT_TTL_MAX_S &&
           t->session_ttl_s >= 1 && t->session_ttl_s <= SESSION_TTL_MAX_S &&
           is_about_now(t->not_before_ms, now_ms) && key_is_there(t->pop_pk) &&
           relays_are_sound(t->relay_ids);
}

bool mgr_signer_takes_statement(const struct tas_msg_statement *s, uint64_t now_ms) {
    return who_is_sound(s->role, s->slot, s->perms, s->kind, s->session_id) && s->not_after_ms > now_ms &&
           s->not_after_ms - now_ms <= STATEMENT_MS + SLACK_MS && key_is_there(s->pop_pk) &&
           text_is_sound(s->company, sizeof(s->company)) && text_is_sound(s->name, sizeof(s->name));
}

bool mgr_signer_takes_checkpoint(const struct mgr_checkpoint *c, uint64_t now_ms) {
    return c->company_id != 0 && c->seq > 0 && is_about_now(c->at_ms, now_ms);
}
