#include "headless/issue.h"

#include "base/hex.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/utf8.h"
#include "headless/endfile.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Throw-away keys, and what a management server would hand to the two ends of one session. For tests, demo
 * and benches until there is one; nothing here is trusted by any installation. */

enum { EXIT_USAGE = 2, KID_TICKET = 1, KID_STATEMENT = 2, PATH_LEN = 512 };

struct keys {
    uint8_t root[32], ticket[32], statement[32]; /* seeds */
};

struct order {
    const char *dir, *ca, *company, *operator_name, *customer_name;
    const char *relays[TAS_RELAYS]; /* ID=ADDRESS=NAME */
    size_t n_relays;
    uint64_t session_id;
    uint16_t rights;
    uint32_t rate_Bps;
    int age_s; /* how long ago the ticket became valid; negative: it will */
};

static void public_of(uint8_t pk[32], const uint8_t seed[32]) {
    if (tas_crypto_native()->ed25519_public(pk, seed) != TAS_OK)
        abort();
}

static FILE *open_for_owner(const char *dir, const char *name) {
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    if (f)
        fchmod(fileno(f), 0600);
    else
        fprintf(stderr, "tasuki-headless: %s: %s\n", path, strerror(errno));
    return f;
}

static void put_hex(FILE *f, const char *key, const uint8_t *bytes, size_t len) {
    char *text = malloc(2 * len + 1);
    if (!text)
        abort();
    tas_hex_encode(text, tas_bytes_of(bytes, len));
    fprintf(f, "%s = \"%s\"\n", key, text);
    free(text);
}

/* One set of keys per directory, made at the first call, so that a relay can be configured once. */
static bool get_keys(const char *dir, struct keys *keys) {
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/keys.bin", dir);
    FILE *f = fopen(path, "re");
    bool ok = f && fread(keys, sizeof(*keys), 1, f) == 1;
    if (f)
        fclose(f);
    if (ok)
        return true;
    tas_random(keys, sizeof(*keys));
    f = open_for_owner(dir, "keys.bin");
    ok = f && fwrite(keys, sizeof(*keys), 1, f) == 1;
    return f && fclose(f) == 0 && ok;
}

static size_t make_keyset(uint8_t out[TAS_KEYSET_MAX_LEN], const struct keys *keys) {
    struct tas_keyset set = {.sequence = 1, .count = 2};
    set.keys[0] = (struct tas_msg_keyset_key){.kid = KID_TICKET, .use = TAS_USE_TICKET, .to_ms = UINT64_MAX};
    set.keys[1] =
        (struct tas_msg_keyset_key){.kid = KID_STATEMENT, .use = TAS_USE_STATEMENT, .to_ms = UINT64_MAX};
    public_of(set.keys[0].pk, keys->ticket);
    public_of(set.keys[1].pk, keys->statement);
    int len = tas_keyset_encode(&set, out, TAS_KEYSET_MAX_LEN);
    struct tas_bytes part = tas_bytes_of(out, (size_t)len);
    if (len < 0 || tas_sign(tas_crypto_native(), out + len, keys->root, "TSK1 keyset", &part, 1) != TAS_OK)
        abort();
    return (size_t)len + TAS_SIG_LEN;
}

static void make_ticket(uint8_t out[TAS_SIZE_TICKET], const struct order *o, const struct keys *keys,
                        enum tas_role role, const uint8_t pop_pk[32], uint64_t now_ms) {
    struct tas_msg_ticket t = {
        .ver = 1,
        .kid = KID_TICKET,
        .role = (uint8_t)role,
        .slot = role == TAS_ROLE_HOST ? 0 : 1,
        .perms = o->rights,
        .max_viewers = 1,
        .session_id = o->session_id,
        .not_before_ms = (uint64_t)((int64_t)now_ms - (int64_t)o->age_s * 1000),
        .connect_ttl_s = 60,
        .session_ttl_s = 900,
        .rate_Bps = o->rate_Bps,
        .company_id = 1,
        .kind = 1,
    };
    tas_random(t.jti, sizeof(t.jti));
    memcpy(t.pop_pk, pop_pk, sizeof(t.pop_pk));
    for (size_t i = 0; i < o->n_relays; i++)
        t.relay_ids[i] = (uint32_t)strtoul(o->relays[i], NULL, 10);
    int len = tas_msg_ticket_encode(&t, out, TAS_SIZE_TICKET);
    struct tas_bytes part = tas_bytes_of(out, TAS_TICKET_SIGNED);
    if (len != TAS_SIZE_TICKET || tas_sign(tas_crypto_native(), out + TAS_TICKET_SIGNED, keys->ticket,
                                           "TSK1 ticket", &part, 1) != TAS_OK)
        abort();
}

static void make_statement(uint8_t out[TAS_SIZE_STATEMENT], const struct order *o, const struct keys *keys,
                           enum tas_role role, const uint8_t pop_pk[32], uint64_t now_ms) {
    struct tas_msg_statement st = {
        .ver = 1,
        .kid = KID_STATEMENT,
        .role = (uint8_t)role,
        .slot = role == TAS_ROLE_HOST ? 0 : 1,
        .perms = o->rights,
        .kind = 1,
        .session_id = o->session_id,
        .company_id = 1,
        .not_after_ms = now_ms + 24u * 3600 * 1000,
    };
    memcpy(st.pop_pk, pop_pk, sizeof(st.pop_pk));
    snprintf((char *)st.company, sizeof(st.company), "%s", o->company);
    snprintf((char *)st.name, sizeof(st.name), "%s",
             role == TAS_ROLE_HOST ? o->customer_name : o->operator_name);
    int len = tas_msg_statement_encode(&st, out, TAS_SIZE_STATEMENT);
    struct tas_bytes part = tas_bytes_of(out, TAS_STATEMENT_SIGNED);
    if (len != TAS_SIZE_STATEMENT || tas_sign(tas_crypto_native(), out + TAS_STATEMENT_SIGNED,
                                              keys->statement, "TSK1 statement", &part, 1) != TAS_OK)
        abort();
}

static void put_relay(FILE *f, const char *spec) {
    const char *first = strchr(spec, '=');
    const char *second = strrchr(spec, '=');
    fprintf(f, "relay \"%.*s\" {\n    address = \"%.*s\"\n    name = \"%s\"\n}\n", (int)(first - spec), spec,
            (int)(second - first - 1), first + 1, second + 1);
}

static bool write_end(const struct order *o, const struct keys *keys, enum tas_role role, uint64_t now_ms) {
    uint8_t seed[32];
    uint8_t pk[32];
    uint8_t ticket[TAS_SIZE_TICKET];
    uint8_t statement[TAS_SIZE_STATEMENT];
    uint8_t keyset[TAS_KEYSET_MAX_LEN];
    uint8_t root[32];
    tas_random(seed, sizeof(seed));
    public_of(pk, seed);
    public_of(root, keys->root);
    make_ticket(ticket, o, keys, role, pk, now_ms);
    make_statement(statement, o, keys, role, pk, now_ms);
    size_t keyset_len = make_keyset(keyset, keys);
    FILE *f = open_for_owner(o->dir, role == TAS_ROLE_HOST ? "host.end" : "viewer.end");
    if (!f)
        return false;
    put_hex(f, "pop_seed", seed, sizeof(seed));
    put_hex(f, "ticket", ticket, sizeof(ticket));
    put_hex(f, "statement", statement, sizeof(statement));
    put_hex(f, "keyset", keyset, keyset_len);
    put_hex(f, "root", root, sizeof(root));
    fprintf(f, "ca = \"%s\"\nserver_ms = %llu\n", o->ca, (unsigned long long)now_ms);
    for (size_t i = 0; i < o->n_relays; i++)
        put_relay(f, o->relays[i]);
    tas_wipe(seed, sizeof(seed));
    return fclose(f) == 0;
}

/* The section that a relay's configuration needs. */
static bool write_ticket_key(const struct order *o, const struct keys *keys) {
    uint8_t pk[32];
    public_of(pk, keys->ticket);
    FILE *f = open_for_owner(o->dir, "ticket_key.conf");
    if (!f)
        return false;
    fprintf(f, "ticket_key \"%d\" {\n    ", KID_TICKET);
    put_hex(f, "public_key", pk, sizeof(pk));
    fprintf(f, "}\n");
    return fclose(f) == 0;
}

static int usage(const char *wrong) {
    if (wrong)
        fprintf(stderr, "tasuki-headless issue: %s\n", wrong);
    fputs(
        "Usage: tasuki-headless issue --dir DIR --ca FILE --relay ID=ADDRESS=NAME [--relay ...]\n"
        "         [--rights MASK] [--company NAME] [--operator NAME] [--customer NAME] [--session ID]\n"
        "         [--rate BYTES_PER_S] [--age SECONDS]\n"
        "Writes DIR/host.end, DIR/viewer.end and DIR/ticket_key.conf with throw-away keys (DIR/keys.bin).\n",
        stderr);
    return EXIT_USAGE;
}

static bool relay_is_sound(const char *spec) {
    const char *first = strchr(spec, '=');
    const char *second = strrchr(spec, '=');
    return first && second != first && strtoul(spec, NULL, 10) > 0;
}

static bool name_is_sound(const char *name) {
    size_t len = strlen(name);
    return len > 0 && len <= 96 && tas_utf8_is_plain(tas_bytes_of(name, len));
}

static const struct option long_options[] = {
    {"dir", required_argument, NULL, 'd'},
    {"ca", required_argument, NULL, 'a'},
    {"relay", required_argument, NULL, 'r'},
    {"rights", required_argument, NULL, 'p'},
    {"company", required_argument, NULL, 'c'},
    {"operator", required_argument, NULL, 'o'},
    {"customer", required_argument, NULL, 'u'},
    {"session", required_argument, NULL, 's'},
    {"rate", required_argument, NULL, 'b'},
    {"age", required_argument, NULL, 'g'},
    {NULL, 0, NULL, 0},
};

/* NULL: fine; otherwise what is wrong. */
static const char *take_option(struct order *o, int c) {
    switch (c) {
    case 'd':
        o->dir = optarg;
        break;
    case 'a':
        o->ca = optarg;
        break;
    case 'r':
        if (o->n_relays == TAS_RELAYS || !relay_is_sound(optarg))
            return "--relay takes ID=ADDRESS=NAME, at most four times";
        o->relays[o->n_relays++] = optarg;
        break;
    case 'p':
        o->rights = (uint16_t)strtoul(optarg, NULL, 0);
        break;
    case 'c':
        o->company = optarg;
        break;
    case 'o':
        o->operator_name = optarg;
        break;
    case 'u':
        o->customer_name = optarg;
        break;
    case 's':
        o->session_id = strtoull(optarg, NULL, 0);
        break;
    case 'b':
        o->rate_Bps = (uint32_t)strtoul(optarg, NULL, 0);
        break;
    case 'g':
        o->age_s = (int)strtol(optarg, NULL, 0);
        break;
    default:
        return "unknown option";
    }
    return NULL;
}

int issue_main(int argc, char **argv) {
    struct order o = {
        .company = "例株式会社", .operator_name = "佐藤 花子", .customer_name = "お客様", .rights = 0x7f};
    tas_random(&o.session_id, sizeof(o.session_id));
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        const char *wrong = take_option(&o, c);
        if (wrong)
            return usage(wrong);
    }
    if (!o.dir || !o.ca || o.n_relays == 0)
        return usage("--dir, --ca and --relay must be given");
    if (!name_is_sound(o.company) || !name_is_sound(o.operator_name) || !name_is_sound(o.customer_name))
        return usage("names are 1 to 96 bytes of UTF-8 without control characters");
    struct keys keys;
    uint64_t now_ms = tas_wall_ms();
    bool ok = get_keys(o.dir, &keys) && write_end(&o, &keys, TAS_ROLE_HOST, now_ms) &&
              write_end(&o, &keys, TAS_ROLE_VIEWER, now_ms) && write_ticket_key(&o, &keys);
    tas_wipe(&keys, sizeof(keys));
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
