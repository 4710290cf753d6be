#include "error.h"
#include "secret.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ml_error_init(ml_error *error) {
    *error = (ml_error){.status = ML_OK, .retry_after = -1.0};
}

void ml_error_clear(ml_error *error) {
    for (size_t i = 0; i < error->problem_count; i++) {
        ml_free_wiped(error->problems[i].field);
        ml_free_wiped(error->problems[i].message);
    }
    free(error->problems);
    ml_error_init(error);
}

void ml_drop_half_character(char *text) {
    size_t length = strlen(text), start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0) return;
    size_t at = --start;
    if (ml_utf8_next((ml_text){text, length}, &at) < 0) text[start] = '\0';
}

/* What a server says must not write lines of its own into a log, nor steer a terminal. */
static void replace_controls(char *text) {
    for (; *text != '\0'; text++) {
        bool c1 = (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 &&
                  (unsigned char)text[1] <= 0x9F;
        if (c1) *text++ = ' ';
        if (c1 || (unsigned char)*text < 0x20 || *text == 0x7F) *text = ' ';
    }
}

ml_status ml_fail(ml_error *error, ml_status status, const char *format, ...) {
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    ml_drop_half_character(error->text);
    replace_controls(error->text);
    return status;
}

ml_status ml_fail_memory(ml_error *error) {
    return ml_fail(error, ML_ERR_MEMORY, "out of memory");
}

/* The list doubles at each power of two, so its capacity need not be kept. */
static bool grow_problems(ml_error *error) {
    size_t count = error->problem_count;
    if (count > 0 && (count & (count - 1)) != 0) return true;
    size_t capacity = count == 0 ? 1 : count * 2;
    ml_problem *problems = realloc(error->problems, capacity * sizeof *problems);
    if (problems == NULL) return false;
    error->problems = problems;
    return true;
}

bool ml_error_add_problem(ml_error *error, const char *field, const char *message) {
    if (!grow_problems(error)) return false;
    ml_problem problem = {.field = strdup(field), .message = strdup(message)};
    if (problem.field == NULL || problem.message == NULL) {
        ml_free_wiped(problem.field);
        ml_free_wiped(problem.message);
        return false;
    }
    error->problems[error->problem_count++] = problem;
    return true;
}
