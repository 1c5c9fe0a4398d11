#include "stage.h"

#include "display.h"
#include "draw.h"
#include "natural.h"
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 600 };

static uint32_t *px_new(int width, int height) {
    uint32_t *px = calloc((size_t)width * (size_t)height, sizeof(*px));
    if (!px)
        fail("no memory");
    return px;
}

static void desktop(struct stage *stage) {
    draw_desktop(stage->cairo, stage->width, stage->height);
}

/* ---- typing: an editor ---- */

enum { EDITOR_X = 260, EDITOR_Y = 110, EDITOR_WIDTH = 1240, EDITOR_HEIGHT = 800, LINE = 24, LINES = 28 };

static struct {
    char text[TEXT_MAX];
    size_t len;
    const char *from; /* what is typed next */
    enum words_kind kind;
    uint32_t typed, row;
} editor;

static struct area text_area(void) {
    return (struct area){EDITOR_X + 60, EDITOR_Y + 44, EDITOR_WIDTH - 80, LINES * LINE};
}

static void draw_line(struct stage *stage, bool has_caret) {
    static const char *const fonts[] = {DRAW_SANS, DRAW_SANS, DRAW_MONO};
    struct area all = text_area();
    int y = all.y + (int)editor.row * LINE;
    draw_box(stage->cairo, all.x, y, all.width, LINE, 0xffffff);
    int width = draw_text(stage->cairo, fonts[editor.kind], all.x, y + 2, 0, 0x1c1c20, editor.text, NULL);
    if (has_caret)
        draw_box(stage->cairo, all.x + width + 1, y + 3, 2, LINE - 6, 0);
    stage_changed(stage, (struct area){all.x, y, all.width, LINE});
}

static void next_line(void) {
    editor.kind = (enum words_kind)(editor.typed % WORDS_KINDS);
    editor.from = words_line(editor.kind, editor.typed++ / WORDS_KINDS);
    editor.len = 0;
    editor.text[0] = '\0';
}

static void scroll_one_line(struct stage *stage) {
    struct area all = text_area();
    for (int y = all.y; y < all.y + all.height - LINE; y++)
        memmove(stage->px + y * stage->width + all.x, stage->px + (y + LINE) * stage->width + all.x,
                (size_t)all.width * sizeof(*stage->px));
    cairo_surface_mark_dirty(cairo_get_target(stage->cairo));
    stage_changed(stage, all);
}

static void draw_place(struct stage *stage) {
    char text[64];
    int y = EDITOR_Y + EDITOR_HEIGHT - 27;
    snprintf(text, sizeof(text), "%u:%zu   UTF-8", editor.typed, editor.len);
    draw_box(stage->cairo, EDITOR_X + 700, y, 300, 26, 0xeceef2);
    draw_text(stage->cairo, DRAW_SMALL, EDITOR_X + 706, y + 5, 0, 0x404048, text, NULL);
    stage_changed(stage, (struct area){EDITOR_X + 700, y, 300, 26});
}

static void type(struct stage *stage) {
    if (*editor.from == '\0') {
        draw_line(stage, false);
        next_line();
        if (++editor.row == LINES) {
            editor.row--;
            scroll_one_line(stage);
        }
    }
    do
        editor.text[editor.len++] = *editor.from++;
    while ((*editor.from & 0xc0) == 0x80); /* all of a character */
    editor.text[editor.len] = '\0';
    draw_line(stage, true);
    draw_place(stage);
}

static void editor_begin(struct stage *stage) {
    memset(&editor, 0, sizeof(editor));
    desktop(stage);
    draw_window(stage->cairo, EDITOR_X, EDITOR_Y, EDITOR_WIDTH, EDITOR_HEIGHT, "報告書.txt - Editor");
    draw_box(stage->cairo, EDITOR_X + 1, EDITOR_Y + 30, 44, EDITOR_HEIGHT - 58, 0xf0f1f4);
    draw_box(stage->cairo, EDITOR_X + 1, EDITOR_Y + EDITOR_HEIGHT - 28, EDITOR_WIDTH - 2, 27, 0xeceef2);
    for (; editor.row < 14; editor.row++) {
        next_line();
        snprintf(editor.text, sizeof(editor.text), "%s", editor.from);
        draw_line(stage, false);
    }
    next_line();
    draw_line(stage, true);
    stage->strip_x = EDITOR_X + 8;
    stage->strip_y = EDITOR_Y + EDITOR_HEIGHT - 20;
}

static void editor_type(struct stage *stage, unsigned n) {
    (void)n;
    type(stage);
}

static void editor_blink(struct stage *stage, unsigned n) {
    draw_line(stage, n % 2 != 0);
}

/* ---- scroll: a long page in a browser ---- */

enum { PAGE_X = 180, PAGE_Y = 40, PAGE_WIDTH = 1420, PAGE_SEEN = 900, PAGE_HEIGHT = 9600, BAR = 36 };

static struct {
    uint32_t *px;
    int at, by;
} page;

static int page_text(cairo_t *cairo, int y, uint32_t section, uint32_t *seed) {
    char text[TEXT_MAX];
    int height;
    enum words_kind kind = section % 2 ? WORDS_JAPANESE : WORDS_ENGLISH;
    draw_text(cairo, DRAW_TITLE, 110, y, 0, 0x143a66,
              section % 2 ? "印刷できないときの確認事項" : "When nothing is printed any more", NULL);
    y += 46;
    for (int i = 0; i < 3; i++) {
        words_paragraph(text, sizeof(text), kind, seed);
        draw_text(cairo, i == 1 ? DRAW_SERIF : DRAW_SANS, 110, y, 800, 0x202024, text, &height);
        y += height + 14;
    }
    return y;
}

static int page_photo(cairo_t *cairo, int y, uint32_t section) {
    enum { WIDTH = 640, HEIGHT = 350 };
    struct natural photo = natural_new(WIDTH, HEIGHT, 500 + section);
    cairo_surface_flush(cairo_get_target(cairo));
    for (int j = 0; j < HEIGHT; j++)
        memcpy(page.px + (y + j) * PAGE_WIDTH + 110, photo.px + j * WIDTH, WIDTH * sizeof(*photo.px));
    cairo_surface_mark_dirty(cairo_get_target(cairo));
    free(photo.px);
    draw_box(cairo, 800, y, 360, 180, 0xfdf3d4);
    draw_text(cairo, DRAW_SMALL, 816, y + 14, 330, 0x5c4400, words_line(WORDS_JAPANESE, section), NULL);
    return y + HEIGHT + 20;
}

static int page_table(cairo_t *cairo, int y, uint32_t *seed) {
    enum { ROWS = 9, COLUMNS = 6, ROW = 26, COLUMN = 190 };
    for (int row = 0; row < ROWS; row++, y += ROW) {
        uint32_t ground = row == 0 ? 0x2c4c80 : row % 2 ? 0xf3f5fa : 0xffffff;
        draw_box(cairo, 110, y, COLUMNS * COLUMN, ROW, ground);
        for (int column = 0; column < COLUMNS; column++) {
            char text[32];
            snprintf(text, sizeof(text), "%s%u", row == 0 ? "項目 " : "", natural_random(seed) % 100000);
            draw_text(cairo, DRAW_SMALL, 122 + column * COLUMN, y + 5, 0, row == 0 ? 0xffffff : 0x2c2c30,
                      text, NULL);
        }
    }
    return y + 20;
}

static int page_code(cairo_t *cairo, int y, uint32_t section) {
    draw_box(cairo, 110, y, 1140, 6 * 20 + 16, 0xf6f8f6);
    for (uint32_t i = 0; i < 6; i++)
        draw_text(cairo, DRAW_MONO, 126, y + 8 + (int)i * 20, 0, i % 2 ? 0x14603c : 0x5c2878,
                  words_line(WORDS_CODE, i + section), NULL);
    return y + 6 * 20 + 40;
}

static void page_draw(void) {
    uint32_t seed = 31, section = 0;
    page.px = px_new(PAGE_WIDTH, PAGE_HEIGHT);
    cairo_t *cairo = draw_on(page.px, PAGE_WIDTH, PAGE_HEIGHT);
    draw_box(cairo, 0, 0, PAGE_WIDTH, PAGE_HEIGHT, 0xffffff);
    for (int y = 24; y < PAGE_HEIGHT - 1100; section++) {
        y = page_text(cairo, y, section, &seed);
        y = page_photo(cairo, y, section);
        y = page_table(cairo, y, &seed);
        y = page_code(cairo, y, section);
    }
    cairo_surface_flush(cairo_get_target(cairo));
    cairo_destroy(cairo);
}

static void page_show(struct stage *stage) {
    struct area area = {PAGE_X + 1, PAGE_Y + DRAW_TITLE_HEIGHT + BAR, PAGE_WIDTH, PAGE_SEEN};
    stage_copy(stage, area, page.px, PAGE_WIDTH, 0, page.at);
}

static void page_begin(struct stage *stage) {
    if (!page.px)
        page_draw();
    page.at = 0;
    page.by = 1;
    desktop(stage);
    draw_window(stage->cairo, PAGE_X, PAGE_Y, PAGE_WIDTH + 2, PAGE_SEEN + BAR + 60, "サポート情報 - Browser");
    draw_box(stage->cairo, PAGE_X + 1, PAGE_Y + DRAW_TITLE_HEIGHT, PAGE_WIDTH, BAR, 0xf0f1f4);
    draw_text(stage->cairo, DRAW_SMALL, PAGE_X + 90, PAGE_Y + DRAW_TITLE_HEIGHT + 10, 0, 0x404048,
              "https://www.example.jp/support/printer", NULL);
    cairo_surface_flush(cairo_get_target(stage->cairo));
    page_show(stage);
    stage->strip_x = PAGE_X + 8;
    stage->strip_y = PAGE_Y + DRAW_TITLE_HEIGHT + BAR + PAGE_SEEN + 8;
}

/* As a wheel with smooth scrolling moves it: not always by the same. */
static void page_scroll(struct stage *stage, unsigned n) {
    static const int steps[] = {41, 67, 58, 45, 63};
    page.at += page.by * steps[n % 5];
    if (page.at < 0 || page.at > PAGE_HEIGHT - PAGE_SEEN) {
        page.by = -page.by;
        page.at = page.at < 0 ? 0 : PAGE_HEIGHT - PAGE_SEEN;
    }
    page_show(stage);
}

/* ---- window: one is dragged over the others ---- */

enum { WINDOWS = 3, FRONT_EVERY = 70 };

static struct {
    uint32_t *px;
    struct area area;
} windows[WINDOWS];
static uint32_t *behind;
static int order[WINDOWS]; /* the last is in front */

static cairo_t *window_new(int which, struct area area, const char *title) {
    windows[which].area = area;
    if (windows[which].px)
        return NULL; /* drawn already */
    windows[which].px = px_new(area.width, area.height);
    cairo_t *cairo = draw_on(windows[which].px, area.width, area.height);
    draw_window(cairo, 0, 0, area.width, area.height, title);
    return cairo;
}

static void window_done(cairo_t *cairo) {
    cairo_surface_flush(cairo_get_target(cairo));
    cairo_destroy(cairo);
}

static void make_report(void) {
    char text[TEXT_MAX];
    uint32_t seed = 41;
    cairo_t *cairo = window_new(0, (struct area){140, 90, 780, 560}, "Report");
    for (int i = 0, y = 46, height; cairo && y < 470; i++, y += height + 12) {
        words_paragraph(text, sizeof(text), i % 2 ? WORDS_JAPANESE : WORDS_ENGLISH, &seed);
        draw_text(cairo, DRAW_SANS, 26, y, 728, 0x202024, text, &height);
    }
    if (cairo)
        window_done(cairo);
}

static void make_photo(void) {
    enum { WIDTH = 680, HEIGHT = 480 };
    cairo_t *cairo = window_new(1, (struct area){500, 240, WIDTH + 2, HEIGHT + 31}, "写真");
    if (!cairo)
        return;
    window_done(cairo);
    struct natural photo = natural_new(WIDTH, HEIGHT, 43);
    for (int y = 0; y < HEIGHT; y++)
        memcpy(windows[1].px + (y + 30) * (WIDTH + 2) + 1, photo.px + y * WIDTH, WIDTH * sizeof(*photo.px));
    free(photo.px);
}

static void make_sheet(void) {
    enum { WIDTH = 720, HEIGHT = 540, ROW = 23, COLUMN = 80 };
    uint32_t seed = 47;
    cairo_t *cairo = window_new(2, (struct area){860, 380, WIDTH, HEIGHT}, "Spreadsheet");
    for (int y = DRAW_TITLE_HEIGHT; cairo && y < HEIGHT - ROW; y += ROW)
        for (int x = 1; x < WIDTH - COLUMN; x += COLUMN) {
            char text[16];
            snprintf(text, sizeof(text), "%u", natural_random(&seed) % 100000);
            draw_box(cairo, x, y, COLUMN - 1, ROW - 1, y / ROW % 2 ? 0xf2f6f2 : 0xffffff);
            draw_text(cairo, DRAW_SMALL, x + 8, y + 3, 0, 0x202024, text, NULL);
        }
    if (cairo)
        window_done(cairo);
}

/* What of `part` a picture at `place` covers. */
static struct area common(struct area part, struct area place) {
    int right = part.x + part.width, bottom = part.y + part.height;
    part.x = part.x > place.x ? part.x : place.x;
    part.y = part.y > place.y ? part.y : place.y;
    part.width = (right < place.x + place.width ? right : place.x + place.width) - part.x;
    part.height = (bottom < place.y + place.height ? bottom : place.y + place.height) - part.y;
    return part;
}

static void compose(struct stage *stage, struct area part) {
    part = common(part, (struct area){0, 0, stage->width, stage->height});
    stage_copy(stage, part, behind, stage->width, part.x, part.y);
    for (int i = 0; i < WINDOWS; i++) {
        struct area place = windows[order[i]].area, seen = common(part, place);
        if (seen.width > 0 && seen.height > 0)
            stage_copy(stage, seen, windows[order[i]].px, place.width, seen.x - place.x, seen.y - place.y);
    }
    stage->n_changes = 0; /* all of that is in the part */
    stage_changed(stage, part);
}

static void windows_begin(struct stage *stage) {
    if (!behind)
        behind = px_new(stage->width, stage->height);
    desktop(stage);
    cairo_surface_flush(cairo_get_target(stage->cairo));
    memcpy(behind, stage->px, (size_t)stage->width * (size_t)stage->height * sizeof(*behind));
    make_report();
    make_photo();
    make_sheet();
    for (int i = 0; i < WINDOWS; i++)
        order[i] = i;
    compose(stage, (struct area){0, 0, stage->width, stage->height});
    stage->strip_x = 700;
    stage->strip_y = stage->height - 24;
}

static int bounce(int value, int min, int max) {
    return value < min ? min : value > max ? max : value;
}

static void window_drag(struct stage *stage, unsigned n) {
    if (n % FRONT_EVERY == FRONT_EVERY - 1) {
        int front = order[0];
        memmove(order, order + 1, (WINDOWS - 1) * sizeof(*order));
        order[WINDOWS - 1] = front;
        compose(stage, windows[front].area);
        return;
    }
    struct area *area = &windows[order[WINDOWS - 1]].area, old = *area;
    double turn = n * 0.06;
    area->x = bounce(old.x + (int)lround(13 * cos(turn)), 0, stage->width - old.width);
    area->y = bounce(old.y + (int)lround(9 * sin(1.4 * turn)), 0, stage->height - old.height - 60);
    int right = (area->x > old.x ? area->x : old.x) + old.width;
    int bottom = (area->y > old.y ? area->y : old.y) + old.height;
    int x = area->x < old.x ? area->x : old.x, y = area->y < old.y ? area->y : old.y;
    compose(stage, (struct area){x, y, right - x, bottom - y});
}

/* ---- photo: one after the other on the whole screen ---- */

enum { PHOTOS = 4 };

static void photo_step(struct stage *stage, unsigned n) {
    static struct natural photos[PHOTOS];
    struct natural *photo = &photos[(n + 1) % PHOTOS];
    for (uint32_t i = 0; !photos[0].px && i < PHOTOS; i++)
        photos[PHOTOS - 1 - i] = natural_new((uint32_t)stage->width, (uint32_t)stage->height, 60 + i);
    stage_copy(stage, (struct area){0, 0, stage->width, stage->height}, photo->px, stage->width, 0, 0);
}

static void photo_begin(struct stage *stage) {
    photo_step(stage, PHOTOS - 1);
    stage->strip_x = 0;
    stage->strip_y = stage->height - 12;
}

/* ---- video ---- */

static struct {
    struct natural ground, thing;
    struct area area;
} video;

/* A camera that turns slowly, something that moves on its own, and the grain of the film. */
static void video_step(struct stage *stage, unsigned n) {
    const struct area *area = &video.area;
    const struct natural *ground = &video.ground, *thing = &video.thing;
    double t = n / 30.0;
    uint32_t width = (uint32_t)area->width, height = (uint32_t)area->height;
    uint32_t x = (uint32_t)((ground->width - width) * (0.5 - 0.5 * cos(0.4 * t)));
    uint32_t y = (uint32_t)((ground->height - height) * (0.5 - 0.5 * cos(0.3 * t)));
    uint32_t *out = stage->px + area->y * stage->width + area->x;
    natural_grain(ground, x, y, width, height, out, (size_t)stage->width, n);

    int left = (int)((width - thing->width) * (0.5 + 0.5 * sin(1.1 * t)));
    int top = (int)((height - thing->height) * (0.5 + 0.5 * cos(0.8 * t)));
    natural_grain(thing, 0, 0, thing->width, thing->height, out + top * stage->width + left,
                  (size_t)stage->width, n + 1);
    stage_changed(stage, *area);
}

static void video_prepare(struct area area) {
    if (video.area.width != area.width) {
        free(video.ground.px);
        free(video.thing.px);
        video.ground = natural_new((uint32_t)(area.width * 3 / 2), (uint32_t)(area.height * 3 / 2), 71);
        video.thing = natural_new((uint32_t)area.height / 3, (uint32_t)area.height / 3, 73);
    }
    video.area = area;
}

static void video_begin(struct stage *stage) {
    desktop(stage);
    draw_window(stage->cairo, 599, 260, 642, 30 + 360 + 30, "動画 - Player");
    cairo_surface_flush(cairo_get_target(stage->cairo));
    video_prepare((struct area){600, 290, 640, 360});
    video_step(stage, 0);
    stage->strip_x = 608;
    stage->strip_y = 290 + 360 + 8;
}

static void fullvideo_begin(struct stage *stage) {
    video_prepare((struct area){0, 0, stage->width, stage->height});
    video_step(stage, 0);
    stage->strip_x = 0;
    stage->strip_y = stage->height - 12;
}

const struct scene *scene_find(const char *name) {
    static const struct scene scenes[] = {
        {"typing", 8, editor_begin, editor_type, type},
        {"idle", 2, editor_begin, editor_blink, type},
        {"key", 0, editor_begin, NULL, type},
        {"scroll", 30, page_begin, page_scroll, NULL},
        {"key_scroll", 30, page_begin, page_scroll, NULL},
        {"window", 30, windows_begin, window_drag, NULL},
        {"photo", 1, photo_begin, photo_step, NULL},
        {"video", 30, video_begin, video_step, NULL},
        {"fullvideo", 30, fullvideo_begin, video_step, NULL},
    };
    for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
        if (strcmp(scenes[i].name, name) == 0)
            return &scenes[i];
    return NULL;
}
