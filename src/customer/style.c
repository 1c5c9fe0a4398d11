#include "customer/style.h"

#include <gtk/gtk.h>

static const char sheet[] =
    ".customer-head { padding: 8px 12px 8px 24px; border-bottom: 1px solid alpha(currentColor, 0.15); }\n"
    ".customer-organisation { font-weight: bold; }\n"
    ".customer-fact { font-size: 14pt; font-weight: bold; }\n"
    ".customer-huge { font-size: 44pt; letter-spacing: 2px; }\n"
    ".customer-warning { font-size: 12pt; padding: 16px 14px; }\n"
    ".customer-bar button { padding: 3px 10px; min-height: 20px; }\n"
    ".customer-who { font-weight: bold; }\n"
    ".ui-bar label.customer-dot { color: #9aa7bb; font-size: 15pt; }\n"
    ".ui-bar label.customer-dot.customer-live { color: #ff5c5c; }\n"
    ".customer-key { font-size: 9.5pt; }\n"
    ".ui-bar label.customer-alarm { background-color: #b3182b; padding: 4px 8px; border-radius: 6px;"
    " font-weight: bold; }\n";

void style_init(void) {
    GtkCssProvider *provider = gtk_css_provider_new();
    GError *error = NULL;
    if (!gtk_css_provider_load_from_data(provider, sheet, -1, &error)) {
        g_warning("style sheet: %s", error->message); /* an older GTK: what it knows holds */
        g_error_free(error);
    }
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(), GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
    g_object_unref(provider);
}
