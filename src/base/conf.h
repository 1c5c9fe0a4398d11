/* Configuration files (libconfuse): typed options, titled sections, an unknown key is an error with file and
 * line. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum tas_conf_kind {
    TAS_CONF_TEXT,
    TAS_CONF_NUMBER,
    TAS_CONF_LIST,    /* of texts: {"a", "b"} */
    TAS_CONF_SECTION, /* name "title" { ... }, any number of them */
    TAS_CONF_END,     /* closes a table */
};

struct tas_conf_option {
    enum tas_conf_kind kind;
    const char *name;
    const char *text;                      /* default of a TEXT; NULL: must be given */
    long number, least, most;              /* default and range of a NUMBER; outside it: must be given */
    const struct tas_conf_option *options; /* of a SECTION */
    bool is_secret;                        /* masked when printed */
};

struct tas_conf;

enum { TAS_CONF_WHY = 512 };

/* Reads and checks a file. NULL: `why` says what is wrong, with file:line where there is one. The table must
 * outlive the result. */
struct tas_conf *tas_conf_load(const char *path, const struct tas_conf_option *options,
                               char why[TAS_CONF_WHY]);
void tas_conf_free(struct tas_conf *conf); /* NULL is fine */

/* Values; borrowed from conf. The name must be in the table. */
const char *tas_conf_text(const struct tas_conf *conf, const char *name);
long tas_conf_number(const struct tas_conf *conf, const char *name);
size_t tas_conf_list_len(const struct tas_conf *conf, const char *name);
const char *tas_conf_list_at(const struct tas_conf *conf, const char *name, size_t i);

/* Overwrites a text that is a secret; tas_conf_text() then gives an empty one. */
void tas_conf_wipe(struct tas_conf *conf, const char *name);

/* Sections of a name, in file order; values in section i. */
size_t tas_conf_sections(const struct tas_conf *conf, const char *name);
const char *tas_conf_section_title(const struct tas_conf *conf, const char *name, size_t i);
const char *tas_conf_section_text(const struct tas_conf *conf, const char *name, size_t i,
                                  const char *option);
long tas_conf_section_number(const struct tas_conf *conf, const char *name, size_t i, const char *option);

/* Writes all options with their values in force to standard output, secrets as "***". */
void tas_conf_print(const struct tas_conf *conf);
