/*
 * process - what all clients of the process share: one lock, and what happens when the process
 * forks. Only the thread that forks lives on in the child, so locks that others held would stay
 * held for ever: all of ours are taken before and made anew in the child.
 */
#ifndef ML_PROCESS_H
#define ML_PROCESS_H

#include <stdbool.h>

/* Something that has to know of forks. Embedded in it; `next` belongs to the process. What has no
 * lock of its own leaves `before` and `in_parent` NULL. */
typedef struct ml_forkable {
    struct ml_forkable *next;
    void (*before)(struct ml_forkable *);    /* takes its locks */
    void (*in_parent)(struct ml_forkable *); /* lets them go */
    void (*in_child)(struct ml_forkable *);  /* makes them anew, and forgets the parent's things */
} ml_forkable;

/* Gets ready for fork(). Any thread, any number of times. False when memory is out. */
bool ml_process_init(void);

void ml_process_add(ml_forkable *forkable);
void ml_process_remove(ml_forkable *forkable);

/* Goes up by one in each forked child. */
unsigned ml_process_generation(void);

/* Are calls that leave this machine forbidden? See ml_set_loopback_only(). */
bool ml_process_is_loopback_only(void);

/* Hears of each ml_process_notify(), with the process's lock held: `hear` must be quick. Embedded;
 * `next` belongs to the process. A forked child has none of its parent's. */
typedef struct ml_listener {
    struct ml_listener *next;
    void (*hear)(struct ml_listener *);
} ml_listener;

/* Both with the lock. */
void ml_process_listen(ml_listener *listener);
void ml_process_unlisten(ml_listener *listener);

/* The process's lock. Taken before any forkable's own, never after. */
void ml_process_lock(void);
void ml_process_unlock(void);
/* With the lock: lets it go until somebody notifies, for that many seconds at most. */
void ml_process_wait(double seconds);
void ml_process_notify(void);

#endif
