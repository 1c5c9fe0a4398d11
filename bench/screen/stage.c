#include "stage.h"

#include <string.h>

static int larger(int a, int b) {
    return a > b ? a : b;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static struct area clip(struct area area, int width, int height) {
    int right = smaller(area.x + area.width, width), bottom = smaller(area.y + area.height, height);
    area.x = larger(area.x, 0);
    area.y = larger(area.y, 0);
    area.width = larger(right - area.x, 0);
    area.height = larger(bottom - area.y, 0);
    return area;
}

void stage_changed(struct stage *stage, struct area area) {
    area = clip(area, stage->width, stage->height);
    if (area.width == 0 || area.height == 0)
        return;
    if (stage->n_changes == CHANGES_MAX) {
        stage->changes[0] = (struct area){0, 0, stage->width, stage->height};
        stage->n_changes = 1;
        return;
    }
    stage->changes[stage->n_changes++] = area;
}

void stage_copy(struct stage *stage, struct area to, const uint32_t *px, int stride, int x, int y) {
    struct area seen = clip(to, stage->width, stage->height);
    for (int j = 0; j < seen.height; j++)
        memcpy(stage->px + (seen.y + j) * stage->width + seen.x,
               px + (y + seen.y - to.y + j) * stride + x + seen.x - to.x, (size_t)seen.width * sizeof(*px));
    stage_changed(stage, seen);
}
