#include "pool.h"
#include "clock.h"
#include "error.h"

#include <stdlib.h>

/* ---- lists ---- */

static void push(ml_seat **list, ml_seat *seat) {
    seat->next = *list;
    *list = seat;
}

static void drop(ml_seat **list, const ml_seat *seat) {
    while (*list != seat)
        list = &(*list)->next;
    *list = seat->next;
}

static void free_seats(const ml_pool *pool, ml_seat *seats) {
    for (ml_seat *seat = seats, *next; seat != NULL; seat = next) {
        next = seat->next;
        if (seat->lane != NULL) pool->transport->close(seat->lane);
        free(seat);
    }
}

/* ---- fork ---- */

static ml_pool *pool_of(ml_forkable *forkable) {
    return (ml_pool *)forkable;
}

static void before_fork(ml_forkable *forkable) {
    pthread_mutex_lock(&pool_of(forkable)->lock);
}

static void after_in_parent(ml_forkable *forkable) {
    pthread_mutex_unlock(&pool_of(forkable)->lock);
}

/* The connections are the parent's. */
static void abandon_lane(const ml_pool *pool, ml_seat *seat) {
    if (seat->lane != NULL) pool->transport->abandon(seat->lane);
    seat->lane = NULL;
}

static void drop_idle(ml_pool *pool) {
    for (ml_seat *seat = pool->idle, *next; seat != NULL; seat = next) {
        next = seat->next;
        abandon_lane(pool, seat);
        free(seat);
    }
    pool->idle = NULL;
}

/* A busy seat belongs to a call of a thread that is not here, or to one of this very thread, when
 * a signal handler forks: that one gives it back. */
static void drop_busy_of_others(ml_pool *pool) {
    ml_seat *own = NULL;
    for (ml_seat *seat = pool->busy, *next; seat != NULL; seat = next) {
        next = seat->next;
        abandon_lane(pool, seat);
        if (pthread_equal(seat->owner, pthread_self()))
            push(&own, seat);
        else
            free(seat);
    }
    pool->busy = own;
}

static void after_in_child(ml_forkable *forkable) {
    ml_pool *pool = pool_of(forkable);
    pthread_mutex_init(&pool->lock, NULL);
    ml_cond_init(&pool->freed);
    drop_idle(pool);
    drop_busy_of_others(pool);
    pool->seat_count = 0;
    for (const ml_seat *seat = pool->busy; seat != NULL; seat = seat->next)
        pool->seat_count++;
}

/* ---- life ---- */

bool ml_pool_init(ml_pool *pool, const ml_transport *transport, const ml_config *config) {
    *pool = (ml_pool){
        .forkable = {.before = before_fork,
                     .in_parent = after_in_parent,
                     .in_child = after_in_child},
        .transport = transport,
        .config = config,
    };
    if (!ml_process_init() || pthread_mutex_init(&pool->lock, NULL) != 0) return false;
    if (!ml_cond_init(&pool->freed)) {
        pthread_mutex_destroy(&pool->lock);
        return false;
    }
    ml_process_add(&pool->forkable);
    return true;
}

void ml_pool_close(ml_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    ml_seat *idle = pool->idle;
    pool->idle = NULL;
    for (ml_seat *seat = pool->busy; seat != NULL; seat = seat->next)
        if (seat->lane != NULL) pool->transport->wake(seat->lane);
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
    free_seats(pool, idle);
}

bool ml_pool_is_closed(ml_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    bool closed = pool->closed;
    pthread_mutex_unlock(&pool->lock);
    return closed;
}

void ml_pool_free(ml_pool *pool) {
    ml_pool_close(pool);
    ml_process_remove(&pool->forkable);
    free_seats(pool, pool->busy);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
}

/* ---- seats ---- */

static bool is_full(const ml_pool *pool) {
    return pool->idle == NULL && pool->seat_count >= pool->config->options.max_connections;
}

/* An idle seat, else a new one; NULL when memory is out. Called with the lock. */
static ml_seat *get_seat(ml_pool *pool) {
    ml_seat *seat = pool->idle;
    if (seat != NULL) {
        pool->idle = seat->next;
    } else {
        seat = calloc(1, sizeof *seat);
        if (seat == NULL) return NULL;
        pool->seat_count++;
    }
    seat->owner = pthread_self();
    push(&pool->busy, seat);
    return seat;
}

/* Opened without the lock, put in under it: closing the pool sees the lane, or comes first. */
static bool open_lane(ml_pool *pool, ml_seat *seat, ml_error *error) {
    if (seat->lane != NULL) return true;
    ml_lane *lane = pool->transport->open(pool->config, error);
    pthread_mutex_lock(&pool->lock);
    seat->lane = lane;
    pthread_mutex_unlock(&pool->lock);
    return lane != NULL;
}

ml_seat *ml_pool_take(ml_pool *pool, double seconds, ml_error *error) {
    ml_seat *seat = NULL;
    pthread_mutex_lock(&pool->lock);
    if (!pool->closed && is_full(pool)) ml_cond_wait(&pool->freed, &pool->lock, seconds);
    if (pool->closed)
        ml_fail(error, ML_ERR_CLOSED, "the client is closed: make a new one");
    else if (!is_full(pool) && (seat = get_seat(pool)) == NULL)
        ml_fail_memory(error);
    pthread_mutex_unlock(&pool->lock);
    if (seat == NULL || open_lane(pool, seat, error)) return seat;
    ml_pool_leave(pool, seat);
    return NULL;
}

void ml_pool_leave(ml_pool *pool, ml_seat *seat) {
    pthread_mutex_lock(&pool->lock);
    drop(&pool->busy, seat);
    bool keep = !pool->closed && seat->lane != NULL;
    if (keep)
        push(&pool->idle, seat);
    else
        pool->seat_count--;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
    if (keep) return;
    seat->next = NULL;
    free_seats(pool, seat);
}
