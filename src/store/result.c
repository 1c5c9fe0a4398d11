#include "store/db_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A cell's bytes lie in the arena at `at`, with a NUL behind them. */
struct cell {
    int64_t number;
    uint32_t at, len;
    enum tas_value_kind kind; /* INT, NULL, or TEXT for all that is bytes */
};

struct tas_rows {
    size_t n_columns;
    size_t n_cells, cap_cells;
    struct cell *cells;
    size_t len, cap;
    uint8_t *arena;
};

struct tas_rows *store_rows_new(size_t n_columns) {
    struct tas_rows *rows = calloc(1, sizeof(*rows));
    if (rows)
        rows->n_columns = n_columns;
    return rows;
}

void tas_rows_free(struct tas_rows *rows) {
    if (!rows)
        return;
    free(rows->cells);
    free(rows->arena);
    free(rows);
}

/* ---- making ---- */

static int add_cell(struct tas_rows *rows, struct cell cell) {
    if (rows->n_cells == STORE_ROWS_MAX * rows->n_columns)
        return TAS_E_LIMIT;
    if (rows->n_cells == rows->cap_cells) {
        size_t cap = rows->cap_cells ? rows->cap_cells * 2 : rows->n_columns * 2;
        struct cell *cells = realloc(rows->cells, cap * sizeof(*cells));
        if (!cells)
            return TAS_E_NOMEM;
        rows->cells = cells;
        rows->cap_cells = cap;
    }
    rows->cells[rows->n_cells++] = cell;
    return TAS_OK;
}

static int grow_arena(struct tas_rows *rows, size_t need) {
    if (need > STORE_ROWS_BYTES_MAX)
        return TAS_E_LIMIT;
    if (need <= rows->cap)
        return TAS_OK;
    size_t cap = rows->cap ? rows->cap : 256;
    while (cap < need)
        cap *= 2;
    uint8_t *arena = realloc(rows->arena, cap);
    if (!arena)
        return TAS_E_NOMEM;
    rows->arena = arena;
    rows->cap = cap;
    return TAS_OK;
}

static int add_room(struct tas_rows *rows, struct cell cell, size_t len, uint8_t **room) {
    int err = len < STORE_ROWS_BYTES_MAX ? grow_arena(rows, rows->len + len + 1) : TAS_E_LIMIT;
    if (err != TAS_OK)
        return err;
    cell.at = (uint32_t)rows->len;
    cell.len = (uint32_t)len;
    err = add_cell(rows, cell);
    if (err != TAS_OK)
        return err;
    *room = rows->arena + rows->len;
    (*room)[len] = '\0';
    rows->len += len + 1;
    return TAS_OK;
}

int store_rows_add_null(struct tas_rows *rows) {
    return add_cell(rows, (struct cell){.kind = TAS_VALUE_NULL});
}

int store_rows_add_int(struct tas_rows *rows, int64_t number) {
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRId64, number);
    uint8_t *room = NULL;
    int err = add_room(rows, (struct cell){.kind = TAS_VALUE_INT, .number = number}, (size_t)len, &room);
    if (err == TAS_OK)
        memcpy(room, text, (size_t)len);
    return err;
}

int store_rows_add_room(struct tas_rows *rows, size_t len, uint8_t **room) {
    return add_room(rows, (struct cell){.kind = TAS_VALUE_TEXT}, len, room);
}

int store_rows_add_bytes(struct tas_rows *rows, struct tas_bytes bytes) {
    uint8_t *room = NULL;
    int err = store_rows_add_room(rows, bytes.len, &room);
    if (err == TAS_OK && bytes.len > 0)
        memcpy(room, bytes.ptr, bytes.len);
    return err;
}

/* ---- reading ---- */

static const struct cell *cell_at(const struct tas_rows *rows, size_t row, size_t column) {
    assert(row < tas_rows_len(rows) && column < rows->n_columns);
    return &rows->cells[row * rows->n_columns + column];
}

size_t tas_rows_len(const struct tas_rows *rows) {
    return rows->n_columns ? rows->n_cells / rows->n_columns : 0;
}

int64_t tas_rows_int(const struct tas_rows *rows, size_t row, size_t column) {
    const struct cell *cell = cell_at(rows, row, column);
    if (cell->kind != TAS_VALUE_TEXT)
        return cell->number;
    return strtoll((const char *)rows->arena + cell->at, NULL,
                   10); /* a sum comes as numeric from PostgreSQL */
}

const char *tas_rows_text(const struct tas_rows *rows, size_t row, size_t column) {
    const struct cell *cell = cell_at(rows, row, column);
    return cell->kind == TAS_VALUE_NULL ? "" : (const char *)rows->arena + cell->at;
}

struct tas_bytes tas_rows_blob(const struct tas_rows *rows, size_t row, size_t column) {
    const struct cell *cell = cell_at(rows, row, column);
    if (cell->kind == TAS_VALUE_NULL)
        return (struct tas_bytes){0};
    return tas_bytes_of(rows->arena + cell->at, cell->len);
}

bool tas_rows_is_null(const struct tas_rows *rows, size_t row, size_t column) {
    return cell_at(rows, row, column)->kind == TAS_VALUE_NULL;
}
