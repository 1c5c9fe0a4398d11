#include "store/rows_private.h"

#include <stdlib.h>

void *store_array(int *err, struct tas_rows *rows, size_t size,
                  void (*read)(const struct tas_rows *rows, size_t row, void *out), size_t *n) {
    size_t len = *err == TAS_OK ? tas_rows_len(rows) : 0;
    uint8_t *all = *err == TAS_OK ? calloc(len + 1, size) : NULL; /* one more: none is no reason for NULL */
    for (size_t i = 0; all && i < len; i++)
        read(rows, i, all + i * size);
    tas_rows_free(rows);
    if (all)
        *n = len;
    else if (*err == TAS_OK)
        *err = TAS_E_NOMEM;
    return all;
}

static void id_row(const struct tas_rows *rows, size_t row, void *out) {
    *(uint64_t *)out = (uint64_t)tas_rows_int(rows, row, 0);
}

int store_id_column(int err, struct tas_rows *rows, uint64_t **ids, size_t *n) {
    uint64_t *all = store_array(&err, rows, sizeof(*all), id_row, n);
    if (all)
        *ids = all;
    return err;
}
