#include "codec/motion_private.h"

bool tas_move_is_valid(const struct tas_move *move, uint32_t width, uint32_t height) {
    int32_t left = move->x + move->dx, top = move->y + move->dy;
    return move->w > 0 && move->h > 0 && (move->dx != 0 || move->dy != 0) &&
           (uint32_t)move->x + move->w <= width && (uint32_t)move->y + move->h <= height && left >= 0 &&
           top >= 0 && (uint32_t)left + move->w <= width && (uint32_t)top + move->h <= height;
}

/* Does `from` read what `onto` writes? */
static bool reads_from(const struct tas_move *from, const struct tas_move *onto) {
    int32_t left = from->x + from->dx, top = from->y + from->dy;
    return left < onto->x + onto->w && onto->x < left + from->w && top < onto->y + onto->h &&
           onto->y < top + from->h;
}

static bool comes_too_late(const struct tas_move *moves, unsigned at) {
    for (unsigned i = 0; i < at; i++)
        if (reads_from(&moves[at], &moves[i]))
            return true;
    return false;
}

static uint32_t *row_at(const struct tas_picture *pic, int32_t x, int32_t y) {
    return pic->px + (size_t)y * pic->stride + (size_t)x;
}

static uint32_t *keep_source(const struct tas_picture *pic, const struct tas_move *move, uint32_t *to) {
    for (int32_t y = 0; y < move->h; y++, to += move->w)
        memcpy(to, row_at(pic, move->x + move->dx, move->y + move->dy + y), move->w * sizeof(*to));
    return to;
}

static const uint32_t *paint(const struct tas_picture *pic, const struct tas_move *move,
                             const uint32_t *from) {
    for (int32_t y = 0; y < move->h; y++, from += move->w)
        memcpy(row_at(pic, move->x, move->y + y), from, move->w * sizeof(*from));
    return from;
}

/* From the end that the move itself overwrites first, so that nothing is read after it was written. */
static void shift(const struct tas_picture *pic, const struct tas_move *move) {
    size_t len = move->w * sizeof(*pic->px);
    for (int32_t i = 0; i < move->h; i++) {
        int32_t y = move->y + (move->dy >= 0 ? i : move->h - 1 - i);
        memmove(row_at(pic, move->x, y), row_at(pic, move->x + move->dx, y + move->dy), len);
    }
}

void tas_moves_apply(const struct tas_picture *pic, const struct tas_move *moves, unsigned count,
                     uint32_t *scratch) {
    bool is_kept[TAS_MOVES_MAX] = {false};
    uint32_t *end = scratch;
    for (unsigned i = 1; i < count; i++) {
        is_kept[i] = comes_too_late(moves, i);
        if (is_kept[i])
            end = keep_source(pic, &moves[i], end);
    }
    const uint32_t *kept = scratch;
    for (unsigned i = 0; i < count; i++) {
        if (is_kept[i])
            kept = paint(pic, &moves[i], kept);
        else
            shift(pic, &moves[i]);
    }
}
