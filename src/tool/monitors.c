#include "tool/monitors.h"

#include <stdio.h>
#include <string.h>

static const struct tas_monitor *find(const struct tas_monitors *list, uint8_t id) {
    for (unsigned i = 0; i < list->n; i++)
        if (list->list[i].id == id)
            return &list->list[i];
    return NULL;
}

static bool is_at(const struct tas_monitor *m, const struct tas_screen_area *area) {
    return m->x == area->x && m->y == area->y && m->width == area->width && m->height == area->height;
}

/* The number that this monitor had: by its name, or where it has none, by its place. 0: it is new. */
static uint8_t known_id(const struct tas_monitors *before, const struct tas_screen_monitor *one) {
    for (unsigned i = 0; i < before->n; i++) {
        const struct tas_monitor *m = &before->list[i];
        bool is_it = one->name[0] ? strcmp(m->name, one->name) == 0 : is_at(m, &one->area);
        if (is_it)
            return m->id;
    }
    return 0;
}

/* One that neither list has; as there are only so many numbers, perhaps one that the list before had. */
static uint8_t fresh_id(const struct tas_monitors *before, const struct tas_monitors *now) {
    for (unsigned again = 0; again < 2; again++)
        for (uint8_t id = 1; id <= TAS_MONITORS; id++)
            if (!find(now, id) && (again || !find(before, id)))
                return id;
    return 0;
}

static void add(struct tas_monitors *now, const struct tas_screen_monitor *from, uint8_t id) {
    struct tas_monitor *m = &now->list[now->n++];
    *m = (struct tas_monitor){.id = id,
                              .is_primary = from->is_primary,
                              .x = (uint16_t)from->area.x,
                              .y = (uint16_t)from->area.y,
                              .width = (uint16_t)from->area.width,
                              .height = (uint16_t)from->area.height};
    if (from->name[0])
        snprintf(m->name, sizeof(m->name), "%s", from->name);
    else
        snprintf(m->name, sizeof(m->name), "%u", id);
}

static void number_all(struct tas_monitors *now, const struct tas_monitors *before,
                       const struct tas_screen_monitors *from) {
    uint8_t ids[TAS_MONITORS] = {0};
    *now = (struct tas_monitors){0};
    /* First those that keep theirs, so that no new one takes it. */
    for (size_t i = 0; i < from->n && i < TAS_MONITORS; i++) {
        ids[i] = known_id(before, &from->list[i]);
        if (ids[i] && find(now, ids[i]))
            ids[i] = 0; /* two of one name */
        if (ids[i])
            add(now, &from->list[i], ids[i]);
    }
    for (size_t i = 0; i < from->n && i < TAS_MONITORS; i++)
        if (!ids[i])
            add(now, &from->list[i], fresh_id(before, now));
}

/* What is shown while nobody has chosen. */
static uint8_t best(const struct tas_monitors *list) {
    if (list->n < 2)
        return TAS_MONITOR_ALL;
    for (unsigned i = 0; i < list->n; i++)
        if (list->list[i].is_primary)
            return list->list[i].id;
    return list->list[0].id;
}

void monitors_update(struct monitors *m, const struct tas_screen_monitors *now) {
    struct tas_monitors before = m->told;
    number_all(&m->told, &before, now);
    bool is_left = before.shown != TAS_MONITOR_ALL && find(&m->told, before.shown);
    if (is_left && m->told.n > 1) {
        m->told.shown = before.shown; /* also when another one is the primary one now */
    } else if (before.shown == TAS_MONITOR_ALL && !m->is_chosen) {
        m->told.shown = best(&m->told);
    } else {
        m->told.shown = TAS_MONITOR_ALL;
        m->is_chosen = m->is_chosen || m->told.n > 1;
    }
}

void monitors_choose(struct monitors *m, uint8_t wanted) {
    if (wanted == TAS_MONITOR_ANY && !m->is_chosen)
        return;
    m->is_chosen = wanted != TAS_MONITOR_ANY;
    if (!m->is_chosen)
        m->told.shown = best(&m->told);
    else
        m->told.shown = m->told.n > 1 && find(&m->told, wanted) ? wanted : TAS_MONITOR_ALL;
}

bool monitors_area(const struct monitors *m, struct tas_screen_area *area) {
    const struct tas_monitor *one = find(&m->told, m->told.shown);
    if (!one)
        return false;
    *area = (struct tas_screen_area){one->x, one->y, one->width, one->height};
    return true;
}
