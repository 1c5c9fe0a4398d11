/* tasuki-operator: the operator's tool. Born for one organisation, as the customer's; or, when it is
 * installed as a package, told by /etc/tasuki/operator.json (`tasukictl client make --section-only`). */
#include "operator/app.h"
#include "operator/core.h"
#include "operator/present/surface.h"
#include "org/org.h"
#include "os/file.h"
#include "ui/look.h"

#include <errno.h>
#include <gtk/gtk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef GDK_WINDOWING_X11
#include <gdk/gdkx.h>
#endif

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static const char org_path[] = "/etc/tasuki/operator.json";

extern const volatile uint8_t operator_org[ORG_SECTION];
ORG_IN_SECTION const volatile uint8_t operator_org[ORG_SECTION] = {0};

/* ---- whose tool is it? ---- */

/* The file holds the section as it would stand in the tool: signed by the same root. */
static int read_file(struct org *out, char *why, size_t why_cap) {
    char file_why[TAS_FILE_WHY];
    char org_why[ORG_WHY];
    size_t len = 0;
    uint8_t *bytes = tas_file_read(org_path, ORG_SECTION, &len, file_why);
    if (!bytes) {
        snprintf(why, why_cap, "%s", file_why);
        return errno == ENOENT ? TAS_E_ABSENT : TAS_E_IO;
    }
    int err = org_read(out, tas_bytes_of(bytes, len), org_why);
    if (err != TAS_OK)
        snprintf(why, why_cap, "%s: %s", org_path, org_why);
    free(bytes);
    return err;
}

static int read_org(struct org *out, char *why, size_t why_cap) {
    uint8_t section[ORG_SECTION];
    char org_why[ORG_WHY];
    for (size_t i = 0; i < sizeof(section); i++)
        section[i] = operator_org[i]; /* volatile: the compiler may not assume the zeros that it sees */
    int err = org_read(out, tas_bytes_of(section, sizeof(section)), org_why);
    if (err == TAS_E_ABSENT)
        return read_file(out, why, why_cap);
    if (err != TAS_OK)
        snprintf(why, why_cap, "%s", org_why);
    return err;
}

/* ---- refusing ---- */

static int refuse(const char *title, const char *text, const char *detail) {
    struct ui_words words;
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    GtkWidget *close = ui_button(_("Close"), UI_PRIMARY);
    g_strlcpy(words.title, title, sizeof(words.title));
    g_strlcpy(words.text, text, sizeof(words.text));
    GtkWidget *column = ui_words_page(&words, true);
    gtk_container_add(GTK_CONTAINER(column), ui_hint(detail));
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(close, NULL));
    gtk_container_add(GTK_CONTAINER(window), ui_page(column));
    gtk_window_set_title(GTK_WINDOW(window), _("Tasuki operator"));
    gtk_window_set_position(GTK_WINDOW(window), GTK_WIN_POS_CENTER);
    g_signal_connect(window, "destroy", G_CALLBACK(gtk_main_quit), NULL);
    g_signal_connect_swapped(close, "clicked", G_CALLBACK(gtk_widget_destroy), window);
    gtk_widget_show_all(window);
    gtk_main();
    return EXIT_CONFIG;
}

static int refuse_org(int err, const char *why) {
    fprintf(stderr, "tasuki-operator: %s\n", why);
    if (err == TAS_E_ABSENT)
        return refuse(
            _("This tool belongs to no organisation"),
            _("It does not know which servers to trust. Take the tool that your administrator gives "
              "out, or have the file operator.json installed."),
            why);
    return refuse(_("This tool cannot be trusted"),
                  _("What says which servers to trust was changed or is damaged. Do not use it; tell your "
                    "administrator."),
                  why);
}

/* ---- running ---- */

struct running {
    struct ui_bridge *bridge;
    struct present_surface *surface;
    struct operator_core *core;
    struct app *app;
};

/* The picture in a window of its own where there is X11, otherwise drawn by GTK. */
static bool start_core(struct running *r, const struct org *org, char why[API_DETAIL + 1]) {
#ifdef GDK_WINDOWING_X11
    if (GDK_IS_X11_DISPLAY(gdk_display_get_default()))
        r->core = operator_core_start(org, &present_x11, NULL, r->bridge, why);
    if (r->core)
        return true;
#endif
    r->surface = present_surface_new();
    if (r->surface)
        r->core = operator_core_start(org, &present_cairo, r->surface, r->bridge, why);
    return r->core != NULL;
}

static int run(const struct org *org) {
    const struct ui_bridge_config config = {
        .state_size = sizeof(struct operator_state),
        .command_max = sizeof(struct operator_command),
        .on_command = operator_core_command,
        .on_state = app_on_state,
        .on_note = app_on_note,
        .free_note = operator_note_free,
    };
    struct running r = {.bridge = ui_bridge_new(&config)};
    char why[API_DETAIL + 1] = "out of memory";
    int code = EXIT_FAILURE;
    if (!r.bridge || !start_core(&r, org, why))
        goto out;
    r.app = app_new(r.bridge, r.surface);
    if (!r.app)
        goto out;
    ui_bridge_attach_window(r.bridge, r.app);
    app_start(r.app, org->organisation);
    gtk_main();
    code = EXIT_SUCCESS;
out:
    if (code != EXIT_SUCCESS)
        fprintf(stderr, "tasuki-operator: %s\n", why);
    app_free(r.app);
    operator_core_stop(r.core);
    present_surface_free(r.surface);
    ui_bridge_free(r.bridge);
    return code;
}

static void usage(FILE *to) {
    fputs("Usage: tasuki-operator [--help | --version]\n"
          "The operator's tool for remote support: logs in, gives out reception numbers, helps.\n"
          "Which installation it belongs to stands in the tool itself, or in /etc/tasuki/operator.json.\n",
          to);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tasuki-operator " TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        bool is_helped = argc == 2 && strcmp(argv[1], "--help") == 0;
        usage(is_helped ? stdout : stderr);
        return is_helped ? EXIT_SUCCESS : EXIT_USAGE;
    }
    struct org org;
    char why[TAS_FILE_WHY + ORG_WHY];
    int err = read_org(&org, why, sizeof(why));
    g_set_prgname("tasuki-operator");
    if (!gtk_init_check(NULL, NULL)) {
        fprintf(stderr, "tasuki-operator: %s\n", err == TAS_OK ? "there is no display" : why);
        return err == TAS_OK ? EXIT_FAILURE : EXIT_CONFIG;
    }
    ui_language_set(NULL);
    ui_look_init();
    return err == TAS_OK ? run(&org) : refuse_org(err, why);
}
