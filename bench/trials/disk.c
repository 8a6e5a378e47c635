/* disk.so: what a program does to its files, seen from underneath it (LD_PRELOAD).

   DISK_ROOT   the directory that is watched; files elsewhere pass through untouched
   DISK_LOG    every change of a file below DISK_ROOT is appended here, with its data, in one order for all processes
   DISK_FAIL   while a file of this name exists, it says what fails: "eio" every fsync, fdatasync and syncfs, "full" every write
               that makes a file longer
   DISK_SLOW   how many microseconds a sync takes at least: in memory it would take none, and nothing would ever happen meanwhile

   A change is logged after it happened and before the program hears of it; a sync is logged twice, before it begins and
   after it ended. So whoever acts on another process's write finds that write earlier in the log, and what a sync may be
   believed to have saved is what stands before its beginning.

   Only what PostgreSQL and DuckDB use is here. Files opened by fopen are not seen: PostgreSQL rebuilds those by itself. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC_BEGINS, SYNC_ENDS, CREATE, RENAME, UNLINK, TRUNCATE, LINK, MKDIR, RMDIR, OPEN_FOLDER };
enum { MOST_FILES = 65536, MOST_PIECES = 256 };

struct entry { uint32_t kind, bytes; uint64_t inode, offset; };  /* then `bytes` of data, or "path" or "old\0new" */

static char root[PATH_MAX], fail[PATH_MAX];
static int log_file = -1;
static useconds_t slow;
static size_t root_length;
static uint64_t inodes[MOST_FILES];  /* of watched open files by descriptor; 0: not watched */

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    const char *value = getenv("DISK_ROOT");
    if (!value || !realpath(value, root)) { root[0] = 0; return; }
    root_length = strlen(root);
    if ((value = getenv("DISK_FAIL"))) strncpy(fail, value, sizeof fail - 1);
    if ((value = getenv("DISK_SLOW"))) slow = (useconds_t)atoi(value);
    if ((value = getenv("DISK_LOG"))) {
        int opened = open(value, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        log_file = fcntl(opened, F_DUPFD_CLOEXEC, 700);
        close(opened);
    }
}

static int full_path(const char *path, char *out)
{
    if (!root[0]) return 0;
    if (path[0] == '/') { if (strlen(path) >= PATH_MAX) return 0; strcpy(out, path); }
    else {
        if (!getcwd(out, PATH_MAX)) return 0;
        size_t length = strlen(out);
        if (path[0] == '.' && path[1] == '/') path += 2;
        if (length + strlen(path) + 2 > PATH_MAX) return 0;
        out[length] = '/';
        strcpy(out + length + 1, path);
    }
    return !strncmp(out, root, root_length) && (out[root_length] == '/' || !out[root_length]);
}

static void append(uint32_t kind, uint64_t inode, uint64_t offset, const struct iovec *data, int pieces, size_t bytes)
{
    static __typeof__(writev) *real_writev;
    if (log_file < 0) return;
    if (!real_writev) real_writev = (__typeof__(writev) *)dlsym(RTLD_NEXT, "writev");
    struct entry entry = { kind, (uint32_t)bytes, inode, offset };
    struct iovec all[MOST_PIECES] = { { &entry, sizeof entry } };
    size_t left = bytes;
    int used = 1;
    for (int piece = 0; piece < pieces && left && used < MOST_PIECES; piece++) {
        size_t length = data[piece].iov_len < left ? data[piece].iov_len : left;
        all[used++] = (struct iovec){ data[piece].iov_base, length };
        left -= length;
    }
    if (left || real_writev(log_file, all, used) != (ssize_t)(sizeof entry + bytes)) abort();  /* a log with a hole proves nothing */
}

static void append_paths(uint32_t kind, uint64_t inode, const char *one, const char *other)
{
    struct iovec data[2] = { { (void *)one, strlen(one) + (other ? 1 : 0) }, { (void *)(other ? other : ""), other ? strlen(other) : 0 } };
    append(kind, inode, 0, data, 2, data[0].iov_len + data[1].iov_len);
}

static uint64_t watched(int file) { return file >= 0 && file < MOST_FILES ? inodes[file] : 0; }

static const char *failing(void)
{
    static char word[8];
    if (!fail[0]) return "";
    int file = openat(AT_FDCWD, fail, O_RDONLY | O_CLOEXEC);
    if (file < 0) return "";
    ssize_t length = read(file, word, sizeof word - 1);
    close(file);
    word[length > 0 ? length : 0] = 0;
    return word;
}

static int no_room(int file, uint64_t end)
{
    struct stat facts;
    return fail[0] && !strncmp(failing(), "full", 4) && !fstat(file, &facts) && end > (uint64_t)facts.st_size;
}

int open(const char *path, int flags, ...)
{
    REAL(open);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
    char name[PATH_MAX];
    struct stat facts;
    int ours = full_path(path, name);
    int fresh = ours && (flags & O_CREAT) && stat(name, &facts);
    int file = real(path, flags, mode);
    if (file >= 0 && file < MOST_FILES) {
        inodes[file] = 0;
        if (ours && !fstat(file, &facts)) {
            inodes[file] = facts.st_ino;
            if (S_ISDIR(facts.st_mode)) append_paths(OPEN_FOLDER, facts.st_ino, name, 0);
            else if (fresh) append_paths(CREATE, facts.st_ino, name, 0);
            else if (flags & O_TRUNC) append(TRUNCATE, facts.st_ino, 0, 0, 0, 0);
        }
    }
    return file;
}

int open64(const char *path, int flags, ...)
{
    va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
    return open(path, flags, mode);
}

int close(int file)
{
    REAL(close);
    if (file == log_file && log_file >= 0) return 0;
    if (file >= 0 && file < MOST_FILES) inodes[file] = 0;
    return real(file);
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset)
{
    REAL(pwrite);
    uint64_t inode = watched(file);
    if (inode && no_room(file, offset + bytes)) { errno = ENOSPC; return -1; }
    ssize_t done = real(file, data, bytes, offset);
    if (inode && done > 0) append(WRITE, inode, offset, &(struct iovec){ (void *)data, done }, 1, done);
    return done;
}
ssize_t pwrite64(int file, const void *data, size_t bytes, off_t offset) { return pwrite(file, data, bytes, offset); }

ssize_t pwritev(int file, const struct iovec *data, int pieces, off_t offset)
{
    REAL(pwritev);
    uint64_t inode = watched(file);
    size_t bytes = 0;
    for (int piece = 0; piece < pieces; piece++) bytes += data[piece].iov_len;
    if (inode && no_room(file, offset + bytes)) { errno = ENOSPC; return -1; }
    ssize_t done = real(file, data, pieces, offset);
    if (inode && done > 0) append(WRITE, inode, offset, data, pieces, done);
    return done;
}
ssize_t pwritev64(int file, const struct iovec *data, int pieces, off_t offset) { return pwritev(file, data, pieces, offset); }

ssize_t write(int file, const void *data, size_t bytes)
{
    REAL(write);
    uint64_t inode = watched(file);
    if (!inode) return real(file, data, bytes);
    if (no_room(file, lseek(file, 0, SEEK_CUR) + bytes)) { errno = ENOSPC; return -1; }
    ssize_t done = real(file, data, bytes);
    if (done > 0) append(WRITE, inode, lseek(file, 0, SEEK_CUR) - done, &(struct iovec){ (void *)data, done }, 1, done);
    return done;
}

static int sync_file(int file, int (*real)(int))
{
    uint64_t inode = watched(file);
    if (inode && !strncmp(failing(), "eio", 3)) { errno = EIO; return -1; }
    if (inode) append(SYNC_BEGINS, inode, getpid(), 0, 0, 0);
    if (inode && slow) usleep(slow);
    int done = real(file);
    if (inode && !done) append(SYNC_ENDS, inode, getpid(), 0, 0, 0);
    return done;
}
int fsync(int file) { REAL(fsync); return sync_file(file, real); }
int fdatasync(int file) { REAL(fdatasync); return sync_file(file, real); }
int syncfs(int file)  /* only recovery calls it; what it made sure of is not logged, so the model knows less than the disk holds */
{
    REAL(syncfs);
    if (root[0] && !strncmp(failing(), "eio", 3)) { errno = EIO; return -1; }
    return real(file);
}

static void truncated(int file, off_t length) { if (watched(file)) append(TRUNCATE, watched(file), length, 0, 0, 0); }
int ftruncate(int file, off_t length)
{
    REAL(ftruncate);
    int done = real(file, length);
    if (!done) truncated(file, length);
    return done;
}
int ftruncate64(int file, off_t length) { return ftruncate(file, length); }

static void longer(int file, off_t end)
{
    struct stat facts;
    if (watched(file) && !fstat(file, &facts) && facts.st_size == end) truncated(file, end);
}
int posix_fallocate(int file, off_t offset, off_t bytes)
{
    REAL(posix_fallocate);
    if (watched(file) && no_room(file, offset + bytes)) return ENOSPC;
    int done = real(file, offset, bytes);
    if (!done) longer(file, offset + bytes);
    return done;
}
int fallocate(int file, int mode, off_t offset, off_t bytes)
{
    REAL(fallocate);
    if (watched(file) && no_room(file, offset + bytes)) { errno = ENOSPC; return -1; }
    int done = real(file, mode, offset, bytes);
    if (!done) longer(file, offset + bytes);
    return done;
}

static int named(uint32_t kind, const char *path, int done)
{
    char name[PATH_MAX];
    if (!done && full_path(path, name)) append_paths(kind, 0, name, 0);
    return done;
}
int unlink(const char *path) { REAL(unlink); return named(UNLINK, path, real(path)); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); return named(MKDIR, path, real(path, mode)); }
int rmdir(const char *path) { REAL(rmdir); return named(RMDIR, path, real(path)); }

static int moved(uint32_t kind, const char *old, const char *new, int done)
{
    char from[PATH_MAX], to[PATH_MAX];
    if (!done && full_path(old, from) && full_path(new, to)) append_paths(kind, 0, from, to);
    return done;
}
int rename(const char *old, const char *new) { REAL(rename); return moved(RENAME, old, new, real(old, new)); }
int link(const char *old, const char *new) { REAL(link); return moved(LINK, old, new, real(old, new)); }
