// Lets the n-th write, fsync, rename or link below a folder fail, in the program `tandem` only.
//
// TANDEM_TEST_FAULT=N:ERRNO:FOLDER:MARK. The file MARK is made when the call has failed. FOLDER and MARK are absolute.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long at;
static int error;
static char folder[4096], mark[4096];

__attribute__((constructor)) static void start(void) {
    char exe[4096] = {0};
    const char *text = getenv("TANDEM_TEST_FAULT");
    if (text == NULL || readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) return;
    const char *name = strrchr(exe, '/');
    if (name == NULL || strcmp(name, "/tandem") != 0) return;
    if (sscanf(text, "%ld:%d:%4095[^:]:%4095s", &at, &error, folder, mark) != 4) at = 0;
}

static int fails(const char *path) {
    if (at == 0 || strncmp(path, folder, strlen(folder)) != 0) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != at) return 0;
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    errno = error;
    return 1;
}

static int fails_at(int fd) {
    char link[64], path[4096] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return at != 0 && readlink(link, path, sizeof path - 1) > 0 && fails(path);
}

#define NEXT(type, name) static type next; if (next == NULL) next = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*writev_t)(int, const struct iovec *, int);
typedef int (*fsync_t)(int);
typedef int (*rename_t)(const char *, const char *);
typedef int (*linkat_t)(int, const char *, int, const char *, int);
typedef ssize_t (*copy_t)(int, off64_t *, int, off64_t *, size_t, unsigned);

ssize_t write(int fd, const void *data, size_t size) {
    NEXT(write_t, "write");
    return fails_at(fd) ? -1 : next(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *data, int count) {
    NEXT(writev_t, "writev");
    return fails_at(fd) ? -1 : next(fd, data, count);
}

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags) {
    NEXT(copy_t, "copy_file_range");
    return fails_at(to) ? -1 : next(from, a, to, b, size, flags);
}

int fsync(int fd) {
    NEXT(fsync_t, "fsync");
    return fails_at(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fsync_t, "fdatasync");
    return fails_at(fd) ? -1 : next(fd);
}

int rename(const char *from, const char *to) {
    NEXT(rename_t, "rename");
    return fails(to) ? -1 : next(from, to);
}

int link(const char *from, const char *to) {
    NEXT(rename_t, "link");
    return fails(to) ? -1 : next(from, to);
}

int linkat(int a, const char *from, int b, const char *to, int flags) {
    NEXT(linkat_t, "linkat");
    return fails(to) ? -1 : next(a, from, b, to, flags);
}
