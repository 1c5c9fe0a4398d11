#include "os/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#define NUMBER offsetof(struct seccomp_data, nr)
/* The low half of an argument: both processors are little-endian. */
#define ARGUMENT(n)  (offsetof(struct seccomp_data, args) + (n)*8)
#define LOAD(what)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (what))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define ALLOW(call)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(call, error)                                                                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), RETURN(SECCOMP_RET_ERRNO | (error))
/* Allowed when none of `bits` is set in argument n. */
#define ALLOW_WITHOUT(call, n, bits)                                                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 4), LOAD(ARGUMENT(n)),                               \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS),                \
        RETURN(SECCOMP_RET_ALLOW)

int tas_sandbox_signer(void) {
    static const struct sock_filter filter[] = {
        LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(NUMBER), /* x32's numbers have a bit that none of these has */

        /* its line; no recvmsg(), by which descriptors could be handed in */
        ALLOW(read),
        ALLOW(write),
        ALLOW(recvfrom),
        ALLOW(sendto),
#ifdef __NR_poll
        ALLOW(poll),
#endif
        ALLOW(ppoll),

        /* reading files */
        ALLOW_WITHOUT(openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC),
        ALLOW(newfstatat),
        ALLOW(fstat),
        ALLOW(statx),
        ALLOW(lseek),
        ALLOW(readv),
        ALLOW(pread64),
        ALLOW(close),
        ALLOW(fcntl),
        REFUSE(ioctl, ENOTTY), /* isatty() of stdio and of libconfuse's scanner */

        /* memory, none of it executable */
        ALLOW(brk),
        ALLOW_WITHOUT(mmap, 2, PROT_EXEC),
        ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(madvise),
        ALLOW(mlock),
        ALLOW(munlock),

        /* itself */
        ALLOW(futex),
        ALLOW(sched_yield),
        ALLOW(getrandom),
        ALLOW(clock_gettime),
        ALLOW(gettimeofday),
        ALLOW(getpid),
        ALLOW(gettid),
        ALLOW(rt_sigaction),
        ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn),
        ALLOW(sigaltstack),
        ALLOW(restart_syscall),
        ALLOW(exit),
        ALLOW(exit_group),
        RETURN(SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {
        .len = sizeof(filter) / sizeof(filter[0]),
        .filter = (struct sock_filter *)(uintptr_t)filter, /* the kernel only reads it */
    };
    /* not traced, nor its memory read, by others of its user: becoming that user may have allowed it again */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return TAS_E_IO;
    return TAS_OK;
}

#else

int tas_sandbox_signer(void) {
    return TAS_E_ABSENT;
}

#endif
