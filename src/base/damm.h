/* The check digit of reception numbers (H. M. Damm, 2004): finds every single wrong digit and every swap of
 * two neighbours, so that a slip of the finger is caught before it is sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { TAS_NUMBER_DIGITS = 9, TAS_NUMBER_CAP = TAS_NUMBER_DIGITS + 1 };

/* The quasigroup's state after n ASCII digits. */
static inline unsigned tas_damm(const char *digits, size_t n) {
    static const unsigned char table[10][10] = {
        {0, 3, 1, 7, 5, 9, 8, 6, 4, 2}, {7, 0, 9, 2, 1, 5, 4, 8, 6, 3}, {4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
        {1, 7, 5, 0, 9, 8, 3, 4, 2, 6}, {6, 1, 2, 3, 0, 4, 5, 9, 7, 8}, {3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
        {5, 8, 6, 9, 7, 2, 0, 1, 3, 4}, {8, 9, 4, 5, 3, 6, 2, 0, 1, 7}, {9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
        {2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
    };
    unsigned state = 0;
    for (size_t i = 0; i < n; i++)
        state = table[state][digits[i] - '0'];
    return state;
}

/* The digit to put behind n ASCII digits. */
static inline char tas_damm_digit(const char *digits, size_t n) {
    return (char)('0' + tas_damm(digits, n));
}

/* Does the last of n ASCII digits fit those before it? */
static inline bool tas_damm_is_right(const char *digits, size_t n) {
    return n > 1 && tas_damm(digits, n) == 0;
}

/* A reception number as people write it ("123-456-782", "123 456 782") as nine digits with a NUL. False:
 * another character or count; whether the check digit fits is for tas_damm_is_right(). */
static inline bool tas_number_read(char out[TAS_NUMBER_CAP], const char *typed) {
    size_t n = 0;
    char digits[TAS_NUMBER_CAP] = {0};
    for (const char *c = typed; *c; c++) {
        if (*c == ' ' || *c == '-')
            continue;
        if (*c < '0' || *c > '9' || n == TAS_NUMBER_DIGITS)
            return false;
        digits[n++] = *c;
    }
    if (n != TAS_NUMBER_DIGITS)
        return false;
    for (size_t i = 0; i < TAS_NUMBER_CAP; i++)
        out[i] = digits[i];
    return true;
}
