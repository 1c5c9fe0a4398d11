/* Finds the section in a program. Little-endian 64-bit ELF (System V ABI, chapters 4 and 5) as gcc, clang and
 * their linkers write it; what is rarer is refused. The file is hostile: every offset is checked against its
 * end. */
#include "org/org.h"

#include <stdio.h>

enum {
    HEADER_LEN = 64,
    ENTRY_LEN = 64, /* of the section header table */
    SECTIONS_MAX = 4096,
    TYPE_PROGBITS = 1,
    TYPE_STRTAB = 3,
};

static const char section_name[] = ".tasuki_org";

struct section {
    uint32_t name, type;
    uint64_t offset, size;
};

struct elf {
    struct tas_bytes file;
    uint64_t table; /* of section headers, whole in the file */
    size_t count;
    struct tas_bytes names;
};

static int wrong(char why[ORG_WHY], const char *what) {
    snprintf(why, ORG_WHY, "%s", what);
    return TAS_E_PROTO;
}

/* The caller has checked that at + n is inside. */
static uint64_t number_at(struct tas_bytes file, uint64_t at, size_t n) {
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | file.ptr[at + i];
    return v;
}

static bool is_inside(struct tas_bytes file, uint64_t offset, uint64_t len) {
    return offset <= file.len && len <= file.len - offset;
}

static struct section section_at(const struct elf *elf, size_t i) {
    uint64_t at = elf->table + i * ENTRY_LEN;
    return (struct section){
        .name = (uint32_t)number_at(elf->file, at, 4),
        .type = (uint32_t)number_at(elf->file, at + 4, 4),
        .offset = number_at(elf->file, at + 24, 8),
        .size = number_at(elf->file, at + 32, 8),
    };
}

static int read_header(struct elf *elf, char why[ORG_WHY]) {
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */,
                                    1 /* version */};
    if (elf->file.len < HEADER_LEN || memcmp(elf->file.ptr, ident, sizeof(ident)) != 0)
        return wrong(why, "not a 64-bit little-endian ELF file");
    elf->table = number_at(elf->file, 40, 8);
    elf->count = number_at(elf->file, 60, 2);
    size_t names = number_at(elf->file, 62, 2);
    if (number_at(elf->file, 58, 2) != ENTRY_LEN || elf->count == 0 || elf->count > SECTIONS_MAX ||
        elf->table < HEADER_LEN || !is_inside(elf->file, elf->table, elf->count * ENTRY_LEN))
        return wrong(why, "the table of sections is missing or damaged");
    if (names >= elf->count)
        return wrong(why, "the sections have no names");
    struct section strings = section_at(elf, names);
    if (strings.type != TYPE_STRTAB || !is_inside(elf->file, strings.offset, strings.size))
        return wrong(why, "the names of the sections are damaged");
    elf->names = tas_bytes_of(elf->file.ptr + strings.offset, strings.size);
    return TAS_OK;
}

static bool is_ours(const struct elf *elf, const struct section *s) {
    return is_inside(elf->names, s->name, sizeof(section_name)) &&
           memcmp(elf->names.ptr + s->name, section_name, sizeof(section_name)) == 0;
}

static int check(const struct elf *elf, const struct section *s, char why[ORG_WHY]) {
    uint64_t table_end = elf->table + elf->count * ENTRY_LEN;
    if (s->type != TYPE_PROGBITS)
        return wrong(why, "the section .tasuki_org has no room in the file");
    if (s->size != ORG_SECTION)
        return wrong(why, "the section .tasuki_org has another length than this version's");
    if (!is_inside(elf->file, s->offset, s->size) || s->offset < HEADER_LEN ||
        (s->offset < table_end && elf->table < s->offset + s->size))
        return wrong(why, "the section .tasuki_org lies where it cannot be");
    return TAS_OK;
}

int org_find(struct tas_bytes elf_file, size_t *offset, char why[ORG_WHY]) {
    struct elf elf = {.file = elf_file};
    struct section found = {0};
    size_t n = 0;
    int err = read_header(&elf, why);
    if (err != TAS_OK)
        return err;
    for (size_t i = 0; i < elf.count; i++) {
        struct section s = section_at(&elf, i);
        if (!is_ours(&elf, &s))
            continue;
        found = s;
        n++;
    }
    if (n != 1)
        return wrong(why, n ? "there are several sections .tasuki_org" : "there is no section .tasuki_org");
    err = check(&elf, &found, why);
    if (err == TAS_OK)
        *offset = found.offset;
    return err;
}
