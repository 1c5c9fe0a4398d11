/* The device information: the formats of Linux as machines have them, hostile ones, and the whole from a
 * made-up machine in a folder under /tmp. */
#include "client/linux/device_parse_private.h"
#include "client/linux/device_private.h"
#include "oom.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROOM = 2000 };

static struct tas_bytes text_of(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

static void expect_json(struct tas_json *json, const char *want) {
    char *text = tas_json_dump(json);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
    tas_json_free(json);
}

static void expect_members(void (*parse)(struct tas_json *, struct tas_bytes), const char *text,
                           const char *want) {
    struct tas_json *object = tas_json_object();
    parse(object, text_of(text));
    expect_json(object, want);
}

static void expect_items(void (*parse)(struct tas_device_list *, struct tas_bytes), const char *text,
                         const char *want) {
    struct tas_device_list list = tas_device_list_of(ROOM);
    parse(&list, text_of(text));
    assert_int_equal(list.more, 0);
    expect_json(list.items, want);
}

/* ---- text and lists ---- */

static void expect_clean(const char *raw, size_t len, const char *want) {
    char out[TAS_DEVICE_TEXT + 1];
    assert_int_equal(tas_device_clean(out, tas_bytes_of(raw, len)), want[0] != '\0');
    assert_string_equal(out, want);
}

static void text_becomes_plain_and_short(void **state) {
    char longest[300];
    char want[TAS_DEVICE_TEXT + 1];
    (void)state;
    expect_clean("", 0, "");
    expect_clean(" \t\r\n\0\x7f", 6, "");
    expect_clean("  Dell\t\tInc. \n", 14, "Dell Inc.");
    expect_clean("a\0b", 3, "a b");
    expect_clean("\xe6\x9d\xb1\xe8\x8a\x9d", 6, "\xe6\x9d\xb1\xe8\x8a\x9d");
    expect_clean("a\xff\xc3", 3, "a??");        /* no UTF-8 */
    expect_clean("a\xed\xa0\x80z", 5, "a???z"); /* a surrogate */
    expect_clean("a\xe2\x80\xae"
                 "b",
                 5, "ab"); /* right-to-left override */
    expect_clean("a\xc2\x85"
                 "b\xc2\xa0",
                 6, "a b"); /* next line, no-break space */
    memset(longest, '"', sizeof(longest));
    memset(want, '"', TAS_DEVICE_TEXT);
    want[TAS_DEVICE_TEXT] = '\0';
    expect_clean(longest, sizeof(longest), want);
    for (size_t i = 0; i < 300; i += 3)
        memcpy(longest + i, "\xe6\x9d\xb1", 3);
    longest[0] = longest[1] = longest[2] = 'a'; /* 96 is no whole number of the rest, then */
    expect_clean(longest + 1, 299, (memcpy(want, longest + 1, 95), want[95] = '\0', want));
}

static void what_makers_left_in_says_nothing(void **state) {
    struct tas_json *object = tas_json_object();
    (void)state;
    tas_device_set(object, "a", text_of("To Be Filled By O.E.M.\n"));
    tas_device_set(object, "b", text_of("Default string"));
    tas_device_set(object, "c", text_of(""));
    tas_device_set(object, "d", text_of("Nonesuch"));
    expect_json(object, "{\"d\":\"Nonesuch\"}");
}

static void a_list_is_cut_where_its_room_ends(void **state) {
    struct tas_json *object = tas_json_object();
    struct tas_json *more = tas_json_object();
    struct tas_device_list list = tas_device_list_of(30);
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct tas_json *item = tas_json_object();
        tas_json_set_text(item, "name", i ? "x" : "abc"); /* 14, 12 bytes and a comma */
        tas_device_list_add(&list, item);
    }
    tas_device_list_add_text(&list, text_of(""));  /* nothing: not counted */
    tas_device_list_add_text(&list, text_of("y")); /* after one that did not fit, none does */
    tas_device_list_give(&list, object, more, "list");
    expect_json(object, "{\"list\":[{\"name\":\"abc\"},{\"name\":\"x\"}]}");
    expect_json(more, "{\"list\":2}");
    list = tas_device_list_of(30);
    object = tas_json_object();
    tas_device_list_give(&list, object, NULL, "empty");
    expect_json(object, "{}");
}

/* ---- members ---- */

static void the_system_names_itself(void **state) {
    (void)state;
    expect_members(tas_device_os,
                   "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
                   "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\n",
                   "{\"os\":\"Debian GNU/Linux 12 (bookworm)\",\"os_version\":\"12\"}");
    expect_members(tas_device_os, "NAME='Arch Linux'\nVERSION_ID=\n", "{\"os\":\"Arch Linux\"}");
    expect_members(tas_device_os, "NAME=Void", "{\"os\":\"Void\"}");
    expect_members(tas_device_os, "XNAME=a\nNAMES=b\n=c\n\"", "{}");
    expect_members(tas_device_os, "NAME=\"\n", "{\"os\":\"\\\"\"}");
    expect_members(tas_device_os, "", "{}");
}

static void the_processor_is_named_once(void **state) {
    (void)state;
    expect_members(
        tas_device_cpu,
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 142\n"
        "model name\t: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz\nprocessor\t: 1\nmodel name\t: other\n",
        "{\"cpu\":\"Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz\"}");
    expect_members(tas_device_cpu, "processor\t: 0\nBogoMIPS\t: 108.00\nHardware\t: BCM2835\n",
                   "{\"cpu\":\"BCM2835\"}");
    expect_members(tas_device_cpu, "model name\nmodel name:", "{}");
}

static void memory_is_counted_in_mib(void **state) {
    (void)state;
    expect_members(tas_device_memory,
                   "MemTotal:        8009372 kB\nMemFree:          224512 kB\nMemAvailable:    4096000 kB\n",
                   "{\"memory_mib\":7821,\"memory_free_mib\":4000}");
    expect_members(tas_device_memory, "MemTotal: 2048 kB\nMemFree: 1024 kB\n",
                   "{\"memory_mib\":2,\"memory_free_mib\":1}");
    expect_members(tas_device_memory, "MemTotal: 99999999999999999999999 kB\nMemFree: -1 kB\n", "{}");
    expect_members(tas_device_uptime, "123456.78 654321.00\n", "{\"uptime_s\":123456}");
    expect_members(tas_device_uptime, "x", "{}");
}

static void users_are_found_by_number(void **state) {
    (void)state;
    struct tas_bytes passwd =
        text_of("root:x:0:0:root:/root:/bin/bash\n:x:7:::\nlp:x::7\nhanako:x:1000:1000:Hanako,,,:/home/"
                "hanako:/bin/bash\n+::");
    struct tas_bytes name = tas_device_user(passwd, 1000);
    assert_true(tas_bytes_equal(name, text_of("hanako")));
    assert_true(tas_bytes_equal(tas_device_user(passwd, 0), text_of("root")));
    assert_int_equal(tas_device_user(passwd, 7).len, 0);
    assert_int_equal(tas_device_user(passwd, 100).len, 0);
}

static void the_keyboard_layout_has_four_parts(void **state) {
    (void)state;
    static const char rules[] = "evdev\0pc105\0us,ru\0,phonetic\0grp:alt_shift_toggle";
    struct tas_json *object = tas_json_object();
    tas_device_keyboard(object, tas_bytes_of(rules, sizeof(rules)));
    expect_json(object, "{\"keyboard_layout\":{\"model\":\"pc105\",\"layout\":\"us,ru\",\"variant\":\","
                        "phonetic\",\"options\":"
                        "\"grp:alt_shift_toggle\"}}");
    object = tas_json_object();
    tas_device_keyboard(object, tas_bytes_of("evdev\0", 6));
    tas_device_keyboard(object, (struct tas_bytes){0});
    expect_json(object, "{}");
}

/* ---- lists ---- */

static void sound_cards_have_names(void **state) {
    (void)state;
    expect_items(tas_device_sound,
                 " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n"
                 "                      HDA Intel PCH at 0xf7f10000 irq 31\n"
                 " 1 [Headset        ]: USB-Audio - Jabra EVOLVE\n"
                 "                      GN Netcom at usb-0000:00:14.0-1, full speed\n",
                 "[\"HDA Intel PCH\",\"Jabra EVOLVE\"]");
    expect_items(tas_device_sound, "--- no soundcards ---\n", "[]");
    expect_items(tas_device_sound, " 0 [a]: b\n 1 [a]:\n2]: \n", "[\"b\"]");
}

static void printers_keep_their_addresses_for_themselves(void **state) {
    (void)state;
    expect_items(
        tas_device_printers,
        "# Printer configuration file for CUPS\n<DefaultPrinter Office>\nInfo Second floor\n"
        "Location Room 2\nMakeModel Brother HL-L2350DW\nDeviceURI ipp://user:secret@10.0.0.5/ipp\n"
        "State Idle\n</DefaultPrinter>\n<Printer Label>\nInfo\n</Printer>\n<Printer Open",
        "[{\"name\":\"Office\",\"is_default\":true,\"description\":\"Second floor\",\"location\":\"Room 2\","
        "\"model\":\"Brother HL-L2350DW\"},{\"name\":\"Label\"},{\"name\":\"Open\"}]");
    expect_items(tas_device_printers, "Info x\n</Printer>\n<\n<Printer\n", "[{}]");
    expect_items(tas_device_printcap,
                 "# This file was automatically generated by cupsd(8)\nOffice|Second "
                 "floor:rm=pc:rp=Office:\nLabel\n\n",
                 "[{\"name\":\"Office\",\"description\":\"Second floor\"},{\"name\":\"Label\"}]");
    expect_items(tas_device_lpoptions, "Default Office/duplex media=A4\nDest Label\nDest\nOther x\n",
                 "[{\"name\":\"Office/duplex\",\"is_default\":true},{\"name\":\"Label\"}]");
}

static void only_the_machines_own_batteries_count(void **state) {
    (void)state;
    expect_items(tas_device_battery,
                 "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_STATUS=Discharging\n"
                 "POWER_SUPPLY_PRESENT=1\nPOWER_SUPPLY_CAPACITY=87\nPOWER_SUPPLY_CAPACITY_LEVEL=Normal\n",
                 "[{\"name\":\"BAT0\",\"percent\":87,\"status\":\"Discharging\"}]");
    expect_items(tas_device_battery, "POWER_SUPPLY_NAME=AC\nPOWER_SUPPLY_TYPE=Mains\n", "[]");
    expect_items(tas_device_battery, "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_SCOPE=Device\n", "[]");
    expect_items(tas_device_battery, "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_PRESENT=0\n", "[]");
    expect_items(tas_device_battery, "POWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CAPACITY=101\n", "[{}]");
}

static void expect_graphics(const char *uevent, const char *ids, const char *want) {
    struct tas_device_list list = tas_device_list_of(ROOM);
    tas_device_graphics(&list, text_of(uevent), text_of(ids));
    expect_json(list.items, want);
}

static void graphics_cards_are_looked_up(void **state) {
    (void)state;
    static const char ids[] =
        "# list\n1002  AMD\n\t3e92  wrong maker\n8086  Intel Corporation\n\t0001  other\n"
        "\t3e92  CoffeeLake-S GT2 [UHD Graphics 630]\n\t\t1028 0869  a board\n"
        "9005  Adaptec\nC 03  Display controller\n";
    static const char intel[] = "DRIVER=i915\nPCI_CLASS=30000\nPCI_ID=8086:3E92\nPCI_SUBSYS_ID=1028:0869\n";
    expect_graphics(intel, ids, "[\"Intel Corporation CoffeeLake-S GT2 [UHD Graphics 630]\"]");
    expect_graphics(intel, "", "[\"8086:3E92\"]");
    expect_graphics("PCI_ID=8086:FFFF\n", ids, "[\"Intel Corporation 8086:FFFF\"]");
    expect_graphics("PCI_ID=9005:3E92\n", ids, "[\"Adaptec 9005:3E92\"]");
    expect_graphics("DRIVER=vc4-drm\nOF_NAME=gpu\n", ids, "[\"vc4-drm\"]");
    expect_graphics("PCI_ID=8086:3E9\nDRIVER=a\n", ids, "[\"a\"]");
    expect_graphics("", ids, "[]");
    expect_graphics(intel, "8086\n\t3e92", "[\"8086:3E92\"]");
    expect_graphics(intel, "8086 \n\n\t", "[\"8086:3E92\"]");
}

static void monitors_say_their_names(void **state) {
    (void)state;
    uint8_t edid[128] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t name[18] = {0,   0,   0,   0xfc, 0,    'D', 'E', 'L', 'L',
                                     ' ', 'U', '2', '4',  '\n', ' ', ' ', ' ', ' '};
    assert_int_equal(tas_device_edid_name(tas_bytes_of(edid, 128)).len, 0);
    memcpy(edid + 108, name, sizeof(name)); /* the last of the four */
    assert_true(tas_bytes_equal(tas_device_edid_name(tas_bytes_of(edid, 128)), text_of("DELL U24")));
    assert_int_equal(tas_device_edid_name(tas_bytes_of(edid, 127)).len, 0);
    memset(edid + 113, 'A', 13);
    assert_int_equal(tas_device_edid_name(tas_bytes_of(edid, 128)).len, 13); /* no line feed */
    edid[1] = 0;
    assert_int_equal(tas_device_edid_name(tas_bytes_of(edid, 128)).len, 0);
    assert_int_equal(tas_device_edid_name((struct tas_bytes){0}).len, 0);
}

/* ---- mounts ---- */

static void expect_mounts(const char *text, const char *want) {
    struct tas_device_mount mounts[TAS_DEVICE_MOUNTS];
    char *got = NULL;
    size_t len = 0;
    size_t more = 99;
    size_t n = tas_device_mounts(mounts, text_of(text), &more);
    FILE *out = open_memstream(&got, &len);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%.*s on %s;", (int)mounts[i].device.len, mounts[i].device.ptr, mounts[i].path);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(got, want);
    assert_int_equal(more, 0);
    free(got);
}

static void disks_are_told_from_everything_else(void **state) {
    (void)state;
    expect_mounts("sysfs /sys sysfs rw 0 0\n/dev/sda2 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n"
                  "/dev/sda1 /boot/efi vfat rw 0 0\n/dev/sda2 /var/lib/bind ext4 rw 0 0\n"
                  "/dev/loop3 /snap/core squashfs ro 0 0\n/dev/mapper/home /home btrfs rw 0 0\n"
                  "tank/data /tank zfs rw 0 0\n/dev/sdb1 /media/USB\\040STICK\\134 fuseblk rw 0 0\n"
                  "portal /run/user/1000/doc fuse.portal rw 0 0\n",
                  "/dev/sda2 on /;/dev/sda1 on /boot/efi;/dev/mapper/home on /home;tank/data on /tank;"
                  "/dev/sdb1 on /media/USB STICK\\;");
}

static void nothing_leads_through_a_network(void **state) {
    (void)state;
    expect_mounts(
        "/dev/sda1 / ext4 rw 0 0\nserver:/export /mnt/nfs nfs4 rw 0 0\n/dev/sdb1 /mnt/nfs/disk ext4 rw 0 0\n"
        "/dev/sdc1 /mnt/nfsdisk ext4 rw 0 0\n/dev/sdd1 /mnt/ssh/a ext4 rw 0 0\n"
        "me@host:/ /mnt/ssh fuse.sshfs rw 0 0\n//nas/share /mnt/smb smb4 rw 0 0\n"
        "/dev/sde1 /mnt/smb ext4 rw 0 0\nauto.home /home autofs rw 0 0\n/dev/sdf1 /home/a ext4 rw 0 0\n",
        "/dev/sda1 on /;/dev/sdc1 on /mnt/nfsdisk;");
    expect_mounts("10.0.0.1:/root / nfs rw 0 0\n/dev/sda1 /disk ext4 rw 0 0\n", "");
}

static void odd_mounts_are_left_out(void **state) {
    (void)state;
    char text[600];
    char path[300];
    expect_mounts("/dev/sda1 /half", "");
    expect_mounts("/dev/sda1 /\n/dev/sda1\n\n   \n", "");
    expect_mounts("/dev/sda1 relative ext4\n", "");
    expect_mounts("/dev/sda1 /a\\000b ext4\n", "/dev/sda1 on /a\\000b;"); /* stands for itself */
    expect_mounts("/dev/sda1 /a\\9 ext4\n/dev/sdb1 /b\\ ext4\n", "/dev/sda1 on /a\\9;/dev/sdb1 on /b\\;");
    memset(path, 'p', sizeof(path));
    snprintf(text, sizeof(text), "/dev/sda1 /%.255s ext4\n/dev/sdb1 /%.254s xfs\n", path, path);
    struct tas_device_mount mounts[TAS_DEVICE_MOUNTS];
    size_t more;
    assert_int_equal(tas_device_mounts(mounts, text_of(text), &more), 1);
    assert_int_equal(strlen(mounts[0].path), 255);
}

static void more_disks_than_places_are_counted(void **state) {
    (void)state;
    struct tas_device_mount mounts[TAS_DEVICE_MOUNTS];
    char text[4000] = "";
    size_t more = 0;
    for (size_t i = 0, len = 0; i < 40; i++, len = strlen(text))
        snprintf(text + len, sizeof(text) - len, "/dev/sd%zu /%zu ext4\n", i, i);
    assert_int_equal(tas_device_mounts(mounts, text_of(text), &more), TAS_DEVICE_MOUNTS);
    assert_int_equal(more, 8);
}

/* ---- network ---- */

static void adapters_with_addresses_come_first(void **state) {
    (void)state;
    static char lo[] = "lo";
    static char veth[] = "veth0";
    static char eth[] = "enp3s0";
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_ll ll = {
        .sll_family = AF_PACKET, .sll_halen = 6, .sll_addr = {0, 0x1b, 0x21, 0xaa, 0xbb, 0xcc}};
    inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr);
    inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr);
    struct ifaddrs all[] = {
        {.ifa_name = lo, .ifa_flags = IFF_UP | IFF_LOOPBACK, .ifa_addr = (struct sockaddr *)(void *)&v4},
        {.ifa_name = veth, .ifa_addr = (struct sockaddr *)(void *)&ll},
        {.ifa_name = eth, .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)(void *)&ll},
        {.ifa_name = eth, .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)(void *)&v4},
        {.ifa_name = eth, .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)(void *)&v6},
        {.ifa_name = eth, .ifa_flags = IFF_UP},
    };
    for (size_t i = 0; i + 1 < sizeof(all) / sizeof(*all); i++)
        all[i].ifa_next = &all[i + 1];
    struct tas_device_list list = tas_device_list_of(ROOM);
    tas_device_adapters(&list, all);
    expect_json(
        list.items,
        "[{\"name\":\"enp3s0\",\"mac\":\"00:1b:21:aa:bb:cc\",\"addresses\":[\"192.0.2.7\",\"fe80::1\"],"
        "\"is_up\":true},{\"name\":\"veth0\",\"mac\":\"00:1b:21:aa:bb:cc\",\"addresses\":[],\"is_up\":"
        "false}]");
    list = tas_device_list_of(ROOM);
    tas_device_adapters(&list, NULL);
    expect_json(list.items, "[]");
}

/* ---- a whole machine ---- */

static char root[64];

static void put(const char *path, const char *text) {
    char whole[300];
    snprintf(whole, sizeof(whole), "%s%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0755);
        *slash = '/';
    }
    FILE *f = fopen(whole, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void put_machine(void) {
    char line[200];
    put("/proc/sys/kernel/hostname", "pc-12\n");
    snprintf(line, sizeof(line), "other:x:%lu1::\nhanako:x:%lu:100::/:/bin/sh\n", (unsigned long)getuid(),
             (unsigned long)getuid());
    put("/etc/passwd", line);
    put("/sys/class/dmi/id/sys_vendor", "LENOVO\n");
    put("/sys/class/dmi/id/product_name", "20L5CTO1WW\n");
    put("/sys/class/dmi/id/product_version", "ThinkPad T480\n");
    put("/sys/class/dmi/id/bios_vendor", "LENOVO\n");
    put("/sys/class/dmi/id/bios_version", "N24ET76W (1.51 )\n");
    put("/sys/class/dmi/id/bios_date", "02/27/2024\n");
    put("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n");
    put("/proc/cpuinfo", "model name\t: Intel(R) Core(TM) i5-8350U CPU @ 1.70GHz\n");
    put("/proc/meminfo", "MemTotal: 8009372 kB\nMemAvailable: 4096000 kB\n");
    put("/proc/uptime", "3600.5 1\n");
    put("/proc/self/mounts", "/dev/nvme0n1p2 / ext4 rw 0 0\n");
    put("/sys/class/drm/card0/device/uevent", "DRIVER=i915\nPCI_ID=8086:5917\n");
    put("/sys/class/drm/card0-eDP-1/device/uevent", "PCI_ID=8086:5917\n");
    put("/usr/share/misc/pci.ids", "8086  Intel Corporation\n\t5917  UHD Graphics 620\n");
    put("/proc/asound/cards", " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n");
    put("/run/cups/printcap", "Office|Second floor:rm=pc:rp=Office:\n");
    put("/sys/class/power_supply/BAT0/uevent",
        "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CAPACITY=87\n");
    put("/etc/default/locale", "LANG=\"ja_JP.UTF-8\"\n");
    put("/usr/sbin/clamd", "");
    put("/usr/bin/clamscan", "");
    put("/opt/eset/x", "");
}

static int make_root(void **state) {
    (void)state;
    snprintf(root, sizeof(root), "/tmp/tasuki-device-XXXXXX");
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    setenv("HOME", "/nowhere", 1);
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int remove_root(void **state) {
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Of no display. */
static struct tas_json *collect(void) {
    struct tas_json *json = tas_device_collect_below(root, ":no");
    assert_non_null(json);
    return json;
}

static void expect_member(const struct tas_json *json, const char *name, const char *want) {
    char *text = tas_json_dump(tas_json_get(json, name));
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void a_machine_is_told_whole(void **state) {
    (void)state;
    put_machine();
    struct tas_json *json = collect();
    static const char *const want[][2] = {
        {"machine", "\"pc-12\""},
        {"user", "\"hanako\""},
        {"maker", "\"LENOVO\""},
        {"model", "\"ThinkPad T480\""},
        {"os", "\"Debian GNU/Linux 12 (bookworm)\""},
        {"os_version", "\"12\""},
        {"cpu", "\"Intel(R) Core(TM) i5-8350U CPU @ 1.70GHz\""},
        {"memory_mib", "7821"},
        {"memory_free_mib", "4000"},
        {"uptime_s", "3600"},
        {"bios", "{\"vendor\":\"LENOVO\",\"version\":\"N24ET76W (1.51 )\",\"date\":\"02/27/2024\"}"},
        {"graphics", "[\"Intel Corporation UHD Graphics 620\"]"},
        {"sound", "[\"HDA Intel PCH\"]"},
        {"printers", "[{\"name\":\"Office\",\"description\":\"Second floor\"}]"},
        {"batteries", "[{\"name\":\"BAT0\",\"percent\":87}]"},
        {"locale", "\"ja_JP.UTF-8\""},
        {"antivirus", "[\"ClamAV\",\"ESET\"]"},
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        expect_member(json, want[i][0], want[i][1]);
    const struct tas_json *disk = tas_json_at(tas_json_get(json, "disks"), 0);
    assert_string_equal(tas_json_get_text(disk, "path"), "/");
    assert_string_equal(tas_json_get_text(disk, "type"), "ext4");
    assert_true(tas_json_get_int(disk, "total_mib", -1) > 0);
    assert_true(tas_json_get_int(disk, "free_mib", -1) >= 0);
    assert_null(tas_json_get(json, "displays"));
    assert_null(tas_json_get(json, "more"));
    tas_json_free(json);
}

static void a_machine_that_says_nothing_is_told_too(void **state) {
    (void)state;
    struct tas_json *json = collect();
    assert_null(tas_json_get(json, "machine"));
    assert_null(tas_json_get(json, "disks"));
    assert_non_null(tas_json_get(json, "user")); /* the number */
    tas_json_free(json);
}

/* `count` lines, by turns made from the number of the line. */
static void put_many(const char *path, int count, const char *head, const char *tail) {
    static char text[300 * 1024];
    static char quotes[201];
    size_t len = 0;
    memset(quotes, '"', 200);
    for (int i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%d%s%s\n", head, i, quotes, tail);
    put(path, text);
}

/* All texts as long as they get, and many of everything: every quote costs two bytes. */
static void the_most_hostile_machine_keeps_to_the_limit(void **state) {
    (void)state;
    char path[64];
    static const char *const one_line[] = {
        "/proc/sys/kernel/hostname",     "/sys/class/dmi/id/sys_vendor",   "/sys/class/dmi/id/product_name",
        "/sys/class/dmi/id/bios_vendor", "/sys/class/dmi/id/bios_version", "/sys/class/dmi/id/bios_date",
    };
    for (size_t i = 0; i < sizeof(one_line) / sizeof(*one_line); i++)
        put_many(one_line[i], 3, "", "");
    put_many("/etc/os-release", 1, "NAME=", "");
    put_many("/proc/cpuinfo", 1, "model name : ", "");
    put_many("/proc/self/mounts", 200, "/dev/", " / ext4 rw 0 0");
    put_many("/proc/asound/cards", 200, "0]: ", "");
    put_many("/etc/cups/printers.conf", 200, "<Printer ", ">");
    put_many("/etc/locale.conf", 1, "LANG=", "");
    put_many("/usr/share/hwdata/pci.ids", 1, "8086 ", "");
    for (int i = 0; i < 70; i++) {
        snprintf(path, sizeof(path), "/sys/class/drm/card%d/device/uevent", i);
        put(path, "PCI_ID=8086:5917\n");
        snprintf(path, sizeof(path), "/sys/class/power_supply/%d/uevent", i);
        put(path, "POWER_SUPPLY_TYPE=Battery\n");
    }
    struct tas_json *json = collect();
    char *text = tas_json_dump(json);
    assert_non_null(text);
    assert_true(strlen(text) > 6000 &&
                strlen(text) <= TAS_DEVICE_JSON_MAX - 2000); /* 1500 of it are for displays */
    assert_true(tas_json_is_plain(json));
    assert_true(tas_json_depth(text_of(text)) <= 4);
    const struct tas_json *more = tas_json_get(json, "more");
    assert_int_equal(tas_json_get_int(more, "printers", 0),
                     200 - (int64_t)tas_json_len(tas_json_get(json, "printers")));
    assert_int_equal(tas_json_get_int(more, "disks", 0),
                     200 - (int64_t)tas_json_len(tas_json_get(json, "disks")));
    assert_true(tas_json_len(tas_json_get(json, "disks")) >= 4);
    free(text);
    tas_json_free(json);
}

static void a_pipe_in_place_of_a_file_blocks_nothing(void **state) {
    (void)state;
    char path[128];
    put("/etc/x", "");
    snprintf(path, sizeof(path), "%s/etc/passwd", root);
    assert_int_equal(mkfifo(path, 0644), 0);
    snprintf(path, sizeof(path), "%s/etc/os-release", root);
    assert_int_equal(symlink("/dev/zero", path), 0);
    tas_json_free(collect());
}

static void without_memory_there_is_nothing(void **state) {
    (void)state;
    put_machine();
    for (unsigned n = 1;; n++) {
        tas_oom_fail_at(n);
        struct tas_json *json = tas_device_collect_below(root, ":no");
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_int_equal(json == NULL, has_failed);
        tas_json_free(json);
        if (!has_failed)
            break;
    }
}

#define ROOTED(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_plain_and_short),
        cmocka_unit_test(what_makers_left_in_says_nothing),
        cmocka_unit_test(a_list_is_cut_where_its_room_ends),
        cmocka_unit_test(the_system_names_itself),
        cmocka_unit_test(the_processor_is_named_once),
        cmocka_unit_test(memory_is_counted_in_mib),
        cmocka_unit_test(users_are_found_by_number),
        cmocka_unit_test(the_keyboard_layout_has_four_parts),
        cmocka_unit_test(sound_cards_have_names),
        cmocka_unit_test(printers_keep_their_addresses_for_themselves),
        cmocka_unit_test(only_the_machines_own_batteries_count),
        cmocka_unit_test(graphics_cards_are_looked_up),
        cmocka_unit_test(monitors_say_their_names),
        cmocka_unit_test(disks_are_told_from_everything_else),
        cmocka_unit_test(nothing_leads_through_a_network),
        cmocka_unit_test(odd_mounts_are_left_out),
        cmocka_unit_test(more_disks_than_places_are_counted),
        cmocka_unit_test(adapters_with_addresses_come_first),
        ROOTED(a_machine_is_told_whole),
        ROOTED(a_machine_that_says_nothing_is_told_too),
        ROOTED(the_most_hostile_machine_keeps_to_the_limit),
        ROOTED(a_pipe_in_place_of_a_file_blocks_nothing),
        ROOTED(without_memory_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
