#include "download/catalog_private.h"

#include "download/etag.h"
#include "download/range.h"
#include "download/texts_private.h"

#include <fcntl.h>
#include <inttypes.h>

enum { VERSION_CAP = 40, LANGUAGE_CAP = 8 };

/* ETag and, in a browser's memory, no use without asking. True: they who ask have it already, the reply is
 * complete. */
static bool is_unchanged(const struct tas_http_request *req, struct tas_http_reply *reply, const char *etag) {
    tas_http_header(reply, "etag:", "%s", etag);
    tas_http_header(reply, "cache-control:", "no-cache");
    if (!download_etag_is_in(req->if_none_match, etag))
        return false;
    reply->status = 304;
    return true;
}

static void add_text(struct tas_http_reply *reply, struct tas_bytes text) {
    if (tas_buf_append(&reply->body, text) != TAS_OK)
        tas_http_problem(reply, 503, "busy", "The server is busy. Try again later.");
}

/* ---- pages ---- */

void download_reply_page(struct download_catalog *catalog, struct download_stats *stats,
                         const struct tas_http_request *req, struct tas_http_reply *reply) {
    char wanted[LANGUAGE_CAP] = "";
    (void)tas_http_query(req, "lang", wanted, sizeof(wanted)); /* another value is no choice */
    enum download_language language = download_language_choose(wanted, req->accept_language);
    reply->content_type = "text/html; charset=utf-8";
    tas_http_header(
        reply, "content-security-policy:", "%s",
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'");
    tas_http_header(reply, "referrer-policy:", "no-referrer");
    tas_http_header(reply, "cross-origin-opener-policy:", "same-origin");
    tas_http_header(reply, "vary:", "Accept-Language");
    tas_http_header(reply, "content-language:", "%s", language == DOWNLOAD_JA ? "ja" : "en");
    pthread_mutex_lock(&catalog->lock);
    const struct download_page *page = &catalog->shown->pages[language];
    bool is_sent = !is_unchanged(req, reply, page->etag);
    if (is_sent)
        add_text(reply, tas_buf_peek(&page->text));
    pthread_mutex_unlock(&catalog->lock);
    atomic_fetch_add(is_sent ? &stats->pages_total : &stats->unchanged_total, 1);
}

void download_reply_style(struct download_catalog *catalog, const struct tas_http_request *req,
                          struct tas_http_reply *reply) {
    char version[VERSION_CAP] = "";
    size_t len = strlen(catalog->style_etag) - 2;
    reply->content_type = "text/css; charset=utf-8";
    bool is_this = tas_http_query(req, "v", version, sizeof(version)) && strlen(version) == len &&
                   memcmp(version, catalog->style_etag + 1, len) == 0;
    if (is_this)
        tas_http_header(reply, "cache-control:", "public, max-age=31536000, immutable");
    else if (is_unchanged(req, reply, catalog->style_etag))
        return;
    add_text(reply, tas_bytes_of(download_style_css, strlen(download_style_css)));
}

/* ---- the client tool ---- */

static void refuse_absent(struct tas_http_reply *reply) {
    tas_http_problem(reply, 404, "no_client", "The program cannot be downloaded now. Tell your operator.");
}

/* A download that was begun with another version (?v=) must not be completed with this one. */
static bool may_be_part(const struct tas_http_request *req, const struct download_shown *shown) {
    char version[VERSION_CAP];
    size_t len = strlen(shown->etag) - 2;
    if (strncmp(req->query, "v=", 2) != 0)
        return true;
    return tas_http_query(req, "v", version, sizeof(version)) && strlen(version) == len &&
           memcmp(version, shown->etag + 1, len) == 0;
}

static void send_part(const struct download_shown *shown, struct tas_http_reply *reply,
                      struct download_part part) {
    reply->file_fd = fcntl(shown->fd, F_DUPFD_CLOEXEC, 0);
    if (reply->file_fd < 0) {
        tas_http_header(reply, "retry-after:", "5");
        tas_http_problem(reply, 503, "busy", "The server is busy. Try again later.");
        return;
    }
    reply->file_offset = part.first;
    reply->file_len = part.len;
    reply->content_type = "application/octet-stream";
    tas_http_header(reply, "content-disposition:", "attachment; filename=\"%s\"", shown->name);
    if (part.len == shown->size)
        return;
    reply->status = 206;
    tas_http_header(reply, "content-range:", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part.first,
                    part.first + part.len - 1, shown->size);
}

/* Which of the figures it counts for. */
static atomic_llong *reply_file(const struct download_shown *shown, struct download_stats *stats,
                                const struct tas_http_request *req, struct tas_http_reply *reply) {
    struct download_part part = {.first = 0, .len = shown->size};
    if (shown->fd < 0) {
        refuse_absent(reply);
        return &stats->absent_total;
    }
    if (is_unchanged(req, reply, shown->etag))
        return &stats->unchanged_total;
    tas_http_header(reply, "accept-ranges:", "bytes");
    enum download_range range =
        may_be_part(req, shown) ? download_range_read(&part, req->range, shown->size) : DOWNLOAD_WHOLE;
    if (range == DOWNLOAD_UNSATISFIABLE) {
        tas_http_header(reply, "content-range:", "bytes */%" PRIu64, shown->size);
        tas_http_problem(reply, 416, "bad_range", "The file is shorter than the part that is asked for.");
        return &stats->parts_total;
    }
    send_part(shown, reply, part);
    return range == DOWNLOAD_PART ? &stats->parts_total : &stats->files_total;
}

void download_reply_file(struct download_catalog *catalog, struct download_stats *stats,
                         const struct tas_http_request *req, struct tas_http_reply *reply) {
    tas_http_header(reply, "content-security-policy:", "default-src 'none'; sandbox");
    pthread_mutex_lock(&catalog->lock);
    atomic_fetch_add(reply_file(catalog->shown, stats, req, reply), 1);
    pthread_mutex_unlock(&catalog->lock);
}

void download_reply_checksum(struct download_catalog *catalog, struct tas_http_reply *reply) {
    pthread_mutex_lock(&catalog->lock);
    const struct download_shown *shown = catalog->shown;
    if (shown->fd < 0) {
        refuse_absent(reply);
    } else {
        reply->content_type = "text/plain; charset=utf-8";
        tas_http_header(reply, "cache-control:", "no-cache");
        tas_http_printf(reply, "%s  %s\n", shown->sha256, shown->name); /* as sha256sum --check reads it */
    }
    pthread_mutex_unlock(&catalog->lock);
}
