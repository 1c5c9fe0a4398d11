#include "natural.h"

#include "display.h"

#include <math.h>
#include <stdlib.h>

enum {
    CLOUD = 512, /* px, a side of the texture; a power of two */
    DISCS = 240,
    GRAIN_LEN = 1 << 16, /* a power of two */
    GRAIN = 3,           /* at most so much brighter or darker */
};

static const float SOFT = 0.03f; /* of the radius: nothing that a lens shows has a hard edge */

struct disc {
    float x, y, radius, shade_x, shade_y, roughness, colour[3];
    uint32_t cloud_x, cloud_y;
};

uint32_t natural_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static float random_in(uint32_t *seed, float from, float to) {
    return from + (to - from) * (float)(natural_random(seed) >> 8) / (float)(1 << 24);
}

/* ---- texture ---- */

/* Adds noise whose grid is `step` px wide, smoothly filled between its points; it repeats at the edges. */
static void add_octave(float *cloud, uint32_t step, float height, uint32_t *seed) {
    uint32_t n = CLOUD / step;
    float *grid = calloc((size_t)n * n, sizeof(*grid));
    if (!grid)
        fail("no memory");
    for (size_t i = 0; i < (size_t)n * n; i++)
        grid[i] = random_in(seed, -height, height);
    for (uint32_t y = 0; y < CLOUD; y++)
        for (uint32_t x = 0; x < CLOUD; x++) {
            uint32_t left = x / step, top = y / step, right = (left + 1) % n, below = (top + 1) % n;
            float u = (float)(x % step) / (float)step, v = (float)(y % step) / (float)step;
            float upper = grid[top * n + left] * (1 - u) + grid[top * n + right] * u;
            float lower = grid[below * n + left] * (1 - u) + grid[below * n + right] * u;
            cloud[y * CLOUD + x] += upper * (1 - v) + lower * v;
        }
    free(grid);
}

/* Half as high for each octave finer: the spectrum of most of what there is to see. About -1 to 1. */
static const float *cloud_of_all(void) {
    static float *cloud;
    uint32_t seed = 77;
    if (cloud)
        return cloud;
    cloud = calloc((size_t)CLOUD * CLOUD, sizeof(*cloud));
    if (!cloud)
        fail("no memory");
    float height = 0.5f;
    for (uint32_t step = CLOUD / 4; step >= 1; step /= 2, height /= 2)
        add_octave(cloud, step, height, &seed);
    return cloud;
}

/* ---- pictures ---- */

static uint32_t channel(float value) {
    return value < 0 ? 0 : value > 255 ? 255 : (uint32_t)value;
}

static uint32_t px_of(const float colour[3], float more) {
    return channel(colour[0] + more) << 16 | channel(colour[1] + more) << 8 | channel(colour[2] + more);
}

static float texture(uint32_t x, uint32_t y) {
    return cloud_of_all()[(y % CLOUD) * CLOUD + x % CLOUD];
}

static void draw_ground(struct natural *picture, uint32_t *seed) {
    float above[3], below[3];
    for (int i = 0; i < 3; i++) {
        above[i] = random_in(seed, 90, 230);
        below[i] = random_in(seed, 30, 150);
    }
    for (uint32_t y = 0; y < picture->height; y++)
        for (uint32_t x = 0; x < picture->width; x++) {
            float v = (float)y / (float)picture->height, mixed[3];
            for (int i = 0; i < 3; i++)
                mixed[i] = above[i] * (1 - v) + below[i] * v;
            picture->px[(size_t)y * picture->width + x] = px_of(mixed, 20 * texture(x / 2, y / 2));
        }
}

static struct disc random_disc(const struct natural *picture, uint32_t i, uint32_t *seed) {
    float share = 1 - (float)i / DISCS; /* large ones first, so that small ones are seen */
    struct disc disc = {
        .x = random_in(seed, 0, (float)picture->width),
        .y = random_in(seed, 0, (float)picture->height),
        .radius = 5 + (float)picture->height * 0.4f * share * share * random_in(seed, 0.6f, 1),
        .shade_x = random_in(seed, -40, 40),
        .shade_y = random_in(seed, -40, 40),
        .roughness = random_in(seed, 6, 40),
        .cloud_x = natural_random(seed),
        .cloud_y = natural_random(seed),
    };
    float light = random_in(seed, 30, 220);
    for (int k = 0; k < 3; k++)
        disc.colour[k] = light + random_in(seed, -40, 40);
    return disc;
}

static uint32_t mix(uint32_t below, uint32_t above, float share) {
    uint32_t out = 0;
    for (int s = 0; s < 24; s += 8) {
        float b = (float)(below >> s & 255), a = (float)(above >> s & 255);
        out |= channel(b + (a - b) * share + 0.5f) << s;
    }
    return out;
}

static void draw_disc(struct natural *picture, const struct disc *disc) {
    int64_t width = picture->width, height = picture->height;
    int64_t left = (int64_t)(disc->x - disc->radius), right = (int64_t)(disc->x + disc->radius) + 1;
    int64_t top = (int64_t)(disc->y - disc->radius), bottom = (int64_t)(disc->y + disc->radius) + 1;
    for (int64_t y = top > 0 ? top : 0; y < (bottom < height ? bottom : height); y++)
        for (int64_t x = left > 0 ? left : 0; x < (right < width ? right : width); x++) {
            float u = ((float)x - disc->x) / disc->radius, v = ((float)y - disc->y) / disc->radius;
            float inside = (1 - sqrtf(u * u + v * v)) / (SOFT + 1 / disc->radius);
            if (inside <= 0)
                continue;
            float grain = texture((uint32_t)x + disc->cloud_x, (uint32_t)y + disc->cloud_y);
            float more = disc->shade_x * u + disc->shade_y * v + disc->roughness * grain;
            uint32_t *px = &picture->px[y * width + x];
            *px = mix(*px, px_of(disc->colour, more), inside < 1 ? inside : 1);
        }
}

struct natural natural_new(uint32_t width, uint32_t height, uint32_t seed) {
    struct natural picture = {width, height, calloc((size_t)width * height, sizeof(uint32_t))};
    if (!picture.px)
        fail("no memory");
    draw_ground(&picture, &seed);
    for (uint32_t i = 0; i < DISCS; i++) {
        struct disc disc = random_disc(&picture, i, &seed);
        draw_disc(&picture, &disc);
    }
    return picture;
}

/* ---- grain ---- */

static const int16_t *grain_of_all(void) {
    static int16_t grain[GRAIN_LEN];
    uint32_t seed = 99;
    for (size_t i = 0; grain[0] == 0 && i < GRAIN_LEN; i++)
        grain[GRAIN_LEN - 1 - i] = (int16_t)((int)(natural_random(&seed) >> 16) % (2 * GRAIN + 1) - GRAIN);
    return grain;
}

static uint32_t within(int value) {
    return (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void natural_grain(const struct natural *picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   uint32_t *out, size_t stride, uint32_t frame) {
    const int16_t *grain = grain_of_all();
    uint32_t seed = frame * 2654435761u | 1;
    for (uint32_t j = 0; j < height; j++) {
        const uint32_t *in = picture->px + (size_t)(y + j) * picture->width + x;
        const int16_t *more = grain + natural_random(&seed) % (GRAIN_LEN - width);
        for (uint32_t i = 0; i < width; i++)
            out[j * stride + i] = within((int)(in[i] >> 16 & 255) + more[i]) << 16 |
                                  within((int)(in[i] >> 8 & 255) + more[i]) << 8 |
                                  within((int)(in[i] & 255) + more[i]);
    }
}
