/* The end of a session, whoever brings it about. */
#include "manager/manager.h"

#include <stdio.h>
#include <stdlib.h>

enum { ALL_SLOTS = 0xff };

void mgr_set_figures(struct tas_json *detail, const struct store_session *s) {
    const struct {
        const char *name;
        int64_t value;
    } figures[] = {{"relay", s->relay_id},
                   {"bytes_in", s->bytes_in},
                   {"bytes_out", s->bytes_out},
                   {"rtt_p50_us", s->rtt_p50_us},
                   {"rtt_p95_us", s->rtt_p95_us}};
    for (size_t i = 0; s->relay_id >= 0 && i < sizeof(figures) / sizeof(figures[0]); i++)
        if (figures[i].value >= 0)
            tas_json_set_int(detail, figures[i].name, figures[i].value);
}

static struct tas_json *end_detail(const struct store_session *s) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, "reason", s->end_reason);
    if (s->end_text[0])
        tas_json_set_text(detail, "text", s->end_text);
    mgr_set_figures(detail, s);
    return detail;
}

int mgr_end_session(struct mgr *m, struct tas_db *db, struct store_session *s, const char *actor,
                    const char *reason, const char *text) {
    bool was_active = s->answered_at != 0;
    s->ended_at = mgr_now();
    s->rev = mgr_new_id(m);
    snprintf(s->end_reason, sizeof(s->end_reason), "%s", reason);
    snprintf(s->end_text, sizeof(s->end_text), "%s", text ? text : "");
    int err = store_session_ended(db, s);
    if (err == TAS_OK)
        err = mgr_audit(m, db, s->company_id, s->id, actor, "ended", end_detail(s), NULL);
    if (err == TAS_OK)
        err = mgr_notice(m, db, "session", s->operator_id, s->id);
    /* The claims keep their state: "over" is read from the session's. Their customers hear of it by this. */
    struct store_claim *claims = NULL;
    size_t n = 0;
    if (err == TAS_OK) /* also before anybody has joined: somebody may be choosing */
        err = store_claim_list(db, s->id, &claims, &n);
    for (size_t i = 0; i < n && err == TAS_OK; i++)
        err = mgr_notice(m, db, "claim", claims[i].id, s->id);
    free(claims);
    if (err == TAS_OK && was_active) /* whoever holds a ticket is cut off */
        err = mgr_notice(m, db, "kill", s->id, ALL_SLOTS);
    if (err == TAS_OK)
        mgr_count(&m->stats.ended_total);
    snprintf(s->state, sizeof(s->state), "ended");
    return err;
}
