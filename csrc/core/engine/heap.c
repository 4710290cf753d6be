#include "heap.h"

#include <stdlib.h>

bool ml_heap_reserve(ml_heap *heap, size_t count) {
    if (count <= heap->room) return true;
    size_t room = heap->room < 32 ? 64 : heap->room * 2;
    if (room < count) room = count;
    ml_timer **timers = realloc(heap->timers, room * sizeof(ml_timer *));
    if (timers == NULL) return false;
    heap->timers = timers;
    heap->room = room;
    return true;
}

void ml_heap_free(ml_heap *heap) {
    free(heap->timers);
    *heap = (ml_heap){0};
}

/* Places count from 1, so that those below n are 2n and 2n + 1. */
static void put(ml_heap *heap, size_t place, ml_timer *timer) {
    heap->timers[place - 1] = timer;
    timer->place = place;
}

static void rise(ml_heap *heap, ml_timer *timer) {
    size_t place = timer->place;
    for (; place > 1 && heap->timers[place / 2 - 1]->at > timer->at; place /= 2)
        put(heap, place, heap->timers[place / 2 - 1]);
    put(heap, place, timer);
}

static void sink(ml_heap *heap, ml_timer *timer) {
    size_t place = timer->place;
    for (;;) {
        size_t below = place * 2;
        if (below > heap->count) break;
        if (below < heap->count && heap->timers[below]->at < heap->timers[below - 1]->at) below++;
        if (heap->timers[below - 1]->at >= timer->at) break;
        put(heap, place, heap->timers[below - 1]);
        place = below;
    }
    put(heap, place, timer);
}

void ml_heap_set(ml_heap *heap, ml_timer *timer, double at) {
    timer->at = at;
    if (timer->place == 0) put(heap, ++heap->count, timer);
    rise(heap, timer);
    sink(heap, timer);
}

void ml_heap_unset(ml_heap *heap, ml_timer *timer) {
    size_t place = timer->place;
    if (place == 0) return;
    timer->place = 0;
    ml_timer *last = heap->timers[--heap->count];
    if (last == timer) return;
    put(heap, place, last);
    rise(heap, last);
    sink(heap, last);
}

ml_timer *ml_heap_first(const ml_heap *heap) {
    return heap->count > 0 ? heap->timers[0] : NULL;
}
