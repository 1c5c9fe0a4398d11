/* The signing process: what it signs, what it refuses, what it cannot do. Needs no network. As root also that
 * it becomes another user. */
#include "base/time.h"
#include "crypto/crypto.h"
#include "manager/keyfile.h"
#include "manager/signer.h"
#include "manager/signer_private.h"
#include "os/helper.h"
#include "os/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

enum { PATH_LEN = 256, NOBODY = 65534 };

static char dir[64];
static char why[MGR_KEYFILE_WHY];
static struct mgr_signer *signer;

/* ---- a folder with keys, and a signer over them ---- */

static const char *in_dir(const char *name) {
    static char paths[4][PATH_LEN];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_LEN, "%s/%s", dir, name);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void must(int err) {
    if (err != TAS_OK)
        fail_msg("%s: %s", tas_err_name(err), why);
}

static int make_dir(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/tasuki-signer-XXXXXX");
    why[0] = '\0';
    signer = NULL;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    mgr_signer_stop(signer);
    signer = NULL;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void start(const char *user) {
    signer = mgr_signer_start(in_dir("signer.keys"), user, why);
    if (!signer)
        fail_msg("%s", why);
}

static int make_signer(void **state) {
    if (make_dir(state) != 0)
        return -1;
    must(mgr_keyfile_init(dir, tas_wall_ms(), why));
    start(NULL);
    return 0;
}

static struct tas_keyset keyset(void) {
    static uint8_t bytes[TAS_KEYSET_MAX_LEN]; /* the set borrows from it */
    size_t len;
    struct tas_keyset set;
    must(mgr_signer_keyset(signer, bytes, &len));
    assert_int_equal(tas_keyset_decode(&set, tas_bytes_of(bytes, len)), TAS_OK);
    return set;
}

/* ---- what is signed ---- */

static struct tas_msg_ticket ticket_of_now(void) {
    return (struct tas_msg_ticket){.role = 2,
                                   .slot = 1,
                                   .perms = 0x7f,
                                   .max_viewers = 1,
                                   .session_id = 77,
                                   .jti = {1},
                                   .not_before_ms = tas_wall_ms(),
                                   .connect_ttl_s = 60,
                                   .session_ttl_s = 900,
                                   .company_id = 5,
                                   .pop_pk = {9},
                                   .relay_ids = {1, 2},
                                   .kind = 1};
}

static struct tas_msg_statement statement_of_now(void) {
    return (struct tas_msg_statement){.role = 1,
                                      .slot = 0,
                                      .perms = 3,
                                      .kind = 2,
                                      .session_id = 77,
                                      .company_id = 5,
                                      .not_after_ms = tas_wall_ms() + DAY,
                                      .pop_pk = {9},
                                      .company = "例株式会社",
                                      .name = "佐藤 花子"};
}

static struct mgr_checkpoint checkpoint_of_now(void) {
    return (struct mgr_checkpoint){.company_id = 5, .seq = 9, .hash = {1, 2, 3}, .at_ms = tas_wall_ms()};
}

static void holds(uint8_t kid, uint8_t use, const uint8_t sig[64], const char *domain,
                  struct tas_bytes part) {
    struct tas_keyset set = keyset();
    const struct tas_msg_keyset_key *key = tas_keyset_find(&set, kid, use, tas_wall_ms(), 0);
    assert_non_null(key);
    assert_int_equal(tas_verify(tas_crypto_native(), sig, key->pk, domain, &part, 1), TAS_OK);
}

static void a_ticket_is_signed_with_the_ticket_key(void **state) {
    (void)state;
    struct tas_msg_ticket ticket = ticket_of_now();
    struct tas_msg_ticket back;
    uint8_t out[TAS_SIZE_TICKET];
    ticket.ver = 77; /* filled by the signer */
    ticket.kid = 77;
    ticket.sig[0] = 77;
    must(mgr_signer_ticket(signer, &ticket, out));
    assert_int_equal(tas_msg_ticket_decode(&back, tas_bytes_of(out, sizeof(out))), TAS_OK);
    assert_int_equal(back.ver, 1);
    assert_int_equal(back.kid, 1);
    assert_int_equal(back.session_id, 77);
    assert_int_equal(back.not_before_ms, ticket.not_before_ms);
    assert_memory_equal(back.relay_ids, ticket.relay_ids, sizeof(ticket.relay_ids));
    holds(back.kid, TAS_USE_TICKET, back.sig, "TSK1 ticket", tas_bytes_of(out, TAS_TICKET_SIGNED));
}

static void a_statement_is_signed_with_the_statement_key(void **state) {
    (void)state;
    struct tas_msg_statement statement = statement_of_now();
    struct tas_msg_statement back;
    uint8_t out[TAS_SIZE_STATEMENT];
    must(mgr_signer_statement(signer, &statement, out));
    assert_int_equal(tas_msg_statement_decode(&back, tas_bytes_of(out, sizeof(out))), TAS_OK);
    assert_int_equal(back.ver, 1);
    assert_int_equal(back.kid, 2);
    assert_memory_equal(back.name, statement.name, sizeof(back.name));
    holds(back.kid, TAS_USE_STATEMENT, back.sig, "TSK1 statement", tas_bytes_of(out, TAS_STATEMENT_SIGNED));
}

static void a_checkpoint_is_signed_with_the_audit_key(void **state) {
    (void)state;
    struct mgr_checkpoint c = checkpoint_of_now();
    uint8_t part[52];
    must(mgr_signer_checkpoint(signer, &c));
    assert_int_equal(c.kid, 3);
    struct tas_writer w = tas_writer_of(part, sizeof(part));
    tas_write_u32(&w, 5);
    tas_write_u64(&w, 9);
    tas_write_bytes(&w, c.hash, 32);
    tas_write_u64(&w, c.at_ms);
    holds(c.kid, TAS_USE_AUDIT, c.sig, "TSK1 checkpoint", tas_bytes_of(part, sizeof(part)));
}

static void the_keyset_is_the_one_of_the_file(void **state) {
    (void)state;
    struct mgr_signer_keys keys;
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len;
    must(mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why));
    must(mgr_signer_keyset(signer, bytes, &len));
    assert_int_equal(len, keys.keyset_len);
    assert_memory_equal(bytes, keys.keyset, len);
}

static void refusals_come_from_the_process_too(void **state) {
    (void)state;
    uint8_t out[TAS_SIZE_STATEMENT];
    memset(out, 0x5a, sizeof(out));
    struct tas_msg_ticket ticket = ticket_of_now();
    ticket.not_before_ms -= 2 * HOUR;
    assert_int_equal(mgr_signer_ticket(signer, &ticket, out), TAS_E_PROTO);
    struct tas_msg_statement statement = statement_of_now();
    statement.perms = 0xffff;
    assert_int_equal(mgr_signer_statement(signer, &statement, out), TAS_E_PROTO);
    struct mgr_checkpoint c = checkpoint_of_now();
    c.seq = 0;
    c.kid = 77;
    assert_int_equal(mgr_signer_checkpoint(signer, &c), TAS_E_PROTO);
    assert_int_equal(c.kid, 77);
    for (size_t i = 0; i < sizeof(out); i++)
        assert_int_equal(out[i], 0x5a);
}

/* ---- time and rotation ---- */

static void without_a_key_that_is_valid_nothing_is_signed(void **state) {
    (void)state;
    static const int64_t ages[] = {181 * (int64_t)DAY, -2 * (int64_t)HOUR};
    for (size_t i = 0; i < 2; i++) {
        const char *sub = in_dir(i ? "future" : "past");
        must(mgr_keyfile_init(sub, (uint64_t)((int64_t)tas_wall_ms() - ages[i]), why));
        char path[PATH_LEN];
        snprintf(path, sizeof(path), "%s/signer.keys", sub);
        signer = mgr_signer_start(path, "", why);
        assert_non_null(signer);
        struct tas_msg_ticket ticket = ticket_of_now();
        struct tas_msg_statement statement = statement_of_now();
        struct mgr_checkpoint c = checkpoint_of_now();
        uint8_t out[TAS_SIZE_STATEMENT];
        assert_int_equal(mgr_signer_ticket(signer, &ticket, out), TAS_E_EXPIRED);
        assert_int_equal(mgr_signer_statement(signer, &statement, out), TAS_E_EXPIRED);
        assert_int_equal(mgr_signer_checkpoint(signer, &c), TAS_E_EXPIRED);
        assert_true(keyset().count == 3);
        mgr_signer_stop(signer);
        signer = NULL;
    }
}

/* New keys begin two seconds from now: tickets from before and after hold, and the old one goes on to hold.
 */
static void the_newest_key_takes_over_on_time_and_the_old_one_stays_good(void **state) {
    (void)state;
    uint64_t now = tas_wall_ms();
    must(mgr_keyfile_init(dir, now - 10 * DAY, why));
    must(mgr_keyfile_rotate(dir, in_dir("root.key"), now - DAY + 2 * SECOND, why));
    start(NULL);
    struct tas_keyset set = keyset();
    struct tas_msg_ticket ticket = ticket_of_now();
    uint8_t first[TAS_SIZE_TICKET];
    uint8_t out[TAS_SIZE_TICKET];
    must(mgr_signer_ticket(signer, &ticket, first));
    assert_int_equal(first[1], 1);
    uint64_t before, after;
    do { /* each turn asks another process: no busy waiting of ours alone, and over in two seconds */
        before = tas_wall_ms();
        must(mgr_signer_ticket(signer, &ticket, out));
        after = tas_wall_ms();
        const struct tas_msg_keyset_key *key = tas_keyset_find(&set, out[1], TAS_USE_TICKET, after, 0);
        assert_non_null(key); /* a relay takes it at once */
        struct tas_bytes part = tas_bytes_of(out, TAS_TICKET_SIGNED);
        assert_int_equal(tas_verify(tas_crypto_native(), out + 128, key->pk, "TSK1 ticket", &part, 1),
                         TAS_OK);
    } while (out[1] == 1 && after < now + 10 * SECOND);
    assert_int_equal(out[1], 4);
    uint64_t begin = set.keys[3].from_ms;
    assert_true(begin <= after && begin + SECOND > before);
    holds(1, TAS_USE_TICKET, first + 128, "TSK1 ticket", tas_bytes_of(first, TAS_TICKET_SIGNED));
    assert_non_null(tas_keyset_find(&set, 1, TAS_USE_TICKET, begin + 26 * HOUR - 1, 0));
}

static void a_reload_takes_rotated_keys(void **state) {
    (void)state;
    assert_int_equal(keyset().sequence, 1);
    must(mgr_keyfile_rotate(dir, in_dir("root.key"), tas_wall_ms(), why));
    assert_int_equal(keyset().sequence, 1);
    must(mgr_signer_reload(signer, why));
    assert_int_equal(keyset().sequence, 2);
    assert_int_equal(keyset().count, 6);
}

static void still_signs(void) {
    struct tas_msg_ticket ticket = ticket_of_now();
    uint8_t out[TAS_SIZE_TICKET];
    must(mgr_signer_ticket(signer, &ticket, out));
    assert_int_equal(out[1], 1);
}

static void a_reload_of_a_broken_file_says_why_and_keeps_the_keys(void **state) {
    (void)state;
    assert_int_equal(rename(in_dir("signer.keys"), in_dir("kept")), 0);
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "No such file"));
    still_signs();

    FILE *f = fopen(in_dir("signer.keys"), "we");
    assert_non_null(f);
    fputs("keyset = \"00\"\nroot =", f);
    fclose(f);
    assert_int_equal(chmod(in_dir("signer.keys"), 0600), 0);
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "signer.keys"));
    still_signs();

    assert_int_equal(rename(in_dir("kept"), in_dir("signer.keys")), 0);
    assert_int_equal(chmod(in_dir("signer.keys"), 0644), 0);
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "chmod"));
    still_signs();
    assert_int_equal(chmod(in_dir("signer.keys"), 0600), 0);
    must(mgr_signer_reload(signer, why));
    still_signs();
}

static void keys_of_another_root_or_of_yesterday_need_a_restart(void **state) {
    (void)state;
    must(mgr_keyfile_init(in_dir("other"), tas_wall_ms(), why));
    assert_int_equal(link(in_dir("signer.keys"), in_dir("old")), 0);
    must(mgr_keyfile_rotate(dir, in_dir("root.key"), tas_wall_ms(), why));
    must(mgr_signer_reload(signer, why));
    assert_int_equal(rename(in_dir("old"), in_dir("signer.keys")), 0);
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "older"));
    assert_int_equal(rename(in_dir("other/signer.keys"), in_dir("signer.keys")), 0);
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "root"));
    still_signs();
}

static void what_cannot_be_read_does_not_start(void **state) {
    (void)state;
    assert_null(mgr_signer_start(in_dir("absent"), NULL, why));
    assert_non_null(strstr(why, "No such file"));
    must(mgr_keyfile_init(dir, tas_wall_ms(), why));
    assert_null(mgr_signer_start(in_dir("signer.keys"), "no-such-user-here", why));
    assert_non_null(strstr(why, "no such user"));
}

/* ---- what the process is and can ---- */

static long status_number(int pid, const char *name) {
    char path[64];
    char line[256];
    long number = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            number = strtol(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return number;
}

static void it_has_its_line_and_nothing_else(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip(); /* it hides its descriptors from its own user */
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", mgr_signer_pid(signer));
    DIR *fds = opendir(path);
    assert_non_null(fds);
    for (struct dirent *entry; (entry = readdir(fds));) {
        char link_path[512];
        char target[256] = "";
        if (entry->d_name[0] == '.')
            continue;
        snprintf(link_path, sizeof(link_path), "%s/%s", path, entry->d_name);
        assert_true(readlink(link_path, target, sizeof(target) - 1) > 0);
        bool is_line = strcmp(entry->d_name, "3") == 0;
        assert_true(is_line ? strncmp(target, "socket:", 7) == 0 : strcmp(target, "/dev/null") == 0);
        n++;
    }
    closedir(fds);
    assert_int_equal(n, 4);
}

static void it_is_sandboxed_and_leaves_no_core(void **state) {
    (void)state;
    int pid = mgr_signer_pid(signer);
#if defined(__x86_64__) || defined(__aarch64__)
    assert_int_equal(status_number(pid, "Seccomp:"), 2);
#endif
    assert_int_equal(status_number(pid, "NoNewPrivs:"), 1);
    char path[64];
    char line[256];
    snprintf(path, sizeof(path), "/proc/%d/limits", pid);
    FILE *f = fopen(path, "re");
    bool has_none = false;
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "Max core file size", 18) == 0)
            has_none = strtol(line + 18, NULL, 10) == 0;
    if (f)
        fclose(f);
    assert_true(has_none);
    assert_int_equal(getsid(pid), pid);
}

enum attempt {
    TRY_READING,
    TRY_SOCKET,
    TRY_CONNECT,
    TRY_SENDMSG,
    TRY_FORK,
    TRY_EXEC,
    TRY_PTRACE,
    TRY_WRITING,
    TRY_CREATING,
    TRY_KILL,
    TRY_EXECUTABLE,
    TRY_RENAME,
    ATTEMPTS,
};

static void attempt(enum attempt what) {
    char *const argv[] = {NULL};
    struct msghdr none = {0};
    switch (what) {
    case TRY_READING:
        _exit(open("/etc/hostname", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
    case TRY_SOCKET:
        socket(AF_INET, SOCK_STREAM, 0);
        break;
    case TRY_CONNECT:
        (void)!connect(3, NULL, 0);
        break;
    case TRY_SENDMSG:
        (void)!sendmsg(3, &none, 0);
        break;
    case TRY_FORK:
        (void)!fork();
        break;
    case TRY_EXEC:
        execv("/bin/true", argv);
        break;
    case TRY_PTRACE:
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        break;
    case TRY_WRITING:
        open("/dev/null", O_RDWR | O_CLOEXEC);
        break;
    case TRY_CREATING:
        open("/tmp/tasuki-signer-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        break;
    case TRY_KILL:
        kill(getppid(), 0);
        break;
    case TRY_EXECUTABLE:
        (void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    case TRY_RENAME:
        (void)!rename("/tmp/a", "/tmp/b");
        break;
    case ATTEMPTS:
        break;
    }
}

static void whoever_takes_it_over_cannot_open_a_socket_or_start_a_program(void **state) {
    (void)state;
    for (int what = 0; what < ATTEMPTS; what++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (tas_sandbox_signer() != TAS_OK)
                _exit(42);
            attempt((enum attempt)what);
            _exit(43);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
            skip(); /* no filters on this machine */
        if (what == TRY_READING)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        else if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("attempt %d: status %x", what, (unsigned)status);
    }
}

static void it_ignores_the_signals_of_the_group(void **state) {
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        assert_int_equal(kill(mgr_signer_pid(signer), signals[i]), 0);
    still_signs();
}

static void it_becomes_another_user_and_reloads_with_his_rights(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    must(mgr_keyfile_init(dir, tas_wall_ms(), why));
    assert_int_equal(chmod(dir, 0755), 0);
    start("nobody"); /* the file is root's: read before */
    assert_int_equal(status_number(mgr_signer_pid(signer), "Uid:"), NOBODY);
    still_signs();
    assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "Permission denied"));
    still_signs();
    assert_int_equal(chown(in_dir("signer.keys"), NOBODY, (gid_t)-1), 0);
    must(mgr_signer_reload(signer, why));
    must(mgr_keyfile_rotate(dir, in_dir("root.key"), tas_wall_ms(), why)); /* the file stays nobody's */
    must(mgr_signer_reload(signer, why));
    assert_int_equal(keyset().sequence, 2);
}

static void others_of_its_user_cannot_look_into_it(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    must(mgr_keyfile_init(dir, tas_wall_ms(), why));
    start("nobody");
    int pid = mgr_signer_pid(signer);
    pid_t other = fork();
    if (other == 0) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/mem", pid);
        if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(1);
        bool can_trace = ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0;
        bool can_read = open(path, O_RDONLY | O_CLOEXEC) >= 0;
        _exit(can_trace || can_read ? 2 : 0);
    }
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(WIFEXITED(status));
    still_signs();
}

/* ---- its end ---- */

static bool is_gone(int pid) {
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static void a_stop_ends_it_and_leaves_no_zombie(void **state) {
    (void)state;
    int pid = mgr_signer_pid(signer);
    mgr_signer_stop(signer);
    signer = NULL;
    assert_true(is_gone(pid));
    mgr_signer_stop(NULL);
}

static void when_it_dies_every_question_is_answered_with_closed(void **state) {
    (void)state;
    int pid = mgr_signer_pid(signer);
    struct tas_msg_ticket ticket = ticket_of_now();
    struct mgr_checkpoint c = checkpoint_of_now();
    uint8_t out[TAS_KEYSET_MAX_LEN];
    size_t len = 77;
    assert_int_equal(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mgr_signer_ticket(signer, &ticket, out), TAS_E_CLOSED);
        assert_int_equal(mgr_signer_checkpoint(signer, &c), TAS_E_CLOSED);
        assert_int_equal(mgr_signer_keyset(signer, out, &len), TAS_E_CLOSED);
        assert_int_equal(mgr_signer_reload(signer, why), TAS_E_CLOSED);
        assert_non_null(strstr(why, "gone"));
        assert_true(is_gone(pid)); /* no zombie */
    }
    assert_int_equal(len, 77);
}

static void other_children_are_left_to_whoever_waits_for_them(void **state) {
    (void)state;
    pid_t other = fork();
    if (other == 0)
        _exit(42);
    int pid = mgr_signer_pid(signer);
    assert_int_equal(kill(pid, SIGKILL), 0);
    struct tas_msg_ticket ticket = ticket_of_now();
    uint8_t out[TAS_SIZE_TICKET];
    assert_int_equal(mgr_signer_ticket(signer, &ticket, out), TAS_E_CLOSED);
    mgr_signer_stop(signer);
    signer = NULL;
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* The program is killed: the process sees the end of its line. We are its reaper, so that it can be waited
 * for. */
static void it_ends_when_the_program_is_killed(void **state) {
    (void)state;
    int line[2];
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe(line), 0);
    pid_t program = fork();
    if (program == 0) {
        struct mgr_signer *own = mgr_signer_start(in_dir("signer.keys"), NULL, why);
        int pid = own ? mgr_signer_pid(own) : -1;
        (void)!write(line[1], &pid, sizeof(pid));
        for (;;)
            pause();
    }
    int pid = -1;
    assert_int_equal(read(line[0], &pid, sizeof(pid)), sizeof(pid));
    close(line[0]);
    close(line[1]);
    assert_true(pid > 0);
    assert_int_equal(kill(program, SIGKILL), 0);
    assert_int_equal(waitpid(program, NULL, 0), program);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- hostile requests ---- */

static void it_survives_whatever_is_written_into_its_line(void **state) {
    (void)state;
    struct mgr_signer_order order = {.key_file = in_dir("signer.keys")};
    struct tas_helper *helper = tas_helper_start("tasuki-signer", mgr_signer_live, &order);
    assert_non_null(helper);
    uint8_t packet[2048];
    uint8_t reply[MGR_SIGNER_REPLY_MAX];
    size_t len;
    const uint8_t first = MGR_SIGNER_START;
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of(&first, 1), reply, sizeof(reply), &len), TAS_OK);
    assert_int_equal(reply[1], 0);

    struct tas_msg_ticket ticket = ticket_of_now();
    uint32_t dice = 99;
    unsigned signed_ones = 0;
    for (unsigned i = 0; i < 20000; i++) {
        dice = dice * 1664525 + 1013904223;
        size_t n = (dice >> 8) % 8 == 0 ? (dice >> 12) % sizeof(packet) : 1 + TAS_SIZE_TICKET;
        for (size_t k = 0; k < n; k++) {
            dice = dice * 1664525 + 1013904223;
            packet[k] = (uint8_t)(dice >> 24);
        }
        if (i % 4 == 0 && n > TAS_SIZE_TICKET) { /* a good one with one byte changed */
            packet[0] = MGR_SIGNER_TICKET;
            assert_int_equal(tas_msg_ticket_encode(&ticket, packet + 1, TAS_SIZE_TICKET), TAS_SIZE_TICKET);
            packet[1 + (dice >> 4) % TAS_SIZE_TICKET] ^= (uint8_t)(dice >> 16);
        } else if (n > 0 && i % 4 == 1) {
            packet[0] = (uint8_t)(packet[0] % 8);
        }
        must(tas_helper_ask(helper, tas_bytes_of(packet, n), reply, sizeof(reply), &len));
        assert_true(len >= MGR_SIGNER_REPLY_HEAD);
        assert_int_equal(reply[0], n > 0 && n <= MGR_SIGNER_REQUEST_MAX ? packet[0] : 0);
        if (reply[1] == 0 && reply[0] == MGR_SIGNER_TICKET) {
            struct tas_msg_ticket back;
            assert_int_equal(tas_msg_ticket_decode(&back, tas_bytes_of(reply + 2, len - 2)), TAS_OK);
            assert_true(mgr_signer_takes_ticket(&back, tas_wall_ms()));
            signed_ones++;
        } else if (reply[1] == 0) {
            assert_true((reply[0] == MGR_SIGNER_KEYSET || reply[0] == MGR_SIGNER_RELOAD) && n == 1);
        } else {
            assert_int_equal(reply[1], -TAS_E_PROTO);
            assert_int_equal(len, MGR_SIGNER_REPLY_HEAD);
        }
    }
    assert_true(signed_ones > 100); /* jti, company, rate, pop_pk may be anything */
    tas_helper_stop(helper);
}

static void every_cut_and_lengthened_request_is_refused(void **state) {
    (void)state;
    struct mgr_signer_order order = {.key_file = in_dir("signer.keys")};
    struct tas_helper *helper = tas_helper_start("tasuki-signer", mgr_signer_live, &order);
    assert_non_null(helper);
    static const uint8_t empty[1];
    uint8_t packet[1024] = {0};
    uint8_t reply[MGR_SIGNER_REPLY_MAX];
    size_t len;
    must(tas_helper_ask(helper, tas_bytes_of(empty, 0), reply, sizeof(reply),
                        &len)); /* START, whatever it says */
    static const struct {
        uint8_t op;
        size_t len;
    } ops[] = {{MGR_SIGNER_TICKET, TAS_SIZE_TICKET},
               {MGR_SIGNER_STATEMENT, TAS_SIZE_STATEMENT},
               {MGR_SIGNER_CHECKPOINT, MGR_SIGNER_CHECKPOINT_LEN},
               {MGR_SIGNER_KEYSET, 0},
               {MGR_SIGNER_RELOAD, 0},
               {MGR_SIGNER_START, SIZE_MAX},
               {0, SIZE_MAX},
               {200, SIZE_MAX}};
    struct tas_msg_ticket ticket = ticket_of_now();
    struct tas_msg_statement statement = statement_of_now();
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        memset(packet, 0, sizeof(packet));
        if (ops[i].op == MGR_SIGNER_TICKET)
            assert_int_equal(tas_msg_ticket_encode(&ticket, packet + 1, TAS_SIZE_TICKET), TAS_SIZE_TICKET);
        if (ops[i].op == MGR_SIGNER_STATEMENT)
            assert_int_equal(tas_msg_statement_encode(&statement, packet + 1, TAS_SIZE_STATEMENT),
                             TAS_SIZE_STATEMENT);
        packet[0] = ops[i].op;
        for (size_t n = 0; n < 500; n++) {
            must(tas_helper_ask(helper, tas_bytes_of(packet, 1 + n), reply, sizeof(reply), &len));
            bool is_right = n == ops[i].len && ops[i].op != MGR_SIGNER_CHECKPOINT; /* that one is all zeros */
            assert_int_equal(reply[1], is_right ? 0 : -TAS_E_PROTO);
        }
    }
    must(tas_helper_ask(helper, tas_bytes_of(empty, 0), reply, sizeof(reply), &len));
    assert_int_equal(reply[1], -TAS_E_PROTO);
    tas_helper_stop(helper);
}

/* A process that is not what was started. */
static void answer_nonsense(int line, void *ctx) {
    const struct tas_bytes *answers = ctx;
    uint8_t packet[1024];
    size_t len;
    while (tas_helper_receive(line, packet, sizeof(packet), &len) == TAS_OK)
        if (tas_helper_send(line, *answers) != TAS_OK)
            return;
}

static void hang_up(int line, void *ctx) {
    (void)ctx;
    uint8_t packet[16];
    size_t len;
    int err = tas_helper_receive(line, packet, sizeof(packet), &len);
    close(line);
    while (err == TAS_OK)
        pause(); /* gone from the line, but alive */
}

static void a_helper_that_hangs_up_is_killed(void **state) {
    (void)state;
    struct tas_helper *helper = tas_helper_start("test", hang_up, NULL);
    assert_non_null(helper);
    int pid = tas_helper_pid(helper);
    uint8_t reply[16];
    size_t len;
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of("x", 1), reply, sizeof(reply), &len), TAS_E_CLOSED);
    assert_true(is_gone(pid));
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of("x", 1), reply, sizeof(reply), &len), TAS_E_CLOSED);
    tas_helper_stop(helper);
}

static void an_answer_that_is_too_long_is_told_and_dropped(void **state) {
    (void)state;
    struct tas_bytes answer = tas_bytes_of("seventeen bytes..", 17);
    struct tas_helper *helper = tas_helper_start("test", answer_nonsense, &answer);
    assert_non_null(helper);
    uint8_t reply[17];
    size_t len = 0;
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of("x", 1), reply, 16, &len), TAS_E_LIMIT);
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of("x", 1), reply, 17, &len), TAS_OK);
    assert_int_equal(len, 17);
    assert_int_equal(tas_helper_kill(helper), TAS_E_CLOSED);
    assert_int_equal(tas_helper_ask(helper, tas_bytes_of("x", 1), reply, 17, &len), TAS_E_CLOSED);
    tas_helper_stop(helper);
}

/* ---- many threads ---- */

static void *sign_many(void *arg) {
    uintptr_t id = (uintptr_t)arg;
    uintptr_t wrong = 0;
    for (unsigned i = 0; i < 300; i++) {
        struct tas_msg_ticket ticket = ticket_of_now();
        struct tas_msg_statement statement = statement_of_now();
        struct mgr_checkpoint c = checkpoint_of_now();
        uint8_t out[TAS_KEYSET_MAX_LEN];
        char reason[MGR_SIGNER_WHY];
        size_t len;
        ticket.session_id = id * 1000 + i;
        statement.session_id = id * 1000 + i;
        wrong += mgr_signer_ticket(signer, &ticket, out) != TAS_OK;
        struct tas_msg_ticket back;
        wrong += tas_msg_ticket_decode(&back, tas_bytes_of(out, TAS_SIZE_TICKET)) != TAS_OK ||
                 back.session_id != ticket.session_id; /* ours, not another thread's */
        wrong += mgr_signer_statement(signer, &statement, out) != TAS_OK;
        wrong += mgr_signer_checkpoint(signer, &c) != TAS_OK;
        if (i % 30 == 0)
            wrong +=
                mgr_signer_keyset(signer, out, &len) != TAS_OK || mgr_signer_reload(signer, reason) != TAS_OK;
    }
    return (void *)wrong;
}

static void threads_may_ask_at_once(void **state) {
    (void)state;
    pthread_t threads[4];
    uintptr_t wrong = 0;
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_many, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (uintptr_t)result;
    }
    assert_int_equal(wrong, 0);
}

static void a_signature_takes_a_few_100_us(void **state) {
    (void)state;
    enum { N = 2000 };
    struct tas_msg_ticket ticket = ticket_of_now();
    uint8_t out[TAS_SIZE_TICKET];
    uint64_t start_us = tas_mono_us();
    for (int i = 0; i < N; i++)
        must(mgr_signer_ticket(signer, &ticket, out));
    uint64_t took_us = tas_mono_us() - start_us;
    print_message("%d tickets: %.0f us each, %.0f a second\n", N, (double)took_us / N,
                  N * 1e6 / (double)took_us);
}

#define IN_FOLDER(f)   cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
#define WITH_SIGNER(f) cmocka_unit_test_setup_teardown(f, make_signer, remove_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SIGNER(a_ticket_is_signed_with_the_ticket_key),
        WITH_SIGNER(a_statement_is_signed_with_the_statement_key),
        WITH_SIGNER(a_checkpoint_is_signed_with_the_audit_key),
        WITH_SIGNER(the_keyset_is_the_one_of_the_file),
        WITH_SIGNER(refusals_come_from_the_process_too),
        IN_FOLDER(without_a_key_that_is_valid_nothing_is_signed),
        IN_FOLDER(the_newest_key_takes_over_on_time_and_the_old_one_stays_good),
        WITH_SIGNER(a_reload_takes_rotated_keys),
        WITH_SIGNER(a_reload_of_a_broken_file_says_why_and_keeps_the_keys),
        WITH_SIGNER(keys_of_another_root_or_of_yesterday_need_a_restart),
        IN_FOLDER(what_cannot_be_read_does_not_start),
        WITH_SIGNER(it_has_its_line_and_nothing_else),
        WITH_SIGNER(it_is_sandboxed_and_leaves_no_core),
        cmocka_unit_test(whoever_takes_it_over_cannot_open_a_socket_or_start_a_program),
        WITH_SIGNER(it_ignores_the_signals_of_the_group),
        IN_FOLDER(it_becomes_another_user_and_reloads_with_his_rights),
        IN_FOLDER(others_of_its_user_cannot_look_into_it),
        WITH_SIGNER(a_stop_ends_it_and_leaves_no_zombie),
        WITH_SIGNER(when_it_dies_every_question_is_answered_with_closed),
        WITH_SIGNER(other_children_are_left_to_whoever_waits_for_them),
        WITH_SIGNER(it_ends_when_the_program_is_killed),
        WITH_SIGNER(it_survives_whatever_is_written_into_its_line),
        WITH_SIGNER(every_cut_and_lengthened_request_is_refused),
        cmocka_unit_test(a_helper_that_hangs_up_is_killed),
        cmocka_unit_test(an_answer_that_is_too_long_is_told_and_dropped),
        WITH_SIGNER(threads_may_ask_at_once),
        WITH_SIGNER(a_signature_takes_a_few_100_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
