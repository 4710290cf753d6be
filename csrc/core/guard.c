#include "guard.h"
#include "process.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ml_guard {
    ml_guard *next;
    char *origin;    /* owned */
    double *failed;  /* owned: when the latest failures happened, oldest first */
    int count, room; /* of them */
    int in_flight;
};

/* Under the process's lock, as all that is in them. */
static ml_guard *guards;

/* ---- fork ---- */

/* A child has a budget of its own: what the parent has in flight never ends here. */
static void renew(ml_forkable *forkable) {
    (void)forkable;
    for (ml_guard *guard = guards; guard != NULL; guard = guard->next)
        guard->count = guard->in_flight = 0;
}

static ml_forkable in_processes = {.in_child = renew};

/* ---- finding ---- */

static ml_guard *new_guard(const char *origin) {
    ml_guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL) return NULL;
    guard->origin = strdup(origin);
    if (guard->origin == NULL) {
        free(guard);
        return NULL;
    }
    return guard;
}

static ml_guard *find(const char *origin) {
    for (ml_guard *guard = guards; guard != NULL; guard = guard->next)
        if (strcmp(guard->origin, origin) == 0) return guard;
    return NULL;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void join_process(void) {
    ml_process_add(&in_processes);
}

ml_guard *ml_guard_of(const char *origin) {
    pthread_once(&once, join_process);
    ml_process_lock();
    ml_guard *guard = find(origin);
    if (guard == NULL && (guard = new_guard(origin)) != NULL) {
        guard->next = guards;
        guards = guard;
    }
    ml_process_unlock();
    return guard;
}

/* ---- counting ---- */

/* Failures after `since`. */
static int count_since(const ml_guard *guard, double since) {
    int first = 0;
    while (first < guard->count && guard->failed[first] <= since)
        first++;
    return guard->count - first;
}

/* When the nth newest failure (from 1) leaves a window. */
static double leaves_at(const ml_guard *guard, int nth, double window) {
    return guard->failed[guard->count - nth] + window;
}

static ml_guard_verdict judge(const ml_guard *guard, const ml_budget *budget, double now,
                              double *until) {
    int failures = count_since(guard, now - budget->window);
    int warning = budget->failures / 4 > 0 ? budget->failures / 4 : 1;
    if (failures >= budget->failures) {
        *until = leaves_at(guard, budget->failures, budget->window);
        return ML_GUARD_REFUSED;
    }
    if (failures < warning || failures + guard->in_flight < budget->failures) return ML_GUARD_GO;
    *until = leaves_at(guard, failures, budget->window);
    return ML_GUARD_WAIT;
}

ml_guard_verdict ml_guard_ask(ml_guard *guard, const ml_budget *budget, double now, double *until) {
    ml_process_lock();
    ml_guard_verdict verdict = judge(guard, budget, now, until);
    if (verdict == ML_GUARD_GO) guard->in_flight++;
    ml_process_unlock();
    return verdict;
}

/* Keeps as many of the latest failures as the largest budget asks for. Without memory for more,
 * the oldest give way: then fewer are counted, and Merge's own rule is the last resort. */
static void remember(ml_guard *guard, int wanted, double now) {
    if (guard->count == guard->room && guard->room < wanted) {
        double *failed = realloc(guard->failed, (size_t)wanted * sizeof *failed);
        if (failed != NULL) {
            guard->failed = failed;
            guard->room = wanted;
        }
    }
    if (guard->room == 0) return;
    if (guard->count == guard->room)
        memmove(guard->failed, guard->failed + 1, (size_t)--guard->count * sizeof *guard->failed);
    guard->failed[guard->count++] = now;
}

void ml_guard_leave(ml_guard *guard, const ml_budget *budget, bool failed, double now) {
    ml_process_lock();
    /* Not below zero: the request may have begun before a fork. */
    if (guard->in_flight > 0) guard->in_flight--;
    if (failed) remember(guard, budget->failures, now);
    ml_process_notify();
    ml_process_unlock();
}

void ml_guard_wait(double seconds) {
    ml_process_lock();
    ml_process_wait(seconds);
    ml_process_unlock();
}
