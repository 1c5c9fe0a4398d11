#include "crypto/password.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef TAS_HAS_CRACKLIB
#include <crack.h>
#endif

/* OWASP's smallest (Password Storage Cheat Sheet): a login costs 19 MiB, so that a server can bear many at
 * once. */
#define PASSES     2
#define MEMORY_KIB 19456

enum {
    LENGTH_MIN = 8,
    LENGTH_MAX = 20,
    COST_MAX = 8, /* a stored hash may ask for so many times our memory and passes, no more */
};

#define TEXT_OF(x)   #x
#define NUMBER_OF(x) TEXT_OF(x)

/* A hash like ours (16 bytes of salt, 32 of hash) that belongs to no password anybody could find. Written
 * out, not made at the first use: that use would take twice as long as the others. */
static const char dummy[] = "$argon2id$v=19$m=" NUMBER_OF(MEMORY_KIB) ",t=" NUMBER_OF(
    PASSES) ",p=1$"
            "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static_assert((int)TAS_PASSWORD_HASH_CAP == (int)crypto_pwhash_STRBYTES, "libsodium's hashes fit");

int tas_password_hash(char out[TAS_PASSWORD_HASH_CAP], const char *password) {
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, (size_t)MEMORY_KIB * 1024,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return TAS_E_NOMEM;
    memcpy(out, hash, sizeof(hash));
    return TAS_OK;
}

struct cost {
    unsigned memory_kib, passes;
};

/* What a hash costs to check; false: it is none that we read. */
static bool cost_of(struct cost *out, const char *hash) {
    struct cost cost;
    unsigned lanes;
    int end = 0;
    if (strlen(hash) >= TAS_PASSWORD_HASH_CAP)
        return false;
    if (sscanf(hash, "$argon2id$v=19$m=%7u,t=%5u,p=%3u$%n", &cost.memory_kib, &cost.passes, &lanes, &end) !=
            3 ||
        end == 0 || lanes != 1)
        return false;
    *out = cost;
    return true;
}

static bool is_bearable(const char *hash) {
    struct cost cost;
    return hash && cost_of(&cost, hash) && cost.memory_kib <= COST_MAX * MEMORY_KIB &&
           cost.passes <= COST_MAX * PASSES;
}

int tas_password_check(const char *hash, const char *password) {
    bool is_real = is_bearable(hash);
    char text[crypto_pwhash_STRBYTES] = {0}; /* libsodium asks for all of these bytes */
    snprintf(text, sizeof(text), "%s", is_real ? hash : dummy);
    errno = 0;
    if (crypto_pwhash_str_verify(text, password, strlen(password)) == 0)
        return is_real ? TAS_OK : TAS_E_AUTH;
    return errno == ENOMEM ? TAS_E_NOMEM : TAS_E_AUTH;
}

bool tas_password_is_old(const char *hash) {
    struct cost cost;
    return !cost_of(&cost, hash) || cost.memory_kib < MEMORY_KIB || cost.passes < PASSES;
}

/* cracklib works in static buffers. A dictionary that is not there, or is just being replaced, forbids
 * nothing. (FascistCheck() itself would end the program then: Debian bug 682735.) */
static bool is_known_to_crackers(const char *password) {
#ifdef TAS_HAS_CRACKLIB
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const char *dictionary = GetDefaultCracklibDict();
    char path[256];
    char reason[256] = "";
    snprintf(path, sizeof(path), "%s.pwd", dictionary);
    if (access(path, R_OK) != 0)
        return false; /* asked first, because cracklib would complain on standard error each time */
    pthread_mutex_lock(&mutex);
    int was_checked = __DEBIAN_SPECIFIC__SafeFascistCheck(password, dictionary, reason, sizeof(reason));
    pthread_mutex_unlock(&mutex);
    return was_checked && reason[0];
#else
    (void)password;
    return false;
#endif
}

const char *tas_password_rule(const char *password) {
    size_t len = strlen(password);
    size_t letters = 0;
    for (size_t i = 0; i < len; i++) {
        char c = password[i];
        if (c < 0x21 || c > 0x7e)
            return "a password consists of half-width letters, digits and symbols, without spaces";
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    if (len < LENGTH_MIN || len > LENGTH_MAX)
        return "a password has 8 to 20 characters";
    if (letters == 0 || letters == len)
        return "a password has at least one letter and at least one digit or symbol";
    if (is_known_to_crackers(password))
        return "this password is among the first that attackers try: it is a known word or a simple pattern";
    return NULL;
}
