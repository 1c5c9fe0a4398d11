/* tasuki-client: the customer's tool. One file that is born for one organisation, asks before it does
 * anything, and removes itself. */
#include "base/time.h"
#include "customer/core.h"
#include "customer/guard.h"
#include "customer/organisation.h"
#include "customer/style.h"
#include "customer/traces.h"
#include "customer/windows.h"
#include "ui/look.h"

#include <gdk/gdkx.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2, EXIT_TEMPORARY = 75, EXIT_CONFIG = 78 };

static void usage(FILE *to) {
    fputs("Usage: tasuki-client [--version | --help]\n"
          "\n"
          "The customer's tool for remote support: asks for the number that the support desk told, and "
          "shares the\n"
          "screen as far as the person in front of it allows. It removes itself when it ends.\n",
          to);
}

/* ---- refusing ---- */

/* In a window if there can be one, and for whoever started it in a terminal. */
static void refuse(const char *title, const char *text, const char *detail, bool has_display) {
    fprintf(stderr, "tasuki-client: %s\n%s\n%s%s", title, text, detail, detail[0] ? "\n" : "");
    if (!has_display)
        return;
    struct ui_words words;
    snprintf(words.title, sizeof(words.title), "%s", title);
    snprintf(words.text, sizeof(words.text), "%s", text);
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    GtkWidget *column = ui_words_page(&words, true);
    GtkWidget *close = ui_button(_("Close"), UI_PRIMARY);
    if (detail[0])
        gtk_container_add(GTK_CONTAINER(column), ui_hint(detail));
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(close, NULL));
    gtk_container_add(GTK_CONTAINER(window), ui_page(column));
    gtk_window_set_title(GTK_WINDOW(window), _("Remote support"));
    gtk_window_set_role(GTK_WINDOW(window), "tasuki-refused");
    gtk_window_set_position(GTK_WINDOW(window), GTK_WIN_POS_CENTER);
    g_signal_connect(close, "clicked", G_CALLBACK(gtk_main_quit), NULL);
    g_signal_connect(window, "destroy", G_CALLBACK(gtk_main_quit), NULL);
    gtk_widget_show_all(window);
    gtk_main();
}

/* ---- the display ---- */

/* An X server that is only there for old programs on a Wayland desktop shows these programs and nothing else.
 */
static bool is_on_wayland(void) {
    GdkDisplay *display = gdk_display_get_default();
    int opcode, event, error;
    if (!GDK_IS_X11_DISPLAY(display))
        return true;
    if (XQueryExtension(GDK_DISPLAY_XDISPLAY(display), "XWAYLAND", &opcode, &event, &error))
        return true;
    GdkMonitor *monitor = gdk_display_get_monitor(display, 0);
    const char *output = monitor ? gdk_monitor_get_model(monitor) : NULL;
    return output && g_str_has_prefix(output, "XWAYLAND");
}

static bool has_wayland_only(void) {
    const char *display = getenv("DISPLAY");
    const char *wayland = getenv("WAYLAND_DISPLAY");
    return (!display || !display[0]) && wayland && wayland[0];
}

static bool refuse_display(bool has_display) {
    if (has_display ? is_on_wayland() : has_wayland_only())
        refuse(
            _("This desktop cannot be shared"),
            _("This is a Wayland session; this tool can share X11 sessions only. Log out, choose \"Xorg\" or "
              "\"X11\" where you log in, and start the tool again. Or tell your operator."),
            "", has_display);
    else if (!has_display)
        refuse(_("No screen was found"),
               _("This tool needs an X11 desktop. Start it from the desktop of the computer that needs "
                 "support."),
               "", false);
    else
        return false;
    return true;
}

/* ---- running ---- */

static gboolean on_signal(gpointer ctx) {
    (void)ctx;
    gtk_main_quit();
    return G_SOURCE_CONTINUE;
}

static int run(const struct org *org) {
    struct windows *windows = NULL;
    struct customer_core *core = NULL;
    char why[API_DETAIL + 1] = "";
    const struct ui_bridge_config config = {.state_size = sizeof(struct customer_state),
                                            .command_max = sizeof(struct customer_command),
                                            .on_command = customer_core_command,
                                            .on_state = windows_on_state,
                                            .on_note = windows_on_note,
                                            .free_note = customer_note_free};
    struct ui_bridge *bridge = ui_bridge_new(&config);
    if (bridge)
        core = customer_core_start(org, ui_language(), bridge, why);
    if (core) {
        windows = windows_new(org, bridge);
        ui_bridge_attach_window(bridge, windows);
        gtk_main();
        ui_bridge_attach_window(bridge, NULL);
    } else {
        refuse(_("The tool cannot start"), _("Please close other programs and try again."), why, true);
    }
    windows_free(windows);
    gdk_display_flush(gdk_display_get_default()); /* the windows are gone while the core says goodbye */
    customer_core_stop(core);
    ui_bridge_free(bridge);
    return core ? EXIT_SUCCESS : EXIT_TEMPORARY;
}

/* With the guard watching. *is_over: the tool has done its work, and goes. */
static int start(bool *is_over) {
    struct org org;
    char why[ORG_WHY];
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    traces_prevent();
    gdk_set_allowed_backends("x11,wayland"); /* the latter only to say that it is not enough */
    bool has_display = gtk_init_check(NULL, NULL);
    ui_language_set(NULL);
    if (has_display) {
        ui_look_init();
        style_init();
    }
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        g_unix_signal_add(signals[i], on_signal, NULL);
    if (organisation_read(&org, why) != TAS_OK) {
        refuse(_("This tool belongs to no organisation"),
               _("It was not made by a support desk, or it was changed on its way. Do not use it. Download "
                 "the tool "
                 "from the page that your support desk names."),
               why, has_display);
        return EXIT_CONFIG;
    }
    if (refuse_display(has_display))
        return EXIT_CONFIG;
    int code = run(&org);
    *is_over = code == EXIT_SUCCESS;
    return code;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tasuki-client " TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        bool is_help = argc == 2 && strcmp(argv[1], "--help") == 0;
        usage(is_help ? stdout : stderr);
        return is_help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    struct guard *guard = NULL;
    char why[API_DETAIL];
    bool is_over = false;
    if (guard_start(&guard, NULL, "/proc/self/exe", why, sizeof(why)) != TAS_OK) {
        fprintf(stderr, "tasuki-client: %s\n", why);
        return EXIT_TEMPORARY;
    }
    int code = start(&is_over);
    guard_end(guard, is_over);
    return code;
}
