#include "operator/say.h"

#include "ui/text.h"
#include "wire/record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void say_number(char out[SAY_NUMBER], const char *digits) {
    if (strlen(digits) == API_NUMBER)
        snprintf(out, SAY_NUMBER, "%.3s-%.3s-%.3s", digits, digits + 3, digits + 6);
    else
        snprintf(out, SAY_NUMBER, "%.15s", digits);
}

void say_last3(char out[SAY_NUMBER], const char *last3) {
    snprintf(out, SAY_NUMBER, "\u2026-%.3s", last3);
}

void say_span(char out[SAY_SPAN], int64_t seconds) {
    if (seconds < 0)
        seconds = 0;
    long long s = (long long)seconds;
    if (s < 3600)
        snprintf(out, SAY_SPAN, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(out, SAY_SPAN, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

void say_when(char out[SAY_WHEN], int64_t ms) {
    struct tm tm;
    time_t at = (time_t)(ms / 1000);
    out[0] = '\0';
    if (ms > 0 && localtime_r(&at, &tm))
        strftime(out, SAY_WHEN, "%Y-%m-%d %H:%M", &tm);
}

static const struct {
    uint16_t right;
    const char *word;
} rights_words[] = {
    {TAS_RIGHT_SEE, N_("See the screen")},
    {TAS_RIGHT_CONTROL, N_("Control")},
    {TAS_RIGHT_CHAT, N_("Chat")},
    {TAS_RIGHT_FILES, N_("Files")},
    {TAS_RIGHT_CLIPBOARD, N_("Clipboard")},
    {TAS_RIGHT_DRAW, N_("Draw")},
    {TAS_RIGHT_DEVICE, N_("Device information")},
};

void say_rights(char out[SAY_RIGHTS], uint16_t rights) {
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(rights_words) / sizeof(rights_words[0]); i++) {
        if (!(rights & rights_words[i].right))
            continue;
        int n = snprintf(out + len, SAY_RIGHTS - len, "%s%s", len ? _(", ") : "", _(rights_words[i].word));
        if (n < 0 || (size_t)n >= SAY_RIGHTS - len)
            break;
        len += (size_t)n;
    }
    if (len == 0)
        snprintf(out, SAY_RIGHTS, "%s", _("none"));
}

void say_bytes(char out[SAY_SIZE], uint64_t bytes, bool per_second) {
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        n /= 1000;
        unit++;
    }
    snprintf(out, SAY_SIZE, unit > 0 && n < 10 ? "%.1f %s%s" : "%.0f %s%s", n, units[unit],
             per_second ? "/s" : "");
}

struct word {
    const char *word, *means;
};

static const char *find(const struct word *words, const char *word) {
    for (; words->word; words++)
        if (strcmp(words->word, word) == 0)
            return _(words->means);
    return word;
}

const char *say_result(const char *result) {
    static const struct word words[] = {
        {"solved", N_("Solved")}, {"open", N_("Open")}, {"aborted", N_("Aborted")}, {NULL, NULL}};
    return find(words, result);
}

const char *say_end_reason(const char *reason) {
    static const struct word words[] = {
        {"operator", N_("closed by the operator")},
        {"customer", N_("closed by the customer")},
        {"cancelled", N_("cancelled")},
        {"expired", N_("expired")},
        {"lost", N_("connection lost")},
        {"timeout", N_("timed out")},
        {"error", N_("error")},
        {"admin", N_("closed by an administrator")},
        {NULL, NULL},
    };
    return find(words, reason);
}

void say_copy(char *out, size_t cap, const char *text) {
    size_t len = strlen(text);
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out, text, len);
    out[len] = '\0';
}
