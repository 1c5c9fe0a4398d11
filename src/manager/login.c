/* Logging in with company code, ID and password; one answer and one time for every failure. */
#include "manager/manager.h"

#include "base/time.h"
#include "crypto/password.h"
#include "manager/throttle.h"

#include <stddef.h>
#include <stdio.h>

enum { PASSWORD_MAX = 128, MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

struct login_body {
    char company[STORE_CODE + 1], id[STORE_LOGIN + 1], password[PASSWORD_MAX + 1],
        tool_version[STORE_VERSION + 1];
    uint8_t device_pk[32], nonce[MGR_NONCE], sig[64];
};

#define FIELD(name, kind, optional, min, max)                                                                \
    { #name, kind, optional, min, max, offsetof(struct login_body, name) }
static const struct tas_json_field login_fields[] = {
    FIELD(company, TAS_JSON_TEXT, false, 1, STORE_CODE),
    FIELD(id, TAS_JSON_TEXT, false, 1, STORE_LOGIN),
    FIELD(password, TAS_JSON_TEXT, false, 1, PASSWORD_MAX),
    FIELD(device_pk, TAS_JSON_HEX, false, 0, 32),
    FIELD(nonce, TAS_JSON_HEX, false, 0, MGR_NONCE),
    FIELD(sig, TAS_JSON_HEX, false, 0, 64),
    FIELD(tool_version, TAS_JSON_TEXT, true, 1, STORE_VERSION),
    {0},
};
#undef FIELD

/* One try, from the question to the answer. */
struct try {
    struct mgr *m;
    struct login_body body;
    const uint8_t *source;
    char address[STORE_IP];
    int64_t now;
    uint64_t event_id, login_id;
    struct store_company company;
    struct store_operator op;
    bool is_known; /* company and operator were found */
    bool is_good;
    const char *outcome; /* for the log: never told to the one who asked */
};

/* Company codes are typed in either case. */
static void fold(char *code) {
    for (; *code; code++)
        if (*code >= 'A' && *code <= 'Z')
            *code = (char)(*code + ('a' - 'A'));
}

static int look_up(struct tas_db *db, void *ctx) {
    struct try *t = ctx;
    int err = store_company_by_code(db, t->body.company, &t->company);
    bool has_company = err == TAS_OK;
    if (err != TAS_OK && err != TAS_E_ABSENT)
        return err;
    err = store_operator_by_login(db, has_company ? t->company.id : 0, t->body.id, &t->op);
    if (err != TAS_OK && err != TAS_E_ABSENT)
        return err;
    t->is_known = has_company && err == TAS_OK;
    return TAS_OK;
}

/* What the password's check, which takes its time in every case, and the account's state come to. */
static void judge(struct try *t, bool is_right) {
    t->outcome = !t->is_known                  ? "unknown"
                 : !is_right                   ? "wrong_password"
                 : t->company.is_frozen        ? "company_frozen"
                 : t->op.is_disabled           ? "disabled"
                 : t->op.locked_until > t->now ? "locked"
                                               : "ok";
    t->is_good = strcmp(t->outcome, "ok") == 0;
}

static int store_failure(struct tas_db *db, struct try *t) {
    bool locks;
    bool is_wrong = strcmp(t->outcome, "wrong_password") == 0;
    int64_t lock_until = t->now + t->company.lock_minutes * MINUTE_MS;
    int err =
        store_operator_failed(db, is_wrong ? t->op.id : 0, t->company.lock_after, t->now, lock_until, &locks);
    if (err == TAS_OK && locks) {
        char actor[STORE_ACTOR];
        struct tas_json *detail = tas_json_object();
        tas_json_set_text(detail, "login", t->op.login);
        tas_json_set_int(detail, "minutes", t->company.lock_minutes);
        err = mgr_audit(t->m, db, t->company.id, 0, mgr_actor(actor, "address", t->address), "account_locked",
                        detail, NULL);
    }
    return err;
}

static int store_success(struct tas_db *db, struct try *t) {
    char actor[STORE_ACTOR];
    struct store_tool_login login = {
        .id = t->login_id,
        .operator_id = t->op.id,
        .company_id = t->company.id,
        .created_at = t->now,
        .expires_at = t->now + (int64_t)t->m->config->login_hours * HOUR_MS,
    };
    memcpy(login.device_pk, t->body.device_pk, 32);
    snprintf(login.address, sizeof(login.address), "%s", t->address);
    snprintf(login.tool_version, sizeof(login.tool_version), "%s", t->body.tool_version);
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, "address", t->address);
    tas_json_set_text(detail, "tool_version", t->body.tool_version);
    int err = store_tool_login_add(db, &login);
    if (err == TAS_OK)
        return mgr_audit(t->m, db, t->company.id, 0, mgr_actor(actor, "operator", t->op.login), "login",
                         detail, NULL);
    tas_json_free(detail);
    return err;
}

static int store_outcome(struct tas_db *db, void *ctx) {
    struct try *t = ctx;
    int err = t->is_good ? store_operator_enter(db, &t->op, t->now) : TAS_OK;
    if (err == TAS_E_ABSENT) { /* reset, disabled or locked while the password was checked */
        t->is_good = false;
        t->outcome = "changed_meanwhile";
        err = TAS_OK;
    }
    if (err != TAS_OK)
        return err;
    err = store_login_event(db, t->event_id, t->now, t->is_known ? t->company.id : 0,
                            t->is_known ? t->op.id : 0, t->body.company, t->body.id, t->address, t->outcome);
    if (err != TAS_OK)
        return err;
    return t->is_good ? store_success(db, t) : store_failure(db, t);
}

static void say_good(struct try *t, struct tas_http_reply *reply) {
    char token[MGR_TOKEN];
    struct tas_json *json = tas_json_object();
    struct tas_json *company = tas_json_object();
    struct tas_json *op = tas_json_object();
    if (mgr_token(t->m, token, 'o', t->login_id, t->body.device_pk) != TAS_OK)
        token[0] = '\0';
    tas_json_set_text(company, "code", t->company.code);
    tas_json_set_text(company, "name", t->company.name);
    tas_json_set_int(company, "id", t->company.id);
    tas_json_set_id(op, "id", t->op.id);
    tas_json_set_text(op, "login", t->op.login);
    tas_json_set_text(op, "name", t->op.name);
    tas_json_set_text(json, "token", token);
    tas_json_set_int(json, "expires_at", t->now + (int64_t)t->m->config->login_hours * HOUR_MS);
    tas_json_set_int(json, "server_ms", mgr_now());
    tas_json_set(json, "company", company);
    tas_json_set(json, "operator", op);
    tas_http_json(reply, 200, json);
    tas_wipe(token, sizeof(token));
}

static bool proof_holds(struct try *t) {
    const struct tas_bytes parts[] = {tas_bytes_of(t->body.nonce, MGR_NONCE),
                                      tas_bytes_of(t->body.device_pk, 32)};
    return mgr_nonce_check(t->m, t->body.nonce, t->now) == TAS_OK &&
           tas_verify(t->m->crypto, t->body.sig, t->body.device_pk, "TSK1 login", parts, 2) == TAS_OK;
}

/* A stronger hash than the account has, made while the password is at hand. */
static void renew_hash(struct tas_db *db, struct try *t) {
    char hash[TAS_PASSWORD_HASH_CAP];
    if (tas_password_is_old(t->op.password) && tas_password_hash(hash, t->body.password) == TAS_OK &&
        store_operator_rehash(db, &t->op, hash) != TAS_OK)
        tas_log(TAS_LOG_WARN, "manager", "rehash_failed", "operator=%llu", (unsigned long long)t->op.id);
}

static void check_and_answer(struct tas_db *db, struct try *t, struct tas_http_reply *reply) {
    char quoted[STORE_LOGIN * 2 + 8];
    int err = tas_db_read(db, look_up, t);
    if (err == TAS_OK) {
        int right = tas_password_check(t->is_known ? t->op.password : NULL, t->body.password);
        judge(t, right == TAS_OK);
        err = right == TAS_E_NOMEM ? right : mgr_transaction(t->m, db, store_outcome, t);
    }
    if (err != TAS_OK) {
        mgr_fail(t->m, reply, err, "");
        return;
    }
    tas_log(TAS_LOG_INFO, "manager", "login", "outcome=%s login=%s address=%s", t->outcome,
            tas_log_quote(quoted, sizeof(quoted), t->body.id), t->address);
    if (t->is_good) {
        mgr_count(&t->m->stats.logins_total);
        mgr_throttle_succeeded(t->m->throttle, t->source, tas_mono_us());
        renew_hash(db, t);
        say_good(t, reply);
        return;
    }
    mgr_count(&t->m->stats.login_refused_total);
    mgr_throttle_failed(t->m->throttle, t->source, tas_mono_us());
    tas_http_problem(reply, 401, "login_refused", "Company code, ID or password is wrong");
    tas_http_header(reply, "www-authenticate:", "TSK1"); /* RFC 9110: each 401 names a scheme */
}

static void on_login(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct try t = {.m = m, .source = req->source, .now = mgr_now(), .body = {.tool_version = ""}};
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db)
        return;
    if (!mgr_read_body(req, reply, login_fields, &t.body, NULL)) {
        tas_wipe(&t.body, sizeof(t.body)); /* the password may have been read before the field that is bad */
        return;
    }
    fold(t.body.company);
    mgr_address(t.address, req->source);
    t.event_id = mgr_new_id(m);
    t.login_id = mgr_new_id(m);
    if (proof_holds(&t))
        check_and_answer(db, &t, reply);
    else
        tas_http_problem(reply, 400, "nonce_old",
                         "the nonce is too old or not signed by device_pk; ask for another");
    tas_wipe(&t.body, sizeof(t.body));
}

static bool login_gate(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    unsigned wait_s;
    enum mgr_throttle_verdict verdict = mgr_throttle_begin(m->throttle, req->source, tas_mono_us(), &wait_s);
    if (verdict == MGR_MAY)
        return false;
    mgr_count(&m->stats.throttled_total);
    tas_http_problem(reply, 429, "slow_down",
                     verdict == MGR_BUSY ? "too many tries at once; try again in a moment"
                                         : "too many failed tries from your network; wait a few minutes");
    tas_http_header(reply, "retry-after:", "%u", wait_s);
    return true;
}

static void login_passed(void *ctx, const uint8_t source[16]) {
    struct mgr *m = ctx;
    mgr_throttle_over(m->throttle, source);
}

/* ---- logged in ---- */

struct logout {
    struct mgr *m;
    const struct mgr_operator *who;
};

static int store_logout(struct tas_db *db, void *ctx) {
    struct logout *l = ctx;
    char actor[STORE_ACTOR];
    int err = store_tool_login_revoke(db, l->who->login.id, mgr_now());
    if (err == TAS_OK)
        err = mgr_notice(l->m, db, "logout", l->who->op.id, l->who->login.id);
    return err != TAS_OK
               ? err
               : mgr_audit(l->m, db, l->who->company.id, 0, mgr_actor(actor, "operator", l->who->op.login),
                           "logout", tas_json_object(), NULL);
}

static void on_logout(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who))
        return;
    struct logout l = {m, &who};
    int err = mgr_transaction(m, db, store_logout, &l);
    if (err == TAS_OK)
        tas_http_json(reply, 200, tas_json_object());
    else
        mgr_fail(m, reply, err, "");
}

static void on_me(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct mgr *m = ctx;
    struct mgr_operator who;
    struct tas_db *db = mgr_db(m, req, reply);
    if (!db || !mgr_auth_operator(m, db, req, reply, &who))
        return;
    struct tas_json *json = tas_json_object();
    struct tas_json *company = tas_json_object();
    struct tas_json *op = tas_json_object();
    tas_json_set_text(company, "code", who.company.code);
    tas_json_set_text(company, "name", who.company.name);
    tas_json_set_int(company, "id", who.company.id);
    tas_json_set_id(op, "id", who.op.id);
    tas_json_set_text(op, "login", who.op.login);
    tas_json_set_text(op, "name", who.op.name);
    tas_json_set(json, "company", company);
    tas_json_set(json, "operator", op);
    tas_json_set_int(json, "expires_at", who.login.expires_at);
    tas_http_json(reply, 200, json);
}

const struct tas_http_route mgr_login_routes[] = {
    {.method = "POST",
     .path = "/v1/login",
     .lane = MGR_LANE_LOGIN,
     .body_max = 4096,
     .fn = on_login,
     .gate = login_gate,
     .passed = login_passed},
    {.method = "POST", .path = "/v1/logout", .lane = MGR_LANE_STORE, .body_max = 64, .fn = on_logout},
    {.method = "GET", .path = "/v1/me", .lane = MGR_LANE_STORE, .fn = on_me},
    {0},
};
