/* Where to put the customer's own copy of the record. GTK's own dialog would leave a list of recent files and
 * folders for its settings behind (SECURITY.md S13). */
#include "customer/page_private.h"

enum { NAME_CHARS = 100 };

struct save {
    struct windows *windows;
    GtkWidget *window, *folder, *name, *hint;
};

static char *path_of(const struct save *save) {
    const char *folder = gtk_combo_box_get_active_id(GTK_COMBO_BOX(save->folder));
    const char *name = gtk_entry_get_text(GTK_ENTRY(save->name));
    return folder ? g_build_filename(folder, name, NULL) : g_strdup(name);
}

/* Why it cannot be saved like this; "" it can. */
static const char *objection(const struct save *save) {
    const char *name = gtk_entry_get_text(GTK_ENTRY(save->name));
    if (!name[0] || name[0] == '.' || strchr(name, '/'))
        return _("Please type a name without a slash.");
    char *path = path_of(save);
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    g_free(path);
    return exists ? _("There is a file of this name already. Please choose another name.") : "";
}

static void on_save(GtkButton *button, gpointer ctx) {
    (void)button;
    struct save *save = ctx;
    const char *why = objection(save);
    page_set_text(save->hint, why);
    if (why[0]) {
        ui_announce(save->hint, why);
        gtk_widget_grab_focus(save->name);
        return;
    }
    char *path = path_of(save);
    windows_do_text(save->windows, CUSTOMER_DO_SAVE, path);
    g_free(path);
    gtk_widget_destroy(save->window);
}

/* Each once: where nothing is set up, all of them are the home folder. */
static void add_folder(struct save *save, const char *path) {
    GtkComboBox *folder = GTK_COMBO_BOX(save->folder);
    if (!path || !g_file_test(path, G_FILE_TEST_IS_DIR) || gtk_combo_box_set_active_id(folder, path))
        return;
    char *shown = g_filename_display_name(path);
    gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(save->folder), path, shown);
    g_free(shown);
}

static GtkWidget *build_folder(struct save *save) {
    static const GUserDirectory folders[] = {G_USER_DIRECTORY_DOCUMENTS, G_USER_DIRECTORY_DESKTOP,
                                             G_USER_DIRECTORY_DOWNLOAD};
    save->folder = gtk_combo_box_text_new();
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
        add_folder(save, g_get_user_special_dir(folders[i]));
    add_folder(save, g_get_home_dir());
    gtk_combo_box_set_active(GTK_COMBO_BOX(save->folder), 0);
    return ui_field(_("Folder"), save->folder);
}

static GtkWidget *build_name(struct save *save) {
    GDateTime *now = g_date_time_new_now_local();
    char *name = g_date_time_format(now, _("support-record-%Y%m%d-%H%M.txt"));
    save->name = ui_entry(_("File name"), NAME_CHARS, false);
    gtk_entry_set_text(GTK_ENTRY(save->name), name);
    gtk_entry_set_width_chars(GTK_ENTRY(save->name), 36);
    g_free(name);
    g_date_time_unref(now);
    return ui_field(_("File name"), save->name);
}

void save_ask(struct windows *w) {
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    GtkWidget *column = ui_column();
    struct save *save = page_keep(window, sizeof(*save));
    GtkWidget *cancel = ui_button(_("Cancel"), UI_PLAIN);
    GtkWidget *keep = ui_button(_("Save"), UI_PRIMARY);
    save->windows = w;
    save->window = window;
    save->hint = ui_hint("");
    ui_add_class(save->hint, "ui-bad");
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Save record")));
    gtk_container_add(GTK_CONTAINER(column), build_folder(save));
    gtk_container_add(GTK_CONTAINER(column), build_name(save));
    gtk_container_add(GTK_CONTAINER(column), save->hint);
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(cancel, keep, NULL));
    gtk_container_set_border_width(GTK_CONTAINER(column), UI_MARGIN);
    gtk_container_add(GTK_CONTAINER(window), column);
    gtk_window_set_title(GTK_WINDOW(window), _("Save record"));
    gtk_window_set_role(GTK_WINDOW(window), "tasuki-save");
    gtk_window_set_type_hint(GTK_WINDOW(window), GDK_WINDOW_TYPE_HINT_DIALOG);
    gtk_window_set_transient_for(GTK_WINDOW(window), main_window_get(w->main));
    gtk_window_set_destroy_with_parent(GTK_WINDOW(window), TRUE);
    gtk_window_set_modal(GTK_WINDOW(window), TRUE);
    gtk_window_set_resizable(GTK_WINDOW(window), FALSE);
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_widget_destroy), window);
    g_signal_connect(keep, "clicked", G_CALLBACK(on_save), save);
    gtk_widget_show_all(window);
    gtk_widget_grab_default(keep);
    gtk_widget_grab_focus(save->name);
}
