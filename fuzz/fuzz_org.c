/* What a tool is born with, three parsers by the first byte: 0 a program's file, 1 a section (zeros behind
 * it), 2 the text, which is signed first. Laws: what is found lies inside the file; what is refused leaves
 * `out` alone and says why; what is read has names and addresses within their limits; what can be written can
 * be read. */
#include "base/utf8.h"
#include "org/org.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t root_seed[32] = {7}; /* as in make_org_corpus.c */

static void find(struct tas_bytes file) {
    size_t offset = SIZE_MAX;
    char why[ORG_WHY] = "";
    int err = org_find(file, &offset, why);
    assert(err == TAS_OK || err == TAS_E_PROTO);
    if (err == TAS_OK)
        assert(offset >= 64 && offset <= file.len && file.len - offset >= ORG_SECTION);
    else
        assert(offset == SIZE_MAX && why[0]);
}

static void server_is_sound(const struct org_server *server) {
    size_t len = strnlen(server->url, sizeof(server->url));
    assert(len > 8 && len < sizeof(server->url) && strncmp(server->url, "https://", 8) == 0);
    assert(!strpbrk(server->url + 8, "/?#@[]\\% "));
    assert(strnlen(server->address, sizeof(server->address)) < sizeof(server->address));
    assert(!server->address[0] || strchr(server->address, ':'));
}

static int read(struct tas_bytes section) {
    struct org org;
    char why[ORG_WHY] = "";
    memset(&org, 0x5a, sizeof(org));
    int err = org_read(&org, section, why);
    if (err != TAS_OK) {
        assert(org.n_managers == (size_t)UINT64_C(0x5a5a5a5a5a5a5a5a) && why[0] &&
               strnlen(why, ORG_WHY) < ORG_WHY);
        return err;
    }
    size_t len = strnlen(org.organisation, sizeof(org.organisation));
    assert(len > 0 && len <= ORG_NAME && tas_utf8_is_plain(tas_bytes_of(org.organisation, len)));
    assert(org.n_managers >= 1 && org.n_managers <= ORG_MANAGERS && org.n_downloads <= ORG_DOWNLOADS);
    assert(strnlen(org.ca_pem, sizeof(org.ca_pem)) <= ORG_CA);
    for (size_t i = 0; i < org.n_managers; i++)
        server_is_sound(&org.managers[i]);
    for (size_t i = 0; i < org.n_downloads; i++)
        server_is_sound(&org.downloads[i]);
    return err;
}

static void write_and_read(struct tas_bytes json) {
    static uint8_t section[ORG_SECTION];
    char why[ORG_WHY] = "";
    if (org_write(section, json, root_seed, why) != TAS_OK) {
        assert(why[0] && strnlen(why, ORG_WHY) < ORG_WHY);
        return;
    }
    int err = read(tas_bytes_of(section, sizeof(section)));
    assert(err == TAS_OK);
    section[sizeof(section) - 1] ^= 1; /* the last byte of the signature, or behind it */
    err = read(tas_bytes_of(section, sizeof(section)));
    assert(err != TAS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t section[ORG_SECTION];
    if (len == 0)
        return 0;
    struct tas_bytes in = tas_bytes_of(data + 1, len - 1);
    if (data[0] == 0)
        find(in);
    if (data[0] == 1 && in.len <= sizeof(section)) {
        memset(section, 0, sizeof(section));
        memcpy(section, in.ptr, in.len);
        int ignored = read(tas_bytes_of(section, sizeof(section)));
        (void)ignored;
    }
    if (data[0] == 2)
        write_and_read(in);
    return 0;
}
