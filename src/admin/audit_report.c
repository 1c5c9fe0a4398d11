#include "admin/audit_report.h"

#include "base/id.h"
#include "base/json.h"
#include "base/time.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_CAP = 2048, PROGRESS_US = 5 * 1000 * 1000 };

/* A record's text must neither end our line nor steer a terminal; what is no UTF-8 becomes '?' byte by byte.
 */
static void make_safe(char *text) {
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        struct tas_reader r = tas_reader_of(tas_bytes_of(text + i, len - i));
        tas_utf8_next(&r);
        size_t n = r.bad ? 1 : len - i - r.in.len;
        if (r.bad || !tas_utf8_is_plain(tas_bytes_of(text + i, n)))
            memset(text + i, '?', n);
        i += n;
    }
}

static void print_words(const char *level, struct audit_place place, const char *text) {
    const char *space = "";
    char id[TAS_ID_CAP];
    if (strcmp(level, "warning") == 0)
        fputs("warning: ", stdout);
    if (place.company) {
        printf("company %s", place.company);
        space = " ";
    }
    if (place.session_id) {
        printf("%ssession %s", space, tas_id_encode(id, place.session_id));
        space = " ";
    }
    if (place.seq) {
        printf("%sseq %" PRId64, space, place.seq);
        space = " ";
    }
    printf("%s%s\n", space[0] ? ": " : "", text);
}

static void print_json(const char *level, struct audit_place place, const char *text) {
    struct tas_json *line = tas_json_object();
    tas_json_set_text(line, "level", level);
    if (place.company)
        tas_json_set_text(line, "company", place.company);
    if (place.session_id)
        tas_json_set_id(line, "session", place.session_id);
    if (place.seq)
        tas_json_set_int(line, "seq", place.seq);
    tas_json_set_text(line, "what", text);
    char *dumped = tas_json_dump(line);
    puts(dumped ? dumped : "{\"level\":\"finding\",\"what\":\"out of memory\"}");
    free(dumped);
    tas_json_free(line);
}

TAS_PRINTF(4, 0)
static void say(struct audit_report *r, const char *level, struct audit_place place, const char *fmt,
                va_list va) {
    char text[TEXT_CAP];
    char company[64];
    vsnprintf(text, sizeof(text), fmt, va);
    make_safe(text);
    if (place.company) {
        snprintf(company, sizeof(company), "%s", place.company);
        make_safe(company);
        place.company = company;
    }
    if (r->is_json)
        print_json(level, place, text);
    else
        print_words(level, place, text);
}

void audit_finding(struct audit_report *r, struct audit_place place, const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    say(r, "finding", place, fmt, va);
    va_end(va);
    r->findings++;
}

void audit_warning(struct audit_report *r, struct audit_place place, const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    say(r, "warning", place, fmt, va);
    va_end(va);
    r->warnings++;
}

void audit_progress(struct audit_report *r, const char *company) {
    uint64_t now = tas_mono_us();
    if (r->told_us == 0)
        r->told_us = now;
    if (now - r->told_us < PROGRESS_US)
        return;
    r->told_us = now;
    char shown[64];
    snprintf(shown, sizeof(shown), "%s", company);
    make_safe(shown);
    fprintf(stderr, "tasukictl: company %s; %" PRId64 " events, %" PRId64 " sessions so far\n", shown,
            r->events, r->sessions);
}

static const char *plural(int64_t n, const char *one, const char *many) {
    return n == 1 ? one : many;
}

void audit_conclusion(const struct audit_report *r) {
    if (r->is_json) {
        printf("{\"level\":\"summary\",\"events\":%" PRId64 ",\"sessions\":%" PRId64 ",\"companies\":%" PRId64
               ",\"findings\":%" PRId64 ",\"warnings\":%" PRId64 "}\n",
               r->events, r->sessions, r->companies, r->findings, r->warnings);
        return;
    }
    printf("%" PRId64 " %s, %" PRId64 " %s of %" PRId64 " %s verified: ", r->events,
           plural(r->events, "event", "events"), r->sessions, plural(r->sessions, "session", "sessions"),
           r->companies, plural(r->companies, "company", "companies"));
    if (r->findings)
        printf("%" PRId64 " %s\n", r->findings, plural(r->findings, "finding", "findings"));
    else
        puts("unbroken");
}
