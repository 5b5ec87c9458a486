/* What this process may do, one line for each attempt: its name and `done`, or the error's number. Needs nothing but the
   kernel. calls.h has the calls to try, by name; their numbers are those of the C library's headers for this architecture. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/if_alg.h>

/* Newer than the headers; from 424 on every architecture has the same numbers. */
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

struct call {
  const char *name;
  long number;
};
static const struct call calls[] = {
#include "calls.h"
};

static void say(const char *what, long result) {
  if (result < 0)
    printf("%s: errno %d\n", what, errno);
  else
    printf("%s: done\n", what);
}

static void open_as(const char *what, const char *path, int flags) {
  int file = open(path, flags, 0600);
  say(what, file);
  if (file >= 0)
    close(file);
}

/* A child by clone(2) itself; its flags are the first argument on x86_64 and aarch64 alike. */
static void child(const char *what, unsigned long flags) {
  long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0)
    _exit(0);
  say(what, pid);
  if (pid > 0)
    waitpid((pid_t)pid, NULL, 0);
}

static void status_of(const char *wanted) {
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, wanted, strlen(wanted)))
      fputs(line, stdout);
  if (status)
    fclose(status);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  open_as("read protected", "/protected/secret", O_RDONLY);
  open_as("write protected", "/protected/new", O_WRONLY | O_CREAT);
  open_as("write granted", "/local_disk0/new", O_WRONLY | O_CREAT);
  open_as("read granted", "/local_disk0/new", O_RDONLY);
  char *names[] = {"SMUGGLED", "TZ", "FEATURE_A"};
  for (unsigned at = 0; at < sizeof names / sizeof *names; at++) {
    char *value = getenv(names[at]);
    printf("variable %s: %s\n", names[at], value ? value : "absent");
  }
  status_of("NoNewPrivs");
  status_of("Seccomp:");
  status_of("CapBnd");
  status_of("CapEff");
  child("clone", 0);
  child("clone into a mount namespace", 0x00020000);
  child("clone into a user namespace", 0x10000000);
  say("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
  say("socket packet", socket(AF_PACKET, SOCK_RAW, 0));
  errno = 0;
  say("socket alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
  unlink("/local_disk0/file");
  unlink("/local_disk0/block");
  say("make a file node", mknodat(AT_FDCWD, "/local_disk0/file", S_IFREG | 0600, 0));
  say("make a block node", mknodat(AT_FDCWD, "/local_disk0/block", S_IFBLK | 0600, 0x0100));
  struct rlimit limit;
  say("own limits", prlimit(0, RLIMIT_NOFILE, NULL, &limit));
  say("limits of another", prlimit(getppid() ? getppid() : 1, RLIMIT_NOFILE, NULL, &limit));
  int console = open("/dev/console", O_RDWR | O_NOCTTY);
  say("type into a terminal", ioctl(console < 0 ? 0 : console, TIOCSTI, "x"));
  for (unsigned at = 0; at < sizeof calls / sizeof *calls; at++) {
    errno = 0;
    say(calls[at].name, syscall(calls[at].number, 0, 0, 0, 0, 0, 0));
  }
  puts("the end");
  return 0;
}
