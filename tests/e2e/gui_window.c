/* A window with one of everything that ui/look.h offers, for test_gui.py. */
#include "ui/look.h"

#include <stdio.h>

struct window {
    GtkWidget *top, *entry, *secret, *digits, *plain_digits, *said, *bar, *number, *check;
    unsigned pressed, completed;
};

/* For the test: what happened last. */
static void say(struct window *w, const char *what) {
    gtk_label_set_text(GTK_LABEL(w->said), what);
}

static void on_greet(GtkButton *button, gpointer ctx) {
    (void)button;
    struct window *w = ctx;
    char *text = g_strdup_printf("hello %s %u", gtk_entry_get_text(GTK_ENTRY(w->entry)), ++w->pressed);
    say(w, text);
    g_free(text);
}

static void on_fail(GtkButton *button, gpointer ctx) {
    (void)button;
    struct window *w = ctx;
    struct api_error error;
    struct ui_words words;
    api_error_set(&error, TAS_E_AUTH, 401, "login_refused", "x");
    ui_words_of_error(&words, &error, true);
    ui_error_bar_show(w->bar, &words, GTK_MESSAGE_ERROR);
}

static void on_count(GtkWidget *digits, gpointer ctx) {
    struct window *w = ctx;
    char number[TAS_NUMBER_CAP];
    enum ui_digits state = ui_digits_get(digits, number);
    char *text = g_strdup_printf("%s %s",
                                 state == UI_DIGITS_COMPLETE   ? "complete"
                                 : state == UI_DIGITS_MISTYPED ? "mistyped"
                                                               : "partial",
                                 number);
    say(w, text);
    g_free(text);
}

static void on_complete(GtkWidget *digits, gpointer ctx) {
    struct window *w = ctx;
    char number[TAS_NUMBER_CAP];
    ui_digits_get(digits, number);
    char *shown = g_strdup_printf("%.3s-%.3s-%.3s", number, number + 3, number + 6);
    ui_number_set(w->number, shown);
    g_free(shown);
    w->completed++;
}

static void on_clear(GtkButton *button, gpointer ctx) {
    (void)button;
    struct window *w = ctx;
    ui_digits_clear(w->digits);
    ui_entry_wipe(w->secret);
    say(w, "cleared");
}

static void on_checked(GtkToggleButton *check, gpointer ctx) {
    say(ctx, gtk_toggle_button_get_active(check) ? "on" : "off");
}

static GtkWidget *button(const char *text, enum ui_kind kind, void (*fn)(GtkButton *, gpointer), void *ctx) {
    GtkWidget *b = ui_button(text, kind);
    g_signal_connect(b, "clicked", G_CALLBACK(fn), ctx);
    return b;
}

static GtkWidget *content(struct window *w) {
    GtkWidget *column = ui_column();
    GtkWidget *digits_row = ui_column();
    w->bar = ui_error_bar();
    w->said = ui_label("nothing yet");
    ui_add_class(w->said, "ui-good");
    w->entry = ui_entry("Your name", 40, false);
    w->secret = ui_entry("Password", 40, true);
    w->digits = ui_digits_entry("Reception number", true);
    w->plain_digits = ui_digits_entry("Check code", false);
    w->number = ui_number("Number:", "000-000-000");
    w->check = ui_check("See the screen", false);
    g_signal_connect(w->digits, "changed", G_CALLBACK(on_count), w);
    g_signal_connect(w->digits, "complete", G_CALLBACK(on_complete), w);
    g_signal_connect(w->plain_digits, "changed", G_CALLBACK(on_count), w);
    g_signal_connect(w->check, "toggled", G_CALLBACK(on_checked), w);
    gtk_container_add(GTK_CONTAINER(digits_row), w->digits);
    gtk_container_add(GTK_CONTAINER(digits_row), ui_digits_hint(w->digits));
    GtkWidget *const parts[] = {w->bar,
                                ui_heading("A window"),
                                ui_warning("If a stranger called you, stop and hang up"),
                                ui_hint("This is what our windows are made of."),
                                ui_field("Name", w->entry),
                                ui_field("Secret", w->secret),
                                digits_row,
                                w->plain_digits,
                                w->number,
                                w->check,
                                ui_card(w->said),
                                ui_buttons(button("Clear", UI_LINK, on_clear, w),
                                           button("Fail", UI_DANGER, on_fail, w),
                                           button("Greet", UI_PRIMARY, on_greet, w), NULL)};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        gtk_container_add(GTK_CONTAINER(column), parts[i]);
    return column;
}

int main(int argc, char **argv) {
    static struct window w;
    gtk_init(&argc, &argv);
    ui_look_init();
    w.top = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(w.top), "Look");
    gtk_window_set_default_size(GTK_WINDOW(w.top), 620, 760);
    gtk_container_add(GTK_CONTAINER(w.top), ui_page(content(&w)));
    g_signal_connect(w.top, "destroy", G_CALLBACK(gtk_main_quit), NULL);
    gtk_widget_show_all(w.top);
    gtk_main();
    printf("completed %u\n", w.completed);
    return 0;
}
