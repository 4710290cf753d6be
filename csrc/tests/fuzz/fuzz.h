/*
 * fuzz - what the targets of this directory have in common. Each target is one function over bytes
 * that must hold what it requires for all of them. clang's libFuzzer looks for bytes that break it
 * (`make fuzz`); replay.c runs the kept corpus as an ordinary test.
 *
 * Inputs are texts that a person can write and read: see the comment at the top of each target.
 */
#ifndef ML_TEST_FUZZ_H
#define ML_TEST_FUZZ_H

#include "merge_link.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run: the input breaks a promise. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: required: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The input up to the next line feed, without it; *rest moves behind it. False at the end. */
bool fuzz_line(ml_text *rest, ml_text *line);
/* A copy of exactly that many bytes, so that the sanitizers see what is read past its end. */
char *fuzz_exact(ml_text text);
/* A copy with a NUL at its end. Cut at the first NUL of the text, as C cuts it. */
char *fuzz_string(ml_text text);
/* Does text hold the part? */
bool fuzz_holds(ml_text text, const char *part);
/* Is it whole UTF-8? */
bool fuzz_is_utf8(const char *text);

#endif
