#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(char why[TAS_FILE_WHY], const char *path, const char *what) {
    snprintf(why, TAS_FILE_WHY, "%.*s: %s", TAS_FILE_WHY / 2, path, what);
}

/* ---- reading ---- */

/* Exactly `len` bytes and then the end. */
static bool read_all(int fd, uint8_t *to, size_t len) {
    uint8_t beyond;
    while (len > 0) {
        ssize_t n = read(fd, to, len);
        if (n == 0)
            errno = ESTALE; /* it has become shorter */
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        to += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    errno = ESTALE; /* or longer */
    return read(fd, &beyond, 1) == 0;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static const char *read_open(int fd, size_t max, uint8_t **out, size_t *len) {
    struct stat before, after;
    if (fstat(fd, &before) != 0)
        return strerror(errno);
    if (!S_ISREG(before.st_mode))
        return "not a file";
    if (before.st_size <= 0)
        return "empty";
    if ((uint64_t)before.st_size > max)
        return "too large";
    *len = (size_t)before.st_size;
    *out = malloc(*len);
    if (!*out)
        return "out of memory";
    if (!read_all(fd, *out, *len))
        return errno == ESTALE ? "changed while it was read" : strerror(errno);
    if (fstat(fd, &after) != 0 || !is_same(&before, &after))
        return "changed while it was read";
    return NULL;
}

uint8_t *tas_file_read(const char *path, size_t max, size_t *len, char why[TAS_FILE_WHY]) {
    uint8_t *bytes = NULL;
    size_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer would make us wait */
    if (fd < 0) {
        int error = errno;
        say(why, path, strerror(error));
        errno = error;
        return NULL;
    }
    const char *wrong = read_open(fd, max, &bytes, &got);
    close(fd);
    if (!wrong) {
        *len = got;
        return bytes;
    }
    say(why, path, wrong);
    free(bytes);
    errno = EINVAL;
    return NULL;
}

/* ---- writing ---- */

static bool write_all(int fd, struct tas_bytes bytes) {
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes.ptr += n > 0 ? n : 0;
        bytes.len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_beside(const char *temp, struct tas_bytes bytes, mode_t mode) {
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && ok) {
        error = errno;
        ok = false;
    }
    if (!ok)
        unlink(temp);
    errno = error;
    return ok;
}

/* The new name survives a power cut, too. Best effort: not every file system knows how. */
static void sync_folder(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

int tas_file_write(const char *path, struct tas_bytes bytes, mode_t mode, bool replaces,
                   char why[TAS_FILE_WHY]) {
    char temp[PATH_MAX];
    int n = snprintf(temp, sizeof(temp), "%s.%d.new", path, (int)getpid());
    if (n < 0 || n >= (int)sizeof(temp)) {
        say(why, path, strerror(ENAMETOOLONG));
        return TAS_E_IO;
    }
    unlink(temp); /* left by a crash of one who had our number */
    bool ok = write_beside(temp, bytes, mode);
    if (ok) {
        ok = (replaces ? rename(temp, path) : link(temp, path)) == 0;
        int error = errno;
        unlink(temp); /* renamed: not there any more */
        errno = error;
    }
    if (ok) {
        sync_folder(path);
        return TAS_OK;
    }
    int err = errno == EEXIST ? TAS_E_STATE : TAS_E_IO;
    say(why, path, strerror(errno));
    return err;
}

/* ---- in memory ---- */

int tas_file_in_memory(const char *name, struct tas_bytes bytes) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return TAS_E_IO;
    if (write_all(fd, bytes) &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return TAS_E_IO;
}
