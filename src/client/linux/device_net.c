#include "client/linux/device_parse_private.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESSES_MAX = 6 }; /* of one adapter */

/* Is this the first entry of its name? */
static bool is_first(const struct ifaddrs *all, const struct ifaddrs *a) {
    for (; all != a; all = all->ifa_next)
        if (strcmp(all->ifa_name, a->ifa_name) == 0)
            return false;
    return true;
}

static bool address_text(char out[INET6_ADDRSTRLEN], const struct sockaddr *address) {
    out[0] = '\0';
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out,
                  INET6_ADDRSTRLEN);
    if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, out,
                  INET6_ADDRSTRLEN);
    return out[0] != '\0';
}

static void set_mac(struct tas_json *adapter, const struct sockaddr *address) {
    const struct sockaddr_ll *link = (const void *)address;
    static const uint8_t none[6];
    char text[18];
    if (!address || address->sa_family != AF_PACKET || link->sll_halen != sizeof(none) ||
        memcmp(link->sll_addr, none, sizeof(none)) == 0)
        return;
    const uint8_t *m = link->sll_addr;
    snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    tas_json_set_text(adapter, "mac", text);
}

static bool has_address(const struct ifaddrs *a, const char *name) {
    char text[INET6_ADDRSTRLEN];
    for (; a; a = a->ifa_next)
        if (strcmp(a->ifa_name, name) == 0 && address_text(text, a->ifa_addr))
            return true;
    return false;
}

static struct tas_json *adapter_of(const struct ifaddrs *first) {
    struct tas_json *adapter = tas_json_object();
    struct tas_json *addresses = tas_json_list();
    char text[INET6_ADDRSTRLEN];
    tas_device_set(adapter, "name", tas_bytes_of(first->ifa_name, strlen(first->ifa_name)));
    for (const struct ifaddrs *a = first; a; a = a->ifa_next) {
        if (strcmp(a->ifa_name, first->ifa_name) != 0)
            continue;
        set_mac(adapter, a->ifa_addr);
        if (address_text(text, a->ifa_addr) && tas_json_len(addresses) < ADDRESSES_MAX)
            tas_json_add_text(addresses, text);
    }
    tas_json_set(adapter, "addresses", addresses);
    tas_json_set_bool(adapter, "is_up", (first->ifa_flags & IFF_UP) != 0);
    return adapter;
}

void tas_device_adapters(struct tas_device_list *list, const struct ifaddrs *all) {
    for (int has = 1; has >= 0; has--)
        for (const struct ifaddrs *a = all; a; a = a->ifa_next)
            if (!(a->ifa_flags & IFF_LOOPBACK) && is_first(all, a) && has_address(a, a->ifa_name) == has)
                tas_device_list_add(list, adapter_of(a));
}
