/*
 * A library to be loaded before a program (LD_PRELOAD) whose clock and disk shall not be relied on. What is wrong stands in the file that
 * UNRELIABLE names, three numbers of 64 bits, and may change at any time:
 *   seconds that the wall clock is ahead; whether forces fail; whether writes fail (EIO; only of files below UNRELIABLE_DISK).
 * The monotonic clock is right, and what is not such a file is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct wrong {
    volatile int64_t seconds_ahead;
    volatile int64_t forces_fail;
    volatile int64_t writes_fail;
};

static struct wrong nothing;
static struct wrong *wrong = &nothing;
static const char *disk = "";

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("UNRELIABLE");
    const char *below = getenv("UNRELIABLE_DISK");
    int file = name == NULL ? -1 : open(name, O_RDONLY);
    if (file >= 0) {
        void *mapped = mmap(NULL, sizeof(struct wrong), PROT_READ, MAP_SHARED, file, 0);
        close(file);
        if (mapped != MAP_FAILED) {
            disk = below == NULL ? "" : strdup(below);
            wrong = mapped;
        }
    }
}

static int on_disk(int file) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t wanted = strlen(disk);
    return wanted > 0 && length >= (ssize_t) wanted && strncmp(path, disk, wanted) == 0;
}

static int fails(int64_t armed, int file) {
    if (armed && on_disk(file)) {
        errno = EIO;
        return 1;
    }
    return 0;
}

/* dlsym is replaced itself below; every glibc has it under one of these versions. */
static void *next(const char *name) {
    static void *(*real)(void *, const char *);
    const char *versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (int i = 0; real == NULL && i < 3; i++) {
        real = (void *(*)(void *, const char *)) dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    }
    return real(RTLD_NEXT, name);
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (real == NULL) { \
        real = (result (*)(__VA_ARGS__)) next(name); \
    }

int fsync(int file) {
    REAL(int, "fsync", int)
    return fails(wrong->forces_fail, file) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int)
    return fails(wrong->forces_fail, file) ? -1 : real(file);
}

ssize_t write(int file, const void *from, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t)
    return fails(wrong->writes_fail, file) ? -1 : real(file, from, length);
}

ssize_t writev(int file, const struct iovec *from, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int)
    return fails(wrong->writes_fail, file) ? -1 : real(file, from, count);
}

ssize_t pwrite(int file, const void *from, size_t length, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)
    return fails(wrong->writes_fail, file) ? -1 : real(file, from, length, at);
}

ssize_t pwrite64(int file, const void *from, size_t length, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)
    return fails(wrong->writes_fail, file) ? -1 : real(file, from, length, at);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *)
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += wrong->seconds_ahead;
    }
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(int, "gettimeofday", struct timeval *, void *)
    int status = real(now, zone);
    if (status == 0) {
        now->tv_sec += wrong->seconds_ahead;
    }
    return status;
}

time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to != NULL) {
        *to = now.tv_sec;
    }
    return now.tv_sec;
}

/* The virtual machine looks its clock up by name in one library, where it would not find this one. */
void *dlsym(void *restrict library, const char *restrict name) {
    if (strcmp(name, "clock_gettime") == 0) {
        return (void *) clock_gettime;
    }
    if (library == RTLD_NEXT) {
        return next(name);
    }
    static void *(*real)(void *, const char *);
    if (real == NULL) {
        real = (void *(*)(void *, const char *)) next("dlsym");
    }
    return real(library, name);
}
