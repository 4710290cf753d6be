/*
 * expect - cmocka with what it lacks: tests from the rows of a table, and comparisons of texts,
 * errors and problems. Includes all that cmocka.h wants to see first.
 */
#ifndef ML_TEST_EXPECT_H
#define ML_TEST_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "merge_link.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A literal with its length, so that it may hold NUL: as a value, and in a table. */
#define TEXT(literal)    ((ml_text)TEXT_OF(literal))
#define TEXT_OF(literal) {(literal), sizeof(literal) - 1}

/* cmocka and libc take pointers to what may be written, also where they only pass it on. */
void *unconst(const void *pointer);

/* ---- the suite of a program ---- */

void suite_test(const char *name, CMUnitTestFunction function);
/* A test of its own for one row of a table; the function finds the row in *state. */
void suite_row(const char *name, CMUnitTestFunction function, const void *row);
/* Runs all that was added, in that order. One that hangs is ended after five minutes. */
int suite_run(const char *group);

#define SUITE_TEST(function) suite_test(#function, function)
/* One test for each row, called by the row's `name`. */
#define SUITE_ROWS(function, table)                                                                \
    for (size_t suite_at = 0; suite_at < COUNT(table); suite_at++)                                 \
    suite_row((table)[suite_at].name, function, &(table)[suite_at])

/* ---- comparing ---- */

void expect_text(ml_text actual, ml_text expected);
/* Within a microsecond. (cmocka compares as float.) */
void expect_near(double actual, double expected);
void expect_contains(const char *text, const char *part);
void expect_absent(const char *text, const char *part);

/* The error has that status and its text holds that part. */
void expect_failure(const ml_error *error, ml_status status, const char *part);
/* No part of the error holds the marker. */
void expect_unquoted(const ml_error *error, const char *marker);

typedef struct expected_problem {
    const char *field;
    const char *part; /* of the message */
} expected_problem;

/* Exactly these problems, in this order. */
void expect_problems(const ml_error *error, const expected_problem *expected, size_t count);

#endif
