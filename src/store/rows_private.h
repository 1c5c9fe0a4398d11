/* Helpers of the question files: a column into a struct's member. */
#pragma once

#include "store/db.h"

#include <stdio.h>

/* Copies a text column into an array, cut to its size (the schema's writers bound them). */
#define STORE_COPY_TEXT(rows, row, column, to)                                                               \
    snprintf((to), sizeof(to), "%s", tas_rows_text((rows), (row), (column)))

/* Copies a blob column into an array of exactly that size; left as it is when the length differs. */
#define STORE_COPY_BLOB(rows, row, column, to)                                                               \
    do {                                                                                                     \
        struct tas_bytes blob_ = tas_rows_blob((rows), (row), (column));                                     \
        if (blob_.len == sizeof(to))                                                                         \
            memcpy((to), blob_.ptr, sizeof(to));                                                             \
    } while (0)

/* TAS_OK with at least one row, TAS_E_ABSENT with none (rows are then freed), or err. */
static inline int store_need_row(int err, struct tas_rows **rows) {
    if (err != TAS_OK || tas_rows_len(*rows) > 0)
        return err;
    tas_rows_free(*rows);
    *rows = NULL;
    return TAS_E_ABSENT;
}

/* The same for an UPDATE that must have met a row. */
static inline int store_need_change(struct tas_db *db, int err) {
    return err == TAS_OK && tas_db_changes(db) == 0 ? TAS_E_ABSENT : err;
}

/* An optional text: empty is NULL. */
static inline struct tas_value store_text_or_null(const char *text) {
    return text && text[0] ? tas_text(text) : tas_null();
}
/* An optional number: 0 is NULL. */
static inline struct tas_value store_int_or_null(int64_t v) {
    return v ? tas_int(v) : tas_null();
}

/* Every row of a query that gave *err as a struct of `size` bytes, read by `read` into zeroed memory; frees
 * rows. Owned by the caller, free(). NULL: *err says why, and *n is untouched. */
void *store_array(int *err, struct tas_rows *rows, size_t size,
                  void (*read)(const struct tas_rows *rows, size_t row, void *out), size_t *n);

/* The ids in column 0 of a query that gave `err`; frees rows. The caller owns *ids. */
TAS_MUST_USE int store_id_column(int err, struct tas_rows *rows, uint64_t **ids, size_t *n);
