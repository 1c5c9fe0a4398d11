#include "base/hex.h"

void tas_hex_encode(char *out, struct tas_bytes in) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = digits[in.ptr[i] >> 4];
        out[2 * i + 1] = digits[in.ptr[i] & 15];
    }
    out[2 * in.len] = '\0';
}

int tas_hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int tas_hex_decode(uint8_t *out, size_t len, const char *text) {
    if (strlen(text) != 2 * len)
        return TAS_E_PROTO;
    for (size_t i = 0; i < 2 * len; i++)
        if (tas_hex_digit(text[i]) < 0)
            return TAS_E_PROTO;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(tas_hex_digit(text[2 * i]) << 4 | tas_hex_digit(text[2 * i + 1]));
    return TAS_OK;
}
