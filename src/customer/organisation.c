#include "customer/organisation.h"

extern const volatile uint8_t organisation_section[ORG_SECTION];
ORG_IN_SECTION const volatile uint8_t organisation_section[ORG_SECTION] = {0};

int organisation_read(struct org *out, char why[ORG_WHY]) {
    uint8_t section[ORG_SECTION];
    for (size_t i = 0; i < sizeof(section); i++)
        section[i] =
            organisation_section[i]; /* volatile: the compiler may not assume the zeros that it sees */
    return org_read(out, tas_bytes_of(section, sizeof(section)), why);
}
