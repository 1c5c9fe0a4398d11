/* The formats in which Linux tells of the machine: bytes in, members or list items out. No I/O. The bytes are
 * not trusted; lines may be cut at the end. Nothing is set for what is not there. */
#pragma once

#include "client/linux/device_text_private.h"

struct ifaddrs;

/* The value of a line KEY=value, without the shell's quotes (os-release(5), uevent files, locale.conf);
 * borrowed, escapes as they are. Empty: no such key. */
struct tas_bytes tas_device_value(struct tas_bytes text, const char *key);

/* /etc/os-release: os, os_version. */
void tas_device_os(struct tas_json *object, struct tas_bytes text);
/* /proc/cpuinfo: cpu. */
void tas_device_cpu(struct tas_json *object, struct tas_bytes text);
/* /proc/meminfo: memory_mib, memory_free_mib. */
void tas_device_memory(struct tas_json *object, struct tas_bytes text);
/* /proc/uptime: uptime_s. */
void tas_device_uptime(struct tas_json *object, struct tas_bytes text);
/* /etc/passwd: the name of the user with that number; borrowed, empty: not there. */
struct tas_bytes tas_device_user(struct tas_bytes text, unsigned long uid);
/* _XKB_RULES_NAMES, five texts ended by NULs: an object keyboard_layout. */
void tas_device_keyboard(struct tas_json *object, struct tas_bytes rules);

/* /proc/asound/cards: texts. */
void tas_device_sound(struct tas_device_list *list, struct tas_bytes text);
/* /etc/cups/printers.conf, /run/cups/printcap, lpoptions: name, description, model, location, is_default. */
void tas_device_printers(struct tas_device_list *list, struct tas_bytes text);
void tas_device_printcap(struct tas_device_list *list, struct tas_bytes text);
void tas_device_lpoptions(struct tas_device_list *list, struct tas_bytes text);
/* uevent of a power supply: name, percent, status; nothing when it is no battery of the machine itself. */
void tas_device_battery(struct tas_device_list *list, struct tas_bytes text);
/* All addresses of the machine: name, mac, addresses, is_up; those with addresses first, without the
 * loopback. */
void tas_device_adapters(struct tas_device_list *list, const struct ifaddrs *all);

/* uevent of a graphics card; ids: pci.ids(5), may be empty: a text. */
void tas_device_graphics(struct tas_device_list *list, struct tas_bytes uevent, struct tas_bytes ids);

/* The monitor's own name in its first EDID block; borrowed, empty: it has none. */
struct tas_bytes tas_device_edid_name(struct tas_bytes edid);

enum { TAS_DEVICE_MOUNTS = 32, TAS_DEVICE_PATH = 256 };

struct tas_device_mount {
    char path[TAS_DEVICE_PATH];    /* as the system calls want it */
    struct tas_bytes device, type; /* borrowed */
};

/* /proc/self/mounts: file systems on disks of this machine, each disk once, none whose path leads through a
 * network: asking for those may block. Returns how many were written; *more: how many there was no place for.
 */
size_t tas_device_mounts(struct tas_device_mount out[TAS_DEVICE_MOUNTS], struct tas_bytes text, size_t *more);
