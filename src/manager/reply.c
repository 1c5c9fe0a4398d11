#include "manager/manager.h"

#include "base/time.h"
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int64_t mgr_now(void) {
    return (int64_t)tas_wall_ms();
}

uint64_t mgr_new_id(struct mgr *m) {
    return tas_id_next(&m->ids, tas_wall_ms());
}

struct tas_db *mgr_db(struct mgr *m, const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct tas_db **db = req->thread;
    char why[TAS_DB_WHY];
    /* Sockets are open before privileges are dropped and a node number is ours: who comes that early comes
     * again. */
    bool is_early = !atomic_load(&m->is_ready);
    if (db && !*db && !is_early)
        *db = tas_db_open(m->config->database, why); /* it was not there when the thread began */
    if (db && *db)
        return *db;
    mgr_fail(m, reply, TAS_E_CLOSED, "");
    return NULL;
}

/* "application/json" in either case, with parameters or without; none at all is taken as that. */
static bool is_json(const char *type) {
    static const char wanted[] = "application/json";
    size_t len = strcspn(type, "; \t");
    return type[0] == '\0' || (len == sizeof(wanted) - 1 && strncasecmp(type, wanted, len) == 0);
}

bool mgr_read_body(const struct tas_http_request *req, struct tas_http_reply *reply,
                   const struct tas_json_field *fields, void *out, struct tas_json **json) {
    char why[TAS_JSON_WHY];
    if (!is_json(req->content_type)) {
        tas_http_problem(reply, 415, "not_json", "send application/json");
        return false;
    }
    struct tas_json *body = tas_json_parse(req->body, why);
    if (!body || tas_json_read(body, fields, out, why) != TAS_OK) {
        tas_http_problem(reply, 400, "bad_request", why);
        tas_json_free(body);
        return false;
    }
    if (json)
        *json = body;
    else
        tas_json_free(body);
    return true;
}

void mgr_fail(struct mgr *m, struct tas_http_reply *reply, int err, const char *what) {
    char text[160];
    if (err == TAS_E_ABSENT) {
        snprintf(text, sizeof(text), "no such %s, or it is not yours", what);
        tas_http_problem(reply, 404, "absent", text);
        return;
    }
    mgr_count(&m->stats.store_failed_total);
    tas_log(err == TAS_E_FULL ? TAS_LOG_ERROR : TAS_LOG_WARN, "manager", "request_failed", "err=%s%s",
            tas_err_name(err), err == TAS_E_FULL ? " do=\"make room on the database's disk\"" : "");
    if (err == TAS_E_FULL) {
        tas_http_problem(reply, 507, "storage_full",
                         "the server's storage is full; nothing was changed; try again later");
    } else {
        tas_http_problem(reply, 503, "try_again", "the server cannot do this now; try again in a moment");
        tas_http_header(reply, "retry-after:", "1");
    }
}

void mgr_say(struct mgr *m, struct tas_http_reply *reply, unsigned status, struct tas_json *json, int err,
             const char *what) {
    if (err == TAS_OK) {
        tas_http_json(reply, status, json);
        return;
    }
    tas_json_free(json);
    mgr_fail(m, reply, err, what);
}

void mgr_problem(struct tas_http_reply *reply, unsigned status, const char *code, const char *detail,
                 const char *name, int64_t value) {
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "type", "about:blank");
    tas_json_set_text(json, "title", tas_http_status_text(status));
    tas_json_set_int(json, "status", status);
    tas_json_set_text(json, "code", code);
    tas_json_set_text(json, "detail", detail);
    tas_json_set_int(json, name, value);
    tas_http_json(reply, status, json);
    reply->content_type = "application/problem+json";
}

bool mgr_param_id(const struct tas_http_request *req, struct tas_http_reply *reply, uint64_t *out) {
    if (tas_id_decode(out, req->params[0]) == TAS_OK)
        return true;
    tas_http_problem(reply, 404, "absent", "an id has 13 letters and digits");
    return false;
}

void mgr_address(char out[STORE_IP], const uint8_t source[16]) {
    _Static_assert((int)STORE_IP >= (int)TAS_ADDRESS_TEXT, "an address fits");
    tas_address_text(out, source);
}

void mgr_prefix(char out[STORE_IP], const uint8_t source[16]) {
    if (tas_address_is_v4(source))
        snprintf(out, STORE_IP, "24:%u.%u.%u", source[12], source[13], source[14]);
    else
        snprintf(out, STORE_IP, "48:%02x%02x:%02x%02x:%02x%02x", source[0], source[1], source[2], source[3],
                 source[4], source[5]);
}
