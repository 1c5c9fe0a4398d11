/* Finding companies and operators, and ending what is theirs. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>

struct company_question {
    const char *code, *login;
    struct store_company *company;
    struct store_operator *op;
};

static int ask(struct tas_db *db, void *ctx) {
    struct company_question *q = ctx;
    int err = store_company_by_code(db, q->code, q->company);
    return err != TAS_OK || !q->op ? err : store_operator_by_login(db, q->company->id, q->login, q->op);
}

bool admin_find_company(struct admin *admin, const char *code, struct store_company *out) {
    struct company_question q = {code, NULL, out, NULL};
    int err = tas_db_read(admin_db(admin), ask, &q);
    if (err == TAS_E_ABSENT)
        fprintf(stderr, "tasukictl: there is no company %s: tasukictl company list\n", code);
    else if (err != TAS_OK)
        admin_store_failed(admin, err, code);
    return err == TAS_OK;
}

bool admin_find_operator(struct admin *admin, const char *code, const char *login,
                         struct store_company *company, struct store_operator *out) {
    struct company_question q = {code, login, company, out};
    int err = tas_db_read(admin_db(admin), ask, &q);
    if (err == TAS_E_ABSENT)
        fprintf(stderr, "tasukictl: there is no operator %s in company %s: tasukictl operator list %s\n",
                login, code, code);
    else if (err != TAS_OK)
        admin_store_failed(admin, err, login);
    return err == TAS_OK;
}

int admin_end_all(struct admin *admin, struct tas_db *db, int64_t company_id, uint64_t operator_id) {
    struct mgr *m = admin_mgr(admin);
    struct store_session *all = NULL;
    size_t n = 0;
    char actor[STORE_ACTOR];
    int err = store_tool_login_revoke_all(db, operator_id, company_id, mgr_now());
    if (err == TAS_OK)
        err = store_session_live_of(db, operator_id, company_id, 10000, &all, &n);
    for (size_t i = 0; err == TAS_OK && i < n; i++) {
        err = mgr_end_session(m, db, &all[i], admin_actor(admin, actor), "admin", NULL);
        if (err == TAS_E_ABSENT) /* it changed meanwhile: all of it again */
            err = TAS_E_MORE;
    }
    free(all);
    return err != TAS_OK ? err : mgr_notice(m, db, "revoke", operator_id, (uint64_t)company_id);
}
