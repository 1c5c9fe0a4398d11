#include "client/device.h"

#include "client/linux/device_parse_private.h"
#include "client/linux/device_private.h"
#include "client/x11/about.h"

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Bytes of JSON that each list may take; with sixteen texts of at most 2 * TAS_DEVICE_TEXT and a few numbers
 * the whole stays below TAS_DEVICE_JSON_MAX. */
enum {
    DISKS_ROOM = 2000,
    DISPLAYS_ROOM = 1500,
    GRAPHICS_ROOM = 600,
    SOUND_ROOM = 600,
    NETWORK_ROOM = 2400,
    PRINTERS_ROOM = 1800,
    BATTERIES_ROOM = 500,
    ANTIVIRUS_ROOM = 500,
};

enum {
    FILE_MAX = 16 * 1024,
    TABLE_MAX = 256 * 1024,        /* passwd, mounts, printers.conf */
    PCI_IDS_MAX = 4 * 1024 * 1024, /* 1.3 MB as of 2023 */
    ENTRIES_MAX = 64,              /* of one folder in /sys */
};

struct collector {
    const char *root;
    struct tas_json *object, *more;
    bool is_out_of_memory;
};

/* ---- reading ---- */

/* A file, or its first `max` bytes. */
struct file {
    uint8_t *mem; /* owned */
    struct tas_bytes bytes;
};

static size_t read_up_to(int fd, uint8_t *mem, size_t max) {
    size_t len = 0;
    ssize_t n;
    while (len < max && (n = read(fd, mem + len, max - len)) > 0)
        len += (size_t)n;
    return len;
}

static bool put_below(char out[PATH_MAX], const struct collector *c, const char *path) {
    return snprintf(out, PATH_MAX, "%s%s", c->root, path) < PATH_MAX;
}

/* Empty when it cannot be read. What is no regular file is left alone: a pipe would block. */
static struct file read_file(struct collector *c, size_t max, const char *path) {
    char whole[PATH_MAX];
    struct file f = {0};
    struct stat st;

    if (!put_below(whole, c, path))
        return f;
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return f;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        f.mem = malloc(max);
        c->is_out_of_memory |= !f.mem;
        f.bytes = tas_bytes_of(f.mem, f.mem ? read_up_to(fd, f.mem, max) : 0);
    }
    close(fd);
    return f;
}

/* Sets a member to what stands in a file of one line. */
static void set_file(struct collector *c, struct tas_json *object, const char *name, const char *path) {
    struct file f = read_file(c, FILE_MAX, path);
    tas_device_set(object, name, f.bytes);
    free(f.mem);
}

static void parse_file(struct collector *c, size_t max, const char *path,
                       void (*parse)(struct tas_json *, struct tas_bytes)) {
    struct file f = read_file(c, max, path);
    parse(c->object, f.bytes);
    free(f.mem);
}

/* Was there anything in it? */
static bool list_file(struct collector *c, const char *path, struct tas_device_list *list,
                      void (*parse)(struct tas_device_list *, struct tas_bytes)) {
    struct file f = read_file(c, TABLE_MAX, path);
    bool has_any = f.bytes.len > 0;
    parse(list, f.bytes);
    free(f.mem);
    return has_any;
}

static void give(struct collector *c, struct tas_device_list *list, const char *name) {
    tas_device_list_give(list, c->object, c->more, name);
}

/* Calls with the path of each entry's `file`; the order is the kernel's. */
static void each_in(struct collector *c, const char *folder, const char *file,
                    void (*call)(struct collector *, const char *name, const char *path, void *), void *ctx) {
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *dir = put_below(path, c, folder) ? opendir(path) : NULL;
    for (int i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", folder, entry->d_name, file);
        call(c, entry->d_name, path, ctx);
    }
    if (dir)
        closedir(dir);
}

/* ---- who and what ---- */

/* The user database may be in a network (NSS), which may not answer: its file has to do. */
static void about_user(struct collector *c) {
    struct file passwd = read_file(c, TABLE_MAX, "/etc/passwd");
    struct tas_bytes name = tas_device_user(passwd.bytes, getuid());
    const char *env = getenv("USER");
    char number[24];
    snprintf(number, sizeof(number), "%lu", (unsigned long)getuid());
    if (name.len == 0 && env)
        name = tas_bytes_of(env, strlen(env));
    if (name.len == 0)
        name = tas_bytes_of(number, strlen(number));
    tas_device_set(c->object, "user", name);
    free(passwd.mem);
}

/* Lenovo has the name that people know as the version, and a number as the name. */
static void about_model(struct collector *c) {
    set_file(c, c->object, "machine", "/proc/sys/kernel/hostname");
    about_user(c);
    set_file(c, c->object, "maker", "/sys/class/dmi/id/sys_vendor");
    const char *maker = tas_json_get_text(c->object, "maker");
    bool is_lenovo = maker && strcmp(maker, "LENOVO") == 0;
    set_file(c, c->object, "model",
             is_lenovo ? "/sys/class/dmi/id/product_version" : "/sys/class/dmi/id/product_name");
    if (!tas_json_get_text(c->object, "model")) /* ARM boards */
        set_file(c, c->object, "model", "/sys/firmware/devicetree/base/model");
}

static void about_bios(struct collector *c) {
    struct tas_json *bios = tas_json_object();
    c->is_out_of_memory |= !bios;
    set_file(c, bios, "vendor", "/sys/class/dmi/id/bios_vendor");
    set_file(c, bios, "version", "/sys/class/dmi/id/bios_version");
    set_file(c, bios, "date", "/sys/class/dmi/id/bios_date");
    if (tas_json_get(bios, "vendor") || tas_json_get(bios, "version") || tas_json_get(bios, "date"))
        tas_json_set(c->object, "bios", bios);
    else
        tas_json_free(bios);
}

static void about_system(struct collector *c) {
    struct utsname u;
    char kernel[sizeof(u.sysname) + sizeof(u.release) + sizeof(u.machine)];
    parse_file(c, FILE_MAX, "/etc/os-release", tas_device_os);
    if (uname(&u) == 0) {
        snprintf(kernel, sizeof(kernel), "%s %s %s", u.sysname, u.release, u.machine);
        tas_device_set(c->object, "kernel", tas_bytes_of(kernel, strlen(kernel)));
    }
    parse_file(c, FILE_MAX, "/proc/cpuinfo", tas_device_cpu);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (n > 0)
        tas_json_set_int(c->object, "cpu_threads", n);
    parse_file(c, FILE_MAX, "/proc/meminfo", tas_device_memory);
    parse_file(c, FILE_MAX, "/proc/uptime", tas_device_uptime);
}

static void about_locale(struct collector *c) {
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    static const char *const files[] = {"/etc/default/locale", "/etc/locale.conf"};
    const char *env = NULL;
    for (size_t i = 0; i < 3 && (!env || !*env); i++)
        env = getenv(variables[i]);
    if (env && *env) {
        tas_device_set(c->object, "locale", tas_bytes_of(env, strlen(env)));
        return;
    }
    for (size_t i = 0; i < 2 && !tas_json_get(c->object, "locale"); i++) {
        struct file f = read_file(c, FILE_MAX, files[i]);
        tas_device_set(c->object, "locale", tas_device_value(f.bytes, "LANG"));
        free(f.mem);
    }
}

/* ---- disks ---- */

static int64_t mib(uint64_t blocks, uint64_t block_size) {
    return (int64_t)(blocks / 1024 * block_size /
                     1024); /* of file systems whose blocks are counted in exabytes, too */
}

static void add_disk(struct collector *c, struct tas_device_list *list, const struct tas_device_mount *m) {
    char path[PATH_MAX];
    struct statvfs st;
    struct tas_json *disk = tas_json_object();
    tas_device_set(disk, "path", tas_bytes_of(m->path, strlen(m->path)));
    tas_device_set(disk, "device", m->device);
    tas_device_set(disk, "type", m->type);
    if (put_below(path, c, m->path) && statvfs(path, &st) == 0) {
        tas_json_set_int(disk, "total_mib", mib(st.f_blocks, st.f_frsize));
        tas_json_set_int(disk, "free_mib", mib(st.f_bavail, st.f_frsize));
    }
    tas_device_list_add(list, disk);
}

static void about_disks(struct collector *c) {
    struct tas_device_list list = tas_device_list_of(DISKS_ROOM);
    struct tas_device_mount mounts[TAS_DEVICE_MOUNTS];
    struct file f = read_file(c, TABLE_MAX, "/proc/self/mounts");
    size_t more;
    size_t n = tas_device_mounts(mounts, f.bytes, &more);
    for (size_t i = 0; i < n; i++)
        add_disk(c, &list, &mounts[i]);
    list.more += (int64_t)more;
    give(c, &list, "disks");
    free(f.mem);
}

/* ---- displays and keyboard, graphics, sound ---- */

static void add_display(struct tas_device_list *list, const struct tas_x11_display *d) {
    struct tas_json *display = tas_json_object();
    tas_device_set(display, "name", tas_bytes_of(d->name, d->name_len));
    tas_device_set(display, "model", tas_device_edid_name(tas_bytes_of(d->edid, d->edid_len)));
    tas_json_set_int(display, "x", d->x);
    tas_json_set_int(display, "y", d->y);
    tas_json_set_int(display, "width", d->width);
    tas_json_set_int(display, "height", d->height);
    if (d->width_mm > 0 && d->height_mm > 0) {
        tas_json_set_int(display, "width_mm", d->width_mm);
        tas_json_set_int(display, "height_mm", d->height_mm);
    }
    if (d->is_primary)
        tas_json_set_bool(display, "is_primary", true);
    tas_device_list_add(list, display);
}

static void about_x11(struct collector *c, const char *display) {
    struct tas_x11_about about;
    if (!tas_x11_about(&about, display))
        return;
    struct tas_device_list list = tas_device_list_of(DISPLAYS_ROOM);
    for (size_t i = 0; i < about.n_displays; i++)
        add_display(&list, &about.displays[i]);
    list.more += (int64_t)about.n_more;
    give(c, &list, "displays");
    tas_device_keyboard(c->object, tas_bytes_of(about.rules, about.rules_len));
}

struct cards {
    struct tas_device_list list;
    struct tas_bytes ids;
};

static void add_card(struct collector *c, const char *name, const char *path, void *ctx) {
    struct cards *cards = ctx;
    if (strncmp(name, "card", 4) != 0 || name[4 + strspn(name + 4, "0123456789")] != '\0')
        return; /* its outputs: "card0-HDMI-A-1" */
    struct file f = read_file(c, FILE_MAX, path);
    tas_device_graphics(&cards->list, f.bytes, cards->ids);
    free(f.mem);
}

static void about_graphics(struct collector *c) {
    struct cards cards = {.list = tas_device_list_of(GRAPHICS_ROOM)};
    struct file ids = read_file(c, PCI_IDS_MAX, "/usr/share/misc/pci.ids");
    if (!ids.mem)
        ids = read_file(c, PCI_IDS_MAX, "/usr/share/hwdata/pci.ids");
    cards.ids = ids.bytes;
    each_in(c, "/sys/class/drm", "device/uevent", add_card, &cards);
    give(c, &cards.list, "graphics");
    free(ids.mem);
}

static void about_sound(struct collector *c) {
    struct tas_device_list list = tas_device_list_of(SOUND_ROOM);
    list_file(c, "/proc/asound/cards", &list, tas_device_sound);
    give(c, &list, "sound");
}

/* ---- network, printers, batteries, antivirus ---- */

static void about_network(struct collector *c) {
    struct tas_device_list list = tas_device_list_of(NETWORK_ROOM);
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) == 0) {
        tas_device_adapters(&list, all);
        freeifaddrs(all);
    }
    give(c, &list, "network");
}

/* The first is for root only; the others know less. */
static void about_printers(struct collector *c) {
    struct tas_device_list list = tas_device_list_of(PRINTERS_ROOM);
    const char *home = getenv("HOME");
    char own[PATH_MAX] = "";
    if (home && snprintf(own, sizeof(own), "%s/.cups/lpoptions", home) >= (int)sizeof(own))
        own[0] = '\0';
    if (!list_file(c, "/etc/cups/printers.conf", &list, tas_device_printers) &&
        !list_file(c, "/run/cups/printcap", &list, tas_device_printcap) &&
        (own[0] == '\0' || !list_file(c, own, &list, tas_device_lpoptions)))
        list_file(c, "/etc/cups/lpoptions", &list, tas_device_lpoptions);
    give(c, &list, "printers");
}

static void add_battery(struct collector *c, const char *name, const char *path, void *ctx) {
    (void)name;
    struct tas_device_list *list = ctx;
    struct file f = read_file(c, FILE_MAX, path);
    tas_device_battery(list, f.bytes);
    free(f.mem);
}

static void about_batteries(struct collector *c) {
    struct tas_device_list list = tas_device_list_of(BATTERIES_ROOM);
    each_in(c, "/sys/class/power_supply", "uevent", add_battery, &list);
    give(c, &list, "batteries");
}

/* Known by where they are installed: whether they run, and how new they are, only they could say. */
static void about_antivirus(struct collector *c) {
    static const char *const known[][2] = {
        {"ClamAV", "/usr/sbin/clamd"},
        {"ClamAV", "/usr/bin/clamscan"},
        {"Microsoft Defender", "/opt/microsoft/mdatp"},
        {"CrowdStrike Falcon", "/opt/CrowdStrike"},
        {"SentinelOne", "/opt/sentinelone"},
        {"ESET", "/opt/eset"},
        {"Sophos", "/opt/sophos-spl"},
        {"Sophos", "/opt/sophos-av"},
        {"Trend Micro", "/opt/ds_agent"},
        {"Trend Micro", "/opt/TrendMicro"},
        {"Trellix", "/opt/McAfee"},
        {"Kaspersky", "/opt/kaspersky"},
        {"Bitdefender", "/opt/bitdefender-security-tools"},
        {"WithSecure", "/opt/f-secure"},
        {"Cortex XDR", "/opt/traps"},
        {"Dr.Web", "/opt/drweb.com"},
    };
    struct tas_device_list list = tas_device_list_of(ANTIVIRUS_ROOM);
    const char *last = "";
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        char path[PATH_MAX];
        if (strcmp(last, known[i][0]) == 0 || !put_below(path, c, known[i][1]) || access(path, F_OK) != 0)
            continue;
        last = known[i][0];
        tas_device_list_add_text(&list, tas_bytes_of(last, strlen(last)));
    }
    give(c, &list, "antivirus");
}

/* ---- all of it ---- */

struct tas_json *tas_device_collect_below(const char *root, const char *display) {
    struct collector c = {.root = root, .object = tas_json_object(), .more = tas_json_object()};
    c.is_out_of_memory = !c.object || !c.more;
    about_model(&c);
    about_system(&c);
    about_disks(&c);
    about_bios(&c);
    about_x11(&c, display);
    about_graphics(&c);
    about_sound(&c);
    about_network(&c);
    about_printers(&c);
    about_locale(&c);
    about_batteries(&c);
    about_antivirus(&c);
    char *more = tas_json_dump(c.more);
    if (more && strcmp(more, "{}") == 0)
        tas_json_free(c.more);
    else
        tas_json_set(c.object, "more", c.more);
    free(more);
    char *text = tas_json_dump(c.object); /* NULL: something could not be stored */
    if (!text || strlen(text) > TAS_DEVICE_JSON_MAX || c.is_out_of_memory) {
        tas_json_free(c.object);
        c.object = NULL;
    }
    free(text);
    return c.object;
}

struct tas_json *tas_device_collect(const char *display) {
    return tas_device_collect_below("", display);
}
