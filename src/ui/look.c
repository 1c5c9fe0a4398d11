#include "ui/look.h"

#include <assert.h>
#include <string.h>

/* Sizes are in points: they grow with the desktop's own text size. Contrast of text is at least 4.5 to 1, of
 * large text and of frames that matter 3 to 1 (WCAG 2.1 AA). */
static const char SIZES[] =
    "window, .ui-window { font-size: 11.5pt; }\n"
    ".ui-heading { font-size: 17pt; font-weight: bold; }\n"
    ".ui-hint { font-size: 10pt; }\n"
    ".ui-number { font-size: 32pt; font-weight: bold; letter-spacing: 1px; font-feature-settings: \"tnum\"; "
    "}\n"
    ".ui-digits { font-size: 22pt; font-weight: bold; letter-spacing: 1px; font-feature-settings: \"tnum\"; "
    "}\n"
    ".ui-warning { font-weight: bold; padding: 12px 16px; }\n"
    ".ui-card { padding: 20px; }\n"
    ".ui-bar { padding: 6px 12px; }\n"
    ".ui-chat-mine, .ui-chat-theirs, .ui-chat-note { padding: 6px 10px; margin: 3px; }\n"
    ".ui-bar label.ui-tabular, .ui-tabular { font-feature-settings: \"tnum\"; }\n"
    "button { padding: 7px 16px; min-height: 24px; }\n"
    "button.ui-icon { padding: 5px 7px; }\n"
    "button.ui-link { padding: 3px 6px; }\n"
    "button.ui-primary, button.ui-danger { font-weight: bold; }\n"
    "entry { min-height: 36px; }\n"
    "entry.ui-digits { min-height: 52px; }\n";

static const char COLOURS[] =
    "@define-color ui_ink #1d2026;\n"
    "@define-color ui_grey #555b66;\n"
    "@define-color ui_paper #f4f5f7;\n"
    "@define-color ui_line #868d99;\n"
    "@define-color ui_accent #1a5fb4;\n"
    "@define-color ui_red #b3182b;\n"
    "@define-color ui_green #1b6e3a;\n"
    "@define-color placeholder_text_color #a3a9b3;\n"
    "window, .ui-window { color: @ui_ink; background-color: @ui_paper; }\n"
    ".ui-hint, .ui-dim { color: @ui_grey; }\n"
    ".ui-good { color: @ui_green; }\n"
    ".ui-bad { color: @ui_red; }\n"
    ".ui-number { color: @ui_ink; }\n"
    ".ui-warning { color: #5c1019; background-color: #fdecee; border: 2px solid @ui_red;"
    " border-radius: 8px; }\n"
    ".ui-card { background-color: #ffffff; border: 1px solid #d4d8de; border-radius: 10px; }\n"
    ".ui-bar { background-color: #16335c; color: #ffffff; }\n"
    ".ui-bar label { color: #ffffff; }\n"
    ".ui-bar button label { color: inherit; }\n"
    ".ui-chat-mine { background-color: #dbe8f9; border-radius: 8px; color: @ui_ink; }\n"
    ".ui-chat-theirs { background-color: #e9ebee; border-radius: 8px; color: @ui_ink; }\n"
    ".ui-chat-note { color: @ui_grey; }\n"
    "button { color: @ui_ink; background-image: none; background-color: #ffffff; border: 1px solid @ui_line;"
    " border-radius: 6px; box-shadow: none; text-shadow: none; -gtk-icon-shadow: none; }\n"
    "button:hover { background-color: #e9eef6; }\n"
    "button:active, button:checked { background-color: #cfdef2; }\n"
    "button:disabled, button:disabled label { color: #767c87; background-color: #eceef1; }\n"
    "button:focus { outline: 3px solid #62a0ea; outline-offset: 0px; }\n"
    "button.ui-primary { color: #ffffff; background-color: @ui_accent; border-color: #134a8e; }\n"
    "button.ui-primary:hover { background-color: #164f96; }\n"
    "button.ui-primary:active { background-color: #103b71; }\n"
    "button.ui-danger { color: #ffffff; background-color: @ui_red; border-color: #86101f; }\n"
    "button.ui-danger:hover { background-color: #971223; }\n"
    "button.ui-danger:active { background-color: #6d0c19; }\n"
    "button.ui-primary:disabled, button.ui-danger:disabled, button.ui-primary:disabled label,"
    " button.ui-danger:disabled label { color: #6b717c; background-color: #dfe2e7; border-color: #b9bec7; }\n"
    "button.ui-link { color: @ui_accent; background-color: transparent; border-color: transparent; }\n"
    "button.ui-link:hover { background-color: #dfe8f5; }\n"
    "entry { color: @ui_ink; background-color: #ffffff; background-image: none; border: 1px solid @ui_line;"
    " border-radius: 6px; box-shadow: none; }\n"
    "entry:focus { border-color: @ui_accent; box-shadow: 0 0 0 2px #99c1f1; }\n"
    "entry:disabled { color: #767c87; background-color: #eceef1; }\n"
    "entry.ui-mistyped { border-color: @ui_red; box-shadow: 0 0 0 2px #f1a9b2; }\n"
    "infobar.ui-errors > revealer > box { background-color: #fdecee; border: 1px solid @ui_red; }\n"
    "infobar.ui-errors.info > revealer > box { background-color: #e6effb; border-color: @ui_accent; }\n"
    "infobar.ui-errors.warning > revealer > box { background-color: #fff4d6; border-color: #8a6100; }\n"
    "infobar.ui-errors label { color: @ui_ink; }\n";

/* Without this the glyphs of another language may be picked where the locale does not say Japanese. */
static const char JAPANESE_FONTS[] =
    "* { font-family: \"Noto Sans CJK JP\", \"Noto Sans JP\", \"VL PGothic\", \"VL Gothic\", \"IPAPGothic\","
    " sans-serif; }\n";

/* ---- the style sheet ---- */

static void add_sheet(GString *sheet, const char *text) {
    g_string_append(sheet, text);
}

/* Somebody who needs high contrast has it set for the whole desktop; everybody else sees the same windows,
 * also where the desktop's own theme is dark or broken. */
static bool use_own_colours(GtkSettings *settings) {
    char *theme = NULL;
    g_object_get(settings, "gtk-theme-name", &theme, NULL);
    bool is_high_contrast = theme && strncmp(theme, "HighContrast", strlen("HighContrast")) == 0;
    g_free(theme);
    if (!is_high_contrast)
        g_object_set(settings, "gtk-theme-name", "Adwaita", "gtk-application-prefer-dark-theme", FALSE, NULL);
    return !is_high_contrast;
}

void ui_look_init(void) {
    static GtkCssProvider *provider; /* belongs to the screen; kept to replace it */
    GdkScreen *screen = gdk_screen_get_default();
    GtkSettings *settings = gtk_settings_get_default();
    if (!screen || !settings)
        return;
    /* A number that can be selected must not be shown selected. */
    g_object_set(settings, "gtk-label-select-on-focus", FALSE, NULL);
    GString *sheet = g_string_new(NULL);
    if (strcmp(ui_language(), "ja") == 0)
        add_sheet(sheet, JAPANESE_FONTS);
    add_sheet(sheet, SIZES);
    if (use_own_colours(settings))
        add_sheet(sheet, COLOURS);
    if (provider) {
        gtk_style_context_remove_provider_for_screen(screen, GTK_STYLE_PROVIDER(provider));
        g_object_unref(provider);
    }
    provider = gtk_css_provider_new();
    GError *error = NULL;
    if (!gtk_css_provider_load_from_data(provider, sheet->str, (gssize)sheet->len, &error)) {
        g_warning("style sheet: %s", error->message); /* an older GTK: what it knows holds */
        g_error_free(error);
    }
    gtk_style_context_add_provider_for_screen(screen, GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_string_free(sheet, TRUE);
}

void ui_add_class(GtkWidget *widget, const char *name) {
    gtk_style_context_add_class(gtk_widget_get_style_context(widget), name);
}

void ui_set_class(GtkWidget *widget, const char *name, bool is_on) {
    GtkStyleContext *context = gtk_widget_get_style_context(widget);
    if (is_on)
        gtk_style_context_add_class(context, name);
    else
        gtk_style_context_remove_class(context, name);
}

/* ---- for screen readers ---- */

void ui_set_a11y(GtkWidget *widget, const char *name, const char *description) {
    AtkObject *accessible = gtk_widget_get_accessible(widget);
    if (name)
        atk_object_set_name(accessible, name);
    if (description)
        atk_object_set_description(accessible, description);
}

static void set_role(GtkWidget *widget, AtkRole role) {
    atk_object_set_role(gtk_widget_get_accessible(widget), role);
}

/* The signal is called "notification" from ATK 2.50 on, "announcement" in 2.46; before, there is none, and a
 * screen reader says what gets the focus and what is an alert. */
void ui_announce(GtkWidget *widget, const char *text) {
    AtkObject *accessible = gtk_widget_get_accessible(widget);
    enum { POLITE = 1 };
    if (g_signal_lookup("notification", ATK_TYPE_OBJECT))
        g_signal_emit_by_name(accessible, "notification", text, POLITE);
    else if (g_signal_lookup("announcement", ATK_TYPE_OBJECT))
        g_signal_emit_by_name(accessible, "announcement", text);
}

/* ---- texts ---- */

GtkWidget *ui_label(const char *text) {
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 60);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    return label;
}

static GtkWidget *label_of_class(const char *text, const char *name) {
    GtkWidget *label = ui_label(text);
    ui_add_class(label, name);
    return label;
}

GtkWidget *ui_heading(const char *text) {
    GtkWidget *label = label_of_class(text, "ui-heading");
    set_role(label, ATK_ROLE_HEADING);
    return label;
}

GtkWidget *ui_hint(const char *text) {
    return label_of_class(text, "ui-hint");
}

GtkWidget *ui_warning(const char *text) {
    return label_of_class(text, "ui-warning");
}

static const char NUMBER_NAME[] = "ui-number-name";

void ui_set_text(GtkWidget *label, const char *text) {
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        gtk_label_set_text(GTK_LABEL(label), text);
}

void ui_number_set(GtkWidget *number, const char *digits) {
    const char *what = g_object_get_data(G_OBJECT(number), NUMBER_NAME);
    char *name = g_strdup_printf("%s %s", what, digits);
    ui_set_text(number, digits);
    ui_set_a11y(number, name, NULL);
    g_free(name);
}

GtkWidget *ui_number(const char *name, const char *digits) {
    GtkWidget *number = gtk_label_new(NULL);
    gtk_label_set_selectable(GTK_LABEL(number), TRUE);
    ui_add_class(number, "ui-number");
    g_object_set_data_full(G_OBJECT(number), NUMBER_NAME, g_strdup(name), g_free);
    ui_number_set(number, digits);
    return number;
}

/* ---- order ---- */

GtkWidget *ui_column(void) {
    return gtk_box_new(GTK_ORIENTATION_VERTICAL, UI_GAP);
}

GtkWidget *ui_row(void) {
    return gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_GAP);
}

GtkWidget *ui_buttons(GtkWidget *first, ...) {
    GtkWidget *row = ui_row();
    va_list va;
    gtk_widget_set_halign(row, GTK_ALIGN_END);
    va_start(va, first);
    for (GtkWidget *button = first; button; button = va_arg(va, GtkWidget *))
        gtk_container_add(GTK_CONTAINER(row), button);
    va_end(va);
    return row;
}

GtkWidget *ui_card(GtkWidget *content) {
    GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    ui_add_class(card, "ui-card");
    gtk_box_pack_start(GTK_BOX(card), content, TRUE, TRUE, 0);
    return card;
}

GtkWidget *ui_page(GtkWidget *content) {
    GtkWidget *page = gtk_scrolled_window_new(NULL, NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(page), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(page), TRUE);
    gtk_scrolled_window_set_propagate_natural_width(GTK_SCROLLED_WINDOW(page), TRUE);
    g_object_set(content, "margin", UI_MARGIN, "halign", GTK_ALIGN_CENTER, NULL);
    gtk_container_add(GTK_CONTAINER(page), content);
    return page;
}

GtkWidget *ui_field(const char *label, GtkWidget *control) {
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    GtkWidget *above = ui_label(label);
    gtk_label_set_mnemonic_widget(GTK_LABEL(above), control);
    gtk_container_add(GTK_CONTAINER(box), above);
    gtk_container_add(GTK_CONTAINER(box), control);
    if (!atk_object_get_name(gtk_widget_get_accessible(control)))
        ui_set_a11y(control, label, NULL);
    return box;
}

/* ---- controls ---- */

static void set_kind(GtkWidget *button, enum ui_kind kind) {
    static const char *const classes[] = {[UI_PLAIN] = "ui-plain",
                                          [UI_PRIMARY] = "ui-primary",
                                          [UI_DANGER] = "ui-danger",
                                          [UI_LINK] = "ui-link"};
    ui_add_class(button, classes[kind]);
    if (kind == UI_PRIMARY)
        gtk_widget_set_can_default(button, TRUE);
}

GtkWidget *ui_button(const char *text, enum ui_kind kind) {
    GtkWidget *button = gtk_button_new_with_label(text);
    set_kind(button, kind);
    ui_set_a11y(button, text, NULL);
    return button;
}

GtkWidget *ui_icon_button(const char *icon, const char *text, enum ui_kind kind) {
    GtkWidget *button = gtk_button_new_from_icon_name(icon, GTK_ICON_SIZE_BUTTON);
    set_kind(button, kind);
    ui_add_class(button, "ui-icon");
    gtk_widget_set_tooltip_text(button, text);
    ui_set_a11y(button, text, NULL);
    return button;
}

GtkWidget *ui_check(const char *text, bool is_on) {
    GtkWidget *check = gtk_check_button_new();
    GtkWidget *label = ui_label(text);
    gtk_container_add(GTK_CONTAINER(check), label);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), is_on);
    ui_set_a11y(check, text, NULL);
    return check;
}

GtkWidget *ui_entry(const char *name, int max, bool is_secret) {
    GtkWidget *entry = gtk_entry_new();
    gtk_entry_set_max_length(GTK_ENTRY(entry), max);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    if (is_secret) {
        gtk_entry_set_visibility(GTK_ENTRY(entry), FALSE);
        gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_PASSWORD);
    }
    ui_set_a11y(entry, name, NULL);
    return entry;
}

/* GtkEntryBuffer overwrites what is deleted. */
void ui_entry_wipe(GtkWidget *entry) {
    gtk_entry_set_text(GTK_ENTRY(entry), "");
}

/* ---- what went wrong ---- */

static const char BAR_TITLE[] = "ui-bar-title";
static const char BAR_TEXT[] = "ui-bar-text";

static GtkWidget *part(GtkWidget *bar, const char *name) {
    return g_object_get_data(G_OBJECT(bar), name);
}

static void on_response(GtkInfoBar *bar, int response, gpointer unused) {
    (void)response;
    (void)unused;
    gtk_widget_hide(GTK_WIDGET(bar));
}

GtkWidget *ui_error_bar(void) {
    GtkWidget *bar = gtk_info_bar_new();
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *title = ui_label("");
    GtkWidget *text = ui_label("");
    GtkWidget *close = ui_button(_("Close"), UI_PLAIN);
    PangoAttrList *bold = pango_attr_list_new();
    pango_attr_list_insert(bold, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    gtk_label_set_attributes(GTK_LABEL(title), bold);
    pango_attr_list_unref(bold);
    gtk_container_add(GTK_CONTAINER(texts), title);
    gtk_container_add(GTK_CONTAINER(texts), text);
    gtk_container_add(GTK_CONTAINER(gtk_info_bar_get_content_area(GTK_INFO_BAR(bar))), texts);
    gtk_widget_set_valign(close, GTK_ALIGN_CENTER);
    gtk_info_bar_add_action_widget(GTK_INFO_BAR(bar), close, GTK_RESPONSE_CLOSE);
    g_signal_connect(bar, "response", G_CALLBACK(on_response), NULL);
    ui_add_class(bar, "ui-errors");
    gtk_widget_show_all(texts);
    gtk_widget_show(close);
    g_object_set_data(G_OBJECT(bar), BAR_TITLE, title);
    g_object_set_data(G_OBJECT(bar), BAR_TEXT, text);
    gtk_widget_set_no_show_all(bar, TRUE);
    return bar;
}

void ui_error_bar_show(GtkWidget *bar, const struct ui_words *words, GtkMessageType type) {
    char *both = g_strdup_printf("%s\n%s", words->title, words->text);
    gtk_info_bar_set_message_type(GTK_INFO_BAR(bar), type); /* gives it another role, too */
    set_role(bar, ATK_ROLE_ALERT);
    gtk_label_set_text(GTK_LABEL(part(bar, BAR_TITLE)), words->title);
    gtk_label_set_text(GTK_LABEL(part(bar, BAR_TEXT)), words->text);
    ui_set_a11y(bar, words->title, words->text);
    gtk_widget_show(bar);
    ui_announce(bar, both);
    g_free(both);
}

void ui_error_bar_hide(GtkWidget *bar) {
    gtk_widget_hide(bar);
}

GtkWidget *ui_words_page(const struct ui_words *words, bool is_bad) {
    GtkWidget *column = ui_column();
    GtkWidget *row = ui_row();
    GtkWidget *heading = ui_heading(words->title);
    if (is_bad) {
        GtkWidget *icon = gtk_image_new_from_icon_name("dialog-warning-symbolic", GTK_ICON_SIZE_DND);
        ui_add_class(icon, "ui-bad");
        ui_add_class(heading, "ui-bad");
        gtk_container_add(GTK_CONTAINER(row), icon);
    }
    gtk_container_add(GTK_CONTAINER(row), heading);
    gtk_container_add(GTK_CONTAINER(column), row);
    gtk_container_add(GTK_CONTAINER(column), ui_label(words->text));
    return column;
}
