#include "operator/status.h"

#include "base/time.h"
#include "operator/say.h"
#include "ui/look.h"
#include "wire/record.h"

#include <string.h>

struct status {
    struct app *app;
    GtkWidget *row, *rights, *keys, *line, *since;
};

static GtkWidget *add(struct status *status, const char *name, bool is_right) {
    GtkWidget *label = gtk_label_new("");
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    ui_add_class(label, "ui-tabular");
    ui_set_a11y(label, NULL, name);
    if (is_right)
        gtk_box_pack_end(GTK_BOX(status->row), label, FALSE, FALSE, 0);
    else
        gtk_box_pack_start(GTK_BOX(status->row), label, TRUE, TRUE, 0);
    if (is_right)
        gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_NONE);
    return label;
}

struct status *status_new(struct app *app) {
    struct status *status = g_new0(struct status, 1);
    status->app = app;
    status->row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2 * UI_GAP);
    ui_add_class(status->row, "operator-status");
    atk_object_set_role(gtk_widget_get_accessible(status->row), ATK_ROLE_STATUSBAR);
    status->rights = add(status, _("What the customer allows"), false);
    status->keys = add(status, _("Where the keyboard goes"), false);
    status->since = add(status, _("How long it lasts"), true);
    status->line = add(status, _("The line"), true);
    return status;
}

void status_free(struct status *status) {
    g_free(status);
}

GtkWidget *status_widget(struct status *status) {
    return status->row;
}

static void set_text(GtkWidget *label, const char *text) {
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        ui_set_text(label, text);
}

static void show_rights(struct status *status, const struct operator_state *state) {
    char rights[SAY_RIGHTS];
    char text[SAY_RIGHTS + 80];
    say_rights(rights, state->rights);
    if (state->phase != OPERATOR_ACTIVE)
        text[0] = '\0';
    else if (state->is_paused)
        g_strlcpy(text, _("Paused by the customer"), sizeof(text));
    else
        g_snprintf(text, sizeof(text), _("Allowed: %s"), rights);
    set_text(status->rights, text);
    gtk_widget_set_tooltip_text(status->rights, text);
    ui_set_class(status->rights, "ui-bad", state->is_paused);
}

static void show_keys(struct status *status, const struct operator_state *state, bool has_keys) {
    bool may = state->phase == OPERATOR_ACTIVE && (state->rights & TAS_RIGHT_CONTROL) && !state->is_paused;
    set_text(status->keys, !may       ? ""
                           : has_keys ? _("Keys go to the customer. Ctrl+Alt gives them back.")
                                      : _("Click the picture to type at the customer's."));
    ui_set_class(status->keys, "operator-keys", has_keys);
}

static void join(GString *text, const char *part) {
    if (text->len > 0)
        g_string_append(text, "   ");
    g_string_append(text, part);
}

static void show_line(struct status *status, const struct operator_state *state) {
    char part[80];
    GString *text = g_string_new(NULL);
    bool is_over = state->phase == OPERATOR_CLOSED;
    g_snprintf(part, sizeof(part), "%u \u00d7 %u", state->width, state->height);
    if (state->width && !is_over)
        join(text, part);
    g_snprintf(part, sizeof(part), "%.1f ms", (double)state->rtt_us / 1000);
    if (state->rtt_us && !is_over)
        join(text, part);
    say_bytes(part, state->rate_Bps, true);
    if (state->rate_Bps && !is_over)
        join(text, part);
    g_snprintf(part, sizeof(part), _("Relay %u"), state->relay);
    if (state->relay && !is_over)
        join(text, part);
    set_text(status->line, text->str);
    g_string_free(text, TRUE);
}

void status_tick(struct status *status) {
    const struct operator_state *state = app_state(status->app);
    char span[SAY_SPAN] = "";
    if (state->active_at_us > 0 && state->phase == OPERATOR_ACTIVE)
        say_span(span, (int64_t)((tas_mono_us() - state->active_at_us) / 1000000));
    set_text(status->since, span);
}

void status_show(struct status *status, const struct operator_state *state, bool has_keys) {
    show_rights(status, state);
    show_keys(status, state, has_keys);
    show_line(status, state);
    status_tick(status);
}
