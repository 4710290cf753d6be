#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256 };

/* Not realloc: it would leave the old bytes behind unwiped. */
static bool move(ml_buffer *buffer, size_t capacity) {
    char *data = malloc(capacity);
    if (data == NULL) return false;
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->length);
        explicit_bzero(buffer->data, buffer->length);
        free(buffer->data);
    }
    data[buffer->length] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool ml_buffer_grow(ml_buffer *buffer, size_t extra) {
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST;
    if (extra >= SIZE_MAX / 2 - buffer->length) buffer->failed = true;
    while (!buffer->failed && capacity <= buffer->length + extra)
        capacity *= 2;
    if (!buffer->failed && move(buffer, capacity)) return true;
    buffer->failed = true;
    buffer->capacity = buffer->length; /* from here on nothing fits, however small */
    return false;
}

void ml_buffer_append(ml_buffer *buffer, const char *data, size_t length) {
    if (buffer->capacity - buffer->length <= length && !ml_buffer_grow(buffer, length)) return;
    if (length > 0) memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void ml_buffer_text(ml_buffer *buffer, const char *string) {
    ml_buffer_append(buffer, string, strlen(string));
}

void ml_buffer_truncate(ml_buffer *buffer, size_t length) {
    if (buffer->data == NULL || length >= buffer->length) return;
    explicit_bzero(buffer->data + length, buffer->length - length);
    buffer->length = length;
}

ml_text ml_buffer_view(const ml_buffer *buffer) {
    if (buffer->data == NULL) return (ml_text){"", 0};
    return (ml_text){buffer->data, buffer->length};
}

void ml_buffer_free(ml_buffer *buffer) {
    if (buffer->data != NULL) {
        explicit_bzero(buffer->data, buffer->length);
        free(buffer->data);
    }
    *buffer = (ml_buffer){0};
}
