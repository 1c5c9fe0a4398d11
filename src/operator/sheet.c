#include "operator/sheet.h"

#include <gtk/gtk.h>
#include <stdbool.h>

static const char sizes[] = ".operator-toolbar { padding: 6px 10px; }\n"
                            ".operator-toolbar button { padding: 4px 10px; min-height: 40px; }\n"
                            ".operator-toolbar button label { font-size: 9.5pt; font-weight: normal; }\n"
                            ".operator-status { padding: 4px 14px; }\n"
                            ".operator-status label { font-size: 10pt; }\n"
                            ".operator-side { padding: 14px; }\n"
                            ".operator-visitor { padding: 12px; }\n"
                            ".operator-text text { padding: 8px; }\n"
                            ".operator-notice { padding: 8px 16px; font-weight: bold; }\n"
                            ".operator-card .ui-number { font-size: 34pt; }\n"
                            "treeview header button { padding: 6px 8px; }\n"
                            ".ui-strong { font-weight: bold; }\n";

static const char colours[] =
    ".operator-toolbar { background-color: #ffffff; border-bottom: 1px solid #d4d8de; }\n"
    ".operator-toolbar button { border-color: transparent; background-color: transparent; }\n"
    ".operator-toolbar button:hover { background-color: #e9eef6; }\n"
    ".operator-toolbar button:checked { background-color: #cfdef2; border-color: #1a5fb4; }\n"
    ".operator-toolbar button:disabled, .operator-toolbar button:checked:disabled"
    " { background-color: transparent; border-color: transparent; }\n"
    ".operator-toolbar button label { background-color: transparent; }\n"
    "button.operator-refuse { color: #b3182b; }\n"
    "button.operator-refuse:hover { background-color: #fdecee; }\n"
    ".operator-toolbar button.operator-granted, .operator-toolbar button.operator-granted label"
    " { color: #1b6e3a; }\n"
    ".operator-toolbar button.operator-unread { background-color: #fff0c2; border-color: #8a6100; }\n"
    ".operator-toolbar button.ui-danger, .operator-toolbar button.ui-danger label { color: #ffffff; }\n"
    ".operator-toolbar button.ui-danger { background-color: #b3182b; }\n"
    ".operator-toolbar button.ui-danger:hover { background-color: #971223; }\n"
    ".operator-toolbar button.ui-danger:disabled, .operator-toolbar button.ui-danger:disabled label"
    " { color: #6b717c; background-color: #dfe2e7; }\n"
    ".operator-status { background-color: #ffffff; border-top: 1px solid #d4d8de; }\n"
    ".operator-keys { color: #1a5fb4; font-weight: bold; }\n"
    ".operator-side { background-color: #ffffff; border-left: 1px solid #d4d8de; }\n"
    ".operator-visitor { background-color: #eaf2fc; border: 1px solid #1a5fb4; border-radius: 8px; }\n"
    ".operator-waiting { border: 2px solid #1a5fb4; }\n"
    "treeview header button { border-style: none none solid none; border-radius: 0; border-color: #d4d8de; "
    "}\n"
    ".operator-expired .ui-number { color: #767c87; }\n"
    ".operator-text { border-radius: 6px; }\n"
    ".operator-notice { background-color: #fff0c2; color: #4a3500; }\n"
    ".operator-notice.operator-alarm { background-color: #b3182b; color: #ffffff; }\n"
    ".operator-notice.operator-alarm label { color: #ffffff; }\n";

void sheet_init(void) {
    GtkSettings *settings = gtk_settings_get_default();
    GdkScreen *screen = gdk_screen_get_default();
    char *theme = NULL;
    if (!settings || !screen)
        return;
    g_object_get(settings, "gtk-theme-name", &theme, NULL);
    bool is_high_contrast = theme && g_str_has_prefix(theme, "HighContrast");
    GString *text = g_string_new(sizes);
    if (!is_high_contrast)
        g_string_append(text, colours);
    GtkCssProvider *provider = gtk_css_provider_new();
    GError *error = NULL;
    if (!gtk_css_provider_load_from_data(provider, text->str, (gssize)text->len, &error)) {
        g_warning("style sheet: %s", error->message); /* an older GTK: what it knows holds */
        g_error_free(error);
    }
    gtk_style_context_add_provider_for_screen(screen, GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
    g_object_unref(provider);
    g_string_free(text, TRUE);
    g_free(theme);
}
