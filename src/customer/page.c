#include "customer/page_private.h"

enum { PAGE_WIDTH = 512 };

static const char kept_key[] = "tasuki-page";

struct press {
    struct windows *windows;
    void (*fn)(struct windows *w);
};

GtkWidget *page_new(GtkWidget *column) {
    gtk_widget_set_size_request(column, PAGE_WIDTH, -1);
    return ui_page(column);
}

void *page_keep(GtkWidget *page, size_t size) {
    void *kept = g_malloc0(size);
    g_object_set_data_full(G_OBJECT(page), kept_key, kept, g_free);
    return kept;
}

void *page_kept(GtkWidget *page) {
    return g_object_get_data(G_OBJECT(page), kept_key);
}

static void on_clicked(GtkButton *button, gpointer ctx) {
    (void)button;
    struct press press = *(const struct press *)ctx; /* the button may go while it is carried out */
    press.fn(press.windows);
}

static void free_press(gpointer ctx, GClosure *closure) {
    (void)closure;
    g_free(ctx);
}

GtkWidget *page_button(struct windows *w, const char *text, enum ui_kind kind,
                       void (*fn)(struct windows *w)) {
    GtkWidget *button = ui_button(text, kind);
    struct press *press = g_new0(struct press, 1);
    *press = (struct press){w, fn};
    g_signal_connect_data(button, "clicked", G_CALLBACK(on_clicked), press, free_press, (GConnectFlags)0);
    return button;
}

void page_set_default(GtkWidget *button) {
    gtk_widget_set_can_default(button, TRUE);
    gtk_widget_grab_default(button);
    gtk_widget_grab_focus(button);
}

void page_set_text(GtkWidget *label, const char *text) {
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        gtk_label_set_text(GTK_LABEL(label), text);
}

void page_set_button(GtkWidget *button, const char *text) {
    if (strcmp(gtk_button_get_label(GTK_BUTTON(button)), text) == 0)
        return;
    gtk_button_set_label(GTK_BUTTON(button), text);
    ui_set_a11y(button, text, NULL);
}

static void destroy_child(GtkWidget *child, gpointer unused) {
    (void)unused;
    gtk_widget_destroy(child);
}

void page_empty(GtkWidget *box) {
    gtk_container_foreach(GTK_CONTAINER(box), destroy_child, NULL);
}

GtkWidget *page_busy(const char *text) {
    GtkWidget *row = ui_row();
    GtkWidget *spinner = gtk_spinner_new();
    gtk_spinner_start(GTK_SPINNER(spinner));
    gtk_widget_set_size_request(spinner, 24, 24);
    gtk_box_pack_start(GTK_BOX(row), spinner, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(row), ui_label(text), TRUE, TRUE, 0);
    return row;
}

GtkWidget *page_fact(GtkWidget *column, const char *name) {
    GtkWidget *value = ui_label("");
    ui_add_class(value, "customer-fact");
    gtk_container_add(GTK_CONTAINER(column), ui_field(name, value));
    return value;
}
