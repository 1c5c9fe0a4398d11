/* Waiting for an operator, and whether it is the right one. */
#include "customer/page_private.h"

/* ---- waiting ---- */

struct wait {
    GtkWidget *company, *since;
};

static void do_cancel(struct windows *w) {
    windows_do(w, CUSTOMER_DO_BACK);
}

static GtkWidget *wait_build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct wait *p = page_keep(page, sizeof(*p));
    p->company = ui_label("");
    p->since = ui_hint("");
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Waiting for the operator")));
    gtk_container_add(GTK_CONTAINER(column), page_busy(_("The operator sees that you are here.")));
    gtk_container_add(GTK_CONTAINER(column), p->company);
    gtk_container_add(GTK_CONTAINER(column), ui_hint(_("Nobody sees your screen yet.")));
    gtk_container_add(GTK_CONTAINER(column), p->since);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Cancel"), UI_PLAIN, do_cancel), NULL));
    return page;
}

static void wait_show(struct windows *w, GtkWidget *page) {
    struct wait *p = page_kept(page);
    char text[API_NAME + 256];
    char time[16];
    snprintf(text, sizeof(text), _("%s: please stay on the phone."), w->state.company);
    page_set_text(p->company, text);
    windows_duration(time, g_get_monotonic_time() - w->step_at_us);
    snprintf(text, sizeof(text), _("Waiting for %s"), time);
    page_set_text(p->since, text);
}

const struct page page_wait = {"wait", N_("Waiting for the operator"), wait_build, wait_show, NULL};

/* ---- answered ---- */

struct answer {
    GtkWidget *name, *company, *allow, *refuse;
};

static void do_accept(struct windows *w) {
    windows_do(w, CUSTOMER_DO_ACCEPT);
}

static void do_decline(struct windows *w) {
    windows_do(w, CUSTOMER_DO_DECLINE);
}

static GtkWidget *answer_build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct answer *p = page_keep(page, sizeof(*p));
    GtkWidget *card = ui_column();
    p->name = page_fact(card, _("Operator"));
    p->company = page_fact(card, _("Company"));
    p->refuse = page_button(w, _("Refuse"), UI_PLAIN, do_decline);
    p->allow = page_button(w, _("Allow"), UI_PRIMARY, do_accept);
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("This operator wants to connect")));
    gtk_container_add(GTK_CONTAINER(column), ui_card(card));
    gtk_container_add(
        GTK_CONTAINER(column),
        ui_label(_("Is this the person you are talking to? If the name is another one, or if you "
                   "are not sure, refuse.")));
    gtk_container_add(GTK_CONTAINER(column), ui_buttons(p->refuse, p->allow, NULL));
    return page;
}

static void answer_show(struct windows *w, GtkWidget *page) {
    struct answer *p = page_kept(page);
    page_set_text(p->name, w->state.operator_name);
    page_set_text(p->company, w->state.company);
    gtk_widget_set_sensitive(p->refuse, !w->state.is_busy);
    if (w->state.is_busy)
        gtk_widget_set_sensitive(p->allow, FALSE);
}

/* Nobody is let in because a key was on its way: Allow is neither the default nor usable at once. */
static void answer_enter(struct windows *w, GtkWidget *page) {
    (void)w;
    struct answer *p = page_kept(page);
    windows_arm_later(p->allow);
    gtk_widget_grab_focus(p->refuse);
}

const struct page page_answer = {"answer", N_("This operator wants to connect"), answer_build, answer_show,
                                 answer_enter};
