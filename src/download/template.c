#include "download/template.h"

#include <assert.h>

static int add(struct tas_buf *out, const char *text, size_t len) {
    return tas_buf_append(out, tas_bytes_of(text, len));
}

static int add_escaped(struct tas_buf *out, const char *text) {
    static const char special[] = "&<>\"'";
    static const char *const instead[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    int err = TAS_OK;
    while (err == TAS_OK && *text) {
        size_t len = strcspn(text, special);
        err = add(out, text, len);
        text += len;
        if (err == TAS_OK && *text) {
            const char *with = instead[strchr(special, *text++) - special];
            err = add(out, with, strlen(with));
        }
    }
    return err;
}

static const char *value_of(const struct download_value *values, const char *name, size_t len) {
    while (strlen(values->name) != len || memcmp(values->name, name, len) != 0) {
        values++;
        assert(values->name); /* the template asks for what nobody gives */
    }
    return values->text;
}

/* Behind the {{/name}} that belongs to what stands before `at`. */
static const char *skip(const char *at, const char *name, size_t len) {
    for (;;) {
        at = strstr(at, "{{/");
        assert(at);
        at += 3;
        if (strncmp(at, name, len) == 0 && strncmp(at + len, "}}", 2) == 0)
            return at + len + 2;
    }
}

int download_template_fill(struct tas_buf *out, const char *text, const struct download_value *values) {
    int err = TAS_OK;
    while (err == TAS_OK) {
        const char *open = strstr(text, "{{");
        if (!open)
            return add(out, text, strlen(text));
        err = add(out, text, (size_t)(open - text));
        char kind = open[2];
        const char *name = open + 2 + (kind == '#' || kind == '^' || kind == '/');
        size_t len = strcspn(name, "}");
        text = name + len + 2;
        assert(strncmp(name + len, "}}", 2) == 0);
        if (kind == '/')
            continue;
        const char *value = value_of(values, name, len);
        if (kind == '#' || kind == '^')
            text = (value != NULL) == (kind == '#') ? text : skip(text, name, len);
        else if (err == TAS_OK && value)
            err = add_escaped(out, value);
    }
    return err;
}
