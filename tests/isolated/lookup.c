/*
 * Name lookups as a test wants them, for LD_PRELOAD: every name under ".example" is 127.0.0.1.
 * The environment says more:
 *   LOOKUP_ADDRESSES  they are these addresses instead, "::1,127.0.0.1" for instance
 *   LOOKUP_SIGNAL     the first sends this signal to the process
 *   LOOKUP_SECONDS    the first takes so long
 *   LOOKUP_LOG        each appends its name and a newline to this file
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static void disturb(void) {
    const char *number = getenv("LOOKUP_SIGNAL"), *seconds = getenv("LOOKUP_SECONDS");
    if (number != NULL) kill(getpid(), atoi(number));
    struct timespec left = {.tv_sec = seconds != NULL ? atoi(seconds) : 0};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

static void note(const char *name) {
    char line[300];
    const char *path = getenv("LOOKUP_LOG");
    int file = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    int length = snprintf(line, sizeof line, "%s\n", name);
    if (write(file, line, (size_t)length) != length) abort();
    close(file);
}

/* One list of what is found for each address. Newer versions of libcurl ask for each family by
 * itself. */
static int find_all(lookup *find, char *addresses, const char *service,
                    const struct addrinfo *hints, struct addrinfo **found) {
    char *rest = NULL;
    struct addrinfo **end = found;
    *found = NULL;
    for (char *one = strtok_r(addresses, ",", &rest); one != NULL;
         one = strtok_r(NULL, ",", &rest)) {
        if (find(one, service, hints, end) != 0) *end = NULL;
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    return *found == NULL ? EAI_NONAME : 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    static atomic_int lookups;
    lookup *real = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
    const char *end = name != NULL ? strrchr(name, '.') : NULL;
    if (end == NULL || strcmp(end, ".example") != 0) return real(name, service, hints, found);
    note(name);
    if (atomic_fetch_add(&lookups, 1) == 0) disturb();
    const char *addresses = getenv("LOOKUP_ADDRESSES");
    char list[200];
    snprintf(list, sizeof list, "%s", addresses != NULL ? addresses : "127.0.0.1");
    return find_all(real, list, service, hints, found);
}
