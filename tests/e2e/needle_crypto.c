/* Linked into a test's own tasuki-headless in place of tas_crypto_native() (-Wl,--wrap): notes every
 * plaintext as it is about to be sealed and every session key, in a file for the test and in memory for its
 * control search. */
#include "crypto/crypto.h"

#include "base/hex.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct tas_crypto *__real_tas_crypto_native(void);
const struct tas_crypto *__wrap_tas_crypto_native(void);

enum { KEEP_MAX = 4 * 1024 * 1024 };

static uint8_t *kept; /* so that the same search finds it here */
static size_t kept_len;

static void note(char what, const uint8_t *bytes, size_t len) {
    const char *path = getenv("NEEDLES");
    if (!path)
        return;
    if (!kept)
        kept = calloc(1, KEEP_MAX);
    if (kept && kept_len + len <= KEEP_MAX) {
        memcpy(kept + kept_len, bytes, len);
        kept_len += len;
    }
    char *line = malloc(2 * len + 4);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (line && fd >= 0) {
        line[0] = what;
        line[1] = ' ';
        tas_hex_encode(line + 2, tas_bytes_of(bytes, len));
        line[2 + 2 * len] = '\n';
        ssize_t ignored = write(fd, line, 2 * len + 3);
        (void)ignored;
    }
    if (fd >= 0)
        close(fd);
    free(line);
}

static int noting_seal(struct tas_aead *aead, uint8_t *out, const uint8_t iv[12], struct tas_bytes aad,
                       struct tas_bytes text) {
    note('P', text.ptr, text.len);
    return __real_tas_crypto_native()->seal(aead, out, iv, aad, text);
}

static struct tas_aead *noting_aead_new(enum tas_suite suite, const uint8_t key[32],
                                        const struct tas_secret_mem *mem) {
    note('K', key, 32);
    return __real_tas_crypto_native()->aead_new(suite, key, mem);
}

const struct tas_crypto *__wrap_tas_crypto_native(void) {
    static struct tas_crypto table;
    table = *__real_tas_crypto_native();
    table.seal = noting_seal;
    table.aead_new = noting_aead_new;
    return &table;
}
