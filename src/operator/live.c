#include "operator/live.h"

#include "session/session.h"

#include <string.h>

static void drop(struct operator_state *st, size_t i) {
    memmove(&st->live[i], &st->live[i + 1], (st->n_live - i - 1) * sizeof(st->live[0]));
    st->n_live--;
}

void operator_live_put(struct operator_state *st, const struct api_session *s) {
    size_t i = 0;
    while (i < st->n_live && st->live[i].id != s->id)
        i++;
    if (i < st->n_live && st->live[i].rev > s->rev)
        return; /* an answer that was overtaken by an event */
    if (i < st->n_live && s->state == API_SESSION_ENDED) {
        drop(st, i);
    } else if (i < st->n_live) {
        st->live[i] = *s;
    } else if (s->state != API_SESSION_ENDED) {
        size_t at = 0;
        while (at < st->n_live && st->live[at].issued_at > s->issued_at)
            at++;
        if (at == OPERATOR_LIVE)
            return;
        size_t kept = st->n_live < OPERATOR_LIVE ? st->n_live : OPERATOR_LIVE - 1;
        memmove(&st->live[at + 1], &st->live[at], (kept - at) * sizeof(st->live[0]));
        st->live[at] = *s;
        st->n_live = kept + 1;
    }
}

void operator_live_learn_end(struct operator_state *st, const struct api_session *s) {
    static const struct {
        const char *word;
        unsigned reason;
    } words[] = {{"customer", TAS_END_CUSTOMER}, {"refused", TAS_END_CUSTOMER},
                 {"operator", TAS_END_OPERATOR}, {"admin", TAS_END_ADMIN},
                 {"timeout", TAS_END_TIMEOUT},   {"lost", TAS_END_LOST}};
    if (s->id != st->session || s->state != API_SESSION_ENDED)
        return;
    if (st->end_reason != 0 && st->end_reason != TAS_END_ADMIN)
        return;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(s->end_reason, words[i].word) == 0)
            st->end_reason = words[i].reason;
}
