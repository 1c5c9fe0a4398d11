#include "http/head.h"

#include "base/hex.h"
#include "base/utf8.h"

enum { METHOD_MAX = 16, LENGTH_DIGITS = 15, CHUNK_LINE_MAX = 128, TRAILER_MAX = 4096 };

static bool is_token_char(uint8_t c) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr(marks, c));
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* ---- heads ---- */

size_t tas_http_head_len(struct tas_bytes in, size_t *scanned) {
    for (size_t i = *scanned; i < in.len; i++) {
        if (in.ptr[i] != '\n')
            continue;
        if (i + 1 < in.len && in.ptr[i + 1] == '\n')
            return i + 2;
        if (i + 2 < in.len && in.ptr[i + 1] == '\r' && in.ptr[i + 2] == '\n')
            return i + 3;
    }
    *scanned = in.len > 2 ? in.len - 2 : 0; /* a line's end may be cut in two */
    return 0;
}

/* The bytes up to CR LF, which is taken too. TAS_E_PROTO: a control character before it, or no such end. */
static int take_line(struct tas_reader *head, struct tas_bytes *line) {
    size_t len = 0;
    while (len < head->in.len && head->in.ptr[len] != '\r' && head->in.ptr[len] != '\n') {
        uint8_t c = head->in.ptr[len];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return TAS_E_PROTO;
        len++;
    }
    if (head->in.len - len < 2 || head->in.ptr[len] != '\r' || head->in.ptr[len + 1] != '\n')
        return TAS_E_PROTO;
    *line = tas_read_bytes(head, len);
    (void)tas_read_bytes(head, 2);
    return TAS_OK;
}

static struct tas_bytes take_until_space(struct tas_bytes *line) {
    struct tas_bytes word = {line->ptr, 0};
    while (word.len < line->len && line->ptr[word.len] != ' ')
        word.len++;
    size_t used = word.len + (word.len < line->len);
    *line = tas_bytes_of(line->ptr + used, line->len - used);
    return word;
}

static bool is_version(struct tas_bytes word, unsigned *minor) {
    static const char version[] = "HTTP/1.";
    const size_t len = sizeof(version) - 1;
    if (word.len != len + 1 || memcmp(word.ptr, version, len) != 0 ||
        (word.ptr[len] != '0' && word.ptr[len] != '1'))
        return false;
    *minor = word.ptr[len] - (unsigned)'0';
    return true;
}

int tas_http_line_take(struct tas_reader *head, struct tas_http_line *out) {
    struct tas_bytes line;
    if (take_line(head, &line) != TAS_OK)
        return TAS_E_PROTO;
    struct tas_http_line got = {.method = take_until_space(&line), .target = take_until_space(&line)};
    if (!is_version(line, &got.minor))
        return TAS_E_PROTO;
    if (got.method.len == 0 || got.method.len > METHOD_MAX || got.target.len == 0)
        return TAS_E_PROTO;
    for (size_t i = 0; i < got.method.len; i++)
        if (!is_token_char(got.method.ptr[i]))
            return TAS_E_PROTO;
    *out = got;
    return TAS_OK;
}

/* The words behind the number are for people, and may lack with their space. */
int tas_http_status_take(struct tas_reader *head, struct tas_http_status *out) {
    struct tas_bytes line;
    struct tas_http_status got = {0};
    if (take_line(head, &line) != TAS_OK || !is_version(take_until_space(&line), &got.minor))
        return TAS_E_PROTO;
    struct tas_bytes code = take_until_space(&line);
    if (code.len != 3 || code.ptr[0] == '0')
        return TAS_E_PROTO;
    for (size_t i = 0; i < code.len; i++) {
        if (code.ptr[i] < '0' || code.ptr[i] > '9')
            return TAS_E_PROTO;
        got.code = got.code * 10 + (code.ptr[i] - (unsigned)'0');
    }
    *out = got;
    return TAS_OK;
}

static struct tas_bytes trimmed(struct tas_bytes text) {
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = tas_bytes_of(text.ptr + 1, text.len - 1);
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

int tas_http_field_take(struct tas_reader *head, struct tas_bytes *name, struct tas_bytes *value) {
    struct tas_bytes line;
    if (take_line(head, &line) != TAS_OK)
        return TAS_E_PROTO;
    if (line.len == 0)
        return head->in.len == 0 ? TAS_E_MORE : TAS_E_PROTO;
    size_t n = 0;
    while (n < line.len && is_token_char(line.ptr[n]))
        n++;
    if (n == 0 || n == line.len || line.ptr[n] != ':')
        return TAS_E_PROTO;
    *name = tas_bytes_of(line.ptr, n);
    *value = trimmed(tas_bytes_of(line.ptr + n + 1, line.len - n - 1));
    return TAS_OK;
}

bool tas_http_is_named(struct tas_bytes text, const char *name) {
    if (text.len != strlen(name))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (lower(text.ptr[i]) != (uint8_t)name[i])
            return false;
    return true;
}

bool tas_http_list_has(struct tas_bytes list, const char *word) {
    while (list.len) {
        size_t n = 0;
        while (n < list.len && list.ptr[n] != ',')
            n++;
        if (tas_http_is_named(trimmed(tas_bytes_of(list.ptr, n)), word))
            return true;
        n += n < list.len;
        list = tas_bytes_of(list.ptr + n, list.len - n);
    }
    return false;
}

int tas_http_length_parse(struct tas_bytes text, uint64_t *out) {
    uint64_t value = 0;
    if (text.len == 0 || text.len > LENGTH_DIGITS)
        return TAS_E_PROTO;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return TAS_E_PROTO;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = value;
    return TAS_OK;
}

/* ---- targets and hosts ---- */

/* Decodes one path character; '/' that was escaped is refused, so that segments stay what they were. */
static int take_path_char(struct tas_reader *r) {
    uint8_t c = tas_read_u8(r);
    if (c != '%')
        return c <= ' ' || c == 0x7f || c == '\\' || c == '#' ? -1 : c;
    int high = tas_hex_digit((char)tas_read_u8(r));
    int low = tas_hex_digit((char)tas_read_u8(r));
    if (r->bad || high < 0 || low < 0)
        return -1;
    int value = high << 4 | low;
    return value < ' ' || value == '/' || value == '\\' || value == 0x7f ? -1 : value;
}

static bool has_dot_segment(const char *path) {
    for (const char *at = path; *at; at += strcspn(at, "/")) {
        at++; /* every segment begins after a slash */
        size_t len = strcspn(at, "/");
        if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
            return true;
    }
    return false;
}

int tas_http_target_parse(struct tas_bytes target, char *mem, const char **path, const char **query) {
    size_t path_len = 0;
    while (path_len < target.len && target.ptr[path_len] != '?')
        path_len++;
    if (path_len > TAS_HTTP_PATH_MAX)
        return TAS_E_LIMIT;
    if (path_len == 0 || target.ptr[0] != '/')
        return TAS_E_PROTO;
    struct tas_reader r = tas_reader_of(tas_bytes_of(target.ptr, path_len));
    size_t n = 0;
    while (r.in.len) {
        int c = take_path_char(&r);
        if (c < 0)
            return TAS_E_PROTO;
        mem[n++] = (char)c;
    }
    mem[n] = '\0';
    if (has_dot_segment(mem) || !tas_utf8_is_plain(tas_bytes_of(mem, n)))
        return TAS_E_PROTO;
    char *rest = mem + n + 1;
    size_t rest_len = path_len < target.len ? target.len - path_len - 1 : 0;
    for (size_t i = 0; i < rest_len; i++) {
        uint8_t c = target.ptr[path_len + 1 + i];
        if (c <= ' ' || c >= 0x7f || c == '#')
            return TAS_E_PROTO;
        rest[i] = (char)c;
    }
    rest[rest_len] = '\0';
    *path = mem;
    *query = rest;
    return TAS_OK;
}

static bool is_host_char(uint8_t c, bool is_v6) {
    if (is_v6)
        return tas_hex_digit((char)c) >= 0 || c == ':' || c == '.';
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

size_t tas_http_host_len(struct tas_bytes host) {
    bool is_v6 = host.len > 0 && host.ptr[0] == '[';
    size_t n = is_v6;
    while (n < host.len && is_host_char(host.ptr[n], is_v6))
        n++;
    if (is_v6) {
        if (n < 3 || n == host.len || host.ptr[n] != ']')
            return 0;
        n++;
    }
    if (n == 0 || n > TAS_HTTP_HOST_MAX || (!is_v6 && (host.ptr[0] == '.' || host.ptr[0] == '-')))
        return 0;
    if (n == host.len)
        return n;
    size_t digits = host.len - n - 1;
    if (host.ptr[n] != ':' || digits == 0 || digits > 5)
        return 0;
    for (size_t i = n + 1; i < host.len; i++)
        if (host.ptr[i] < '0' || host.ptr[i] > '9')
            return 0;
    return n;
}

/* ---- chunked bodies (RFC 9112 section 7.1) ---- */

enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LINE, TRAILER_LF, END_LF, DONE };

static int size_char(struct tas_http_chunks *c, uint8_t byte) {
    int digit = tas_hex_digit((char)byte);
    if (digit >= 0) {
        if (c->line_len > 8)
            return TAS_E_PROTO;
        c->left = c->left << 4 | (uint64_t)digit;
        return SIZE;
    }
    if (c->line_len == 1)
        return TAS_E_PROTO; /* no digit at all */
    if (byte == '\r')
        return SIZE_LF;
    return byte == ';' || byte == ' ' || byte == '\t' ? EXTENSION : TAS_E_PROTO;
}

/* The state after one byte that is not data; TAS_E_PROTO: there is none. */
static int after(struct tas_http_chunks *c, uint8_t byte) {
    switch (c->state) {
    case SIZE:
        return size_char(c, byte);
    case EXTENSION:
        return byte == '\r'                                   ? SIZE_LF
               : byte == '\n' || c->line_len > CHUNK_LINE_MAX ? TAS_E_PROTO
                                                              : EXTENSION;
    case SIZE_LF:
        return byte != '\n' ? TAS_E_PROTO : c->left ? DATA : TRAILER;
    case DATA_CR:
        return byte == '\r' ? DATA_LF : TAS_E_PROTO;
    case DATA_LF:
        return byte == '\n' ? SIZE : TAS_E_PROTO;
    case TRAILER:
        return byte == '\r' ? END_LF : byte == '\n' ? TAS_E_PROTO : TRAILER_LINE;
    case TRAILER_LINE:
        return byte == '\r' ? TRAILER_LF : byte == '\n' ? TAS_E_PROTO : TRAILER_LINE;
    case TRAILER_LF:
        return byte == '\n' ? TRAILER : TAS_E_PROTO;
    case END_LF:
        return byte == '\n' ? DONE : TAS_E_PROTO;
    default:
        return TAS_E_PROTO;
    }
}

static int step(struct tas_http_chunks *c, uint8_t byte) {
    c->line_len++;
    if (c->state >= TRAILER && ++c->trailer_len > TRAILER_MAX)
        return TAS_E_PROTO;
    int next = after(c, byte);
    if (next < 0)
        return next;
    if (next == SIZE && c->state != SIZE) {
        c->left = 0;
        c->line_len = 0;
    }
    c->state = next;
    return TAS_OK;
}

int tas_http_chunks_take(struct tas_http_chunks *c, struct tas_bytes in, size_t *used, struct tas_buf *body) {
    size_t at = 0;
    int err = TAS_OK;
    while (err == TAS_OK && at < in.len && c->state != DONE) {
        if (c->state != DATA) {
            err = step(c, in.ptr[at++]);
            if (err == TAS_OK && c->state == DATA && c->left > tas_buf_room(body))
                err = TAS_E_LIMIT;
            continue;
        }
        size_t n = in.len - at < c->left ? in.len - at : (size_t)c->left;
        err = tas_buf_append(body, tas_bytes_of(in.ptr + at, n));
        at += n;
        c->left -= n;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    *used = at;
    if (err == TAS_E_FULL)
        return TAS_E_LIMIT;
    return err != TAS_OK ? err : c->state == DONE ? TAS_OK : TAS_E_MORE;
}
