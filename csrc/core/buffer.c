#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 256 };

/* Not realloc: it would leave the old bytes behind unwiped. */
static bool grow(ml_buffer *buffer, size_t needed) {
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2) return false;
        capacity *= 2;
    }
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

char *ml_buffer_reserve(ml_buffer *buffer, size_t extra) {
    if (buffer->failed) return NULL;
    if (extra >= SIZE_MAX - buffer->length - 1) {
        buffer->failed = true;
        return NULL;
    }
    size_t needed = buffer->length + extra + 1;
    if (needed > buffer->capacity && !grow(buffer, needed)) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->data + buffer->length;
}

void ml_buffer_append(ml_buffer *buffer, const char *data, size_t length) {
    char *end = ml_buffer_reserve(buffer, length);
    if (end == NULL) return;
    if (length > 0) memcpy(end, data, length);
    end[length] = '\0';
    buffer->length += length;
}

void ml_buffer_text(ml_buffer *buffer, const char *string) {
    ml_buffer_append(buffer, string, strlen(string));
}

void ml_buffer_char(ml_buffer *buffer, char c) {
    char *end = ml_buffer_reserve(buffer, 1);
    if (end == NULL) return;
    end[0] = c;
    end[1] = '\0';
    buffer->length++;
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
