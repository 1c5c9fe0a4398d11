#include "customer/page_private.h"

#include "base/time.h"

struct terms_page {
    GtkWidget *version, *text, *agree, *frame, *busy;
    char shown[API_WORD + 1]; /* version that is in the text now */
};

static void do_agree(struct windows *w) {
    if (w->terms.version[0] == '\0')
        return;
    w->draft.agreed_at_ms = (int64_t)tas_wall_ms();
    windows_show(w);
}

static void do_decline(struct windows *w) {
    windows_do(w, CUSTOMER_DO_END);
}

static GtkWidget *build_text(struct terms_page *p) {
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    p->text = gtk_text_view_new();
    gtk_text_view_set_editable(GTK_TEXT_VIEW(p->text), FALSE);
    gtk_text_view_set_cursor_visible(GTK_TEXT_VIEW(p->text), FALSE);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(p->text), FALSE);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(p->text), GTK_WRAP_WORD_CHAR);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(p->text), UI_GAP);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(p->text), UI_GAP);
    gtk_text_view_set_top_margin(GTK_TEXT_VIEW(p->text), UI_GAP);
    gtk_text_view_set_bottom_margin(GTK_TEXT_VIEW(p->text), UI_GAP);
    gtk_text_view_set_pixels_inside_wrap(GTK_TEXT_VIEW(p->text), 4);
    gtk_text_view_set_pixels_below_lines(GTK_TEXT_VIEW(p->text), 4);
    ui_set_a11y(p->text, _("Terms"), NULL);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scroller), GTK_SHADOW_IN);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scroller), 160);
    gtk_container_add(GTK_CONTAINER(scroller), p->text);
    return scroller;
}

static GtkWidget *build(struct windows *w) {
    GtkWidget *column = ui_column();
    GtkWidget *page = page_new(column);
    struct terms_page *p = page_keep(page, sizeof(*p));
    p->version = ui_hint("");
    p->frame = build_text(p);
    p->busy = page_busy(_("The terms are on their way."));
    p->agree = page_button(w, _("Agree"), UI_PRIMARY, do_agree);
    gtk_container_add(GTK_CONTAINER(column), ui_heading(_("Terms")));
    gtk_container_add(GTK_CONTAINER(column),
                      ui_label(_("Please go on only if you have read these terms and agree to them.")));
    gtk_container_add(GTK_CONTAINER(column), p->version);
    gtk_container_add(GTK_CONTAINER(column), p->busy);
    gtk_box_pack_start(GTK_BOX(column), p->frame, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(column),
                      ui_buttons(page_button(w, _("Decline"), UI_PLAIN, do_decline), p->agree, NULL));
    return page;
}

static void show(struct windows *w, GtkWidget *page) {
    struct terms_page *p = page_kept(page);
    bool is_there = w->terms.version[0] != '\0';
    gtk_widget_set_sensitive(p->agree, is_there);
    gtk_widget_set_visible(p->busy, !is_there);
    gtk_widget_set_visible(p->frame, is_there);
    gtk_widget_set_visible(p->version, is_there);
    if (!is_there || strcmp(p->shown, w->terms.version) == 0)
        return;
    bool is_ja = strcmp(ui_language(), "ja") == 0;
    const char *mine = is_ja ? w->terms.ja : w->terms.en;
    const char *other = is_ja ? w->terms.en : w->terms.ja;
    const char *text = mine && mine[0] ? mine : other ? other : "";
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(p->text)), text, -1);
    char version[128];
    snprintf(version, sizeof(version), _("Version %s"), w->terms.version);
    page_set_text(p->version, version);
    snprintf(p->shown, sizeof(p->shown), "%s", w->terms.version);
}

/* Nobody agrees because Enter was still held down: no default button here. */
static void enter(struct windows *w, GtkWidget *page) {
    (void)w;
    gtk_widget_grab_focus(((struct terms_page *)page_kept(page))->text);
}

const struct page page_terms = {"terms", N_("Terms"), build, show, enter};
