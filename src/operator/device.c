#include "operator/device.h"

#include "base/json.h"
#include "operator/say.h"
#include "ui/look.h"
#include "wire/record.h"

#include <string.h>

enum { DEVICE_ROWS = 400, DEVICE_TEXT = 512, DEVICE_LEVELS = 6 };

struct device {
    struct app *app;
    GtkWidget *column, *hint, *ask, *grid, *stored;
    int n_rows;
};

/* ---- words ---- */

/* In the order in which they are shown; what is in lists and objects has the same names (docs/protocol.md).
 */
static const struct {
    const char *name, *label;
} labels[] = {
    {"machine", N_("Machine name")},
    {"user", N_("User")},
    {"maker", N_("Maker")},
    {"name", N_("Name")},
    {"path", N_("Path")},
    {"description", N_("Description")},
    {"model", N_("Model")},
    {"os", N_("System")},
    {"os_version", N_("System version")},
    {"kernel", N_("Kernel")},
    {"cpu", N_("Processor")},
    {"cpu_threads", N_("Threads")},
    {"memory_mib", N_("Memory")},
    {"memory_free_mib", N_("Memory free")},
    {"device", N_("Device")},
    {"type", N_("Type")},
    {"total_mib", N_("Size")},
    {"free_mib", N_("Free")},
    {"width", N_("Resolution")},
    {"disks", N_("Disk")},
    {"vendor", N_("Maker")},
    {"version", N_("Version")},
    {"date", N_("Date")},
    {"bios", N_("BIOS")},
    {"displays", N_("Display")},
    {"graphics", N_("Graphics")},
    {"sound", N_("Sound")},
    {"network", N_("Network adapter")},
    {"addresses", N_("Address")},
    {"mac", N_("MAC address")},
    {"printers", N_("Printer")},
    {"location", N_("Location")},
    {"locale", N_("Locale")},
    {"keyboard_layout", N_("Keyboard")},
    {"layout", N_("Layout")},
    {"variant", N_("Variant")},
    {"batteries", N_("Battery")},
    {"percent", N_("Charged")},
    {"status", N_("State")},
    {"antivirus", N_("Antivirus")},
    {"uptime_s", N_("Running for")},
    {"more", N_("Not shown, as there are too many")},
};

static const char *label_of(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (strcmp(labels[i].name, name) == 0)
            return _(labels[i].label);
    return name;
}

static bool ends_with(const char *text, const char *end) {
    size_t len = strlen(text);
    return len > strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

/* ---- the table ---- */

static void put(struct device *device, int level, const char *name, const char *value) {
    if (device->n_rows >= DEVICE_ROWS)
        return;
    GtkWidget *left = ui_label(label_of(name));
    gtk_label_set_max_width_chars(GTK_LABEL(left), 16);
    gtk_widget_set_valign(left, GTK_ALIGN_START);
    gtk_widget_set_margin_start(left, level * UI_GAP);
    ui_add_class(left, value ? "ui-dim" : "ui-strong");
    gtk_grid_attach(GTK_GRID(device->grid), left, 0, device->n_rows, value ? 1 : 2, 1);
    if (value) {
        char bounded[DEVICE_TEXT];
        say_copy(bounded, sizeof(bounded), value);
        GtkWidget *right = ui_label(bounded);
        gtk_label_set_selectable(GTK_LABEL(right), TRUE);
        gtk_label_set_max_width_chars(GTK_LABEL(right), 28);
        gtk_widget_set_hexpand(right, TRUE);
        ui_set_a11y(right, NULL, label_of(name));
        gtk_grid_attach(GTK_GRID(device->grid), right, 1, device->n_rows, 1, 1);
    }
    device->n_rows++;
}

static void put_number(struct device *device, int level, const char *name, int64_t number) {
    char text[SAY_SPAN + SAY_SIZE];
    if (ends_with(name, "_mib") && number >= 0)
        say_bytes(text, (uint64_t)number << 20, false);
    else if (ends_with(name, "_s"))
        say_span(text, number);
    else if (strcmp(name, "percent") == 0)
        g_snprintf(text, sizeof(text), "%lld %%", (long long)number);
    else
        g_snprintf(text, sizeof(text), "%lld", (long long)number);
    put(device, level, name, text);
}

static void put_resolution(struct device *device, int level, const struct tas_json *object) {
    char text[64];
    g_snprintf(text, sizeof(text), "%lld \u00d7 %lld", (long long)tas_json_get_int(object, "width", 0),
               (long long)tas_json_get_int(object, "height", 0));
    put(device, level, "width", text);
}

static void put_value(struct device *device, int level, const char *name, const struct tas_json *value);

static void put_list(struct device *device, int level, const char *name, const struct tas_json *list) {
    for (size_t i = 0; i < tas_json_len(list) && device->n_rows < DEVICE_ROWS; i++)
        put_value(device, level, name, tas_json_at(list, i));
}

/* What is not known here is passed over: a newer tool of the customer's may say more. */
static unsigned count_members(const struct tas_json *object) {
    unsigned n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        n += tas_json_get(object, labels[i].name) != NULL;
    return n;
}

/* title: the member that stands in the object's own line already; NULL none. */
static void put_members(struct device *device, int level, const struct tas_json *object, const char *title) {
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        const char *name = labels[i].name;
        const struct tas_json *value = tas_json_get(object, name);
        if (!value || (title && strcmp(title, name) == 0))
            continue;
        if (strcmp(name, "width") == 0)
            put_resolution(device, level, object);
        else
            put_value(device, level, name, value);
    }
}

/* An object has a line of its own with its name, and its other members below, a little to the right. */
static void put_object(struct device *device, int level, const char *name, const struct tas_json *object) {
    const char *title = tas_json_get_text(object, "name")   ? "name"
                        : tas_json_get_text(object, "path") ? "path"
                                                            : NULL;
    put(device, level, name, title ? tas_json_get_text(object, title) : NULL);
    put_members(device, level + 1, object, title);
}

static void put_value(struct device *device, int level, const char *name, const struct tas_json *value) {
    const char *text = tas_json_text(value);
    int64_t number = tas_json_number(value, -1);
    bool is_number = number != -1 || tas_json_number(value, 0) == -1;
    if (level >= DEVICE_LEVELS)
        return;
    if (text)
        put(device, level, name, text[0] ? text : "\u2014");
    else if (is_number)
        put_number(device, level, name, number);
    else if (tas_json_len(value) > 0)
        put_list(device, level, name, value);
    else if (count_members(value) > 0)
        put_object(device, level, name, value);
}

static void empty(struct device *device) {
    GList *old = gtk_container_get_children(GTK_CONTAINER(device->grid));
    for (GList *at = old; at; at = at->next)
        gtk_widget_destroy(at->data);
    g_list_free(old);
    device->n_rows = 0;
}

void device_text(struct device *device, const char *text) {
    char why[TAS_JSON_WHY];
    struct tas_json *json = tas_json_parse(tas_bytes_of(text, strlen(text)), why);
    empty(device);
    if (json && tas_json_is_plain(json))
        put_members(device, 0, json, NULL);
    if (device->n_rows == 0)
        put(device, 0, _("The customer's machine sent nothing that can be shown."), NULL);
    tas_json_free(json);
    gtk_widget_show_all(device->grid);
}

/* ---- the pane ---- */

static void ask(struct device *device) {
    struct operator_command command = {.kind = OPERATOR_DO_ASK, .rights = TAS_RIGHT_DEVICE};
    app_send(device->app, &command);
}

void device_ask(struct device *device) {
    const struct operator_state *state = app_state(device->app);
    if (state->phase == OPERATOR_ACTIVE && !state->has_device && !(state->rights & TAS_RIGHT_DEVICE))
        ask(device);
}

/* Also when it is allowed: then the customer's machine sends it again. */
static void on_ask(GtkButton *button, gpointer ctx) {
    (void)button;
    ask(ctx);
}

struct device *device_new(struct app *app) {
    struct device *device = g_new0(struct device, 1);
    GtkWidget *scroller = gtk_scrolled_window_new(NULL, NULL);
    device->app = app;
    device->column = ui_column();
    device->hint = ui_hint("");
    device->ask = ui_button(_("Ask the customer"), UI_PLAIN);
    device->grid = gtk_grid_new();
    device->stored = ui_hint("");
    gtk_grid_set_column_spacing(GTK_GRID(device->grid), UI_GAP);
    gtk_grid_set_row_spacing(GTK_GRID(device->grid), 4);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk_container_add(GTK_CONTAINER(scroller), device->grid);
    gtk_widget_set_no_show_all(device->ask, TRUE);
    gtk_widget_set_halign(device->ask, GTK_ALIGN_START);
    g_signal_connect(device->ask, "clicked", G_CALLBACK(on_ask), device);
    gtk_box_pack_start(GTK_BOX(device->column), ui_heading(_("Device info")), FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(device->column), device->hint, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(device->column), device->ask, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(device->column), scroller, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(device->column), device->stored, FALSE, FALSE, 0);
    return device;
}

void device_free(struct device *device) {
    g_free(device);
}

GtkWidget *device_widget(struct device *device) {
    return device->column;
}

void device_show(struct device *device, const struct operator_state *state) {
    bool may_ask = state->phase == OPERATOR_ACTIVE && (state->perms & TAS_RIGHT_DEVICE) != 0;
    bool is_allowed = (state->rights & TAS_RIGHT_DEVICE) != 0;
    const char *hint = "";
    if (!state->has_device && is_allowed)
        hint = _("The customer has allowed it; it is on its way. If it does not come, ask again.");
    else if (!state->has_device && may_ask)
        hint = _("The customer is asked on their screen and may refuse.");
    else if (!state->has_device)
        hint = _("Not possible in this session.");
    ui_set_text(device->hint, hint);
    gtk_widget_set_visible(device->hint, hint[0] != '\0');
    gtk_widget_set_visible(device->ask, may_ask && !state->has_device);
    ui_set_text(device->stored, state->is_device_stored
                                    ? _("Stored on the management server with this session.")
                                : state->has_device ? _("Being stored on the management server\u2026")
                                                    : "");
    ui_set_class(device->stored, "ui-good", state->is_device_stored);
}
