/* Each session: what its events say, against its row. A row is what is convenient to read; the events are
 * what was chained, so every fact of a row that stands in an event must be the same there. */
#include "admin/audit_hash.h"
#include "admin/audit_private.h"
#include "base/hex.h"
#include "base/id.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* An event whose detail says something of the row. */
struct said {
    struct tas_json *detail; /* NULL: there was none */
    int64_t seq, at;
};

struct record {
    struct audit *a;
    const struct store_audit_session *row;
    struct audit_claims *claims;
    struct said issued, answered, ended, figures, result, device;
    bool is_verified, is_recorded, was_device_deleted;
    const char *state; /* that the events lead to */
    int64_t paused_at, ms_held, ms_reconnecting;
    unsigned pauses;
    int64_t foreign, foreign_seq, foreign_company; /* events in another chain: how many, and the first */
};

static struct audit_place at_seq(const struct record *r, int64_t seq) {
    const char *company = r->row->company[0] ? r->row->company : NULL;
    return (struct audit_place){.company = company, .seq = seq, .session_id = r->row->id};
}

/* ---- gathering ---- */

/* What may be said once only. */
static void keep_first(struct record *r, struct said *said, const struct store_audit_event *e,
                       const struct tas_json *detail) {
    if (said->detail) {
        audit_finding(&r->a->report, at_seq(r, e->seq), "the session is %s a second time",
                      (const char *)e->kind.ptr);
        return;
    }
    *said = (struct said){tas_json_copy(detail), e->seq, e->at};
}

static void keep_last(struct said *said, const struct store_audit_event *e, const struct tas_json *detail) {
    tas_json_free(said->detail);
    *said = (struct said){tas_json_copy(detail), e->seq, e->at};
}

static void resume(struct record *r, int64_t at, const char *next) {
    if (strcmp(r->state, "held") == 0)
        r->ms_held += at - r->paused_at;
    else if (strcmp(r->state, "reconnecting") == 0)
        r->ms_reconnecting += at - r->paused_at;
    r->state = next;
}

/* The same steps as the server's: a report that comes too late changes nothing. */
static void note_pause(struct record *r, const struct store_audit_event *e) {
    bool holds = audit_same(e->kind, "hold");
    if (strcmp(r->state, "active") == 0 && (holds || audit_same(e->kind, "suspended"))) {
        r->state = holds ? "held" : "reconnecting";
        r->paused_at = e->at;
        r->pauses++;
    } else if (strcmp(r->state, "active") != 0 && strcmp(r->state, "ended") != 0 && r->answered.detail &&
               (audit_same(e->kind, "resumed") || audit_same(e->kind, "unhold"))) {
        resume(r, e->at, "active");
    }
}

/* An operator's word. It has no detail that the row repeats. */
static void note_report(struct record *r, const struct store_audit_event *e) {
    static const char operator[] = "operator:";
    if (e->actor.len < sizeof(operator) || memcmp(e->actor.ptr, operator, sizeof(operator) - 1) != 0)
        return;
    r->is_verified = r->is_verified || audit_same(e->kind, "verified");
    r->is_recorded = r->is_recorded || audit_same(e->kind, "record");
    note_pause(r, e);
}

static int note_fact(struct record *r, const struct store_audit_event *e, const struct tas_json *detail) {
    int err = TAS_OK;
    if (audit_same(e->kind, "issued")) {
        keep_first(r, &r->issued, e, detail);
    } else if (audit_same(e->kind, "answered")) {
        keep_first(r, &r->answered, e, detail);
        r->state = "active";
        err = audit_claims_note(r->claims, e, detail);
    } else if (audit_same(e->kind, "ended")) {
        keep_first(r, &r->ended, e, detail);
        resume(r, e->at, "ended");
    } else if (audit_same(e->kind, "figures")) {
        if (!r->ended.detail)
            audit_finding(&r->a->report, at_seq(r, e->seq), "this figures event comes before the end");
        keep_last(&r->figures, e, detail);
    } else if (audit_same(e->kind, "result")) {
        keep_last(&r->result, e, detail);
    } else if (audit_same(e->kind, "device") || audit_same(e->kind, "device_deleted")) {
        keep_last(&r->device, e, detail);
        r->was_device_deleted = audit_same(e->kind, "device_deleted");
    } else {
        err = audit_claims_note(r->claims, e, detail);
    }
    return err;
}

static bool has_facts(struct tas_bytes kind) {
    static const char *const kinds[] = {"issued",  "choosing",  "claimed",  "answered",
                                        "refused", "withdrawn", "replaced", "ended",
                                        "figures", "result",    "device",   "device_deleted"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (audit_same(kind, kinds[i]))
            return true;
    return false;
}

static int on_event(void *ctx, const struct store_audit_event *e) {
    struct record *r = ctx;
    if (e->company_id != r->row->company_id) {
        if (r->foreign++ == 0) {
            r->foreign_seq = e->seq;
            r->foreign_company = e->company_id;
        }
        return TAS_OK;
    }
    if (!has_facts(e->kind)) {
        note_report(r, e);
        return TAS_OK;
    }
    struct tas_json *detail = audit_detail(r->a, at_seq(r, e->seq), e);
    int err = detail ? note_fact(r, e, detail) : TAS_OK;
    tas_json_free(detail);
    return err;
}

/* ---- comparing ---- */

#define TEXT(member, field, words)                                                                           \
    { member, words, false, offsetof(struct store_audit_session, field) }
#define NUMBER(member, field, words)                                                                         \
    { member, words, true, offsetof(struct store_audit_session, field) }
static const struct audit_fact issued_facts[] = {
    TEXT("operator", operator_login, "operator_login"),
    TEXT("operator_name", operator_name, "operator_name"),
    TEXT("number_last3", number_last3, "number_last3"),
    NUMBER("issued_at", issued_at, "issued_at"),
    NUMBER("expires_at", expires_at, "expires_at"),
    TEXT("customer", customer, "customer"),
    TEXT("reason", reason, "reason"),
    TEXT("ticket_no", ticket_no, "ticket_no"),
    TEXT("address", operator_address, "operator_address"),
    {0},
};
static const struct audit_fact answered_facts[] = {
    NUMBER("answered_at", answered_at, "answered_at"),
    TEXT("address", customer_address, "customer_address"),
    TEXT("region", region, "region"),
    {0},
};
/* Of the claim that was answered. */
static const struct audit_fact customer_facts[] = {
    TEXT("tool_version", customer_version, "customer_version"),
    TEXT("terms_version", terms_version, "terms_version"),
    NUMBER("terms_at", terms_at, "terms_at"),
    {0},
};
static const struct audit_fact ended_facts[] = {
    TEXT("reason", end_reason, "end_reason"),
    TEXT("text", end_text, "end_text"),
    {0},
};
/* Of the ended event, or of a later figures event, when the end that had them spoke second. */
static const struct audit_fact figures_facts[] = {
    NUMBER("relay", relay_id, "relay_id"),          NUMBER("bytes_in", bytes_in, "bytes_in"),
    NUMBER("bytes_out", bytes_out, "bytes_out"),    NUMBER("rtt_p50_us", rtt_p50_us, "rtt_p50_us"),
    NUMBER("rtt_p95_us", rtt_p95_us, "rtt_p95_us"), {0},
};
static const struct audit_fact result_facts[] = {
    TEXT("result", result, "result"),
    TEXT("note", note, "note"),
    {0},
};
#undef TEXT
#undef NUMBER

static void compare_said(const struct record *r, const struct said *said, const struct audit_fact *facts,
                         const char *kind) {
    char source[64];
    if (said->detail)
        snprintf(source, sizeof(source), "its %s event %" PRId64, kind, said->seq);
    else
        snprintf(source, sizeof(source), "%s event", kind);
    audit_compare(r->a, at_seq(r, said->seq), facts, r->row, said->detail, source);
}

static void check_issued(const struct record *r) {
    if (!r->issued.detail) {
        audit_finding(&r->a->report, at_seq(r, 0),
                      "the session stands in the table, but the chain has no issued event of it: it was "
                      "added");
        return;
    }
    compare_said(r, &r->issued, issued_facts, "issued");
    if (strcmp(r->row->account, r->row->operator_login) != 0)
        audit_finding(&r->a->report, at_seq(r, r->issued.seq),
                      "the session belongs to the account \"%s\", but names the operator "
                      "\"%s\"",
                      r->row->account, r->row->operator_login);
}

/* The first of "3,1,2", as a number; 0: none. */
static int64_t first_relay(const char *relays) {
    int64_t n = 0;
    for (; *relays >= '0' && *relays <= '9' && n < UINT32_MAX; relays++)
        n = n * 10 + (*relays - '0');
    return n;
}

static void check_answered(const struct record *r) {
    char id[TAS_ID_CAP] = "";
    const char *said_id = tas_json_get_text(r->answered.detail, "claim");
    struct audit_place place = at_seq(r, r->answered.seq);
    compare_said(r, &r->answered, answered_facts, "answered");
    if (r->row->claim_id != STORE_AUDIT_NONE)
        tas_id_encode(id, (uint64_t)r->row->claim_id);
    if (strcmp(id, said_id ? said_id : "") != 0)
        audit_finding(
            &r->a->report, place,
            "the customer in the session is claim \"%s\", but by the chain claim \"%s\" was answered", id,
            said_id ? said_id : "");
    if (first_relay(r->row->relays) != tas_json_get_int(r->answered.detail, "relay", 0))
        audit_finding(&r->a->report, place,
                      "the session's relays are \"%s\", but by the chain the first is %" PRId64,
                      r->row->relays, tas_json_get_int(r->answered.detail, "relay", 0));
    const struct tas_json *claimed = audit_claims_detail(r->claims, said_id);
    audit_compare(r->a, place, customer_facts, r->row, claimed, "the claimed event of its customer");
    const char *host = tas_json_get_text(r->answered.detail, "host_name");
    const char *claimed_host = tas_json_get_text(claimed, "host_name");
    if (claimed && host && claimed_host && strcmp(host, claimed_host) != 0)
        audit_finding(&r->a->report, place,
                      "the host that was answered is \"%.200s\", but \"%.200s\" had typed the number", host,
                      claimed_host);
}

static void check_ended(const struct record *r) {
    struct audit_place place = at_seq(r, r->ended.seq);
    int64_t ended_at = r->row->ended_at;
    compare_said(r, &r->ended, ended_facts, "ended");
    if (r->figures.detail)
        compare_said(r, &r->figures, figures_facts, "figures");
    else
        compare_said(r, &r->ended, figures_facts, "ended");
    if (!r->ended.detail && ended_at != STORE_AUDIT_NONE)
        audit_finding(&r->a->report, place, "ended_at is set in the table, but the chain has no ended event");
    if (r->ended.detail && (ended_at > r->ended.at + AUDIT_NEAR_MS || ended_at < r->ended.at - AUDIT_NEAR_MS))
        audit_finding(&r->a->report, place,
                      "ended_at is %" PRId64 " in the table, but its ended event %" PRId64 " is of %" PRId64,
                      ended_at, r->ended.seq, r->ended.at);
}

/* issued and waiting are told by the claims' rows. */
static void check_state(const struct record *r) {
    bool is_early = strcmp(r->state, "issued") == 0 &&
                    (strcmp(r->row->state, "issued") == 0 || strcmp(r->row->state, "waiting") == 0);
    if (!is_early && strcmp(r->state, r->row->state) != 0)
        audit_finding(&r->a->report, at_seq(r, r->ended.seq),
                      "the session's state is \"%s\" in the table, but by the chain it is %s", r->row->state,
                      strcmp(r->state, "issued") == 0 ? "issued or waiting" : r->state);
}

static bool is_near(int64_t number, int64_t said, unsigned times) {
    int64_t most = (int64_t)AUDIT_NEAR_MS * times;
    return number <= said + most && number >= said - most;
}

static void check_reports(const struct record *r) {
    const struct store_audit_session *row = r->row;
    if ((row->is_verified == 1) != r->is_verified)
        audit_finding(&r->a->report, at_seq(r, 0),
                      "the check code is %s in the table, but the chain has %s verified event of the "
                      "operator",
                      row->is_verified == 1 ? "confirmed" : "not confirmed", r->is_verified ? "a" : "no");
    if ((row->is_recorded == 1) != r->is_recorded)
        audit_finding(&r->a->report, at_seq(r, 0),
                      "the session is %s in the table, but the chain has %s record event of the operator",
                      row->is_recorded == 1 ? "recorded" : "not recorded", r->is_recorded ? "a" : "no");
    if (!is_near(row->ms_held, r->ms_held, r->pauses) ||
        !is_near(row->ms_reconnecting, r->ms_reconnecting, r->pauses))
        audit_finding(&r->a->report, at_seq(r, 0),
                      "ms_held and ms_reconnecting are %" PRId64 " and %" PRId64
                      " in the table, but by the chain %" PRId64 " and %" PRId64,
                      row->ms_held, row->ms_reconnecting, r->ms_held, r->ms_reconnecting);
}

/* ---- the customer's machine ---- */

static int on_device(void *ctx, int64_t company_id, struct tas_bytes info) {
    struct record *r = ctx;
    uint8_t hash[32];
    char hex[65];
    struct audit_place place = at_seq(r, r->device.seq);
    int err = audit_hash_plain(hash, info);
    if (err != TAS_OK)
        return err;
    tas_hex_encode(hex, tas_bytes_of(hash, sizeof(hash)));
    const char *said = tas_json_get_text(r->device.detail, "sha256");
    if (!r->device.detail)
        audit_finding(
            &r->a->report, place,
            "device information stands in the table, but the chain has no device event: it was added");
    else if (r->was_device_deleted)
        audit_finding(&r->a->report, place, "device information stands in the table, but was deleted here");
    else if (!said || strcmp(said, hex) != 0)
        audit_finding(&r->a->report, place,
                      "the device information is not what was stored here: its SHA-256 differs");
    if (company_id != r->row->company_id)
        audit_finding(&r->a->report, place,
                      "the device information belongs to another company than its session");
    return TAS_OK;
}

static int check_device(struct record *r) {
    int err = store_audit_device(r->a->db, r->row->id, on_device, r);
    if (err != TAS_E_ABSENT)
        return err;
    if (r->device.detail && !r->was_device_deleted)
        audit_finding(&r->a->report, at_seq(r, r->device.seq),
                      "device information was stored here and is gone, but the chain has no "
                      "device_deleted event");
    return TAS_OK;
}

/* ---- all of it ---- */

static int check_record(struct record *r) {
    bool is_waiting = strcmp(r->row->state, "waiting") == 0;
    bool is_early = is_waiting || strcmp(r->row->state, "issued") == 0;
    if (r->foreign)
        audit_finding(&r->a->report, at_seq(r, r->foreign_seq),
                      "%" PRId64 " of this session's events, this one first, stand in the "
                      "chain of another company (id %" PRId64 ")",
                      r->foreign, r->foreign_company);
    check_issued(r);
    if (r->issued.detail) {
        check_answered(r);
        check_ended(r);
        compare_said(r, &r->result, result_facts, "result");
        check_state(r);
        check_reports(r);
    }
    int err = audit_claims_check(r->claims, r->row->id, is_early ? &is_waiting : NULL);
    return err != TAS_OK ? err : check_device(r);
}

static int on_session(void *ctx, const struct store_audit_session *row) {
    struct audit *a = ctx;
    struct record r = {.a = a, .row = row, .state = "issued"};
    int err = TAS_E_NOMEM;
    if (!row->company[0])
        audit_finding(&a->report, at_seq(&r, 0),
                      "the session belongs to a company that is not there (id %" PRId64 ")", row->company_id);
    r.claims = audit_claims_new(a, at_seq(&r, 0), row->company_id);
    if (r.claims)
        err = store_audit_session_events(a->db, row->id, on_event, &r);
    if (err == TAS_OK)
        err = check_record(&r);
    if (err == TAS_E_LIMIT) {
        audit_finding(&a->report, at_seq(&r, 0),
                      "a row that belongs to it is larger than any that is written");
        err = TAS_OK;
    }
    audit_claims_free(r.claims);
    struct said *const all[] = {&r.issued, &r.answered, &r.ended, &r.figures, &r.result, &r.device};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        tas_json_free(all[i]->detail);
    if (++a->report.sessions % 256 == 0)
        audit_progress(&a->report, row->company);
    return err;
}

static int on_stray(void *ctx, const struct store_audit_stray *row) {
    struct audit *a = ctx;
    struct store_audit_spot spot;
    if (a->company_id && row->company_id != a->company_id)
        return TAS_OK;
    int err = store_audit_spot(a->db, row->company_id, row->seq, &spot);
    if (err != TAS_OK)
        return err;
    const struct audit_place place = {spot.has_company ? spot.code : NULL, row->seq, row->session_id};
    if (strcmp(row->table, "event") == 0)
        audit_finding(&a->report, place,
                      "the chain names this session, but it is not in the table: it was deleted");
    else
        audit_finding(&a->report, place, "a row of the table %s names this session, but it is not there",
                      row->table);
    return TAS_OK;
}

int audit_walk_sessions(struct audit *a) {
    int err = store_audit_sessions(a->db, a->company_id, on_session, a);
    return err != TAS_OK ? err : store_audit_strays(a->db, on_stray, a);
}
