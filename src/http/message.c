#include "http/message.h"

#include "base/hex.h"
#include "base/id.h"
#include "http/head.h"
#include "http/message_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_CAP = 1024 };

/* ---- requests ---- */

/* Form-decodes `len` characters into out[cap]. False: does not fit, a broken escape, a NUL. */
static bool decode_value(const char *from, size_t len, char *out, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        if (c == '%') {
            int high = len - i > 2 ? tas_hex_digit(from[i + 1]) : -1;
            int low = len - i > 2 ? tas_hex_digit(from[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0' || n + 1 >= cap)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

bool tas_http_query(const struct tas_http_request *req, const char *name, char *out, size_t cap) {
    size_t name_len = strlen(name);
    const char *at = req->query;
    while (cap > 0 && *at) {
        size_t len = strcspn(at, "&");
        if (len > name_len && at[name_len] == '=' && memcmp(at, name, name_len) == 0) {
            char *value = calloc(1, cap); /* out stays as it is when the value is bad */
            bool ok = value && decode_value(at + name_len + 1, len - name_len - 1, value, cap);
            if (ok)
                memcpy(out, value, strlen(value) + 1);
            free(value);
            return ok;
        }
        at += len;
        at += *at == '&';
    }
    return false;
}

/* ---- replies ---- */

void tas_http_reply_init(struct tas_http_reply *reply) {
    memset(reply, 0, sizeof(*reply));
    reply->status = 200;
    reply->content_type = "application/json";
    reply->file_fd = -1;
    tas_buf_init(&reply->body, TAS_HTTP_BODY_MAX);
}

static void drop_file(struct tas_http_reply *reply) {
    if (reply->file_fd >= 0)
        close(reply->file_fd);
    reply->file_fd = -1;
}

void tas_http_reply_fini(struct tas_http_reply *reply) {
    drop_file(reply);
    tas_buf_fini(&reply->body);
}

void tas_http_header(struct tas_http_reply *reply, const char *name, const char *fmt, ...) {
    if (reply->n_headers == TAS_HTTP_HEADERS)
        return;
    char *value = reply->headers[reply->n_headers].value;
    va_list va;
    va_start(va, fmt);
    int n = vsnprintf(value, sizeof(reply->headers[0].value), fmt, va);
    va_end(va);
    if (n < 0 || n >= (int)sizeof(reply->headers[0].value))
        return;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return;
    reply->headers[reply->n_headers++].name = name;
}

static void append(struct tas_http_reply *reply, const char *text) {
    (void)!tas_buf_append(&reply->body, tas_bytes_of(text, strlen(text)));
}

void tas_http_printf(struct tas_http_reply *reply, const char *fmt, ...) {
    char line[LINE_CAP];
    va_list va;
    va_start(va, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, va);
    va_end(va);
    if (n > 0 && n < (int)sizeof(line)) {
        append(reply, line);
    } else if (n > 0 && n <= TAS_HTTP_BODY_MAX) {
        char *longer = malloc((size_t)n + 1);
        if (!longer)
            return;
        va_start(va, fmt);
        vsnprintf(longer, (size_t)n + 1, fmt, va);
        va_end(va);
        append(reply, longer);
        free(longer);
    }
}

static void clear_body(struct tas_http_reply *reply) {
    tas_buf_drop(&reply->body, reply->body.len);
    drop_file(reply);
    reply->file_offset = reply->file_len = 0;
}

/* Puts text that was allocated into the body. False: there is none, or it does not fit. */
static bool give_text(struct tas_http_reply *reply, char *text) {
    clear_body(reply);
    bool ok = text && tas_buf_append(&reply->body, tas_bytes_of(text, strlen(text))) == TAS_OK;
    free(text);
    return ok;
}

void tas_http_json(struct tas_http_reply *reply, unsigned status, struct tas_json *json) {
    bool ok = give_text(reply, tas_json_dump(json));
    tas_json_free(json);
    reply->status = status;
    reply->content_type = "application/json";
    if (!ok)
        tas_http_problem(reply, 500, "internal", "The server could not write its answer. Try again later.");
}

void tas_http_problem(struct tas_http_reply *reply, unsigned status, const char *code, const char *detail) {
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "type", "about:blank");
    tas_json_set_text(json, "title", tas_http_status_text(status));
    tas_json_set_int(json, "status", status);
    tas_json_set_text(json, "code", code);
    tas_json_set_text(json, "detail", detail);
    reply->status = status;
    reply->content_type = "application/problem+json";
    reply->topic = 0;
    if (!give_text(reply, tas_json_dump(json)))
        clear_body(reply); /* no memory: the status must do */
    tas_json_free(json);
}

int tas_http_event_print(char *out, size_t cap, uint64_t id, const char *event, const char *data) {
    char text[TAS_ID_CAP];
    if (strpbrk(event, "\r\n") || strpbrk(data, "\r\n"))
        return -1;
    if (id == 0) /* does not change what the reader gives back as "after" */
        return snprintf(out, cap, "event: %s\ndata: %s\n\n", event, data);
    return snprintf(out, cap, "id: %s\nevent: %s\ndata: %s\n\n", tas_id_encode(text, id), event, data);
}

void tas_http_event(struct tas_http_reply *reply, uint64_t id, const char *event, const char *data) {
    int len = tas_http_event_print(NULL, 0, id, event, data);
    if (len < 0 || (size_t)len + 1 > tas_buf_room(&reply->body))
        return;
    uint8_t *to = tas_buf_reserve(&reply->body, (size_t)len + 1);
    if (!to)
        return;
    tas_http_event_print((char *)to, (size_t)len + 1, id, event, data);
    tas_buf_commit(&reply->body, (size_t)len);
}

const char *tas_http_status_text(unsigned status) {
    static const struct {
        unsigned status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Unknown";
}

void tas_http_metric(struct tas_http_reply *reply, const char *program, const char *name, const char *kind,
                     const char *help, int64_t value) {
    reply->content_type = "text/plain; version=0.0.4";
    tas_http_printf(reply, "# HELP tasuki_%s_%s %s\n# TYPE tasuki_%s_%s %s\ntasuki_%s_%s %" PRId64 "\n",
                    program, name, help, program, name, kind, program, name, value);
}
