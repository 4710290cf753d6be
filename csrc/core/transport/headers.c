/*
 * headers - the header section of an answer as it arrives, line by line. Informational answers
 * (1xx) and those of a proxy come first; only the last section counts.
 */
#include "curl_private.h"

#include <string.h>
#include <strings.h>

enum { MOST_HEADER_BYTES = 64 * 1024, MOST_SECTIONS = 8 + 1, MOST_LENGTH_DIGITS = 18 };

/* Ends the transfer with words of our own. */
static size_t refuse(ml_exchange *exchange, const char *why) {
    exchange->header_fault = why;
    return 0;
}

static bool starts_answer(const char *line, size_t length) {
    return length >= 5 && memcmp(line, "HTTP/", 5) == 0;
}

static bool is_named(const char *line, size_t length, const char *name) {
    size_t size = strlen(name);
    return length > size && line[size] == ':' && strncasecmp(line, name, size) == 0;
}

static ml_text trimmed(const char *start, const char *end) {
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (ml_text){start, (size_t)(end - start)};
}

static size_t start_section(ml_exchange *exchange, size_t length) {
    if (exchange->sections > 0 && !exchange->headers_whole)
        return refuse(exchange, "a status line stands among the answer's headers");
    ml_buffer_truncate(&exchange->headers, 0);
    exchange->has_length = exchange->has_encoding = exchange->headers_whole = false;
    if (++exchange->sections > MOST_SECTIONS)
        return refuse(exchange, "the server sent more than 8 informational answers (1xx)");
    return length;
}

/* How long the body is must be said once, else sender and receiver may disagree about where the
 * next answer begins. libcurl lets these pass. */
static bool is_framed_once(ml_exchange *exchange, const char *line, size_t length) {
    bool is_length = is_named(line, length, "Content-Length");
    bool is_encoding = is_named(line, length, "Transfer-Encoding");
    if (!is_length && !is_encoding) return true;
    if (exchange->has_length || exchange->has_encoding) return false;
    exchange->has_length = is_length;
    exchange->has_encoding = is_encoding;
    return true;
}

/* libcurl reads as many digits as there are, and what it cannot hold it leaves aside. */
static bool is_length_number(const char *line, size_t length) {
    static const char name[] = "Content-Length";
    if (!is_named(line, length, name)) return true;
    ml_text value = trimmed(line + sizeof name, line + length);
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] < '0' || value.data[i] > '9') return false;
    return value.length > 0 && value.length <= MOST_LENGTH_DIGITS;
}

static size_t without_line_end(const char *line, size_t length) {
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    return length;
}

size_t ml_curl_take_header(char *line, size_t size, size_t count, void *user) {
    ml_exchange *exchange = user;
    size_t length = size * count;
    if (starts_answer(line, length)) return start_section(exchange, length);
    size_t inner = without_line_end(line, length);
    if (inner == 0) exchange->headers_whole = true;
    if (inner == 0) return length;
    if (exchange->headers.length + inner > MOST_HEADER_BYTES)
        return refuse(exchange, "the answer's headers are larger than 64 KiB");
    if (!is_framed_once(exchange, line, inner))
        return refuse(exchange, "the answer says more than once how long its body is");
    if (!is_length_number(line, inner))
        return refuse(exchange, "the answer's Content-Length is no number");
    ml_buffer_append(&exchange->headers, line, inner);
    ml_buffer_append(&exchange->headers, "\r\n", 2);
    return exchange->headers.failed ? 0 : length;
}

/* ---- reading a block ---- */

ml_text ml_header_find(ml_text block, const char *name) {
    size_t length = strlen(name);
    ml_text found = {"", 0};
    const char *end = block.data + block.length;
    for (const char *line = block.data; line < end;) {
        /* A carriage return alone is a part of the value. */
        const char *line_end = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (line_end == NULL) break;
        size_t size = (size_t)(line_end - line);
        if (is_named(line, size, name)) found = trimmed(line + length + 1, line_end);
        line = line_end + 2;
    }
    return found;
}
