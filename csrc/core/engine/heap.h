/*
 * heap - timers: which of many comes first.
 */
#ifndef ML_HEAP_H
#define ML_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Embedded in what it is for. All zero: not set. */
typedef struct ml_timer {
    double at;
    size_t place; /* in the heap, from 1; 0: not set */
    void (*ring)(void *context, struct ml_timer *timer);
} ml_timer;

typedef struct ml_heap {
    ml_timer **timers; /* owned: an array; the timers are borrowed */
    size_t count, room;
} ml_heap;

/* Makes room for so many timers. False when memory is out. */
bool ml_heap_reserve(ml_heap *heap, size_t count);
void ml_heap_free(ml_heap *heap);

/* Sets a timer, or sets it anew. There must be room. */
void ml_heap_set(ml_heap *heap, ml_timer *timer, double at);
/* One that is not set stays so. */
void ml_heap_unset(ml_heap *heap, ml_timer *timer);
/* The one that comes first; NULL: none is set. */
ml_timer *ml_heap_first(const ml_heap *heap);

#endif
