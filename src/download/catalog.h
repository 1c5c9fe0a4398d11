/* What there is to download, and the pages that say so. Everything is made when it is loaded, from a file's
 * bytes that are then kept in sealed memory: what the page says of the file is true of what is sent, until
 * the next load. */
#pragma once

#include "download/config.h"
#include "download/language.h"
#include "http/message.h"

#include <stdatomic.h>

enum { DOWNLOAD_WHY = 512, DOWNLOAD_FILE_MAX = 256 * 1024 * 1024, DOWNLOAD_ETAG = 35, DOWNLOAD_SHA256 = 65 };

struct download_catalog;

/* An empty one: there are no pages yet. NULL: no memory. */
struct download_catalog *download_catalog_new(void);
void download_catalog_free(struct download_catalog *catalog); /* NULL is fine */

/* Reads the client tool and makes the pages; what is being sent is sent to its end. TAS_E_ABSENT: there is no
 * such file; the first load then makes pages without it, a later one changes nothing. TAS_E_CONFIG: the file
 * cannot be used, nothing is changed. `why` names the file. */
TAS_MUST_USE int download_catalog_load(struct download_catalog *catalog, const struct download_config *config,
                                       char why[DOWNLOAD_WHY]);

/* For logs and figures. */
struct download_facts {
    bool has_client;
    uint64_t size; /* bytes */
    char sha256[DOWNLOAD_SHA256];
};
void download_catalog_facts(struct download_catalog *catalog, struct download_facts *out);

/* clang-format off */
#define DOWNLOAD_STATS(X) \
    X(pages_total,     "pages shown") \
    X(files_total,     "times the client tool was sent as a whole") \
    X(parts_total,     "times a part of the client tool was sent") \
    X(unchanged_total, "times somebody had the client tool or a page already") \
    X(absent_total,    "times the client tool was asked for and not there")
/* clang-format on */
struct download_stats {
#define X(name, help) atomic_llong name;
    DOWNLOAD_STATS(X)
#undef X
};

/* Replies; none blocks. The page in a language, the file or what `req` wants of it, its checksum, and what
 * pages need. */
void download_reply_page(struct download_catalog *catalog, struct download_stats *stats,
                         const struct tas_http_request *req, struct tas_http_reply *reply);
void download_reply_file(struct download_catalog *catalog, struct download_stats *stats,
                         const struct tas_http_request *req, struct tas_http_reply *reply);
void download_reply_checksum(struct download_catalog *catalog, struct tas_http_reply *reply);
void download_reply_style(struct download_catalog *catalog, const struct tas_http_request *req,
                          struct tas_http_reply *reply);
