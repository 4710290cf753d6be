/*
 * arena - many small pieces that live and die together. Wiped when freed: they may be secrets.
 */
#ifndef ML_ARENA_H
#define ML_ARENA_H

#include "merge_link.h"

typedef struct ml_arena_block ml_arena_block;

typedef struct ml_arena {
    ml_arena_block *blocks; /* owned */
    bool failed;            /* some piece could not be had */
} ml_arena;

/* Zeroed memory for anything; NULL when memory is out. Freed with the arena. */
void *ml_arena_take(ml_arena *arena, size_t size);
/* A NUL-terminated copy; NULL when memory is out. */
char *ml_arena_copy(ml_arena *arena, ml_text text);
void ml_arena_free(ml_arena *arena);

#endif
