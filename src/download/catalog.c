#include "download/catalog.h"

#include "base/hex.h"
#include "crypto/crypto.h"
#include "download/catalog_private.h"
#include "download/template.h"
#include "download/texts_private.h"
#include "os/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_CAP = 4096, PAGE_MAX = 64 * 1024, ETAG_DIGITS = 32, SIZE_CAP = 32 };

static int hash(char out[DOWNLOAD_SHA256], struct tas_bytes bytes) {
    uint8_t digest[TAS_SHA256_LEN];
    int err = tas_crypto_native()->sha256(digest, &bytes, 1);
    if (err == TAS_OK)
        tas_hex_encode(out, tas_bytes_of(digest, sizeof(digest)));
    return err;
}

static void make_etag(char out[DOWNLOAD_ETAG], const char *sha256) {
    snprintf(out, DOWNLOAD_ETAG, "\"%.*s\"", ETAG_DIGITS, sha256);
}

/* ---- life ---- */

struct download_catalog *download_catalog_new(void) {
    char sha256[DOWNLOAD_SHA256];
    struct download_catalog *catalog = calloc(1, sizeof(*catalog));
    if (!catalog || hash(sha256, tas_bytes_of(download_style_css, strlen(download_style_css))) != TAS_OK) {
        free(catalog);
        return NULL;
    }
    make_etag(catalog->style_etag, sha256);
    pthread_mutex_init(&catalog->lock, NULL);
    return catalog;
}

static void shown_free(struct download_shown *shown) {
    if (!shown)
        return;
    for (int i = 0; i < DOWNLOAD_LANGUAGES; i++)
        tas_buf_fini(&shown->pages[i].text);
    if (shown->fd >= 0)
        close(shown->fd);
    free(shown);
}

void download_catalog_free(struct download_catalog *catalog) {
    if (!catalog)
        return;
    shown_free(catalog->shown);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

void download_catalog_facts(struct download_catalog *catalog, struct download_facts *out) {
    *out = (struct download_facts){0};
    pthread_mutex_lock(&catalog->lock);
    const struct download_shown *shown = catalog->shown;
    if (shown && shown->fd >= 0) {
        out->has_client = true;
        out->size = shown->size;
        memcpy(out->sha256, shown->sha256, sizeof(out->sha256));
    }
    pthread_mutex_unlock(&catalog->lock);
}

/* ---- pages ---- */

/* "850 kB", "8.4 MB". */
static void size_in_words(char out[SIZE_CAP], uint64_t size) {
    if (size < 1000 * 1000)
        snprintf(out, SIZE_CAP, "%" PRIu64 " kB", (size + 999) / 1000);
    else
        snprintf(out, SIZE_CAP, "%" PRIu64 ".%" PRIu64 " MB", size / 1000000, size / 100000 % 10);
}

/* "8,388,608" */
static void size_in_digits(char out[SIZE_CAP], uint64_t size) {
    char digits[SIZE_CAP];
    size_t n = 0;
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, size);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[n++] = ',';
        out[n++] = digits[i];
    }
    out[n] = '\0';
}

static int make_page(struct download_page *page, const char *text, const struct download_value *values) {
    char sha256[DOWNLOAD_SHA256];
    int err = download_template_fill(&page->text, text, values);
    if (err == TAS_OK)
        err = hash(sha256, tas_buf_peek(&page->text));
    if (err == TAS_OK)
        make_etag(page->etag, sha256);
    return err;
}

static int make_pages(struct download_shown *shown, const struct download_catalog *catalog,
                      const char *organisation) {
    char words[SIZE_CAP], digits[SIZE_CAP], style[64], href[64];
    bool has_client = shown->fd >= 0;
    size_in_words(words, shown->size);
    size_in_digits(digits, shown->size);
    /* Who goes on with a download asks for the version that it began with: see download_reply_file(). */
    snprintf(href, sizeof(href), "/client?v=%.*s", ETAG_DIGITS, shown->sha256);
    snprintf(style, sizeof(style), "/style.css?v=%.*s", ETAG_DIGITS, catalog->style_etag + 1);
    const struct download_value values[] = {
        {"organisation", organisation},
        {"style", style},
        {"client", has_client ? "" : NULL},
        {"file", has_client ? shown->name : NULL},
        {"href", has_client ? href : NULL},
        {"size", has_client ? words : NULL},
        {"bytes", has_client ? digits : NULL},
        {"sha256", has_client ? shown->sha256 : NULL},
        {NULL, NULL},
    };
    int err = make_page(&shown->pages[DOWNLOAD_JA], download_page_ja_html, values);
    return err == TAS_OK ? make_page(&shown->pages[DOWNLOAD_EN], download_page_en_html, values) : err;
}

/* ---- loading ---- */

/* TAS_E_ABSENT, TAS_E_CONFIG: as download_catalog_load(). */
static int take_file(struct download_shown *shown, const struct download_config *config,
                     char why[DOWNLOAD_WHY]) {
    _Static_assert((int)DOWNLOAD_WHY == (int)TAS_FILE_WHY, "one is handed on as the other");
    char path[PATH_CAP];
    size_t len = 0;
    int n = snprintf(path, sizeof(path), "%s/%s", config->folder, config->client);
    if (n < 0 || n >= (int)sizeof(path)) {
        snprintf(why, DOWNLOAD_WHY, "folder: the path is too long");
        return TAS_E_CONFIG;
    }
    uint8_t *bytes = tas_file_read(path, DOWNLOAD_FILE_MAX, &len, why);
    if (!bytes)
        return errno == ENOENT ? TAS_E_ABSENT : TAS_E_CONFIG;
    int err = hash(shown->sha256, tas_bytes_of(bytes, len));
    if (err == TAS_OK)
        shown->fd = tas_file_in_memory("tasuki-client", tas_bytes_of(bytes, len));
    if (err != TAS_OK || shown->fd < 0) {
        snprintf(why, DOWNLOAD_WHY, "%.400s: cannot be kept in memory: %s", path, strerror(errno));
        shown->fd = -1;
        err = TAS_E_CONFIG;
    }
    free(bytes);
    shown->size = len;
    make_etag(shown->etag, shown->sha256);
    snprintf(shown->name, sizeof(shown->name), "%s", config->client);
    return err;
}

static struct download_shown *shown_new(void) {
    struct download_shown *shown = calloc(1, sizeof(*shown));
    if (!shown)
        return NULL;
    shown->fd = -1;
    for (int i = 0; i < DOWNLOAD_LANGUAGES; i++)
        tas_buf_init(&shown->pages[i].text, PAGE_MAX);
    return shown;
}

static struct download_shown *replace(struct download_catalog *catalog, struct download_shown *fresh) {
    pthread_mutex_lock(&catalog->lock);
    struct download_shown *old = catalog->shown;
    catalog->shown = fresh;
    pthread_mutex_unlock(&catalog->lock);
    return old;
}

int download_catalog_load(struct download_catalog *catalog, const struct download_config *config,
                          char why[DOWNLOAD_WHY]) {
    struct download_facts facts;
    struct download_shown *fresh = shown_new();
    snprintf(why, DOWNLOAD_WHY, "out of memory");
    if (!fresh)
        return TAS_E_CONFIG;
    download_catalog_facts(catalog, &facts);
    int found = take_file(fresh, config, why);
    bool is_taken = found == TAS_OK || (found == TAS_E_ABSENT && !facts.has_client);
    if (is_taken && make_pages(fresh, catalog, config->organisation) != TAS_OK) {
        snprintf(why, DOWNLOAD_WHY, "the pages could not be made: out of memory");
        found = TAS_E_CONFIG;
        is_taken = false;
    }
    shown_free(is_taken ? replace(catalog, fresh) : fresh);
    return found;
}
