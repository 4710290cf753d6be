/*
 * error - setting and growing an ml_error.
 */
#ifndef ML_ERROR_H
#define ML_ERROR_H

#include "merge_link.h"

/* Prints like snprintf(), and ends what had to be cut with "…". Returns the length of what is
 * there. Size is 4 at least. */
size_t ml_print(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The initialiser of one that lives as long as the program. The text is a literal. */
#define ML_STATIC_ERROR(its_status, its_text)                                                      \
    {.status = (its_status), .text = "" its_text, .cause = "", .retry_after = -1.0}

/* Sets status and text (printf-like) and returns the status. Text that is too long is cut. */
ml_status ml_fail(ml_error *error, ml_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for ML_ERR_CONFIGURATION, with the option as its code and before the text. */
ml_status ml_refuse(ml_error *error, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for ML_ERR_MEMORY, which needs no words. */
ml_status ml_fail_memory(ml_error *error);

/* Text that was cut may end in the middle of a character: drops what is there of it. */
void ml_drop_half_character(char *text);

/* Adds a problem; both texts are copied. False when memory is out. */
bool ml_error_add_problem(ml_error *error, const char *field, const char *message);

/* Prints the problems in one line: as many as there is room for, and how many more there are. The
 * joint stands between field and message. */
void ml_error_list_problems(const ml_error *error, const char *joint, char *text, size_t size);

/* Says what the error is about: "POST https://…". Without memory for it, it stays unsaid. */
void ml_error_set_request(ml_error *error, const char *method, const char *url);

#endif
