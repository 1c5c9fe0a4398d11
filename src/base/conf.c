#include "base/conf.h"

#include "base/wipe.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPTIONS_MAX = 64 };

struct tas_conf {
    cfg_t *cfg;
    const struct tas_conf_option *options;
    cfg_opt_t *tables[OPTIONS_MAX]; /* what libconfuse was given; it keeps pointers into them */
    size_t n_tables;
};

/* libconfuse reports through a callback without context; parsing happens at start and on SIGHUP, one at a
 * time. */
static _Thread_local char *report_to;
static _Thread_local const struct tas_conf_option *parsing; /* the whole table */

__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list va) {
    if (!report_to || report_to[0])
        return; /* the first complaint is the one that helps */
    int n = cfg && cfg->filename ? snprintf(report_to, TAS_CONF_WHY, "%s:%d: ", cfg->filename, cfg->line) : 0;
    if (n >= 0 && n < TAS_CONF_WHY)
        vsnprintf(report_to + n, (size_t)(TAS_CONF_WHY - n), fmt, va);
}

/* The table that an open section was made from. */
static const struct tas_conf_option *table_of(const cfg_t *cfg) {
    for (const struct tas_conf_option *o = parsing; o->kind != TAS_CONF_END; o++)
        if (o->kind == TAS_CONF_SECTION && strcmp(o->name, cfg->name) == 0)
            return o->options;
    return parsing;
}

/* Called as a number is read, while its line is known. */
static int on_number(cfg_t *cfg, cfg_opt_t *opt) {
    const struct tas_conf_option *o = table_of(cfg);
    while (o->kind != TAS_CONF_END && strcmp(o->name, opt->name) != 0)
        o++;
    long v = cfg_opt_getnint(opt, 0);
    if (o->kind != TAS_CONF_NUMBER || (v >= o->least && v <= o->most))
        return 0;
    cfg_error(cfg, "%s = %ld must be from %ld to %ld", o->name, v, o->least, o->most);
    return -1;
}

static size_t count(const struct tas_conf_option *options) {
    size_t n = 0;
    while (options[n].kind != TAS_CONF_END)
        n++;
    return n;
}

/* The same table in libconfuse's words. */
static cfg_opt_t *translate(struct tas_conf *conf, const struct tas_conf_option *options) {
    size_t n = count(options);
    cfg_opt_t *table = calloc(n + 1, sizeof(*table));
    if (!table || conf->n_tables == OPTIONS_MAX) {
        free(table);
        return NULL;
    }
    conf->tables[conf->n_tables++] = table;
    for (size_t i = 0; i < n; i++) {
        const struct tas_conf_option *o = &options[i];
        cfg_opt_t text = CFG_STR(o->name, o->text, CFGF_NONE);
        cfg_opt_t number = CFG_INT(o->name, o->number, CFGF_NONE);
        cfg_opt_t list = CFG_STR_LIST(o->name, NULL, CFGF_NONE);
        cfg_opt_t *sub = o->kind == TAS_CONF_SECTION ? translate(conf, o->options) : NULL;
        cfg_opt_t section = CFG_SEC(o->name, sub, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
        if (o->kind == TAS_CONF_SECTION && !sub)
            return NULL;
        table[i] = o->kind == TAS_CONF_TEXT     ? text
                   : o->kind == TAS_CONF_NUMBER ? number
                   : o->kind == TAS_CONF_LIST   ? list
                                                : section;
        if (o->kind == TAS_CONF_NUMBER)
            table[i].validcb = on_number;
    }
    const cfg_opt_t end = CFG_END();
    table[n] = end;
    return table;
}

/* What must be given: a text without a default, a number whose default is out of its range. */
static bool check(cfg_t *cfg, const struct tas_conf_option *options, const char *path,
                  char why[TAS_CONF_WHY]) {
    for (const struct tas_conf_option *o = options; o->kind != TAS_CONF_END; o++) {
        bool is_missing = o->kind == TAS_CONF_TEXT && !cfg_getstr(cfg, o->name);
        if (o->kind == TAS_CONF_NUMBER)
            is_missing = cfg_getint(cfg, o->name) < o->least || cfg_getint(cfg, o->name) > o->most;
        if (is_missing) {
            snprintf(why, TAS_CONF_WHY, "%s:%d: %s must be given", path, cfg->line, o->name);
            return false;
        }
        for (unsigned i = 0; o->kind == TAS_CONF_SECTION && i < cfg_size(cfg, o->name); i++)
            if (!check(cfg_getnsec(cfg, o->name, i), o->options, path, why))
                return false;
    }
    return true;
}

struct tas_conf *tas_conf_load(const char *path, const struct tas_conf_option *options,
                               char why[TAS_CONF_WHY]) {
    why[0] = '\0';
    struct tas_conf *conf = calloc(1, sizeof(*conf));
    cfg_opt_t *table = conf ? translate(conf, options) : NULL;
    if (table)
        conf->cfg = cfg_init(table, CFGF_NONE);
    if (!table || !conf->cfg) {
        snprintf(why, TAS_CONF_WHY, "out of memory");
        goto fail;
    }
    conf->options = options;
    cfg_set_error_function(conf->cfg, on_error);
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) { /* libconfuse's scanner would exit() */
        snprintf(why, TAS_CONF_WHY, "%s: %s", path, strerror(EISDIR));
        goto fail;
    }
    report_to = why;
    parsing = options;
    errno = 0;
    int got = cfg_parse(conf->cfg, path);
    report_to = NULL;
    if (got == CFG_FILE_ERROR) {
        snprintf(why, TAS_CONF_WHY, "%s: %s", path, strerror(errno));
        goto fail;
    }
    if (got != CFG_SUCCESS) {
        if (!why[0])
            snprintf(why, TAS_CONF_WHY, "%s: cannot be read", path);
        goto fail;
    }
    if (check(conf->cfg, options, path, why))
        return conf;
fail:
    tas_conf_free(conf);
    return NULL;
}

void tas_conf_free(struct tas_conf *conf) {
    if (!conf)
        return;
    if (conf->cfg)
        cfg_free(conf->cfg);
    for (size_t i = 0; i < conf->n_tables; i++)
        free(conf->tables[i]);
    free(conf);
}

const char *tas_conf_text(const struct tas_conf *conf, const char *name) {
    return cfg_getstr(conf->cfg, name);
}

long tas_conf_number(const struct tas_conf *conf, const char *name) {
    return cfg_getint(conf->cfg, name);
}

size_t tas_conf_list_len(const struct tas_conf *conf, const char *name) {
    return cfg_size(conf->cfg, name);
}

const char *tas_conf_list_at(const struct tas_conf *conf, const char *name, size_t i) {
    return cfg_getnstr(conf->cfg, name, (unsigned)i);
}

void tas_conf_wipe(struct tas_conf *conf, const char *name) {
    char *text = cfg_getstr(conf->cfg, name);
    tas_wipe(text, text ? strlen(text) : 0);
}

size_t tas_conf_sections(const struct tas_conf *conf, const char *name) {
    return cfg_size(conf->cfg, name);
}

const char *tas_conf_section_title(const struct tas_conf *conf, const char *name, size_t i) {
    return cfg_title(cfg_getnsec(conf->cfg, name, (unsigned)i));
}

const char *tas_conf_section_text(const struct tas_conf *conf, const char *name, size_t i,
                                  const char *option) {
    return cfg_getstr(cfg_getnsec(conf->cfg, name, (unsigned)i), option);
}

long tas_conf_section_number(const struct tas_conf *conf, const char *name, size_t i, const char *option) {
    return cfg_getint(cfg_getnsec(conf->cfg, name, (unsigned)i), option);
}

static void print_options(cfg_t *cfg, const struct tas_conf_option *options, const char *indent) {
    for (const struct tas_conf_option *o = options; o->kind != TAS_CONF_END; o++) {
        switch (o->kind) {
        case TAS_CONF_TEXT:
            printf("%s%s = \"%s\"\n", indent, o->name, o->is_secret ? "***" : cfg_getstr(cfg, o->name));
            break;
        case TAS_CONF_NUMBER:
            printf("%s%s = %ld\n", indent, o->name, cfg_getint(cfg, o->name));
            break;
        case TAS_CONF_LIST:
            printf("%s%s = {", indent, o->name);
            for (unsigned i = 0; i < cfg_size(cfg, o->name); i++)
                printf("%s\"%s\"", i ? ", " : "", cfg_getnstr(cfg, o->name, i));
            printf("}\n");
            break;
        default:
            for (unsigned i = 0; i < cfg_size(cfg, o->name); i++) {
                cfg_t *sec = cfg_getnsec(cfg, o->name, i);
                printf("%s%s \"%s\" {\n", indent, o->name, cfg_title(sec));
                print_options(sec, o->options, "    ");
                printf("%s}\n", indent);
            }
        }
    }
}

void tas_conf_print(const struct tas_conf *conf) {
    print_options(conf->cfg, conf->options, "");
}
