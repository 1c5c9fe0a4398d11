/* A keyboard map as an X server tells it. Laws: whatever the parser takes can be asked everything without
 * reading past it (the sanitizer sees that); groups are few, and a key's own group is one that it has; a mask
 * that is said to choose a level of a type does so. */
#include "client/x11/layout_private.h"

#include <assert.h>

enum { MASKS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void ask_level(const struct tas_x11_layout *l, uint8_t key, unsigned group, unsigned level) {
    uint8_t masks[MASKS_MAX];
    uint8_t used;
    size_t n = tas_x11_layout_masks(l, key, group, level, masks, MASKS_MAX);
    assert(n <= MASKS_MAX);
    (void)tas_x11_layout_sym(l, key, group, level);
    for (size_t i = 0; i < n; i++)
        (void)tas_x11_layout_sym(l, key, group, tas_x11_layout_level(l, key, group, masks[i], &used));
}

static void ask_key(const struct tas_x11_layout *l, uint8_t key) {
    uint8_t used;
    unsigned n_groups = tas_x11_layout_groups(l, key);
    assert(n_groups <= TAS_X11_GROUPS_MAX);
    for (unsigned group = 0; group < 256; group += 17)
        assert(n_groups == 0 || tas_x11_layout_group(l, key, group) < n_groups);
    for (unsigned group = 0; group <= n_groups; group++) {
        unsigned n_levels = tas_x11_layout_levels(l, key, group);
        assert(group < n_groups || n_levels == 0);
        for (unsigned level = 0; level < n_levels; level++)
            ask_level(l, key, group, level);
        assert(tas_x11_layout_sym(l, key, group, n_levels) == 0);
        for (unsigned mods = 0; mods < 256; mods += 51)
            (void)tas_x11_layout_level(l, key, group, (uint8_t)mods, &used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct tas_x11_layout layout;
    if (tas_x11_layout_parse(&layout, tas_bytes_of(data, len)) != TAS_OK)
        return 0;
    for (unsigned key = 0; key < 256; key++)
        ask_key(&layout, (uint8_t)key);
    return 0;
}
