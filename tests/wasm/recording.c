#include "recording.h"

#include <stdlib.h>

void recording_sum(const struct tas_picture *pic, struct recording_result *out) {
    uint32_t sum = 0x811c9dc5u, exact = sum, n_rough = 0;
    for (uint32_t y = 0; y < pic->height; y++) {
        const uint32_t *row = pic->px + (size_t)y * pic->stride;
        for (uint32_t x = 0; x < pic->width; x++) {
            bool is_rough = row[x] & TAS_ROUGH;
            sum = (sum ^ row[x]) * 0x01000193u;
            exact = (exact ^ (is_rough ? TAS_ROUGH : row[x])) * 0x01000193u;
            n_rough += is_rough;
        }
    }
    out->sum = sum;
    out->exact = exact;
    out->n_rough = n_rough;
}

bool recording_write_head(FILE *file, uint32_t width, uint32_t height, uint32_t model_bits) {
    const uint32_t head[] = {0x52575354u, width, height, model_bits};
    return fwrite(head, sizeof(head), 1, file) == 1;
}

bool recording_write(FILE *file, enum recording_kind kind, const void *head, size_t head_len,
                     const void *data, size_t len) {
    const uint32_t entry[] = {(uint32_t)kind, (uint32_t)(head_len + len)};
    return fwrite(entry, sizeof(entry), 1, file) == 1 && fwrite(head, 1, head_len, file) == head_len &&
           fwrite(data, 1, len, file) == len;
}

uint8_t *recording_load(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (bytes && (fseek(file, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size)) {
        free(bytes);
        bytes = NULL;
    }
    if (file)
        fclose(file);
    *len = bytes ? (size_t)size : 0;
    return bytes;
}
