#include "os/secret.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (len + page - 1) / page * page;
}

static void *locked_alloc(size_t len) {
    size_t size = whole_pages(len);
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        return NULL;
    madvise(mem, size, MADV_DONTDUMP);
    madvise(mem, size, MADV_WIPEONFORK);
    int not_locked = mlock(mem, size); /* refused over RLIMIT_MEMLOCK: see the header */
    (void)not_locked;
    return mem;
}

static void locked_release(void *ptr, size_t len) {
    if (!ptr)
        return;
    tas_wipe(ptr, len);
    munmap(ptr, whole_pages(len));
}

const struct tas_secret_mem tas_secret_locked = {locked_alloc, locked_release};
