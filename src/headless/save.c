#include "headless/save.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

static void row_rgb(uint8_t *out, const struct tas_picture *pic, uint32_t y) {
    for (uint32_t x = 0; x < pic->width; x++) {
        uint32_t p = pic->px[(size_t)y * pic->stride + x];
        out[3 * x] = (uint8_t)(p >> 16);
        out[3 * x + 1] = (uint8_t)(p >> 8);
        out[3 * x + 2] = (uint8_t)p;
    }
}

static int write_ppm(const struct tas_picture *pic, FILE *f, uint8_t *row) {
    fprintf(f, "P6\n%u %u\n255\n", pic->width, pic->height);
    for (uint32_t y = 0; y < pic->height; y++) {
        row_rgb(row, pic, y);
        if (fwrite(row, 3, pic->width, f) != pic->width)
            return TAS_E_IO;
    }
    return TAS_OK;
}

static int write_png(const struct tas_picture *pic, FILE *f, uint8_t *row) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    volatile int err = TAS_E_NOMEM;
    if (info && setjmp(png_jmpbuf(png)) == 0) {
        png_init_io(png, f);
        png_set_compression_level(png, 1);
        png_set_IHDR(png, info, pic->width, pic->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        for (uint32_t y = 0; y < pic->height; y++) {
            row_rgb(row, pic, y);
            png_write_row(png, row);
        }
        png_write_end(png, info);
        err = TAS_OK;
    }
    png_destroy_write_struct(&png, &info);
    return err;
}

int picture_save(const struct tas_picture *pic, const char *path) {
    size_t len = strlen(path);
    bool is_ppm = len > 4 && strcmp(path + len - 4, ".ppm") == 0;
    uint8_t *row = malloc((size_t)pic->width * 3);
    FILE *f = row ? fopen(path, "we") : NULL;
    int err = !row ? TAS_E_NOMEM : !f ? TAS_E_IO : is_ppm ? write_ppm(pic, f, row) : write_png(pic, f, row);
    free(row);
    if (f && fclose(f) != 0)
        err = TAS_E_IO;
    return err;
}
