#include "bell.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __linux__

#include <sys/eventfd.h>

bool ml_bell_make(ml_bell *bell) {
    bell->ear = bell->hammer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->ear >= 0;
}

#else

static bool prepare(int end) {
    return fcntl(end, F_SETFD, FD_CLOEXEC) == 0 && fcntl(end, F_SETFL, O_NONBLOCK) == 0;
}

bool ml_bell_make(ml_bell *bell) {
    int ends[2];
    *bell = (ml_bell){-1, -1};
    if (pipe(ends) != 0) return false;
    *bell = (ml_bell){ends[0], ends[1]};
    if (prepare(ends[0]) && prepare(ends[1])) return true;
    ml_bell_free(bell);
    return false;
}

#endif

void ml_bell_free(ml_bell *bell) {
    if (bell->hammer >= 0 && bell->hammer != bell->ear) close(bell->hammer);
    if (bell->ear >= 0) close(bell->ear);
    *bell = (ml_bell){-1, -1};
}

/* One that rings already need not ring louder: neither call can fail otherwise. */
void ml_bell_ring(const ml_bell *bell) {
    uint64_t one = 1;
    if (bell->hammer >= 0 && write(bell->hammer, &one, sizeof one) < 0) return;
}

void ml_bell_quiet(const ml_bell *bell) {
    uint64_t count;
    while (bell->ear >= 0 && read(bell->ear, &count, sizeof count) == sizeof count &&
           bell->ear != bell->hammer) {
    }
}

/* Whoever watches the number goes on to do so. */
static int put_in_place(int made, int old) {
    if (made == old) return made;
    int put = dup2(made, old);
    if (put >= 0) fcntl(put, F_SETFD, FD_CLOEXEC);
    close(made);
    return put;
}

void ml_bell_renew(ml_bell *bell) {
    ml_bell old = *bell, made;
    if (old.ear < 0) return;
    if (!ml_bell_make(&made)) {
        ml_bell_free(bell);
        return;
    }
    bool is_one = made.ear == made.hammer;
    bell->ear = put_in_place(made.ear, old.ear);
    bell->hammer = is_one ? bell->ear : put_in_place(made.hammer, old.hammer);
}
