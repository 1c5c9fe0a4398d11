#include "customer/windows.h"

#include "base/time.h"
#include "customer/windows_private.h"
#include "ui/alarm.h"

#include <gdk/gdkx.h>
#include <stdlib.h>

const struct right windows_rights[] = {
    {TAS_RIGHT_SEE, N_("See the screen"), N_("The operator sees what is on your screen, and nothing else.")},
    {TAS_RIGHT_CONTROL, N_("Control"),
     N_("The operator moves the pointer and types, as you do. You can go on working yourself.")},
    {TAS_RIGHT_DRAW, N_("Draw"), N_("The operator points and draws on your screen, to show you something.")},
    {TAS_RIGHT_FILES, N_("Files"), N_("The operator sends you files and takes files that you choose.")},
    {TAS_RIGHT_CLIPBOARD, N_("Clipboard"),
     N_("What you or the operator copy can be pasted at the other end.")},
    {TAS_RIGHT_DEVICE, N_("Device information"),
     N_("The operator gets a list of this computer's parts, system and settings, and the company keeps it.")},
    {0, NULL, NULL},
};

/* ---- to the core ---- */

static bool send(struct windows *w, const struct customer_command *command) {
    return ui_bridge_command(w->bridge, command, customer_command_size(command)); /* 4096 wait: nobody can */
}

void windows_do(struct windows *w, enum customer_command_kind kind) {
    const struct customer_command command = {.kind = kind};
    send(w, &command);
}

void windows_do_rights(struct windows *w, enum customer_command_kind kind, uint16_t rights) {
    const struct customer_command command = {.kind = kind, .rights = rights};
    send(w, &command);
}

bool windows_do_text(struct windows *w, enum customer_command_kind kind, const char *text) {
    struct customer_command command = {.kind = kind};
    snprintf(command.text, sizeof(command.text), "%s", text);
    bool is_sent = send(w, &command);
    tas_wipe(command.text, sizeof(command.text));
    return is_sent;
}

void windows_pause(struct windows *w, bool is_on) {
    const struct customer_command command = {.kind = CUSTOMER_DO_PAUSE, .is_on = is_on};
    send(w, &command);
}

void windows_grant(struct windows *w, uint16_t right, bool is_on) {
    windows_do_rights(w, is_on ? CUSTOMER_DO_GRANT : CUSTOMER_DO_REVOKE, right);
}

void windows_answer(struct windows *w, uint16_t asked, bool is_allowed) {
    const struct customer_command command = {
        .kind = CUSTOMER_DO_ANSWER, .asked = asked, .rights = is_allowed ? asked : 0};
    send(w, &command);
}

/* ---- words ---- */

const char *windows_organisation(const struct windows *w) {
    return w->state.organisation[0] ? w->state.organisation : w->org->organisation;
}

char *windows_who(const struct windows *w) {
    const struct customer_state *s = &w->state;
    if (strcmp(ui_language(), "ja") == 0)
        return g_strdup_printf("%s %s", s->company, s->operator_name);
    return g_strdup_printf("%s (%s)", s->operator_name, s->company);
}

void windows_duration(char out[16], int64_t us) {
    int64_t s = us > 0 ? us / 1000000 : 0;
    if (s > 99 * 3600 + 59 * 60 + 59)
        s = 99 * 3600 + 59 * 60 + 59;
    snprintf(out, 16, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

void windows_since(char *out, size_t cap, const struct windows *w) {
    out[0] = '\0';
    time_t then = (time_t)(w->state.active_at_ms / 1000);
    struct tm tm;
    if (then > 0 && localtime_r(&then, &tm))
        snprintf(out, cap, _("since %d:%02d"), tm.tm_hour, tm.tm_min);
}

void windows_alarm(char *out, size_t cap, const char *english) {
    snprintf(out, cap, _("Warning: %s. If in doubt, end the session and hang up."), ui_alarm(english));
}

const char *windows_line(const struct windows *w) {
    const struct customer_state *s = &w->state;
    if (s->is_line_lost)
        return _("The line is lost; it comes back by itself.");
    if (s->is_paused)
        return _("Paused: the operator sees and does nothing.");
    if (s->is_viewed && (s->granted & TAS_RIGHT_CONTROL))
        return _("The operator sees your screen and can control it.");
    if (s->is_viewed)
        return _("The operator sees your screen.");
    return _("The operator does not look at your screen now.");
}

/* ---- buttons that come to life ---- */

struct armed {
    GtkWidget *button;
    guint timer;
};

static gboolean on_armed(gpointer ctx) {
    struct armed *armed = ctx;
    armed->timer = 0;
    gtk_widget_set_sensitive(armed->button, TRUE);
    return G_SOURCE_REMOVE;
}

static void on_armed_gone(gpointer ctx) {
    struct armed *armed = ctx;
    if (armed->timer)
        g_source_remove(armed->timer);
    g_free(armed);
}

void windows_arm_later(GtkWidget *button) {
    struct armed *armed = g_new0(struct armed, 1);
    armed->button = button;
    armed->timer = g_timeout_add(1000, on_armed, armed);
    gtk_widget_set_sensitive(button, FALSE);
    g_object_set_data_full(G_OBJECT(button), "tasuki-armed", armed, on_armed_gone);
}

/* ---- state in ---- */

/* What the person said belongs to one number only. */
static void on_step(struct windows *w, enum customer_step before) {
    struct draft *d = &w->draft;
    w->step_at_us = g_get_monotonic_time();
    if (w->state.step == CUSTOMER_READY && before >= CUSTOMER_SENDING)
        d->is_notice_old = false;
    if (w->state.step == CUSTOMER_ENDED && w->error_step >= CUSTOMER_JOINING)
        w->error_step = CUSTOMER_ENDED; /* it is why it ended */
    if (w->state.step == CUSTOMER_CHOOSING && before != CUSTOMER_WAITING)
        d->rights = TAS_RIGHT_SEE;
    if (w->state.step >= CUSTOMER_CODE)
        tas_wipe(d->number, sizeof(d->number));
}

void windows_on_state(void *windows, const void *state) {
    struct windows *w = windows;
    enum customer_step before = w->state.step;
    uint32_t error_before = w->state.error_serial;
    w->state = *(const struct customer_state *)state;
    if (w->state.error_serial != error_before) {
        w->draft.is_notice_old = false;
        w->error_step = w->state.step;
    }
    if (w->state.step != before)
        on_step(w, before);
    windows_show(w);
}

/* Other terms than those that were agreed to: asked once more. */
static void take_terms(struct windows *w, struct customer_note *note) {
    struct terms *t = &w->terms;
    if (strcmp(t->version, note->version) != 0)
        w->draft.agreed_at_ms = 0;
    free(t->ja);
    free(t->en);
    snprintf(t->version, sizeof(t->version), "%s", note->version);
    t->ja = note->text;
    t->en = note->text2;
    note->text = note->text2 = NULL;
}

void windows_on_note(void *windows, void *ctx) {
    struct windows *w = windows;
    struct customer_note *note = ctx;
    switch (note->kind) {
    case CUSTOMER_NOTE_TERMS:
        take_terms(w, note);
        break;
    case CUSTOMER_NOTE_CHAT:
        chat_receive(w->chat, note->text ? note->text : "");
        break;
    case CUSTOMER_NOTE_WROTE:
        chat_wrote(w->chat, note->text ? note->text : "", note->is_ok);
        break;
    case CUSTOMER_NOTE_SAVED:
        w->draft.has_saved = true;
        w->draft.is_saved = note->is_ok;
        snprintf(w->draft.saved_text, sizeof(w->draft.saved_text), "%s", note->text ? note->text : "");
        break;
    }
    customer_note_free(note);
    windows_show(w);
}

/* ---- showing ---- */

bool windows_has_session(const struct windows *w) {
    return w->state.step >= CUSTOMER_CHOOSING && w->state.step < CUSTOMER_ENDED;
}

void windows_show(struct windows *w) {
    chat_show(w->chat);
    main_window_show(w->main);
    bar_show(w->bar);
    ask_show(w->ask);
}

static gboolean on_tick(gpointer ctx) {
    windows_show(ctx);
    return G_SOURCE_CONTINUE;
}

void windows_set_language(struct windows *w, const char *language) {
    ui_language_set(language);
    ui_look_init();
    bar_rebuild(w->bar);
    ask_rebuild(w->ask);
    chat_rebuild(w->chat);
    main_window_rebuild(w->main);
    windows_show(w);
}

void windows_present(struct windows *w) {
    if (main_window_get(w->main))
        gtk_window_present(main_window_get(w->main));
}

void windows_close(struct windows *w) {
    (void)w;
    gtk_main_quit();
}

/* The operator's pointer and keys reach none of our windows, which are known by any one of them. */
static void send_own_window(struct windows *w) {
    GtkWidget *window = GTK_WIDGET(main_window_get(w->main));
    gtk_widget_realize(window);
    const struct customer_command command = {.kind = CUSTOMER_DO_OWN,
                                             .window = gdk_x11_window_get_xid(gtk_widget_get_window(window))};
    send(w, &command);
}

struct windows *windows_new(const struct org *org, struct ui_bridge *bridge) {
    struct windows *w = g_new0(struct windows, 1);
    w->org = org;
    w->bridge = bridge;
    w->step_at_us = g_get_monotonic_time();
    w->draft.rights = TAS_RIGHT_SEE;
    w->chat = chat_new(w);
    w->bar = bar_new(w);
    w->ask = ask_new(w);
    w->main = main_window_new(w);
    send_own_window(w);
    w->tick = g_timeout_add(WINDOWS_TICK_MS, on_tick, w);
    windows_show(w);
    return w;
}

void windows_free(struct windows *w) {
    if (!w)
        return;
    g_source_remove(w->tick);
    bar_free(w->bar);
    ask_free(w->ask);
    chat_free(w->chat);
    main_window_free(w->main);
    free(w->terms.ja);
    free(w->terms.en);
    tas_wipe(&w->draft, sizeof(w->draft));
    tas_wipe(&w->state, sizeof(w->state));
    g_free(w);
}
