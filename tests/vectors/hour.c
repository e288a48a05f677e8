/* An hour that passes when a test says so: what the program is told of its clocks is later by the seconds in the file $HOUR. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *later;

__attribute__((constructor)) static void start(void) {
  int file = open(getenv("HOUR"), O_RDONLY);
  if (file < 0) _exit(99);
  later = mmap(0, sizeof *later, PROT_READ, MAP_SHARED, file, 0);
  if (later == MAP_FAILED) _exit(99);
  close(file);
}

int clock_gettime(clockid_t id, struct timespec *time) {
  int done = (int)syscall(SYS_clock_gettime, id, time);
  int lasts = id == CLOCK_REALTIME || id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME;
  if (done == 0 && lasts && later) time->tv_sec += *later;
  return done;
}
