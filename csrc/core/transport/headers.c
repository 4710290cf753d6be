/*
 * headers - the header section of an answer as it arrives, line by line. Informational answers
 * (1xx) and those of a proxy come first; only the last section counts.
 */
#include "curl_private.h"

#include <string.h>
#include <strings.h>

enum { MOST_HEADER_BYTES = 64 * 1024 };

static bool starts_answer(const char *line, size_t length) {
    return length >= 5 && memcmp(line, "HTTP/", 5) == 0;
}

static size_t without_line_end(const char *line, size_t length) {
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    return length;
}

size_t ml_curl_take_header(char *line, size_t size, size_t count, void *user) {
    ml_exchange *exchange = user;
    size_t length = size * count;
    if (starts_answer(line, length)) {
        ml_buffer_truncate(&exchange->headers, 0);
        return length;
    }
    size_t inner = without_line_end(line, length);
    if (inner == 0) return length;
    if (exchange->headers.length + inner > MOST_HEADER_BYTES) return 0;
    ml_buffer_append(&exchange->headers, line, inner);
    ml_buffer_append(&exchange->headers, "\r\n", 2);
    return exchange->headers.failed ? 0 : length;
}

/* ---- reading a block ---- */

static ml_text trimmed(const char *start, const char *end) {
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (ml_text){start, (size_t)(end - start)};
}

ml_text ml_header_find(ml_text block, const char *name) {
    size_t length = strlen(name);
    ml_text found = {"", 0};
    const char *end = block.data + block.length;
    for (const char *line = block.data; line < end;) {
        const char *line_end = memchr(line, '\r', (size_t)(end - line));
        if (line_end == NULL) break;
        size_t size = (size_t)(line_end - line);
        if (size > length && line[length] == ':' && strncasecmp(line, name, length) == 0)
            found = trimmed(line + length + 1, line_end);
        line = line_end + 2;
    }
    return found;
}
