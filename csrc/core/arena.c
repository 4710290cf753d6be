#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct ml_arena_block {
    ml_arena_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

/* With its head, 1 KiB: larger ones, glibc does not keep at hand. */
enum { BLOCK_SIZE = 1024 - sizeof(ml_arena_block) };

static bool add_block(ml_arena *arena, size_t size) {
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    ml_arena_block *block = malloc(sizeof *block + room);
    if (block == NULL) return false;
    *block = (ml_arena_block){.next = arena->blocks, .size = room};
    arena->blocks = block;
    return true;
}

void *ml_arena_take(ml_arena *arena, size_t size) {
    size_t align = alignof(max_align_t);
    if (arena->failed || size > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    size = (size + align - 1) / align * align;
    ml_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        if (!add_block(arena, size)) {
            arena->failed = true;
            return NULL;
        }
        block = arena->blocks;
    }
    void *piece = block->bytes + block->used;
    block->used += size;
    return memset(piece, 0, size);
}

char *ml_arena_copy(ml_arena *arena, ml_text text) {
    char *copy = ml_arena_take(arena, text.length + 1);
    if (copy != NULL && text.length > 0) memcpy(copy, text.data, text.length);
    return copy;
}

void ml_arena_free(ml_arena *arena) {
    for (ml_arena_block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        explicit_bzero(block->bytes, block->used);
        free(block);
    }
    *arena = (ml_arena){0};
}
