/* A tool in miniature: says what it was born with and exits 0, or why it belongs to nobody and exits 78. */
#include "base/json.h"
#include "org/org.h"

#include <stdio.h>
#include <stdlib.h>

extern const volatile uint8_t born_with[ORG_SECTION];
ORG_IN_SECTION const volatile uint8_t born_with[ORG_SECTION] = {0};

static int say(const struct org *org) {
    struct tas_json *out = tas_json_object();
    struct tas_json *managers = tas_json_list();
    for (size_t i = 0; i < org->n_managers; i++)
        tas_json_add_text(managers, org->managers[i].url);
    tas_json_set_text(out, "organisation", org->organisation);
    tas_json_set(out, "managers", managers);
    tas_json_set_hex(out, "root", tas_bytes_of(org->root, sizeof(org->root)));
    tas_json_set_int(out, "sequence", (int64_t)org->sequence);
    tas_json_set_text(out, "ca", org->ca_pem[0] ? org->ca_pem : NULL);
    char *text = tas_json_dump(out);
    tas_json_free(out);
    if (!text)
        return EXIT_FAILURE;
    puts(text);
    free(text);
    return EXIT_SUCCESS;
}

int main(void) {
    uint8_t section[ORG_SECTION];
    char why[ORG_WHY];
    struct org org;
    for (size_t i = 0; i < sizeof(section); i++)
        section[i] = born_with[i]; /* volatile: the compiler may not assume the zeros that it sees */
    if (org_read(&org, tas_bytes_of(section, sizeof(section)), why) == TAS_OK)
        return say(&org);
    fprintf(stderr, "org_tool: %s\n", why);
    return 78;
}
