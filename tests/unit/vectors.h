/* Reads the vector files of tests/vectors (format: README.md there). Whatever is wrong with a file or a key
 * that is asked for ends the program with a message: a test cannot go on without its vectors. */
#pragma once

#include "base/bytes.h"

struct vec_pair {
    const char *key;
    const char *text;       /* of `name` and ..._text and ..._int */
    struct tas_bytes bytes; /* of all others */
};

struct vec_block {
    const struct vec_pair *pairs; /* the first is `name` */
    size_t n;
};

struct vec_file {
    const char *name;
    char *mem;
    struct vec_pair *pairs;
    struct vec_block *blocks;
    size_t n;
};

/* `name` ("x25519.txt") in the folder TAS_VECTORS of the environment, else in the one the build names. */
void vec_open(struct vec_file *out, const char *name);
void vec_close(struct vec_file *file);

/* The block whose name is `name`. Borrowed, as all that follows. */
const struct vec_block *vec_find(const struct vec_file *file, const char *name);

const char *vec_name(const struct vec_block *block);
bool vec_has(const struct vec_block *block, const char *key);
const char *vec_text(const struct vec_block *block, const char *key);
uint64_t vec_int(const struct vec_block *block, const char *key);
struct tas_bytes vec_bytes(const struct vec_block *block, const char *key);

/* Exactly `len` bytes. */
const uint8_t *vec_fixed(const struct vec_block *block, const char *key, size_t len);

/* A field of the wire, big-endian, at most 8 bytes. */
uint64_t vec_number(const struct vec_block *block, const char *key);

/* Is the text of `key` the same as `text`? */
bool vec_is(const struct vec_block *block, const char *key, const char *text);
