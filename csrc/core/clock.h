/*
 * clock - waiting by the clock that only goes forward.
 */
#ifndef ML_CLOCK_H
#define ML_CLOCK_H

#include <pthread.h>
#include <stdbool.h>

/* Seconds on a clock that only goes forward. */
double ml_now(void);
/* A condition that waits by that clock. False when memory is out. */
bool ml_cond_init(pthread_cond_t *condition);
/* Waits for that many seconds at most. */
void ml_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double seconds);

#endif
