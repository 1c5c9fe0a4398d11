#include "client/linux/device_parse_private.h"

#include <stdlib.h>
#include <string.h>

/* ---- lines and words ---- */

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t';
}

static struct tas_bytes skip(struct tas_bytes b, size_t n) {
    return tas_bytes_of(b.len ? b.ptr + n : b.ptr, b.len - n);
}

/* Cuts off what is before the next `end`, which is taken away too; all when there is none. */
static struct tas_bytes cut(struct tas_bytes *rest, uint8_t end) {
    const uint8_t *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
    struct tas_bytes part = tas_bytes_of(rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len);
    *rest = skip(*rest, at ? part.len + 1 : part.len);
    return part;
}

static bool next_line(struct tas_bytes *rest, struct tas_bytes *line) {
    if (rest->len == 0)
        return false;
    *line = cut(rest, '\n');
    return true;
}

static struct tas_bytes trim(struct tas_bytes b) {
    while (b.len > 0 && is_space(b.ptr[0]))
        b = skip(b, 1);
    while (b.len > 0 && is_space(b.ptr[b.len - 1]))
        b.len--;
    return b;
}

static struct tas_bytes next_word(struct tas_bytes *rest) {
    *rest = trim(*rest);
    size_t len = 0;
    while (len < rest->len && !is_space(rest->ptr[len]))
        len++;
    struct tas_bytes word = tas_bytes_of(rest->ptr, len);
    *rest = skip(*rest, len);
    return word;
}

static bool is_text(struct tas_bytes b, const char *text) {
    return tas_bytes_equal(b, tas_bytes_of(text, strlen(text)));
}

static bool begins(struct tas_bytes b, const char *text) {
    return b.len >= strlen(text) && memcmp(b.ptr, text, strlen(text)) == 0;
}

/* The number at the beginning, -1 when there is none or it is too large. */
static int64_t number(struct tas_bytes b) {
    int64_t n = 0;
    size_t i = 0;
    for (; i < b.len && b.ptr[i] >= '0' && b.ptr[i] <= '9'; i++) {
        if (n > INT64_MAX / 100)
            return -1;
        n = n * 10 + (b.ptr[i] - '0');
    }
    return i > 0 ? n : -1;
}

/* What stands behind "key" and blanks and `separator` in the first line that begins so. */
static struct tas_bytes after(struct tas_bytes text, const char *key, uint8_t separator) {
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        if (!begins(line, key))
            continue;
        struct tas_bytes rest = trim(skip(line, strlen(key)));
        if (rest.len > 0 && rest.ptr[0] == separator)
            return trim(skip(rest, 1));
    }
    return (struct tas_bytes){0};
}

struct tas_bytes tas_device_value(struct tas_bytes text, const char *key) {
    struct tas_bytes value = after(text, key, '=');
    uint8_t quote = value.len > 1 ? value.ptr[0] : 0;
    if ((quote == '"' || quote == '\'') && value.ptr[value.len - 1] == quote)
        return tas_bytes_of(value.ptr + 1, value.len - 2);
    return value;
}

/* ---- members ---- */

void tas_device_os(struct tas_json *object, struct tas_bytes text) {
    struct tas_bytes name = tas_device_value(text, "PRETTY_NAME");
    tas_device_set(object, "os", name.len ? name : tas_device_value(text, "NAME"));
    tas_device_set(object, "os_version", tas_device_value(text, "VERSION_ID"));
}

void tas_device_cpu(struct tas_json *object, struct tas_bytes text) {
    /* x86, then ARM, POWER, MIPS, s390 */
    static const char *const keys[] = {"model name", "Processor", "cpu",
                                       "cpu model",  "Hardware",  "vendor_id"};
    struct tas_bytes name = {0};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && name.len == 0; i++)
        name = after(text, keys[i], ':');
    tas_device_set(object, "cpu", name);
}

static void set_kib(struct tas_json *object, const char *name, struct tas_bytes kib) {
    int64_t n = number(kib);
    if (n >= 0)
        tas_json_set_int(object, name, n / 1024);
}

void tas_device_memory(struct tas_json *object, struct tas_bytes text) {
    struct tas_bytes available = after(text, "MemAvailable", ':');
    set_kib(object, "memory_mib", after(text, "MemTotal", ':'));
    set_kib(object, "memory_free_mib", available.len ? available : after(text, "MemFree", ':'));
}

void tas_device_uptime(struct tas_json *object, struct tas_bytes text) {
    int64_t seconds = number(text);
    if (seconds >= 0)
        tas_json_set_int(object, "uptime_s", seconds);
}

struct tas_bytes tas_device_user(struct tas_bytes text, unsigned long uid) {
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        struct tas_bytes name = cut(&line, ':');
        cut(&line, ':');
        struct tas_bytes id = cut(&line, ':');
        if (name.len > 0 && id.len > 0 && number(id) == (int64_t)uid)
            return name;
    }
    return (struct tas_bytes){0};
}

void tas_device_keyboard(struct tas_json *object, struct tas_bytes rules) {
    static const char *const names[] = {NULL, "model", "layout", "variant", "options"}; /* the first: rules */
    struct tas_json *keyboard = tas_json_object();
    bool has_any = !keyboard; /* no memory: break the object too */
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct tas_bytes text = cut(&rules, 0);
        has_any |= names[i] && text.len > 0;
        if (names[i])
            tas_device_set(keyboard, names[i], text);
    }
    if (has_any)
        tas_json_set(object, "keyboard_layout", keyboard);
    else
        tas_json_free(keyboard);
}

/* ---- sound, printers, batteries ---- */

/* " 0 [PCH            ]: HDA-Intel - HDA Intel PCH", then a line of details. */
void tas_device_sound(struct tas_device_list *list, struct tas_bytes text) {
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        const uint8_t *end = line.len ? memmem(line.ptr, line.len, "]: ", 3) : NULL;
        if (!end || number(trim(line)) < 0)
            continue;
        struct tas_bytes name = skip(line, (size_t)(end - line.ptr) + 3);
        const uint8_t *dash = name.len ? memmem(name.ptr, name.len, " - ", 3) : NULL;
        tas_device_list_add_text(list, dash ? skip(name, (size_t)(dash - name.ptr) + 3) : name);
    }
}

/* "<Printer NAME>" and "<DefaultPrinter NAME>" to "</...>"; the address stays here: it may hold a password.
 */
void tas_device_printers(struct tas_device_list *list, struct tas_bytes text) {
    static const char *const members[][2] = {
        {"Info", "description"}, {"MakeModel", "model"}, {"Location", "location"}};
    struct tas_json *printer = NULL;
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        struct tas_bytes word = next_word(&line);
        bool is_default = is_text(word, "<DefaultPrinter");
        if (begins(word, "<") && printer) {
            tas_device_list_add(list, printer);
            printer = NULL;
        }
        if (is_default || is_text(word, "<Printer")) {
            struct tas_bytes name = trim(line);
            printer = tas_json_object();
            tas_device_set(printer, "name", cut(&name, '>'));
            if (is_default)
                tas_json_set_bool(printer, "is_default", true);
        }
        for (size_t i = 0; printer && i < 3; i++)
            if (is_text(word, members[i][0]))
                tas_device_set(printer, members[i][1], line);
    }
    if (printer)
        tas_device_list_add(list, printer);
}

/* "name|description:rm=host:rp=name:" */
void tas_device_printcap(struct tas_device_list *list, struct tas_bytes text) {
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        if (line.len == 0 || line.ptr[0] == '#' || is_space(line.ptr[0]))
            continue;
        struct tas_bytes names = cut(&line, ':');
        struct tas_json *printer = tas_json_object();
        tas_device_set(printer, "name", cut(&names, '|'));
        tas_device_set(printer, "description", names);
        tas_device_list_add(list, printer);
    }
}

/* "Default name/instance option=value", "Dest name ..." */
void tas_device_lpoptions(struct tas_device_list *list, struct tas_bytes text) {
    struct tas_bytes line;
    while (next_line(&text, &line)) {
        struct tas_bytes word = next_word(&line);
        bool is_default = is_text(word, "Default");
        struct tas_bytes name = next_word(&line);
        if ((!is_default && !is_text(word, "Dest")) || name.len == 0)
            continue;
        struct tas_json *printer = tas_json_object();
        tas_device_set(printer, "name", name);
        if (is_default)
            tas_json_set_bool(printer, "is_default", true);
        tas_device_list_add(list, printer);
    }
}

void tas_device_battery(struct tas_device_list *list, struct tas_bytes text) {
    bool is_battery = is_text(tas_device_value(text, "POWER_SUPPLY_TYPE"), "Battery");
    bool is_of_mouse = is_text(tas_device_value(text, "POWER_SUPPLY_SCOPE"), "Device");
    if (!is_battery || is_of_mouse || is_text(tas_device_value(text, "POWER_SUPPLY_PRESENT"), "0"))
        return;
    struct tas_json *battery = tas_json_object();
    int64_t percent = number(tas_device_value(text, "POWER_SUPPLY_CAPACITY"));
    tas_device_set(battery, "name", tas_device_value(text, "POWER_SUPPLY_NAME"));
    if (percent >= 0 && percent <= 100)
        tas_json_set_int(battery, "percent", percent);
    tas_device_set(battery, "status", tas_device_value(text, "POWER_SUPPLY_STATUS"));
    tas_device_list_add(list, battery);
}

/* ---- graphics cards and monitors ---- */

static bool is_hex(struct tas_bytes b) {
    for (size_t i = 0; i < b.len; i++)
        if (!strchr("0123456789abcdef", b.ptr[i] | 0x20) || b.ptr[i] == 0)
            return false;
    return b.len == 4;
}

/* Does the line begin with these four digits in either case? */
static bool has_id(struct tas_bytes line, struct tas_bytes id) {
    if (line.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        if ((line.ptr[i] | 0x20) != (id.ptr[i] | 0x20))
            return false;
    return true;
}

/* "8086  Intel Corporation" and below it "\t3e92  CoffeeLake-S GT2". Each is cut out of ids, empty when it is
 * not there. */
static void look_up(struct tas_bytes ids, const struct tas_bytes id[2], struct tas_bytes out[2]) {
    struct tas_bytes line;
    bool is_maker = false;
    while (next_line(&ids, &line)) {
        bool is_below = line.len > 0 && line.ptr[0] == '\t';
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        if (!is_below && is_maker)
            return;
        if (!is_below && has_id(line, id[0])) {
            is_maker = true;
            out[0] = trim(skip(line, 4));
        } else if (is_below && is_maker && has_id(skip(line, 1), id[1])) {
            out[1] = trim(skip(line, 5));
            return;
        }
    }
}

static void add_joined(struct tas_device_list *list, struct tas_bytes a, struct tas_bytes b) {
    uint8_t text[2 * TAS_DEVICE_TEXT + 1];
    struct tas_writer w = tas_writer_of(text, sizeof(text));
    tas_write_bytes(&w, a.ptr, a.len < TAS_DEVICE_TEXT ? a.len : TAS_DEVICE_TEXT);
    tas_write_u8(&w, ' ');
    tas_write_bytes(&w, b.ptr, b.len < TAS_DEVICE_TEXT ? b.len : TAS_DEVICE_TEXT);
    tas_device_list_add_text(list, tas_bytes_of(text, w.len));
}

void tas_device_graphics(struct tas_device_list *list, struct tas_bytes uevent, struct tas_bytes ids) {
    struct tas_bytes pci = tas_device_value(uevent, "PCI_ID");
    struct tas_bytes id[2];
    struct tas_bytes names[2] = {{0}};
    struct tas_bytes rest = pci;
    id[0] = cut(&rest, ':');
    id[1] = rest;
    if (!is_hex(id[0]) || !is_hex(id[1])) {
        tas_device_list_add_text(list, tas_device_value(uevent, "DRIVER"));
        return;
    }
    look_up(ids, id, names);
    if (names[0].len == 0)
        tas_device_list_add_text(list, pci);
    else
        add_joined(list, names[0], names[1].len ? names[1] : pci);
}

/* VESA E-EDID 3.10: four descriptors of 18 bytes from byte 54 on; tag FC: a name, ended by a line feed. */
struct tas_bytes tas_device_edid_name(struct tas_bytes edid) {
    static const uint8_t magic[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t tag[5] = {0, 0, 0, 0xfc, 0};
    if (edid.len < 128 || memcmp(edid.ptr, magic, sizeof(magic)) != 0)
        return (struct tas_bytes){0};
    for (size_t at = 54; at < 126; at += 18) {
        struct tas_bytes name = tas_bytes_of(edid.ptr + at + sizeof(tag), 18 - sizeof(tag));
        if (memcmp(edid.ptr + at, tag, sizeof(tag)) == 0)
            return cut(&name, '\n');
    }
    return (struct tas_bytes){0};
}

/* ---- mounts ---- */

struct entry {
    struct tas_bytes device, path, type;
};

/* Only whole lines: half a path is another path. */
static bool next_entry(struct tas_bytes *text, struct entry *out) {
    while (text->len > 0 && memchr(text->ptr, '\n', text->len)) {
        struct tas_bytes line = cut(text, '\n');
        out->device = next_word(&line);
        out->path = next_word(&line);
        out->type = next_word(&line);
        if (out->type.len > 0)
            return true;
    }
    return false;
}

static bool is_remote(const struct entry *e) {
    static const char *const types[] = {"nfs",   "nfs4",   "cifs",     "smb3",      "smbfs",
                                        "ncpfs", "afs",    "ceph",     "coda",      "9p",
                                        "davfs", "lustre", "orangefs", "glusterfs", "autofs"};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (is_text(e->type, types[i]))
            return true;
    bool is_address =
        begins(e->device, "//") || (e->device.len > 0 && memmem(e->device.ptr, e->device.len, ":/", 2));
    return is_address || begins(e->type, "fuse.") || is_text(e->type, "fuse");
}

static bool is_disk(const struct entry *e) {
    if (is_remote(e) || is_text(e->type, "squashfs") || begins(e->device, "/dev/loop"))
        return false;
    return begins(e->device, "/dev/") || is_text(e->type, "zfs");
}

static bool is_below(struct tas_bytes path, struct tas_bytes folder) {
    if (folder.len == 0 || path.len < folder.len || memcmp(path.ptr, folder.ptr, folder.len) != 0)
        return false;
    return path.len == folder.len || folder.ptr[folder.len - 1] == '/' || path.ptr[folder.len] == '/';
}

/* Does the way to `path` lead through some remote file system? */
static bool is_below_remote(struct tas_bytes text, struct tas_bytes path) {
    struct entry e;
    while (next_entry(&text, &e))
        if (is_below(path, e.path) && is_remote(&e))
            return true;
    return false;
}

/* \040 is a blank: the kernel writes blanks, tabs, line feeds and backslashes so. False: too long. */
static bool decode_path(char out[TAS_DEVICE_PATH], struct tas_bytes path) {
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        unsigned c = path.ptr[i];
        if (c == '\\' && path.len - i > 3) {
            char digits[4] = {(char)path.ptr[i + 1], (char)path.ptr[i + 2], (char)path.ptr[i + 3], 0};
            char *end;
            unsigned long value = strtoul(digits, &end, 8);
            if (end == digits + 3 && value > 0 && value < 256) {
                c = (unsigned)value;
                i += 3;
            }
        }
        if (c == 0 || len == TAS_DEVICE_PATH - 1)
            return false;
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return len > 0 && out[0] == '/';
}

static bool is_known(const struct tas_device_mount *list, size_t n, struct tas_bytes device) {
    for (size_t i = 0; i < n; i++)
        if (tas_bytes_equal(list[i].device, device))
            return true;
    return false;
}

size_t tas_device_mounts(struct tas_device_mount out[TAS_DEVICE_MOUNTS], struct tas_bytes text,
                         size_t *more) {
    struct tas_bytes rest = text;
    struct entry e;
    size_t n = 0;
    *more = 0;
    while (next_entry(&rest, &e)) {
        if (!is_disk(&e) || is_known(out, n, e.device))
            continue;
        if (n == TAS_DEVICE_MOUNTS) {
            (*more)++;
        } else if (!is_below_remote(text, e.path) && decode_path(out[n].path, e.path)) {
            out[n].device = e.device;
            out[n].type = e.type;
            n++;
        }
    }
    return n;
}
