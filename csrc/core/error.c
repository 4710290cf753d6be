#include "error.h"
#include "secret.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not the whole of the texts: this is done several times for each call. */
void ml_error_init(ml_error *error) {
    error->status = ML_OK;
    error->text[0] = error->hint[0] = error->code[0] = '\0';
    error->http_status = 0;
    error->retry_after = -1.0;
    error->attempts = 0;
    error->may_have_arrived = false;
    error->problems = NULL;
    error->problem_count = 0;
    error->request = NULL;
}

void ml_error_clear(ml_error *error) {
    for (size_t i = 0; i < error->problem_count; i++) {
        ml_free_wiped(error->problems[i].field);
        ml_free_wiped(error->problems[i].message);
    }
    free(error->problems);
    free(error->request);
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
    ml_text whole = ml_text_of(text);
    for (size_t at = 0; at < whole.length;) {
        size_t start = at;
        int32_t c = ml_utf8_next(whole, &at);
        if (ml_is_control(c) || ml_is_steering(c)) memset(text + start, ' ', at - start);
    }
}

static size_t print(char *text, size_t size, const char *format, va_list arguments) {
    static const char ellipsis[] = "\xE2\x80\xA6";
    int wanted = vsnprintf(text, size, format, arguments);
    if (wanted < 0 || (size_t)wanted < size) return strlen(text);
    text[size - sizeof ellipsis] = '\0';
    ml_drop_half_character(text);
    size_t length = strlen(text);
    memcpy(text + length, ellipsis, sizeof ellipsis);
    return length + sizeof ellipsis - 1;
}

size_t ml_print(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t length = print(text, size, format, arguments);
    va_end(arguments);
    return length;
}

ml_status ml_fail(ml_error *error, ml_status status, const char *format, ...) {
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    print(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
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

void ml_error_list_problems(const ml_error *error, const char *joint, char *text, size_t size) {
    enum { ROOM_FOR_COUNT = 32 };
    size_t used = 0, room = size - ROOM_FOR_COUNT, i = 0;
    text[0] = '\0';
    for (; i < error->problem_count; i++) {
        char one[ML_ERROR_TEXT_SIZE];
        const ml_problem *problem = &error->problems[i];
        size_t length = ml_print(one, i == 0 && room < sizeof one ? room : sizeof one, "%s%s%s%s",
                                 i > 0 ? "; " : "", problem->field,
                                 problem->field[0] != '\0' ? joint : "", problem->message);
        if (used + length >= room) break;
        memcpy(text + used, one, length + 1);
        used += length;
    }
    if (i < error->problem_count)
        snprintf(text + used, size - used, "; and %zu more", error->problem_count - i);
}

void ml_error_set_request(ml_error *error, const char *method, const char *url) {
    size_t size = strlen(method) + strlen(url) + 2;
    free(error->request);
    error->request = malloc(size);
    if (error->request != NULL) snprintf(error->request, size, "%s %s", method, url);
}
