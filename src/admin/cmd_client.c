/* tasukictl client: makes the client tool of this installation out of the one that belongs to nobody. */
#include "admin/admin.h"

#include "base/hex.h"
#include "base/wipe.h"
#include "crypto/crypto.h"
#include "org/org.h"
#include "os/file.h"
#include "os/secret.h"
#include "os/service.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOOL_MAX = 256 * 1024 * 1024, JSON_FILE_MAX = 64 * 1024, WHY = 512 };

struct making {
    const char *in, *out, *org, *root_key; /* paths */
    bool is_forced, is_section_only;
    uint8_t seed[32];
    uint8_t *tool; /* the whole file that is made */
    size_t len;
    size_t offset; /* of the section in it */
    struct org made;
    char why[WHY]; /* beginning with the file that is meant */
};

static int wrong(struct making *m, const char *path, const char *what) {
    snprintf(m->why, sizeof(m->why), "%.200s: %.280s", path, what);
    return TAS_EXIT_CONFIG;
}

/* ---- what it is made of ---- */

/* The text that is signed: the file's, with the root's public key when it names none. NULL: told. */
static char *take_json(struct making *m) {
    char detail[WHY];
    size_t len = 0;
    uint8_t root[32];
    uint8_t *text = tas_file_read(m->org, JSON_FILE_MAX, &len, m->why);
    if (!text)
        return NULL;
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, len), detail);
    free(text);
    const struct tas_json *named = tas_json_get(json, "root");
    if (!json) {
        wrong(m, m->org, detail);
        return NULL;
    }
    if (!named && tas_crypto_native()->ed25519_public(root, m->seed) == TAS_OK)
        tas_json_set_hex(json, "root", tas_bytes_of(root, sizeof(root)));
    char *out = tas_json_dump(json);
    if (!out)
        wrong(m, m->org, "not an object, or out of memory");
    tas_json_free(json);
    return out;
}

static int wrong_json(struct making *m, const char *detail) {
    char what[WHY];
    if (!strstr(detail, "too long for a section"))
        return wrong(m, m->org, detail);
    snprintf(what, sizeof(what), "%.160s: at most %d bytes with ca and without blanks", detail,
             ORG_SECTION - 12 - TAS_SIG_LEN); /* org.h */
    return wrong(m, m->org, what);
}

static int make_section(struct making *m, uint8_t section[ORG_SECTION]) {
    char detail[ORG_WHY];
    int code = EXIT_SUCCESS;
    if (mgr_keyfile_load_root(m->root_key, m->seed, m->why) != TAS_OK)
        return TAS_EXIT_CONFIG;
    char *json = take_json(m);
    if (!json)
        return TAS_EXIT_CONFIG;
    if (org_write(section, tas_bytes_of(json, strlen(json)), m->seed, detail) != TAS_OK)
        code = wrong_json(m, detail);
    free(json);
    return code;
}

/* ---- the tool ---- */

/* Whose the tool is already: nobody's, or the same installation's, is fine. */
static int check_owner(struct making *m, struct tas_bytes old, struct tas_bytes new) {
    char detail[ORG_WHY];
    char what[WHY];
    struct org was, is;
    int err = org_read(&was, old, detail);
    if (err == TAS_E_ABSENT || m->is_forced)
        return EXIT_SUCCESS;
    if (err != TAS_OK) {
        snprintf(what, sizeof(what), "its section is filled, but not well (%.160s); --force fills it again",
                 detail);
        return wrong(m, m->in, what);
    }
    if (org_read(&is, new, detail) != TAS_OK)
        return wrong(m, m->org, detail);
    if (memcmp(was.root, is.root, sizeof(was.root)) == 0 && strcmp(was.organisation, is.organisation) == 0)
        return EXIT_SUCCESS;
    snprintf(what, sizeof(what), "belongs to another organisation already (%s); --force gives it to this one",
             was.organisation);
    return wrong(m, m->in, what);
}

static int fill_tool(struct making *m, struct tas_bytes section) {
    char detail[ORG_WHY];
    m->tool = tas_file_read(m->in, TOOL_MAX, &m->len, m->why);
    if (!m->tool)
        return TAS_EXIT_CONFIG;
    if (org_find(tas_bytes_of(m->tool, m->len), &m->offset, detail) != TAS_OK)
        return wrong(m, m->in, detail);
    int code = check_owner(m, tas_bytes_of(m->tool + m->offset, ORG_SECTION), section);
    if (code == EXIT_SUCCESS)
        memcpy(m->tool + m->offset, section.ptr, section.len);
    return code;
}

static int take_section(struct making *m, struct tas_bytes section) {
    m->tool = malloc(section.len);
    if (!m->tool)
        return wrong(m, m->out, "out of memory");
    memcpy(m->tool, section.ptr, section.len);
    m->len = section.len;
    return EXIT_SUCCESS;
}

/* As the tool itself will find it. */
static int check_made(struct making *m, struct tas_bytes made) {
    char detail[ORG_WHY] = "it differs from what was made";
    size_t at = 0;
    bool ok = made.len == m->len && memcmp(made.ptr, m->tool, m->len) == 0;
    ok = ok && (m->is_section_only || org_find(made, &at, detail) == TAS_OK);
    ok = ok && org_read(&m->made, tas_bytes_of(made.ptr + at, ORG_SECTION), detail) == TAS_OK;
    if (ok)
        return EXIT_SUCCESS;
    wrong(m, m->out, detail);
    return EXIT_FAILURE;
}

/* Checked before it is put in its place, and read back from there. */
static int write_tool(struct making *m) {
    int code = check_made(m, tas_bytes_of(m->tool, m->len));
    if (code != EXIT_SUCCESS)
        return code;
    int err = tas_file_write(m->out, tas_bytes_of(m->tool, m->len), m->is_section_only ? 0644 : 0755,
                             m->is_forced, m->why);
    if (err == TAS_E_STATE)
        wrong(m, m->out, "is there already; --force replaces it");
    if (err != TAS_OK)
        return EXIT_FAILURE;
    size_t len = 0;
    uint8_t *back = tas_file_read(m->out, TOOL_MAX, &len, m->why);
    code = back ? check_made(m, tas_bytes_of(back, len)) : EXIT_FAILURE;
    free(back);
    return code;
}

/* ---- telling ---- */

static void print_servers(const char *what, const struct org_server *servers, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("  %-13s%s%s%s%s\n", what, servers[i].url, servers[i].address[0] ? " (" : "",
               servers[i].address, servers[i].address[0] ? ")" : "");
}

static void print_hex(const char *what, struct tas_bytes bytes) {
    char hex[65];
    tas_hex_encode(hex, bytes);
    printf("  %-13s%s\n", what, hex);
}

static void print_made(const struct making *m) {
    uint8_t digest[TAS_SHA256_LEN];
    const struct tas_bytes bytes = tas_bytes_of(m->tool, m->len);
    printf("%s\n  %-13s%zu bytes\n", m->out, "size", m->len);
    if (tas_crypto_native()->sha256(digest, &bytes, 1) == TAS_OK)
        print_hex("sha256", tas_bytes_of(digest, sizeof(digest)));
    printf("  %-13s%s\n", "organisation", m->made.organisation);
    print_servers("manager", m->made.managers, m->made.n_managers);
    print_servers("download", m->made.downloads, m->made.n_downloads);
    printf("  %-13s%s\n", "trust", m->made.ca_pem[0] ? "the certificates in ca" : "the system's");
    print_hex("root", tas_bytes_of(m->made.root, sizeof(m->made.root)));
    printf("  %-13s%llu\n", "sequence", (unsigned long long)m->made.sequence);
}

static int wrong_use(const char *what) {
    fprintf(stderr, "tasukictl: client make: %s\n", what);
    return TAS_EXIT_USAGE;
}

static int make(struct making *m) {
    uint8_t section[ORG_SECTION];
    int code = make_section(m, section);
    if (code == EXIT_SUCCESS && m->is_section_only)
        code = take_section(m, tas_bytes_of(section, sizeof(section)));
    else if (code == EXIT_SUCCESS)
        code = fill_tool(m, tas_bytes_of(section, sizeof(section)));
    return code == EXIT_SUCCESS ? write_tool(m) : code;
}

static int run_make(const struct admin_args *args) {
    struct making *m = tas_secret_locked.alloc(sizeof(*m));
    if (!m) {
        fputs("tasukictl: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    m->in = admin_option(args, "in");
    m->out = admin_option(args, "out");
    m->org = admin_option(args, "org");
    m->root_key = admin_option(args, "root-key");
    m->is_forced = admin_option(args, "force") != NULL;
    m->is_section_only = admin_option(args, "section-only") != NULL;
    int code;
    if (!m->out || !m->org || !m->root_key)
        code = wrong_use("--out, --org and --root-key must be given");
    else if (m->is_section_only == (m->in != NULL))
        code = wrong_use("either --in FILE or --section-only must be given");
    else
        code = make(m);
    if (code == EXIT_SUCCESS)
        print_made(m);
    else if (m->why[0])
        fprintf(stderr, "tasukictl: %s\n", m->why);
    free(m->tool);
    tas_secret_locked.release(m, sizeof(*m));
    return code;
}

const struct admin_command admin_client_commands[] = {
    {"client", "make", "(--in FILE | --section-only) --out FILE --org FILE.json --root-key FILE [--force]",
     "makes this installation's client tool out of one that belongs to nobody",
     " in out org root-key !force !section-only ", 0, 0, run_make},
    {0},
};
