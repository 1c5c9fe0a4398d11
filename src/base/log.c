#include "base/log.h"
#include "base/time.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048 };

static atomic_int log_level = TAS_LOG_INFO;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void tas_log_set_level(enum tas_log_level level) {
    atomic_store(&log_level, (int)level);
}

int tas_log_level_of(const char *word, enum tas_log_level *out) {
    for (int i = TAS_LOG_DEBUG; i <= TAS_LOG_ERROR; i++) {
        if (strcmp(word, level_names[i]) == 0) {
            *out = (enum tas_log_level)i;
            return TAS_OK;
        }
    }
    return TAS_E_CONFIG;
}

char *tas_log_quote(char *out, size_t cap, const char *text) {
    size_t n = 0;
    out[n++] = '"';
    for (const unsigned char *p = (const unsigned char *)text; *p && n + 8 < cap; p++) {
        if (*p == '"' || *p == '\\') {
            out[n++] = '\\';
            out[n++] = (char)*p;
        } else if (*p < 0x20 || *p > 0x7e) {
            n += (size_t)snprintf(out + n, cap - n, "\\u%04x", *p);
        } else {
            out[n++] = (char)*p;
        }
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}

struct line {
    char text[LINE_MAX_LEN];
    size_t len;
};

static void put(struct line *line, const char *text, size_t len) {
    size_t room = sizeof(line->text) - 3 - line->len; /* the closing brace and the newline always fit */
    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text) {
    put(line, text, strlen(text));
}

/* A bare word is a JSON number when it is digits without a leading zero. */
static bool is_number(const char *word, size_t len) {
    if (len == 0 || len > 15 || (len > 1 && word[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (word[i] < '0' || word[i] > '9')
            return false;
    return true;
}

/* The length of a value: up to the closing quote, or up to the next space. */
static size_t value_len(const char *value) {
    if (*value != '"')
        return strcspn(value, " ");
    size_t n = 1;
    while (value[n] && value[n] != '"')
        n += value[n] == '\\' && value[n + 1] ? 2 : 1;
    return value[n] ? n + 1 : n;
}

static void put_pairs(struct line *line, const char *pairs) {
    while (*pairs) {
        size_t key = strcspn(pairs, "= ");
        if (pairs[key] != '=')
            break;
        const char *value = pairs + key + 1;
        size_t len = value_len(value);
        if (line->len + key + len + 16 > sizeof(line->text))
            break; /* a line that is too long loses whole pairs, so that it stays JSON */
        put_text(line, ",\"");
        put(line, pairs, key);
        put_text(line, "\":");
        bool bare = *value == '"' || is_number(value, len);
        put_text(line, bare ? "" : "\"");
        put(line, value, len);
        put_text(line, bare ? "" : "\"");
        pairs = value + len;
        pairs += *pairs == ' ';
    }
}

void tas_log(enum tas_log_level level, const char *component, const char *event, const char *fmt, ...) {
    if ((int)level < atomic_load(&log_level))
        return;
    uint64_t now = tas_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);

    struct line line = {.len = 0};
    char head[160];
    size_t stamp = strftime(head, sizeof(head), "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
    put(&line, head, stamp);
    snprintf(head, sizeof(head), ".%03uZ\",\"level\":\"%s\",\"component\":\"%s\",\"event\":\"%s\"",
             (unsigned)(now % 1000), level_names[level], component, event);
    put_text(&line, head);

    char pairs[LINE_MAX_LEN];
    va_list va;
    va_start(va, fmt);
    vsnprintf(pairs, sizeof(pairs), fmt, va);
    va_end(va);
    put_pairs(&line, pairs);

    line.text[line.len++] = '}';
    line.text[line.len++] = '\n';
    /* One write: lines of several threads do not mix. Nothing sensible can be done when it fails. */
    ssize_t ignored = write(STDERR_FILENO, line.text, line.len);
    (void)ignored;
}
