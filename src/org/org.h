/* What a tool is born with: whose it is, where its servers are, whom it trusts. JSON, signed by the
 * installation's root key, in an ELF section `.tasuki_org` of 8 KiB that `tasukictl client make` fills before
 * hashing and signing the file; the operator tool may read the same from /etc/tasuki/operator.json. An empty
 * or badly signed one is refused; no option, environment variable or file name changes it. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

enum {
    ORG_SECTION = 8192,
    ORG_WHY = 256,
    ORG_MANAGERS = 8,
    ORG_DOWNLOADS = 4,
    ORG_NAME = 96,
    ORG_URL = 256,
    ORG_CA = 6144
};

/* For the variable that becomes the section: const volatile uint8_t name[ORG_SECTION], all zeros until it is
 * filled in the file. clang's ASan would put a margin behind it. */
#ifdef __clang__
#define ORG_IN_SECTION __attribute__((section(".tasuki_org"), used, aligned(16), no_sanitize("address")))
#else
#define ORG_IN_SECTION __attribute__((section(".tasuki_org"), used, aligned(16)))
#endif

struct org_server {
    char url[ORG_URL];     /* "https://manager.tasuki.test" */
    char address[ORG_URL]; /* "127.83.0.1:443": connect there; "" resolve the name */
};

struct org {
    char organisation[ORG_NAME + 1];
    struct org_server managers[ORG_MANAGERS]; /* in order of preference, at least one */
    size_t n_managers;
    struct org_server downloads[ORG_DOWNLOADS];
    size_t n_downloads;
    char ca_pem[ORG_CA + 1]; /* "" : the system's trust */
    uint8_t root[32];        /* public key that signs KEYSETs, and this */
    uint64_t sequence;
};

/* Section layout: "TSKORG1\0" || u32 length of the JSON (big-endian) || JSON || Ed25519 signature (64) over
 * "TSK1 org" pad16 || JSON || zeros, together ORG_SECTION bytes. Reads and checks all of it. The JSON:
 *   {"organisation": TEXT, "managers": [{"url": TEXT, "address": TEXT}], "downloads": [likewise], "ca": PEM
 * or null, "root": 64 hexadecimal digits, "sequence": number} "address" and "ca" may be left out. A url is
 * https://name or https://name:port and nothing else. The signature is by the root key that stands in the
 * JSON itself: it shows that nobody but the holder of that key changed anything. TAS_E_ABSENT: the section is
 * empty (all zeros); TAS_E_AUTH: badly signed; TAS_E_PROTO: not of this form; `why` in words. */
TAS_MUST_USE int org_read(struct org *out, struct tas_bytes section, char why[ORG_WHY]);

/* Makes a section of a JSON text (checked like org_read() does) with the root's seed. TAS_E_PROTO: not of
 * this form, or too long; TAS_E_AUTH: the seed is not that of the root key in the JSON; `why` in words. */
TAS_MUST_USE int org_write(uint8_t section[ORG_SECTION], struct tas_bytes json, const uint8_t root_seed[32],
                           char why[ORG_WHY]);

/* Where the section lies in an ELF file's bytes (64-bit little-endian): ORG_SECTION bytes from *offset on are
 * inside the file, and neither its header nor its section table. TAS_E_PROTO: not such a file, none, or
 * several; `why`. */
TAS_MUST_USE int org_find(struct tas_bytes elf, size_t *offset, char why[ORG_WHY]);
