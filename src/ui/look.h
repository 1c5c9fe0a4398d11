/* What the windows of both tools are made of: one style sheet, and widgets that already have a style, a name
 * for screen readers (AT-SPI, which the tests drive too) and their words in the language in force. GTK thread
 * only. Widgets come back floating, as GTK's own do. Texts are plain text, never markup. */
#pragma once

#include "base/damm.h"
#include "ui/text.h"
#include "ui/words.h"

#include <gtk/gtk.h>
#include <stdbool.h>

enum ui_kind {
    UI_PLAIN,
    UI_PRIMARY, /* the one thing that most people want to do here */
    UI_DANGER,  /* ends or refuses something */
    UI_LINK,    /* small, beside the others: "switch language", "back" */
};

/* px between widgets, and around what stands in a window */
enum { UI_GAP = 12, UI_MARGIN = 24 };

/* Once, after gtk_init(): the style sheet for all windows of this program. Again after another language was
 * set (fonts differ). */
void ui_look_init(void);

/* ---- texts ---- */

/* Of a label, if it says something else: GTK lays out the whole window anew even for the same text. */
void ui_set_text(GtkWidget *label, const char *text);

GtkWidget *ui_label(const char *text);   /* wraps, left */
GtkWidget *ui_heading(const char *text); /* one per page; the screen reader's heading */
GtkWidget *ui_hint(const char *text);    /* smaller and greyer, wraps */
GtkWidget *ui_warning(const char *text); /* framed, bold: what must be read */
/* Large tabular digits, selectable: "123-456-782". name: what it is, for screen readers. */
GtkWidget *ui_number(const char *name, const char *digits);
void ui_number_set(GtkWidget *number, const char *digits);

/* ---- order ---- */

GtkWidget *ui_column(void);                                          /* vertical box with UI_GAP */
GtkWidget *ui_row(void);                                             /* horizontal box with UI_GAP */
GtkWidget *ui_buttons(GtkWidget *first, ...) G_GNUC_NULL_TERMINATED; /* a row of buttons, right */
GtkWidget *ui_card(GtkWidget *content);                              /* a white framed area around it */
/* UI_MARGIN around it, in the middle, as wide as it wants to be; scrolls when the window is too low. */
GtkWidget *ui_page(GtkWidget *content);
/* What stands above a control, tied to it for screen readers and mnemonics. */
GtkWidget *ui_field(const char *label, GtkWidget *control);

/* ---- controls ---- */

GtkWidget *ui_button(const char *text, enum ui_kind kind);
/* A button with a picture of the icon theme; `text` is its name and tool tip. */
GtkWidget *ui_icon_button(const char *icon, const char *text, enum ui_kind kind);
GtkWidget *ui_check(const char *text, bool is_on); /* wraps */
/* max: characters. is_secret: a password; it is wiped by ui_entry_wipe(). */
GtkWidget *ui_entry(const char *name, int max, bool is_secret);
void ui_entry_wipe(GtkWidget *entry);

/* What screen readers call it, and more about it; NULL leaves that one as it is. Every control needs a name
 * that is not the same as its neighbour's. */
void ui_set_a11y(GtkWidget *widget, const char *name, const char *description);

/* Has screen readers say `text` now, wherever the focus is. */
void ui_announce(GtkWidget *widget, const char *text);

/* Adds a style class of the sheet (look.c): "ui-dim", "ui-good", "ui-bad", "ui-bar", "ui-chat-mine" ... */
void ui_add_class(GtkWidget *widget, const char *name);
void ui_set_class(GtkWidget *widget, const char *name, bool is_on);

/* ---- nine digits ---- */

enum ui_digits {
    UI_DIGITS_PARTIAL,
    UI_DIGITS_MISTYPED, /* nine, and the check digit does not fit */
    UI_DIGITS_COMPLETE,
};

/* A large GtkEntry for a number of nine digits, shown as 123-456-782 while it is typed or pasted; takes
 * full-width digits, spaces and all kinds of hyphens, ignores everything else. has_check_digit: of reception
 * numbers (base/damm.h). Signals: "changed" (GtkEditable, once per change), "complete" (void (*)(GtkWidget *,
 * gpointer)): the change made it UI_DIGITS_COMPLETE; "activate": Enter. */
GtkWidget *ui_digits_entry(const char *name, bool has_check_digit);
/* out: the digits so far, without hyphens. */
enum ui_digits ui_digits_get(GtkWidget *entry, char out[TAS_NUMBER_CAP]);
void ui_digits_clear(GtkWidget *entry);
/* A label for below the entry, which says at once that it is mistyped; empty otherwise. */
GtkWidget *ui_digits_hint(GtkWidget *entry);

/* ---- what went wrong ---- */

/* A bar that is hidden until there is something to say; screen readers say it too. The user can close it. */
GtkWidget *ui_error_bar(void);
void ui_error_bar_show(GtkWidget *bar, const struct ui_words *words, GtkMessageType type);
void ui_error_bar_hide(GtkWidget *bar);

/* Title and text as the page's content, for ends and for what stops everything. The column can be added to.
 */
GtkWidget *ui_words_page(const struct ui_words *words, bool is_bad);
