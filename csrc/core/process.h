/*
 * process - what all clients of the process share: one lock, and what happens when the process
 * forks. Only the thread that forks lives on in the child, so locks that others held would stay
 * held for ever: all of ours are taken before and made anew in the child.
 */
#ifndef ML_PROCESS_H
#define ML_PROCESS_H

#include <stdbool.h>

/* Something with locks of its own. Embedded in it; `next` belongs to the process. */
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

/* The process's lock. Taken before any forkable's own, never after. */
void ml_process_lock(void);
void ml_process_unlock(void);
/* With the lock: lets it go until somebody notifies, for that many seconds at most. */
void ml_process_wait(double seconds);
void ml_process_notify(void);

#endif
