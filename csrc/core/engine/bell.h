/*
 * bell - a descriptor that is readable from the ring until it is quiet again: eventfd, else a pipe.
 */
#ifndef ML_BELL_H
#define ML_BELL_H

#include <stdbool.h>

typedef struct ml_bell {
    int ear;    /* for poll() and its kin; negative: there is none */
    int hammer; /* the same where there is eventfd */
} ml_bell;

/* False when descriptors are out. */
bool ml_bell_make(ml_bell *bell);
void ml_bell_free(ml_bell *bell);
void ml_bell_ring(const ml_bell *bell);
void ml_bell_quiet(const ml_bell *bell);
/* In a forked child: one of its own under the same numbers, else none. */
void ml_bell_renew(ml_bell *bell);

#endif
