/* Which company this is, and what it may do: only seeing the screen is ticked beforehand (SECURITY.md S7). */
#include "customer/page_private.h"

struct choose {
    GtkWidget *company;
    uint16_t possible; /* for which the boxes were made */
    GtkWidget *boxes, *first, *told, *back, *start;
    bool is_showing; /* what the draft says is put into the boxes: nobody pressed them */
};

static void do_start(struct windows *w) {
    windows_do_rights(w, CUSTOMER_DO_CHOOSE, w->draft.rights & w->state.possible);
}

static void do_back(struct windows *w) {
    windows_do(w, CUSTOMER_DO_BACK);
}

static uint16_t right_of(GtkToggleButton *box) {
    return (uint16_t)GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(box), "right"));
}

static void on_toggled(GtkToggleButton *box, gpointer page) {
    const struct choose *p = page_kept(page);
    struct windows *w = g_object_get_data(page, "windows");
    uint16_t bit = right_of(box);
    if (p->is_showing)
        return;
    if (gtk_toggle_button_get_active(box))
        w->draft.rights |= bit;
    else
        w->draft.rights &= (uint16_t)~bit;
}

static void build_boxes(struct windows *w, GtkWidget *page) {
    struct choose *p = page_kept(page);
    page_empty(p->boxes);
    p->first = NULL;
    for (const struct right *r = windows_rights; r->bit; r++) {
        if (!(w->state.possible & r->bit))
            continue;
        GtkWidget *box = ui_check(ui_text(r->name), (w->draft.rights & r->bit) != 0);
        GtkWidget *meaning = ui_hint(ui_text(r->meaning));
        GtkWidget *both = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
        ui_set_a11y(box, NULL, ui_text(r->meaning));
        gtk_widget_set_margin_start(meaning, 28);
        g_object_set_data(G_OBJECT(box), "right", GUINT_TO_POINTER(r->bit));
        g_signal_connect(box, "toggled", G_CALLBACK(on_toggled), page);
        p->first = p->first ? p->first : box;
        gtk_container_add(GTK_CONTAINER(both), box);
        gtk_container_add(GTK_CONTAINER(both), meaning);
        gtk_container_add(GTK_CONTAINER(p->boxes), both);
    }
    gtk_widget_show_all(p->boxes);
    p->possible = w->state.possible;
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct choose *p = page_keep(page, sizeof(*p));
    g_object_set_data(G_OBJECT(page), "windows", w);
    p->company = ui_heading("");
    p->boxes = ui_column();
    p->told = ui_hint("");
    p->back = page_button(w, _("Back"), UI_PLAIN, do_back);
    p->start = page_button(w, _("Start waiting"), UI_PRIMARY, do_start);
    gtk_container_add(GTK_CONTAINER(column), p->company);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_label(_("What do you allow? You can take back each of these at any time.")));
    gtk_container_add(GTK_CONTAINER(column), ui_card(p->boxes));
    gtk_container_add(GTK_CONTAINER(column), p->told);
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(p->back, p->start, NULL));
    return page;
}

/* One after the other: boxes are in a box with their meaning. */
static void show_box(GtkWidget *both, gpointer ctx) {
    const struct windows *w = ctx;
    GList *children = gtk_container_get_children(GTK_CONTAINER(both));
    GtkToggleButton *box = GTK_TOGGLE_BUTTON(children->data);
    g_list_free(children);
    bool is_on = (w->draft.rights & right_of(box)) != 0;
    if (is_on != gtk_toggle_button_get_active(box))
        gtk_toggle_button_set_active(box, is_on);
}

/* What is ticked is what will be granted; while that is under way, nothing can be ticked. */
static void show_choice(struct windows *w, GtkWidget *page) {
    struct choose *p = page_kept(page);
    if (p->possible != w->state.possible || !p->possible)
        build_boxes(w, page);
    p->is_showing = true;
    gtk_container_foreach(GTK_CONTAINER(p->boxes), show_box, w);
    p->is_showing = false;
    gtk_widget_set_sensitive(p->boxes, !w->state.is_busy);
    gtk_widget_set_sensitive(p->start, !w->state.is_busy);
}

static void show(struct windows *w, GtkWidget *page) {
    struct choose *p = page_kept(page);
    char text[API_NAME * 2 + 256];
    snprintf(text, sizeof(text), _("%s offers support"), w->state.company);
    page_set_text(p->company, text);
    snprintf(
        text, sizeof(text),
        _("The operator will be told: this computer's name and system (%s, %s), its language and network "
          "address, this tool's version, and how long you wait."),
        w->state.machine, w->state.system);
    page_set_text(p->told, text);
    show_choice(w, page);
}

/* The boxes come first: nothing is allowed because Enter was still held down. */
static void enter(struct windows *w, GtkWidget *page) {
    (void)w;
    struct choose *p = page_kept(page);
    if (p->first)
        gtk_widget_grab_focus(p->first);
}

const struct page page_choose = {"choose", N_("What do you allow?"), build, show, enter};
