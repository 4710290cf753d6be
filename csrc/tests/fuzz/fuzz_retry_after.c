/*
 * Retry-After: any text is a time to wait that is finite and not negative, or none; what comes of
 * it never leads past the deadline. Input: the header's value.
 */
#include "fuzz.h"
#include "retry.h"

#include <math.h>
#include <string.h>

static const double NOW = 1700000000.0;

static void require_sound_delay(double retry_after) {
    static const double left[] = {-1.0, 0.0, 0.25, 30.0, 86400.0};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        ml_retry_facts facts = {.http_status = 429,
                                .retry_after = retry_after,
                                .max_retries = 1,
                                .time_left = left[i],
                                .dice = 0.5};
        double delay = ml_retry_delay(&facts);
        REQUIRE(delay == -1.0 || (delay >= 0.0 && delay < left[i]));
        if (retry_after >= 0.0) REQUIRE(delay == -1.0 || delay == retry_after);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ml_text header = {(const char *)data, size};
    double wait = ml_retry_after(header, NOW);
    REQUIRE(isfinite(wait));
    REQUIRE(wait >= 0.0 || wait == -1.0);
    bool digits = size > 0 && size < 15;
    for (size_t i = 0; i < size; i++)
        digits = digits && data[i] >= '0' && data[i] <= '9';
    if (digits) {
        char *text = fuzz_string(header);
        REQUIRE(wait == strtod(text, NULL));
        free(text);
    }
    require_sound_delay(wait);
    return 0;
}
