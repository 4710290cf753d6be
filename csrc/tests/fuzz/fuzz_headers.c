/*
 * The header section as it arrives: the reader keeps lines that end, lets no answer say twice how
 * long it is, and finds of a repeated header the last one. Input: the lines, as libcurl hands them
 * over, each up to its line feed.
 */
#include "fuzz.h"
#include "transport/curl_private.h"

#include <string.h>
#include <strings.h>

enum { MOST_BYTES = 64 * 1024 };

static bool is_named(ml_text line, const char *name) {
    size_t size = strlen(name);
    return line.length > size && line.data[size] == ':' && strncasecmp(line.data, name, size) == 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* As ml_header_find(), written another way. */
static void require_found(ml_text block, const char *name) {
    ml_text rest = block, line, expected = {"", 0};
    while (fuzz_line(&rest, &line)) {
        REQUIRE(line.length > 0 && line.data[line.length - 1] == '\r');
        line.length--;
        if (!is_named(line, name)) continue;
        size_t skipped = strlen(name) + 1;
        expected = (ml_text){line.data + skipped, line.length - skipped};
        while (expected.length > 0 && is_blank(expected.data[0]))
            expected = (ml_text){expected.data + 1, expected.length - 1};
        while (expected.length > 0 && is_blank(expected.data[expected.length - 1]))
            expected.length--;
    }
    ml_text found = ml_header_find(block, name);
    REQUIRE(found.length == expected.length);
    REQUIRE(memcmp(found.data, expected.data, found.length) == 0);
}

static size_t count_named(ml_text block, const char *name) {
    size_t count = 0;
    for (ml_text line; fuzz_line(&block, &line);)
        count += is_named(line, name);
    return count;
}

/* The lines up to the one that is refused. */
static void take_all(ml_text lines, ml_exchange *exchange) {
    for (ml_text rest = lines, line; fuzz_line(&rest, &line);) {
        size_t whole = line.length + (line.data + line.length < lines.data + lines.length);
        char *copy = fuzz_exact((ml_text){line.data, whole});
        size_t taken = ml_curl_take_header(copy, 1, whole, exchange);
        free(copy);
        REQUIRE(taken == whole || (taken == 0 && exchange->header_fault != NULL));
        if (taken != whole) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ml_exchange exchange = {0};
    take_all((ml_text){(const char *)data, size}, &exchange);
    ml_text block = ml_buffer_view(&exchange.headers);
    REQUIRE(block.length / 2 <= MOST_BYTES);
    REQUIRE(count_named(block, "Content-Length") + count_named(block, "Transfer-Encoding") <= 1);
    require_found(block, "Date");
    require_found(block, "Retry-After");
    require_found(block, "X");
    (void)ml_answer_time(block, 1.0);
    ml_exchange_reset(&exchange);
    return 0;
}
