/*
 * pool - the seats of a client: places for one call at a time, each with a lane of its own. Used
 * by any number of threads, and by both sides of a fork.
 */
#ifndef ML_POOL_H
#define ML_POOL_H

#include "process.h"
#include "transport.h"

#include <pthread.h>

typedef struct ml_seat {
    struct ml_seat *next;
    pthread_t owner; /* while it is busy */
    ml_lane *lane;   /* owned; NULL again when a busy one was lost to a fork */
} ml_seat;

typedef struct ml_pool {
    ml_forkable forkable;          /* first, so that one can be had from the other */
    const ml_transport *transport; /* borrowed */
    const ml_config *config;       /* borrowed */
    pthread_mutex_t lock;          /* of all below */
    pthread_cond_t freed;
    bool closed;
    int seat_count;
    ml_seat *idle; /* owned; the one used last comes first */
    ml_seat *busy; /* owned */
} ml_pool;

/* False when memory is out. */
bool ml_pool_init(ml_pool *pool, const ml_transport *transport, const ml_config *config);
/* Closes idle lanes, wakes busy ones and whoever waits; they find the pool closed. */
void ml_pool_close(ml_pool *pool);
bool ml_pool_is_closed(ml_pool *pool);
/* No other thread may use the pool. */
void ml_pool_free(ml_pool *pool);

/*
 * A seat with an open lane. When all are busy, waits for one for that many seconds at most.
 * NULL with ML_OK: none was free; ML_ERR_CLOSED: the pool is closed; else error says what failed.
 */
ml_seat *ml_pool_take(ml_pool *pool, double seconds, ml_error *error);
/* Gives a seat back. */
void ml_pool_leave(ml_pool *pool, ml_seat *seat);

#endif
