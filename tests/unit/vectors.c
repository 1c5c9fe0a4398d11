#include "vectors.h"

#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void die(const char *where, const char *what) {
    fprintf(stderr, "vectors: %s: %s\n", where, what);
    abort();
}

static char *file_read(const char *name) {
    const char *folder = getenv("TAS_VECTORS");
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder ? folder : TAS_VECTORS_DIR, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path, "cannot be opened");
    long len = ftell(file);
    rewind(file);
    char *mem = len < 0 ? NULL : malloc((size_t)len + 1);
    if (!mem || fread(mem, 1, (size_t)len, file) != (size_t)len)
        die(path, "cannot be read");
    fclose(file);
    mem[len] = '\0';
    return mem;
}

static bool ends_with(const char *key, const char *end) {
    size_t len = strlen(key);
    return len >= strlen(end) && strcmp(key + len - strlen(end), end) == 0;
}

/* Cuts "key = value" in place; hex is decoded over its own digits, of which there are more. */
static struct vec_pair pair_of(const char *file, char *line) {
    char *mark = strstr(line, " = ");
    if (!mark)
        die(file, line);
    *mark = '\0';
    char *value = mark + 3;
    struct vec_pair pair = {.key = line, .text = value};
    if (strcmp(line, "name") == 0 || ends_with(line, "_text") || ends_with(line, "_int"))
        return pair;
    size_t len = strlen(value) / 2;
    if (tas_hex_decode((uint8_t *)value, len, value) != TAS_OK)
        die(file, line);
    pair.bytes = tas_bytes_of(value, len);
    pair.text = NULL;
    return pair;
}

static size_t lines_of(const char *text) {
    size_t n = 1;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

void vec_open(struct vec_file *out, const char *name) {
    struct vec_file file = {.name = name, .mem = file_read(name)};
    size_t most = lines_of(file.mem);
    file.pairs = calloc(most, sizeof(*file.pairs));
    file.blocks = calloc(most, sizeof(*file.blocks));
    if (!file.pairs || !file.blocks)
        die(name, "out of memory");
    size_t n_pairs = 0;
    bool in_block = false;
    for (char *line = file.mem; *line;) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n');
        line[len] = '\0';
        if (*line == '\0') {
            in_block = false;
        } else if (*line != '#') {
            if (!in_block)
                file.blocks[file.n++].pairs = &file.pairs[n_pairs];
            in_block = true;
            file.pairs[n_pairs++] = pair_of(name, line);
            file.blocks[file.n - 1].n++;
        }
        line = next;
    }
    if (file.n == 0)
        die(name, "holds no block");
    *out = file;
}

void vec_close(struct vec_file *file) {
    free(file->blocks);
    free(file->pairs);
    free(file->mem);
    *file = (struct vec_file){0};
}

static const struct vec_pair *pair_find(const struct vec_block *block, const char *key) {
    for (size_t i = 0; i < block->n; i++)
        if (strcmp(block->pairs[i].key, key) == 0)
            return &block->pairs[i];
    return NULL;
}

static const struct vec_pair *pair_get(const struct vec_block *block, const char *key) {
    const struct vec_pair *pair = pair_find(block, key);
    if (!pair)
        die(vec_name(block), key);
    return pair;
}

const struct vec_block *vec_find(const struct vec_file *file, const char *name) {
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(vec_name(&file->blocks[i]), name) == 0)
            return &file->blocks[i];
    die(file->name, name);
}

const char *vec_name(const struct vec_block *block) {
    return block->pairs[0].text ? block->pairs[0].text : "a block without a name";
}

bool vec_has(const struct vec_block *block, const char *key) {
    return pair_find(block, key) != NULL;
}

const char *vec_text(const struct vec_block *block, const char *key) {
    const struct vec_pair *pair = pair_get(block, key);
    if (!pair->text)
        die(vec_name(block), key);
    return pair->text;
}

bool vec_is(const struct vec_block *block, const char *key, const char *text) {
    const struct vec_pair *pair = pair_find(block, key);
    return pair && pair->text && strcmp(pair->text, text) == 0;
}

uint64_t vec_int(const struct vec_block *block, const char *key) {
    const char *text = vec_text(block, key);
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (end == text || *end != '\0')
        die(vec_name(block), key);
    return value;
}

struct tas_bytes vec_bytes(const struct vec_block *block, const char *key) {
    const struct vec_pair *pair = pair_get(block, key);
    if (pair->text)
        die(vec_name(block), key);
    return pair->bytes;
}

const uint8_t *vec_fixed(const struct vec_block *block, const char *key, size_t len) {
    struct tas_bytes bytes = vec_bytes(block, key);
    if (bytes.len != len)
        die(vec_name(block), key);
    return bytes.ptr;
}

uint64_t vec_number(const struct vec_block *block, const char *key) {
    struct tas_bytes bytes = vec_bytes(block, key);
    if (bytes.len == 0 || bytes.len > 8)
        die(vec_name(block), key);
    struct tas_reader r = tas_reader_of(bytes);
    return tas_read_uint(&r, bytes.len);
}
