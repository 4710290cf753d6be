/*
 * guard - the error budget. Merge shuts out an IP address whose requests fail more than 20 times
 * in 10 seconds, for all its requests; so failures are counted here, for each scheme, host and
 * port, by all clients of the process, and calls are held back before it comes to that.
 */
#ifndef ML_GUARD_H
#define ML_GUARD_H

#include <stdbool.h>

typedef struct ml_guard ml_guard;

typedef struct ml_budget {
    int failures;  /* so many ... */
    double window; /* ... in so many seconds are the end; a quarter of it is the warning */
} ml_budget;

typedef enum ml_guard_verdict {
    ML_GUARD_GO,     /* send; then ml_guard_leave() */
    ML_GUARD_WAIT,   /* ask again when something has changed */
    ML_GUARD_REFUSED /* the budget is used up */
} ml_guard_verdict;

/* The guard of an origin such as "https://api.merge.dev:443"; NULL when memory is out. Lives as
 * long as the process. */
ml_guard *ml_guard_of(const char *origin);

/* May a request go out at `now`? When not, *until says when at the latest it is worth asking. */
ml_guard_verdict ml_guard_ask(ml_guard *guard, const ml_budget *budget, double now, double *until);

/* A request that went out has ended. */
void ml_guard_leave(ml_guard *guard, const ml_budget *budget, bool failed, double now);

/* Waits until some request has ended, for that many seconds at most. */
void ml_guard_wait(double seconds);

#endif
