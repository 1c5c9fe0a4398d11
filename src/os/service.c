#include "os/service.h"

#include "os/process.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(const struct tas_service *s, FILE *to) {
    fprintf(to,
            "Usage: %s [--config FILE] [--check | --print-config | --version | --help]\n"
            "\n%s\n"
            "  --config FILE    configuration (default %s)\n"
            "  --check          read configuration, certificates and keys, say what is wrong, exit\n"
            "  --print-config   print all options with the values in force, secrets masked\n"
            "\n"
            "Exit codes: 0, 1 failure, 2 usage, 75 temporary, 78 configuration.\n",
            s->name, s->about, s->config_path);
}

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
    {"print-config", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

/* 's' serve, or the option that says otherwise; 0: wrong usage, told. */
static int read_options(const struct tas_service *s, int argc, char **argv, const char **path) {
    int mode = 's';
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == '?') {
            usage(s, stderr);
            return 0;
        }
        if (c == 'c')
            *path = optarg;
        else
            mode = c;
    }
    if (optind == argc)
        return mode;
    fprintf(stderr, "%s: unexpected argument %s\n", s->name, argv[optind]);
    usage(s, stderr);
    return 0;
}

int tas_service_main(const struct tas_service *s, void *ctx, int argc, char **argv) {
    const char *path = s->config_path;
    int mode = read_options(s, argc, argv, &path);
    char why[TAS_SERVICE_WHY] = "";
    int code = EXIT_SUCCESS;
    if (mode == 0)
        return TAS_EXIT_USAGE;
    if (mode == 'h') {
        usage(s, stdout);
        return EXIT_SUCCESS;
    }
    if (mode == 'v') {
        printf("%s %s\n", s->name, TASUKI_VERSION);
        return EXIT_SUCCESS;
    }
    if (!s->load(ctx, path, why)) {
        fprintf(stderr, "%s: %s\n", s->name, why);
        code = TAS_EXIT_CONFIG;
    } else if (mode == 's') {
        code = s->serve(ctx, path);
    } else if (mode == 'p') {
        s->print(ctx);
    } else {
        printf("%s: ok\n", path);
    }
    s->unload(ctx);
    return code;
}

const char *tas_service_words(const char *clock, const char *log_level, bool *needs_clock,
                              enum tas_log_level *level) {
    *needs_clock = strcmp(clock, "require") == 0;
    if (!*needs_clock && strcmp(clock, "warn") != 0)
        return "clock must be \"require\" or \"warn\"";
    return tas_log_level_of(log_level, level) == TAS_OK ? NULL
                                                        : "log_level must be debug, info, warn or error";
}

bool tas_service_clock(const char *component, bool is_required, bool *is_synchronised) {
    *is_synchronised = tas_clock_is_synchronised();
    if (*is_synchronised)
        return true;
    tas_log(is_required ? TAS_LOG_ERROR : TAS_LOG_WARN, component, "clock_unsynchronised",
            "do=\"run an NTP client%s\"", is_required ? ", or set clock = warn" : "");
    return !is_required;
}

int tas_service_become(const char *component, const char *user) {
    char quoted[128];
    int err = tas_drop_privileges(user[0] ? user : NULL);
    if (err == TAS_OK)
        return EXIT_SUCCESS;
    tas_log(TAS_LOG_ERROR, component, "cannot_become_user", "user=%s why=\"%s\"",
            tas_log_quote(quoted, sizeof(quoted), user), tas_err_text(err));
    return TAS_EXIT_CONFIG;
}
