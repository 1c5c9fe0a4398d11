/* What the parts of a management server can do by themselves, as the measure of what it makes of them.
 *
 *   manager_own hashes THREADS SECONDS         passwords checked per second
 *   manager_own tickets KEY-FILE THREADS SECONDS   tickets signed per second by a signing process */
#include "base/time.h"
#include "crypto/password.h"
#include "manager/signer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 16 };

struct worker {
    struct mgr_signer *signer; /* NULL: hashes */
    const char *hash;
    uint64_t until_us;
    long done;
    bool has_failed;
};

static void *check(void *ctx) {
    struct worker *w = ctx;
    while (tas_mono_us() < w->until_us && !w->has_failed) {
        w->has_failed = tas_password_check(w->hash, "not-the-1-password") == TAS_E_NOMEM;
        w->done++;
    }
    return NULL;
}

static void *sign(void *ctx) {
    struct worker *w = ctx;
    uint8_t out[TAS_SIZE_TICKET];
    struct tas_msg_ticket t = {
        .role = 1, .kind = 1, .max_viewers = 1, .session_id = 1, .connect_ttl_s = 60, .session_ttl_s = 900};
    t.company_id = 1;
    t.relay_ids[0] = 1;
    t.pop_pk[0] = 1;
    while (tas_mono_us() < w->until_us && !w->has_failed) {
        t.not_before_ms = tas_wall_ms();
        w->has_failed = mgr_signer_ticket(w->signer, &t, out) != TAS_OK;
        w->done++;
    }
    return NULL;
}

/* CPU of this process: of the threads that hash, but not of the process that signs. */
static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int measure(const struct worker *like, void *(*fn)(void *), long threads, double seconds) {
    struct worker workers[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    long done = 0;
    long started = 0;
    bool has_failed = threads < 1 || threads > THREADS_MAX;
    uint64_t began_us = tas_mono_us();
    double cpu = cpu_s();
    while (started < threads && !has_failed) {
        workers[started] = *like;
        workers[started].until_us = began_us + (uint64_t)(seconds * 1e6);
        has_failed = pthread_create(&ids[started], NULL, fn, &workers[started]) != 0;
        started += !has_failed;
    }
    for (long i = 0; i < started; i++) {
        pthread_join(ids[i], NULL);
        done += workers[i].done;
        has_failed = has_failed || workers[i].has_failed;
    }
    printf("{\"event\":\"own\",\"per_second\":%.2f,\"per_cpu_second\":%.2f}\n",
           (double)done * 1e6 / (double)(tas_mono_us() - began_us), (double)done / (cpu_s() - cpu));
    return has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    char hash[TAS_PASSWORD_HASH_CAP];
    char why[MGR_SIGNER_WHY];
    if (argc == 4 && strcmp(argv[1], "hashes") == 0 && tas_password_hash(hash, "kUmo-7tori9") == TAS_OK) {
        const struct worker w = {.hash = hash};
        return measure(&w, check, strtol(argv[2], NULL, 10), strtod(argv[3], NULL));
    }
    if (argc != 5 || strcmp(argv[1], "tickets") != 0)
        return 2;
    const struct worker w = {.signer = mgr_signer_start(argv[2], NULL, why)};
    if (!w.signer) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILURE;
    }
    int code = measure(&w, sign, strtol(argv[3], NULL, 10), strtod(argv[4], NULL));
    mgr_signer_stop(w.signer);
    return code;
}
