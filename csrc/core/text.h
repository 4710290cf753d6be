/*
 * text - what the rules of fields need to know about text: characters, formats, near misses.
 */
#ifndef ML_TEXT_H
#define ML_TEXT_H

#include "merge_link.h"

/* What ml_utf8_next() found instead of a character. */
enum { ML_UTF8_BAD = -1, ML_UTF8_SURROGATE = -2 };

/* The character at *at, which moves past it. Text must not be at its end. */
int32_t ml_utf8_next(ml_text text, size_t *at);

bool ml_is_control(int32_t character);
bool ml_is_space(int32_t character);
/* Does it break lines or turn the writing direction? */
bool ml_is_steering(int32_t character);

bool ml_is_slug(ml_text text);
bool ml_is_uuid(ml_text text);
bool ml_is_language_tag(ml_text text);
/* ISO 8601 with an offset, such as "2026-01-31T12:00:00.5+01:00". */
bool ml_is_date_time(ml_text text);
/* A token of RFC 9110: what a header's name may be. */
bool ml_is_token(ml_text text);

bool ml_text_equal(ml_text a, ml_text b);
bool ml_text_equal_no_case(ml_text a, ml_text b);

/* Is text one of the choices (ends with NULL)? */
bool ml_is_choice(ml_text text, const char *const *choices);
/* The choice of which text is a near miss: one edit away (a letter more, less, other, or two
 * swapped), or equal but for case, "-" and "_".
 * NULL when there is none. */
const char *ml_near_miss(ml_text text, const char *const *choices);

#endif
