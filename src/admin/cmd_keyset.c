/* tasukictl keyset: the keys that sign tickets, statements and the audit chain's checkpoints. */
#include "admin/admin.h"

#include "os/service.h"

#include <stdio.h>
#include <stdlib.h>

static int run_init(const struct admin_args *args) {
    char why[MGR_KEYFILE_WHY];
    int err = mgr_keyfile_init(args->words[0], (uint64_t)mgr_now(), why);
    if (err != TAS_OK) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return EXIT_FAILURE;
    }
    printf("%s: root.key, root.pub, signer.keys and server.keys made.\n"
           "Move root.key to a safe place now: it is needed again only for tasukictl keyset rotate and "
           "tasukictl client make.\n"
           "root.pub goes into the configuration of relays. All management servers share signer.keys and "
           "server.keys.\n",
           args->words[0]);
    return EXIT_SUCCESS;
}

static int run_rotate(const struct admin_args *args) {
    char why[MGR_KEYFILE_WHY];
    char path[512];
    const char *root = admin_option(args, "root-key");
    snprintf(path, sizeof(path), "%s/root.key", args->words[0]);
    int err = mgr_keyfile_rotate(args->words[0], root ? root : path, (uint64_t)mgr_now(), why);
    if (err != TAS_OK) {
        fprintf(stderr, "tasukictl: %s\n", why);
        return err == TAS_E_CONFIG ? TAS_EXIT_CONFIG : EXIT_FAILURE;
    }
    printf("%s/signer.keys has new keys, good from 24 hours from now. Copy it to every management server, "
           "then send each SIGHUP.\n",
           args->words[0]);
    return EXIT_SUCCESS;
}

const struct admin_command admin_keyset_commands[] = {
    {"keyset", "init", "DIR", "makes the installation's keys, once", "", 1, 1, run_init},
    {"keyset", "rotate", "DIR [--root-key FILE]", "adds fresh keys, signed by the root", " root-key ", 1, 1,
     run_rotate},
    {0},
};
