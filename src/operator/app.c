#include "operator/app.h"

#include "base/time.h"
#include "operator/desk.h"
#include "operator/history.h"
#include "operator/login.h"
#include "operator/session_window.h"
#include "operator/sheet.h"
#include "ui/look.h"

#include <gtk/gtk.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 250,     /* how exact the clocks in the windows are */
    GOODBYE_MS = 5000, /* core_stop() needs at most 3 s; whoever quits does not wait for ever */
};

struct app {
    struct ui_bridge *bridge;
    struct present_surface *surface;
    struct operator_state state;
    struct remember remember;
    struct login *login;
    struct desk *desk;
    struct session_window *session;
    struct history *history;
    uint32_t error_serial; /* of the last error that was shown */
    guint tick, goodbye, relanguage, closing;
    bool is_quitting;
};

struct app *app_new(struct ui_bridge *bridge, struct present_surface *surface) {
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return NULL;
    app->bridge = bridge;
    app->surface = surface;
    remember_load(&app->remember);
    return app;
}

static void close_windows(struct app *app) {
    session_window_free(app->session);
    history_free(app->history);
    desk_free(app->desk);
    login_free(app->login);
    app->session = NULL;
    app->history = NULL;
    app->desk = NULL;
    app->login = NULL;
}

static void stop_timer(guint *timer) {
    if (*timer)
        g_source_remove(*timer);
    *timer = 0;
}

void app_free(struct app *app) {
    if (!app)
        return;
    stop_timer(&app->tick);
    stop_timer(&app->goodbye);
    stop_timer(&app->relanguage);
    stop_timer(&app->closing);
    close_windows(app);
    free(app);
}

/* ---- showing ---- */

static void show_login(struct app *app, bool is_wanted) {
    if (is_wanted && !app->login)
        app->login = login_new(app);
    if (is_wanted)
        login_show(app->login, &app->state);
    if (!is_wanted && app->login) {
        login_take(app->login, &app->remember);
        remember_save(&app->remember);
        login_free(app->login);
        app->login = NULL;
    }
}

static void show_desk(struct app *app, bool is_wanted) {
    if (is_wanted && !app->desk)
        app->desk = desk_new(app);
    if (is_wanted) {
        desk_show(app->desk, &app->state);
        return;
    }
    history_free(app->history);
    desk_free(app->desk);
    app->history = NULL;
    app->desk = NULL;
}

static void show_session(struct app *app, bool is_wanted) {
    if (is_wanted && !app->session)
        app->session = session_window_new(app);
    if (is_wanted) {
        session_window_show(app->session, &app->state);
        return;
    }
    session_window_free(app->session);
    app->session = NULL;
}

static void result_failed_somewhere(struct app *app) {
    if (app->session)
        session_window_result_failed(app->session);
    if (app->history)
        history_result_failed(app->history);
}

/* An error is shown where its cause is: in the window that asked for it. */
static void show_error(struct app *app) {
    static const char *const of_session[] = {"code", "chat",   "view",    "ask",
                                             "text", "device", "session", "end"};
    const struct operator_state *state = &app->state;
    if (state->error_serial == app->error_serial)
        return;
    app->error_serial = state->error_serial;
    if (state->error.err == TAS_OK)
        return;
    struct ui_words words;
    ui_words_of_error(&words, &state->error, true);
    if (strcmp(state->error_command, "result") == 0) /* whoever waits for it may try again */
        result_failed_somewhere(app);
    bool is_history_open = app->history && history_is_open(app->history);
    bool is_of_session = app->session && strcmp(state->error_command, "result") == 0 && !is_history_open;
    for (size_t i = 0; i < G_N_ELEMENTS(of_session); i++)
        is_of_session = is_of_session || (app->session && strcmp(state->error_command, of_session[i]) == 0);
    bool is_of_history = is_history_open && (strcmp(state->error_command, "history") == 0 ||
                                             strcmp(state->error_command, "result") == 0);
    if (is_of_session)
        session_window_error(app->session, &words);
    else if (is_of_history)
        history_error(app->history, &words);
    else if (app->desk)
        desk_error(app->desk, &words);
    else if (app->login)
        login_error(app->login, &words);
}

static void show_all(struct app *app) {
    if (app->is_quitting)
        return;
    bool is_at_desk = app->state.step == OPERATOR_DESK;
    show_desk(app, is_at_desk);
    show_login(app, !is_at_desk);
    show_session(app, app->state.phase != OPERATOR_IDLE);
    if (app->history)
        history_show(app->history, &app->state);
    show_error(app);
}

static gboolean on_tick(gpointer ctx) {
    struct app *app = ctx;
    if (app->desk)
        desk_tick(app->desk);
    if (app->session)
        session_window_tick(app->session);
    return G_SOURCE_CONTINUE;
}

void app_start(struct app *app, const char *organisation) {
    if (app->remember.language[0])
        ui_language_set(app->remember.language);
    g_strlcpy(app->state.organisation, organisation, sizeof(app->state.organisation));
    ui_look_init();
    sheet_init();
    app->tick = g_timeout_add(TICK_MS, on_tick, app);
    show_all(app);
}

void app_on_state(void *ctx, const void *state) {
    struct app *app = ctx;
    memcpy(&app->state, state, sizeof(app->state));
    show_all(app);
}

void app_on_note(void *ctx, void *note_) {
    struct app *app = ctx;
    struct operator_note *note = note_;
    if (note->kind == OPERATOR_NOTE_CHAT && app->session && note->text)
        session_window_chat(app->session, note->text);
    if (note->kind == OPERATOR_NOTE_DEVICE && app->session && note->text)
        session_window_device(app->session, note->text);
    if (note->kind == OPERATOR_NOTE_HISTORY && app->history)
        history_page(app->history, &note->page);
    if (note->kind == OPERATOR_NOTE_QUIT)
        gtk_main_quit();
    operator_note_free(note);
}

/* ---- what the windows ask of it ---- */

const struct operator_state *app_state(const struct app *app) {
    return &app->state;
}

struct present_surface *app_surface(const struct app *app) {
    return app->surface;
}

void app_send(struct app *app, const struct operator_command *command) {
    /* Only pointer motions can fill the queue, and of these the next one will do. */
    (void)ui_bridge_command(app->bridge, command, operator_command_size(command));
}

void app_do(struct app *app, enum operator_command_kind kind, uint64_t session) {
    struct operator_command command = {.kind = kind, .session = session};
    app_send(app, &command);
}

int64_t app_server_ms(const struct app *app) {
    if (app->state.server_ms == 0)
        return 0;
    return app->state.server_ms + (int64_t)(tas_mono_us() - app->state.mono_us) / 1000;
}

const struct remember *app_remember(const struct app *app) {
    return &app->remember;
}

/* From the main loop: the button that was pressed goes with its window. */
static gboolean on_relanguage(gpointer ctx) {
    struct app *app = ctx;
    app->relanguage = 0;
    ui_language_set(app->remember.language);
    ui_look_init();
    if (app->login) {
        login_free(app->login);
        app->login = NULL;
    }
    show_all(app);
    return G_SOURCE_REMOVE;
}

void app_set_language(struct app *app, const char *language) {
    if (app->login)
        login_take(app->login, &app->remember);
    g_strlcpy(app->remember.language, language, sizeof(app->remember.language));
    remember_save(&app->remember);
    if (!app->relanguage)
        app->relanguage = g_idle_add(on_relanguage, app);
}

void app_open_history(struct app *app) {
    if (!app->history)
        app->history = history_new(app);
    history_open(app->history);
}

static gboolean on_goodbye_late(gpointer ctx) {
    struct app *app = ctx;
    app->goodbye = 0;
    gtk_main_quit();
    return G_SOURCE_REMOVE;
}

static gboolean on_closing(gpointer ctx) {
    struct app *app = ctx;
    app->closing = 0;
    close_windows(app);
    return G_SOURCE_REMOVE;
}

void app_quit(struct app *app) {
    if (app->is_quitting)
        return;
    app->is_quitting = true;
    app_do(app, OPERATOR_DO_QUIT, 0);
    app->goodbye = g_timeout_add(GOODBYE_MS, on_goodbye_late, app);
    app->closing = g_idle_add(on_closing, app);
}
