#include "customer/record.h"

#include "base/time.h"
#include "base/wipe.h"
#include "ui/alarm.h"
#include "ui/plain.h"
#include "ui/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct line {
    uint64_t at_ms, last_ms;
    unsigned times;
    enum record_kind kind;
    const char *text;
    char *detail; /* owned, plain; NULL: none */
};

struct record {
    struct line *lines; /* oldest first */
    size_t n, cap;
    size_t n_events;  /* of them */
    bool has_dropped; /* some events */
};

struct record *record_new(void) {
    return calloc(1, sizeof(struct record));
}

static void forget(struct line *line) {
    if (line->detail)
        tas_wipe(line->detail, strlen(line->detail));
    free(line->detail);
    *line = (struct line){0};
}

void record_free(struct record *record) {
    if (!record)
        return;
    for (size_t i = 0; i < record->n; i++)
        forget(&record->lines[i]);
    free(record->lines);
    free(record);
}

/* ---- room ---- */

static bool drop_oldest_event(struct record *record) {
    size_t i = 0;
    while (i < record->n && record->lines[i].kind != RECORD_EVENT)
        i++;
    if (i == record->n)
        return false;
    forget(&record->lines[i]);
    record->n--;
    record->n_events--;
    record->has_dropped = true;
    memmove(&record->lines[i], &record->lines[i + 1], (record->n - i) * sizeof(struct line));
    return true;
}

static bool make_room(struct record *record) {
    if (record->n < record->cap)
        return true;
    size_t cap = record->cap ? record->cap * 2 : 64;
    struct line *lines = realloc(record->lines, cap * sizeof(struct line));
    if (!lines)
        return drop_oldest_event(record);
    record->lines = lines;
    record->cap = cap;
    return true;
}

/* ---- lines ---- */

static bool is_like(const struct line *a, const struct line *b) {
    return a->kind == b->kind && strcmp(a->text, b->text) == 0 &&
           strcmp(a->detail ? a->detail : "", b->detail ? b->detail : "") == 0;
}

/* The line that a repetition is counted at; NULL: it is none. What happened before a decision is told apart
 * from what happened after it. */
static struct line *find_like(struct record *record, const struct line *line) {
    size_t reach = line->kind == RECORD_ALARM ? record->n : RECORD_NEAR;
    for (size_t i = record->n; i > 0 && reach > 0 && line->kind != RECORD_DECISION; i--, reach--) {
        struct line *earlier = &record->lines[i - 1];
        if (is_like(earlier, line))
            return earlier;
        if (earlier->kind == RECORD_DECISION && line->kind == RECORD_EVENT)
            return NULL;
    }
    return NULL;
}

void record_add(struct record *record, enum record_kind kind, const char *text, const char *detail) {
    uint64_t now_ms = tas_wall_ms();
    struct line line = {.at_ms = now_ms,
                        .last_ms = now_ms,
                        .times = 1,
                        .kind = kind,
                        .text = text,
                        .detail = detail ? ui_plain(detail, 1) : NULL};
    struct line *earlier = find_like(record, &line);
    if (earlier) {
        earlier->times++;
        earlier->last_ms = now_ms;
        forget(&line);
        return;
    }
    if (kind == RECORD_EVENT && record->n_events == RECORD_LINES)
        (void)drop_oldest_event(record);
    if (!make_room(record)) {
        record->has_dropped = true;
        forget(&line);
        return;
    }
    record->lines[record->n++] = line;
    record->n_events += kind == RECORD_EVENT;
}

/* ---- the file ---- */

static struct tm local_time(uint64_t at_ms) {
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    return tm;
}

static void write_line(FILE *f, const struct line *line) {
    char first[32] = "", last[16] = "";
    const struct tm first_tm = local_time(line->at_ms), last_tm = local_time(line->last_ms);
    strftime(first, sizeof(first), "%Y-%m-%d %H:%M:%S", &first_tm);
    strftime(last, sizeof(last), "%H:%M:%S", &last_tm);
    fprintf(f, "%s  %s", first, ui_text(line->text));
    if (line->detail)
        fprintf(f, ": %s", line->kind == RECORD_ALARM ? ui_alarm(line->detail) : line->detail);
    if (line->times > 1)
        fprintf(f, _(" (%u times, the last at %s)"), line->times, last);
    fputc('\n', f);
}

int record_save(const struct record *record, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return TAS_E_IO;
    }
    fprintf(f, "%s\n\n", _("Remote support: your own record of what happened"));
    if (record->has_dropped)
        fprintf(f, "%s\n", _("(older lines were dropped)"));
    for (size_t i = 0; i < record->n; i++)
        write_line(f, &record->lines[i]);
    bool is_written = fflush(f) == 0 && fsync(fd) == 0;
    int saved = errno;
    fclose(f);
    if (is_written)
        return TAS_OK;
    unlink(path);
    errno = saved;
    return TAS_E_IO;
}
