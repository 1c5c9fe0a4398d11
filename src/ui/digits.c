/* The entry for nine digits. Every change goes through one place, which makes 123-456-78 out of whatever is
 * there, so that a caret, a paste, an input method and a screen reader's text all do what they should. */
#include "ui/look.h"

#include <string.h>

enum { GROUP = 3, SHOWN = TAS_NUMBER_DIGITS + TAS_NUMBER_DIGITS / GROUP }; /* with hyphens and NUL */

struct digits_entry {
    GtkEntry parent;
    bool has_check_digit;
    enum ui_digits state;
};

struct digits_entry_class {
    GtkEntryClass parent;
};

static GType digits_entry_type(void);
static gpointer digits_parent_class;
static guint complete_signal;

static struct digits_entry *entry_of(gpointer widget) {
    return G_TYPE_CHECK_INSTANCE_CAST(widget, digits_entry_type(), struct digits_entry);
}

/* ---- digits ---- */

/* Digits of any script that people type by accident (full-width ones, by Japanese input methods). -1: none.
 */
static int digit_of(gunichar c) {
    return g_unichar_isdigit(c) ? g_unichar_digit_value(c) : -1;
}

/* Adds the digits of `text` up to `bytes` (-1: all) behind those in `out`; the rest is ignored. */
static void take_digits(char out[TAS_NUMBER_CAP], const char *text, gssize bytes) {
    size_t n = strlen(out);
    const char *end = bytes < 0 ? text + strlen(text) : text + bytes;
    for (const char *c = text; c < end && n < TAS_NUMBER_DIGITS; c = g_utf8_next_char(c)) {
        int digit = digit_of(g_utf8_get_char(c));
        if (digit < 0)
            continue;
        out[n++] = (char)('0' + digit);
        out[n] = '\0';
    }
}

/* "123-456-7" of "1234567". */
static void group(char out[SHOWN], const char *digits) {
    size_t n = 0;
    for (size_t i = 0; digits[i] && i < TAS_NUMBER_DIGITS; i++) {
        if (i > 0 && i % GROUP == 0)
            out[n++] = '-';
        out[n++] = digits[i];
    }
    out[n] = '\0';
}

/* Where the caret stands that has `digits` digits before it, of `total`. */
static int place_of(size_t digits, size_t total) {
    size_t hyphens = digits / GROUP;
    if (digits == total && digits > 0)
        hyphens = (digits - 1) / GROUP; /* none behind the last digit */
    return (int)(digits + hyphens);
}

/* The digits in characters [from, to) of what is shown; to < 0: the end. */
static void digits_between(struct digits_entry *entry, char out[TAS_NUMBER_CAP], int from, int to) {
    const char *text = gtk_entry_get_text(&entry->parent);
    const char *start = g_utf8_offset_to_pointer(text, from);
    const char *end = to < 0 ? text + strlen(text) : g_utf8_offset_to_pointer(text, to);
    take_digits(out, start, end > start ? end - start : 0);
}

/* ---- changes ---- */

/* The buffer tells of a change once, when all of it is done. */
static void put(struct digits_entry *entry, const char *digits) {
    char shown[SHOWN];
    group(shown, digits);
    if (strcmp(shown, gtk_entry_get_text(&entry->parent)) == 0)
        return;
    gtk_entry_buffer_set_text(gtk_entry_get_buffer(&entry->parent), shown, -1);
}

static void on_insert(GtkEditable *editable, const char *text, int len, int *position) {
    struct digits_entry *entry = entry_of(editable);
    char digits[TAS_NUMBER_CAP] = "";
    digits_between(entry, digits, 0, *position);
    take_digits(digits, text, len);
    size_t before = strlen(digits);
    digits_between(entry, digits, *position, -1);
    put(entry, digits);
    *position = place_of(before, strlen(digits));
}

/* Who rubs out a hyphen means the digit beside it: before it with Backspace, after it with Delete. */
static void widen(GtkEditable *editable, int *from, int *to) {
    const char *text = gtk_entry_get_text(GTK_ENTRY(editable));
    if (*to - *from != 1 || text[*from] != '-')
        return;
    if (gtk_editable_get_position(editable) == *to)
        *from -= 1;
    else
        *to += 1;
}

static void on_delete(GtkEditable *editable, int from, int to) {
    struct digits_entry *entry = entry_of(editable);
    int length = gtk_entry_get_text_length(&entry->parent);
    char digits[TAS_NUMBER_CAP] = "";
    if (to < 0 || to > length)
        to = length;
    if (from >= to)
        return;
    widen(editable, &from, &to);
    digits_between(entry, digits, 0, from);
    size_t before = strlen(digits);
    digits_between(entry, digits, to, -1);
    put(entry, digits);
    gtk_editable_set_position(editable, place_of(before, strlen(digits)));
}

static enum ui_digits state_of(struct digits_entry *entry, char digits[TAS_NUMBER_CAP]) {
    digits[0] = '\0';
    take_digits(digits, gtk_entry_get_text(&entry->parent), -1);
    if (strlen(digits) < TAS_NUMBER_DIGITS)
        return UI_DIGITS_PARTIAL;
    if (entry->has_check_digit && !tas_damm_is_right(digits, TAS_NUMBER_DIGITS))
        return UI_DIGITS_MISTYPED;
    return UI_DIGITS_COMPLETE;
}

static const char *mistyped_text(void) {
    return _("One of the digits is wrong. Please check the number.");
}

/* After all others have heard of the change. */
static void on_changed(GtkWidget *widget, gpointer unused) {
    (void)unused;
    struct digits_entry *entry = entry_of(widget);
    char digits[TAS_NUMBER_CAP];
    enum ui_digits state = state_of(entry, digits);
    bool was = entry->state == UI_DIGITS_MISTYPED, is = state == UI_DIGITS_MISTYPED;
    entry->state = state;
    ui_set_class(widget, "ui-mistyped", is);
    ui_set_a11y(widget, NULL, is ? mistyped_text() : "");
    if (is && !was)
        ui_announce(widget, mistyped_text());
    if (state == UI_DIGITS_COMPLETE)
        g_signal_emit(widget, complete_signal, 0);
}

/* ---- the type ---- */

static void editable_init(gpointer iface, gpointer unused) {
    (void)unused;
    GtkEditableInterface *editable = iface;
    editable->do_insert_text = on_insert;
    editable->do_delete_text = on_delete;
}

static void class_init(gpointer class, gpointer unused) {
    (void)unused;
    digits_parent_class = g_type_class_peek_parent(class);
    complete_signal =
        g_signal_new("complete", digits_entry_type(), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static GType digits_entry_type(void) {
    static GType type;
    if (type)
        return type;
    const GTypeInfo info = {.class_size = sizeof(struct digits_entry_class),
                            .class_init = class_init,
                            .instance_size = sizeof(struct digits_entry)};
    const GInterfaceInfo editable = {.interface_init = editable_init};
    type = g_type_register_static(GTK_TYPE_ENTRY, "UiDigitsEntry", &info, 0);
    g_type_add_interface_static(type, GTK_TYPE_EDITABLE, &editable);
    return type;
}

/* ---- what others ask ---- */

GtkWidget *ui_digits_entry(const char *name, bool has_check_digit) {
    GtkWidget *widget = g_object_new(digits_entry_type(), NULL);
    entry_of(widget)->has_check_digit = has_check_digit;
    gtk_entry_set_width_chars(GTK_ENTRY(widget), SHOWN);
    gtk_entry_set_alignment(GTK_ENTRY(widget), 0.5f);
    gtk_entry_set_activates_default(GTK_ENTRY(widget), TRUE);
    gtk_entry_set_input_purpose(GTK_ENTRY(widget), GTK_INPUT_PURPOSE_DIGITS);
    gtk_entry_set_placeholder_text(GTK_ENTRY(widget), "000-000-000");
    ui_add_class(widget, "ui-digits");
    ui_set_a11y(widget, name, NULL);
    g_signal_connect_after(widget, "changed", G_CALLBACK(on_changed), NULL);
    return widget;
}

enum ui_digits ui_digits_get(GtkWidget *entry, char out[TAS_NUMBER_CAP]) {
    return state_of(entry_of(entry), out);
}

void ui_digits_clear(GtkWidget *entry) {
    gtk_entry_set_text(GTK_ENTRY(entry), "");
}

static void show_hint(GtkWidget *entry, GtkWidget *hint) {
    char digits[TAS_NUMBER_CAP];
    bool is_mistyped = ui_digits_get(entry, digits) == UI_DIGITS_MISTYPED;
    gtk_label_set_text(GTK_LABEL(hint), is_mistyped ? mistyped_text() : "");
}

GtkWidget *ui_digits_hint(GtkWidget *entry) {
    GtkWidget *hint = ui_hint("");
    ui_add_class(hint, "ui-bad");
    g_signal_connect_object(entry, "changed", G_CALLBACK(show_hint), hint, 0);
    return hint;
}
