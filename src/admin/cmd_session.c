/* tasukictl session: records, as the log has them. */
#include "admin/admin.h"

#include "base/utf8.h"
#include "os/service.h"
#include "store/audit_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct question {
    struct admin *admin;
    uint64_t id;
    int64_t company_id, limit;
    struct store_session s;
    struct store_session *all;
    size_t n;
};

/* Text from a customer's machine goes to a terminal: control characters (C1 too: one of them begins an escape
 * sequence), those that change the direction of writing and what is no UTF-8 are shown as '?'. */
static void print_safe(const char *text) {
    struct tas_reader r = tas_reader_of(tas_bytes_of(text, strlen(text)));
    while (r.in.len > 0) {
        struct tas_bytes rest = r.in;
        tas_utf8_next(&r);
        struct tas_bytes one = tas_bytes_of(rest.ptr, r.bad ? 1 : rest.len - r.in.len);
        if (r.bad)
            r = tas_reader_of(tas_bytes_of(rest.ptr + 1, rest.len - 1));
        if (tas_utf8_is_plain(one))
            fwrite(one.ptr, 1, one.len, stdout);
        else
            putchar('?');
    }
}

/* The same, filled up to a width of so many bytes. */
static void print_column(const char *text, int width) {
    print_safe(text);
    printf("%*s", width > (int)strlen(text) ? width - (int)strlen(text) : 0, "");
}

static void line(const char *name, const char *value) {
    if (!value[0])
        return;
    printf("  %-18s ", name);
    print_safe(value);
    putchar('\n');
}

static void line_time(const char *name, int64_t ms) {
    char text[32];
    if (ms)
        line(name, admin_time(text, ms));
}

static void line_number(const char *name, int64_t v) {
    if (v >= 0)
        printf("  %-18s %" PRId64 "\n", name, v);
}

static void print_record(const struct store_session *s) {
    char id[TAS_ID_CAP];
    int64_t end = s->ended_at ? s->ended_at : mgr_now();
    printf("session %s\n", tas_id_encode(id, s->id));
    line("state", s->state);
    line("number ends with", s->number_last3);
    line("operator", s->operator_login);
    line("operator's name", s->operator_name);
    line("customer", s->customer);
    line("reason", s->reason);
    line("ticket", s->ticket_no);
    line_time("issued", s->issued_at);
    line_time("joined", s->joined_at);
    line_time("answered", s->answered_at);
    line_time("ended", s->ended_at);
    line("ended by", s->end_reason);
    line("in its words", s->end_text);
    if (s->joined_at)
        line_number("seconds waiting", ((s->answered_at ? s->answered_at : end) - s->joined_at) / 1000);
    if (s->answered_at)
        line_number("seconds active", (end - s->answered_at - s->ms_held - s->ms_reconnecting) / 1000);
    line_number("seconds held", s->ms_held / 1000);
    line_number("s. reconnecting", s->ms_reconnecting / 1000);
    line("check code", s->is_verified ? "confirmed" : "not confirmed");
    line("recorded", s->is_recorded ? "yes" : "no");
    line("operator's address", s->operator_address);
    line("operator's tool", s->operator_version);
    line("customer's address", s->customer_address);
    line("customer's tool", s->customer_version);
    line("terms", s->terms_version);
    line_time("terms agreed", s->terms_at);
    line("region", s->region);
    line_number("relay", s->relay_id);
    line_number("bytes in", s->bytes_in);
    line_number("bytes out", s->bytes_out);
    line_number("rtt p50 us", s->rtt_p50_us);
    line_number("rtt p95 us", s->rtt_p95_us);
    line("result", s->result);
    line("note", s->note);
}

static int print_event(void *ctx, const struct store_audit_event *row) {
    char at[32];
    (void)ctx;
    printf("  %6" PRId64 "  %s  ", row->seq, admin_time(at, row->at));
    print_column((const char *)row->actor.ptr, 20);
    putchar(' ');
    print_column((const char *)row->kind.ptr, 18);
    putchar(' ');
    print_safe((const char *)row->detail.ptr);
    putchar('\n');
    return TAS_OK;
}

static int show(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    int err = store_session_get(db, q->id, &q->s);
    if (err != TAS_OK)
        return err;
    print_record(&q->s);
    printf("events\n");
    return store_audit_session_events(db, q->id, print_event, NULL);
}

static int run_show(const struct admin_args *args) {
    int code;
    struct question q = {0};
    if (tas_id_decode(&q.id, args->words[0]) != TAS_OK) {
        fprintf(stderr, "tasukictl: %s is no session's id (13 letters and digits)\n", args->words[0]);
        return TAS_EXIT_USAGE;
    }
    q.admin = admin_open(args, &code);
    if (!q.admin)
        return code;
    int err = show(admin_db(q.admin), &q);
    if (err == TAS_E_ABSENT)
        fprintf(stderr, "tasukictl: there is no session %s\n", args->words[0]);
    code = err == TAS_OK         ? EXIT_SUCCESS
           : err == TAS_E_ABSENT ? EXIT_FAILURE
                                 : admin_store_failed(q.admin, err, "session");
    admin_close(q.admin);
    return code;
}

static int list(struct tas_db *db, void *ctx) {
    struct question *q = ctx;
    free(q->all);
    q->all = NULL;
    return store_session_of_company(db, q->company_id, q->limit, &q->all, &q->n);
}

static int run_list(const struct admin_args *args) {
    int code;
    char id[TAS_ID_CAP];
    char at[32];
    struct question q = {0};
    struct store_company company;
    if (!admin_option_number(args, "limit", 1, 1000, 50, &q.limit))
        return TAS_EXIT_USAGE;
    q.admin = admin_open(args, &code);
    if (!q.admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_company(q.admin, args->words[0], &company)) {
        q.company_id = company.id;
        int err = tas_db_read(admin_db(q.admin), list, &q);
        for (size_t i = 0; i < q.n; i++)
            printf("%s  %s  %-12s %-10s %-8s %s\n", tas_id_encode(id, q.all[i].id),
                   admin_time(at, q.all[i].issued_at), q.all[i].state,
                   q.all[i].end_reason[0] ? q.all[i].end_reason : "-",
                   q.all[i].result[0] ? q.all[i].result : "-", q.all[i].operator_login);
        code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(q.admin, err, "sessions");
    }
    free(q.all);
    admin_close(q.admin);
    return code;
}

const struct admin_command admin_session_commands[] = {
    {"session", "list", "COMPANY [--limit N]", "a company's sessions, newest first", " limit ", 1, 1,
     run_list},
    {"session", "show", "ID", "one session's record and events", "", 1, 1, run_show},
    {0},
};
