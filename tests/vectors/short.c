/* Calls that do a part of what they were asked for (security F-04): of files and connections at most $SHORT octets a call. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t most;

__attribute__((constructor)) static void start(void) { most = strtoul(getenv("SHORT"), 0, 10); }

static size_t part(int file, size_t asked) {
  struct stat about;
  int whole = fstat(file, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISSOCK(about.st_mode));
  return whole || asked < most ? asked : most;
}

ssize_t read(int file, void *to, size_t count) { return syscall(SYS_read, file, to, part(file, count)); }
ssize_t write(int file, const void *from, size_t count) { return syscall(SYS_write, file, from, part(file, count)); }
ssize_t pread(int file, void *to, size_t count, off_t at) { return syscall(SYS_pread64, file, to, part(file, count), at); }
ssize_t pread64(int file, void *to, size_t count, off64_t at) { return syscall(SYS_pread64, file, to, part(file, count), at); }
ssize_t pwrite(int file, const void *from, size_t count, off_t at) { return syscall(SYS_pwrite64, file, from, part(file, count), at); }
ssize_t pwrite64(int file, const void *from, size_t count, off64_t at) { return syscall(SYS_pwrite64, file, from, part(file, count), at); }
ssize_t send(int file, const void *from, size_t count, int flags) { return syscall(SYS_sendto, file, from, part(file, count), flags, 0, 0); }
ssize_t recv(int file, void *to, size_t count, int flags) { return syscall(SYS_recvfrom, file, to, part(file, count), flags, 0, 0); }
