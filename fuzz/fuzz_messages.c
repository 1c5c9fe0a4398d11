/* The first byte picks a layout of messages.def, the rest is its bytes.
 * Law: what decodes is written again as the same bytes, and never into less room; else `out` is left alone.
 */
#include "wire/messages.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* clang-format off */
enum which {
#define LAYOUT(NAME, name, size)    WHICH_##NAME,
#define RECORD(id, NAME, name)      WHICH_##NAME,
#define MESSAGE(id, NAME, name, ch) WHICH_##NAME,
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
    WHICH_COUNT,
};

#define CASE(NAME, name) \
    case WHICH_##NAME: { \
        struct tas_msg_##name msg, kept; \
        memset(&msg, 0x77, sizeof(msg)); \
        memset(&kept, 0x77, sizeof(kept)); \
        if (tas_msg_##name##_decode(&msg, body) == TAS_OK) { \
            assert(tas_msg_##name##_encode(&msg, again, body.len) == (int)body.len); \
            assert(body.len == 0 || memcmp(again, body.ptr, body.len) == 0); \
            assert(body.len == 0 || tas_msg_##name##_encode(&msg, again, body.len - 1) == TAS_E_LIMIT); \
        } else { \
            assert(memcmp(&msg, &kept, sizeof(msg)) == 0); \
        } \
        break; \
    }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    struct tas_bytes body = tas_bytes_of(data + 1, len - 1);
    uint8_t *again = malloc(len);
    assert(again);
    switch (data[0] % WHICH_COUNT) {
#define LAYOUT(NAME, name, size)    CASE(NAME, name)
#define RECORD(id, NAME, name)      CASE(NAME, name)
#define MESSAGE(id, NAME, name, ch) CASE(NAME, name)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
    default:
        break;
    }
    free(again);
    return 0;
}
/* clang-format on */
