/* Tiles seen before, kept by both ends alike so that a number stands for one: a ring of slots, the oldest is
 * overwritten. docs/codec.md, "Cache". */
#pragma once

#include "codec/picture.h"

enum { TAS_CACHE_SLOTS_MAX = 4096, TAS_CACHE_BITS = 12 };

struct tas_cache;

/* As many slots as pictures of this size can make use of. NULL: no memory. */
struct tas_cache *tas_cache_new(uint32_t width, uint32_t height);
void tas_cache_free(struct tas_cache *cache); /* wipes; NULL is fine */
void tas_cache_clear(struct tas_cache *cache);

/* Slots in all: 0 when no whole tile fits into the picture. */
uint32_t tas_cache_slots(const struct tas_cache *cache);
/* Is there something in this slot? */
bool tas_cache_has(const struct tas_cache *cache, uint32_t slot);
/* Keeps the tile whose upper left pixel is px; stride in px. Gives its slot. */
uint32_t tas_cache_keep(struct tas_cache *cache, const uint32_t *px, size_t stride);
/* Paints a slot that is in use. */
void tas_cache_paint(const struct tas_cache *cache, uint32_t slot, uint32_t *px, size_t stride);

/* Encoder only: which tile is in which slot. Not part of the format. */
struct tas_cache_index;

struct tas_cache_index *tas_cache_index_new(void);
void tas_cache_index_free(struct tas_cache_index *index);
void tas_cache_index_clear(struct tas_cache_index *index);
/* The tile was kept in this slot. */
void tas_cache_index_add(struct tas_cache_index *index, uint32_t slot, const uint32_t *px, size_t stride);
/* The slot that holds exactly this tile, or -1. */
int tas_cache_index_find(const struct tas_cache_index *index, const struct tas_cache *cache,
                         const uint32_t *px, size_t stride);
