#include "process.h"
#include "clock.h"
#include "merge_link.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static bool ready;
static atomic_uint generation;
static atomic_uint loopback_only; /* how many want it */
static ml_forkable *forkables;    /* under the lock */
static ml_listener *listeners;    /* under the lock */

static void before_fork(void) {
    pthread_mutex_lock(&lock);
    for (ml_forkable *one = forkables; one != NULL; one = one->next)
        if (one->before != NULL) one->before(one);
}

static void after_in_parent(void) {
    for (ml_forkable *one = forkables; one != NULL; one = one->next)
        if (one->in_parent != NULL) one->in_parent(one);
    pthread_mutex_unlock(&lock);
}

static void after_in_child(void) {
    atomic_fetch_add(&generation, 1);
    listeners = NULL;
    for (ml_forkable *one = forkables; one != NULL; one = one->next)
        one->in_child(one);
    pthread_mutex_init(&lock, NULL);
    ml_cond_init(&changed);
}

static void init(void) {
    ready =
        ml_cond_init(&changed) && pthread_atfork(before_fork, after_in_parent, after_in_child) == 0;
}

bool ml_process_init(void) {
    pthread_once(&once, init);
    return ready;
}

unsigned ml_process_generation(void) {
    return atomic_load(&generation);
}

void ml_set_loopback_only(bool on) {
    unsigned now = atomic_load(&loopback_only);
    while ((on || now > 0) &&
           !atomic_compare_exchange_weak(&loopback_only, &now, on ? now + 1 : now - 1)) {
    }
}

bool ml_process_is_loopback_only(void) {
    return atomic_load(&loopback_only) > 0;
}

void ml_process_add(ml_forkable *forkable) {
    pthread_mutex_lock(&lock);
    forkable->next = forkables;
    forkables = forkable;
    pthread_mutex_unlock(&lock);
}

void ml_process_remove(ml_forkable *forkable) {
    pthread_mutex_lock(&lock);
    ml_forkable **at = &forkables;
    while (*at != NULL && *at != forkable)
        at = &(*at)->next;
    if (*at != NULL) *at = forkable->next;
    pthread_mutex_unlock(&lock);
}

void ml_process_lock(void) {
    pthread_mutex_lock(&lock);
}

void ml_process_unlock(void) {
    pthread_mutex_unlock(&lock);
}

void ml_process_wait(double seconds) {
    ml_cond_wait(&changed, &lock, seconds);
}

void ml_process_notify(void) {
    pthread_cond_broadcast(&changed);
    for (ml_listener *one = listeners; one != NULL; one = one->next)
        one->hear(one);
}

void ml_process_listen(ml_listener *listener) {
    listener->next = listeners;
    listeners = listener;
}

void ml_process_unlisten(ml_listener *listener) {
    ml_listener **at = &listeners;
    while (*at != NULL && *at != listener)
        at = &(*at)->next;
    if (*at != NULL) *at = listener->next;
}
