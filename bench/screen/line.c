/* A long, thin line between two network namespaces: a TUN device in each, and what goes into one comes out of
 * the other, at a rate, after a delay. Packets wait their turn in a queue that lasts at most so long; what
 * finds no room is lost, as at any router.
 *
 *   screen_line NAMESPACE DEVICE NAMESPACE DEVICE KBIT_PER_S DELAY_MS QUEUE_MS
 *
 * says {"event":"up"} when both devices are there, and ends when its standard input is closed. */
#include "base/time.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PACKET_MAX = 1600, PACKETS_MAX = 8192 /* a power of two */, TAKE_MAX = 32 };

struct packet {
    uint64_t due_us;
    size_t len;
    uint8_t bytes[PACKET_MAX];
};

/* One of the two directions. */
struct way {
    int in, out;
    uint64_t free_us; /* when the last packet has left for the line */
    struct packet *packets;
    unsigned head, tail; /* oldest; behind the newest */
    unsigned lost;
};

struct line {
    uint64_t kbit_per_s, delay_us, queue_us;
    struct way ways[2];
};

static _Noreturn void fail(const char *why) {
    fprintf(stderr, "screen_line: %s\n", why);
    exit(1);
}

static int open_tun(const char *namespace, const char *device) {
    char path[128];
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(path, sizeof(path), "/run/netns/%s", namespace);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
        fail("no such namespace");
    close(ns);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        fail("no TUN device");
    return fd;
}

/* A packet goes when those before it have gone, and has arrived a delay later. */
static void queue_packet(const struct line *line, struct way *way, const uint8_t *bytes, size_t len) {
    uint64_t now = tas_mono_us();
    uint64_t start = way->free_us > now ? way->free_us : now;
    uint64_t end = start + len * 8 * 1000 / line->kbit_per_s;
    if (end - now > line->queue_us || way->tail - way->head == PACKETS_MAX) {
        way->lost++;
        return;
    }
    struct packet *packet = &way->packets[way->tail++ % PACKETS_MAX];
    packet->due_us = end + line->delay_us;
    packet->len = len;
    memcpy(packet->bytes, bytes, len);
    way->free_us = end;
}

static void take(const struct line *line, struct way *way) {
    uint8_t bytes[PACKET_MAX];
    for (int i = 0; i < TAKE_MAX; i++) {
        ssize_t len = read(way->in, bytes, sizeof(bytes));
        if (len <= 0)
            return;
        queue_packet(line, way, bytes, (size_t)len);
    }
}

/* Hands over what is due. Returns when the next packet is; 0: there is none. */
static uint64_t give(struct way *way) {
    while (way->head != way->tail) {
        const struct packet *packet = &way->packets[way->head % PACKETS_MAX];
        if (packet->due_us > tas_mono_us())
            return packet->due_us;
        if (write(way->out, packet->bytes, packet->len) < 0)
            way->lost++; /* the device is full or down: as if it had found no room */
        way->head++;
    }
    return 0;
}

/* How long nothing is due; NULL: until something comes. */
static const struct timespec *wait_of(uint64_t due_a, uint64_t due_b, struct timespec *wait) {
    uint64_t due = due_a == 0 || (due_b != 0 && due_b < due_a) ? due_b : due_a;
    uint64_t now = tas_mono_us();
    uint64_t us = due > now ? due - now : 0;
    *wait = (struct timespec){(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
    return due == 0 ? NULL : wait;
}

static void carry(struct line *line) {
    struct pollfd fds[] = {
        {line->ways[0].in, POLLIN, 0}, {line->ways[1].in, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (!fds[2].revents) {
        struct timespec wait;
        uint64_t due_a = give(&line->ways[0]), due_b = give(&line->ways[1]);
        if (ppoll(fds, 3, wait_of(due_a, due_b, &wait), NULL) < 0)
            fail("poll");
        for (int i = 0; i < 2; i++)
            if (fds[i].revents)
                take(line, &line->ways[i]);
    }
}

static uint64_t number(const char *text) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != '\0')
        fail("a number is not one");
    return value;
}

int main(int argc, char **argv) {
    struct line line;
    if (argc != 8)
        fail("seven arguments, see its first lines");
    line.kbit_per_s = number(argv[5]);
    line.delay_us = number(argv[6]) * 1000;
    line.queue_us = number(argv[7]) * 1000;
    if (line.kbit_per_s == 0)
        fail("a line of no rate");
    int a = open_tun(argv[1], argv[2]), b = open_tun(argv[3], argv[4]);
    line.ways[0] = (struct way){.in = a, .out = b, .packets = calloc(PACKETS_MAX, sizeof(struct packet))};
    line.ways[1] = (struct way){.in = b, .out = a, .packets = calloc(PACKETS_MAX, sizeof(struct packet))};
    if (!line.ways[0].packets || !line.ways[1].packets)
        fail("no memory");
    prctl(PR_SET_TIMERSLACK, 1000ul); /* ns */
    printf("{\"event\":\"up\"}\n");
    fflush(stdout);
    carry(&line);
    printf("{\"event\":\"down\",\"lost\":[%u,%u]}\n", line.ways[0].lost, line.ways[1].lost);
    return 0;
}
