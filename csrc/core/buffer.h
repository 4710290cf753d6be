/*
 * buffer - bytes that grow. May hold secrets: whatever it lets go of is wiped first.
 * Running out of memory is remembered in `failed`, so that a series of appends is checked once.
 */
#ifndef ML_BUFFER_H
#define ML_BUFFER_H

#include "merge_link.h"

typedef struct ml_buffer {
    char *data; /* owned; always NUL-terminated when not NULL */
    size_t length;
    size_t capacity;
    bool failed;
} ml_buffer;

/* Makes room for `extra` more bytes; false when memory is out. */
bool ml_buffer_grow(ml_buffer *buffer, size_t extra);
void ml_buffer_append(ml_buffer *buffer, const char *data, size_t length);
void ml_buffer_text(ml_buffer *buffer, const char *string);

/* Here, because bodies are written by it. */
static inline void ml_buffer_char(ml_buffer *buffer, char c) {
    if (buffer->capacity - buffer->length < 2 && !ml_buffer_grow(buffer, 1)) return;
    buffer->data[buffer->length++] = c;
    buffer->data[buffer->length] = '\0';
}

/* Cuts to a length that it had before. */
void ml_buffer_truncate(ml_buffer *buffer, size_t length);
/* What it holds; an empty text when nothing was appended. Borrowed until the next change. */
ml_text ml_buffer_view(const ml_buffer *buffer);
/* Wipes, frees and makes it empty. */
void ml_buffer_free(ml_buffer *buffer);

#endif
