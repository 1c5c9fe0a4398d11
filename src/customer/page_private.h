/* The pages of the main window: one file each, one row each in main_window.c's table. */
#pragma once

#include "customer/windows_private.h"

struct page {
    const char *name;  /* for the stack */
    const char *title; /* for screen readers: English, to be translated */
    /* Makes the widgets, in the language in force. */
    GtkWidget *(*build)(struct windows *w);
    /* Shows state and draft; called at every change and tick while the page is on the screen. May be NULL. */
    void (*show)(struct windows *w, GtkWidget *page);
    /* It has just come to the screen: focus and default button. NULL: the page itself has the focus, so that
     * no key presses anything. */
    void (*enter)(struct windows *w, GtkWidget *page);
};

extern const struct page page_warning, page_connecting, page_stuck, page_old, page_terms, page_number,
    page_choose, page_wait, page_answer, page_code, page_session, page_ended;

/* A page around a column: as wide as the window, up to a width that reads well. */
GtkWidget *page_new(GtkWidget *column);
/* A zeroed struct that lives as long as the page, and that again. */
void *page_keep(GtkWidget *page, size_t size);
void *page_kept(GtkWidget *page);

/* A button that calls fn(w). */
GtkWidget *page_button(struct windows *w, const char *text, enum ui_kind kind, void (*fn)(struct windows *w));
/* Enter presses it, and it has the focus. */
void page_set_default(GtkWidget *button);
/* Sets the label's text if it is another (so that screen readers and layout are left alone). */
void page_set_text(GtkWidget *label, const char *text);
/* The same for a button, and its name. */
void page_set_button(GtkWidget *button, const char *text);
/* Takes out all that is in a box. */
void page_empty(GtkWidget *box);
/* Something is on its way: a spinner with words beside it. */
GtkWidget *page_busy(const char *text);
/* "Company" and below it, larger, what it is; the label for the latter. */
GtkWidget *page_fact(GtkWidget *column, const char *name);
