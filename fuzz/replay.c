/* Gives every file of the folders named to a fuzz target, so that a corpus is a plain test. Exit 1: nothing
 * read. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int run(const char *path) {
    struct stat st;
    FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!file)
        return 0;
    size_t len = (size_t)st.st_size;
    uint8_t *data = malloc(len ? len : 1); /* of the exact length, for ASan */
    int done = 0;
    if (data && fread(data, 1, len, file) == len) {
        fprintf(stderr, "%s\n", path); /* the last one is the culprit */
        LLVMFuzzerTestOneInput(data, len);
        done = 1;
    }
    free(data);
    fclose(file);
    return done;
}

int main(int argc, char **argv) {
    int n = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            n += run(path);
        }
        if (dir)
            closedir(dir);
    }
    fprintf(stderr, "replay: %d files\n", n);
    return n > 0 ? 0 : 1;
}
