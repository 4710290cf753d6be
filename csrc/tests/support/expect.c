#include "expect.h"

#include <unistd.h>

void *unconst(const void *pointer) {
    union {
        const void *from;
        void *to;
    } cast = {.from = pointer};
    return cast.to;
}

/* ---- the suite ---- */

enum { MOST_TESTS = 1024 };

static struct CMUnitTest tests[MOST_TESTS];
static size_t test_count;

void suite_row(const char *name, CMUnitTestFunction function, const void *row) {
    if (test_count == MOST_TESTS) abort();
    tests[test_count++] =
        (struct CMUnitTest){.name = name, .test_func = function, .initial_state = unconst(row)};
}

void suite_test(const char *name, CMUnitTestFunction function) {
    suite_row(name, function, NULL);
}

enum { MOST_SECONDS = 300 };

int suite_run(const char *group) {
    alarm(MOST_SECONDS);
    return _cmocka_run_group_tests(group, tests, test_count, NULL, NULL);
}

/* ---- comparing ---- */

void expect_text(ml_text actual, ml_text expected) {
    if (actual.length != expected.length ||
        (actual.length > 0 && memcmp(actual.data, expected.data, actual.length) != 0))
        fail_msg("is     %.*s\nnot    %.*s", (int)actual.length,
                 actual.data == NULL ? "" : actual.data, (int)expected.length, expected.data);
}

void expect_near(double actual, double expected) {
    double apart = actual - expected;
    if (!(apart < 1e-6 && apart > -1e-6)) fail_msg("is %.9g, not %.9g", actual, expected);
}

void expect_contains(const char *text, const char *part) {
    if (strstr(text, part) == NULL) fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

void expect_absent(const char *text, const char *part) {
    if (strstr(text, part) != NULL) fail_msg("\"%s\" holds \"%s\"", text, part);
}

void expect_failure(const ml_error *error, ml_status status, const char *part) {
    if (error->status != status)
        fail_msg("status %d, not %d: %s", (int)error->status, (int)status, error->text);
    expect_contains(error->text, part);
}

void expect_unquoted(const ml_error *error, const char *marker) {
    expect_absent(error->text, marker);
    expect_absent(error->code, marker);
    for (size_t i = 0; i < error->problem_count; i++) {
        expect_absent(error->problems[i].field, marker);
        expect_absent(error->problems[i].message, marker);
    }
}

static void print_problems(const ml_error *error) {
    for (size_t i = 0; i < error->problem_count; i++)
        print_error("  %s: %s\n", error->problems[i].field, error->problems[i].message);
}

void expect_problems(const ml_error *error, const expected_problem *expected, size_t count) {
    bool same = error->problem_count == count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(error->problems[i].field, expected[i].field) == 0 &&
               strstr(error->problems[i].message, expected[i].part) != NULL;
    if (same) return;
    print_problems(error);
    fail_msg("other problems than the %zu expected", count);
}
