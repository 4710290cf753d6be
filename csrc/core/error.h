/*
 * error - setting and growing an ml_error.
 */
#ifndef ML_ERROR_H
#define ML_ERROR_H

#include "merge_link.h"

/* Sets status and text (printf-like) and returns the status. Text that is too long is cut. */
ml_status ml_fail(ml_error *error, ml_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for ML_ERR_MEMORY, which needs no words. */
ml_status ml_fail_memory(ml_error *error);

/* Text that was cut may end in the middle of a character: drops what is there of it. */
void ml_drop_half_character(char *text);

/* Adds a problem; both texts are copied. False when memory is out. */
bool ml_error_add_problem(ml_error *error, const char *field, const char *message);

#endif
