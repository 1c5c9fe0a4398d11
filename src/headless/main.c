/* tasuki-headless: the two ends of a session without windows, driven by lines on standard input. What the
 * demo, the end-to-end tests and the benches use; `operator` and `customer` do it by way of a management
 * server, `host` and `viewer` without one, where `issue` plays its part. */
#include "base/log.h"
#include "headless/customer.h"
#include "headless/host.h"
#include "headless/issue.h"
#include "headless/operator.h"
#include "headless/program.h"
#include "headless/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *to) {
    fputs(
        "Usage: tasuki-headless host ENDFILE [RIGHTS]   share the display $DISPLAY\n"
        "       tasuki-headless viewer ENDFILE         see and work on it\n"
        "       tasuki-headless issue ...              make end files with throw-away keys\n"
        "       tasuki-headless operator --org FILE --company CODE --id ID [--password-file FILE]\n"
        "                                              log in, give out numbers, help\n"
        "       tasuki-headless customer --org FILE [--rights MASK]\n"
        "                                              take a number, share the display $DISPLAY\n"
        "       tasuki-headless --version | --help\n"
        "\n"
        "Commands come as lines on standard input, events go as lines of JSON to standard output.\n"
        "RIGHTS is what the customer grants from the start, a mask (1 see, 2 control, 4 chat; default 0).\n",
        to);
}

static int run_end(int argc, char **argv) {
    bool is_host = strcmp(argv[1], "host") == 0;
    if (argc < 3 || argc > (is_host ? 4 : 3)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    char why[TAS_CONF_WHY];
    struct endfile *file = endfile_load(argv[2], why);
    if (!file) {
        fprintf(stderr, "tasuki-headless: %s\n", why);
        return EXIT_CONFIG;
    }
    enum tas_role role = file->config.session.identity.role;
    int code = EXIT_CONFIG;
    if (role != (is_host ? TAS_ROLE_HOST : TAS_ROLE_VIEWER))
        fprintf(stderr, "tasuki-headless: %s is for the other end\n", argv[2]);
    else if (is_host)
        code = host_main(file, NULL, argc == 4 ? (uint16_t)strtoul(argv[3], NULL, 0) : 0);
    else
        code = viewer_main(file);
    endfile_free(file);
    return code;
}

int main(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "host") == 0 || strcmp(argv[1], "viewer") == 0))
        return run_end(argc, argv);
    if (argc >= 2 && strcmp(argv[1], "issue") == 0)
        return issue_main(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "operator") == 0)
        return operator_main(argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "customer") == 0)
        return customer_main(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("tasuki-headless " TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    bool helped = argc == 2 && strcmp(argv[1], "--help") == 0;
    usage(helped ? stdout : stderr);
    return helped ? EXIT_SUCCESS : EXIT_USAGE;
}
