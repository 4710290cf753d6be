/*
 * json - JSON text: the strict check of what arrives (json_check.c), and all that is done with
 * cJSON (json.c). cJSON alone accepts "[01]", raw control bytes, bad UTF-8 and "[1]x", and cuts
 * strings at NUL, so the check always comes first.
 */
#ifndef ML_JSON_H
#define ML_JSON_H

#include "buffer.h"
#include "merge_link.h"

/* ---- json_check.c ---- */

typedef enum ml_json_verdict { ML_JSON_VALID, ML_JSON_INVALID, ML_JSON_NO_MEMORY } ml_json_verdict;

typedef struct ml_json_fault {
    size_t offset;    /* of the byte that is wrong */
    const char *what; /* never quotes the text */
} ml_json_fault;

/* Is it one JSON value as RFC 8259 has it: UTF-8, no deeper than 256, no member given twice, no
 * lone surrogate? */
ml_json_verdict ml_json_check(ml_text text, ml_json_fault *fault);

/* The following work on text that passed the check. */

ml_kind ml_json_kind(ml_text value);
/* The value without white space around it. */
ml_text ml_json_trim(ml_text value);
/* The next member of an object; *at starts at 0. False after the last one. */
bool ml_json_next_member(ml_text object, size_t *at, ml_text *name, ml_text *value);
/* The next item of an array, likewise. */
bool ml_json_next_item(ml_text array, size_t *at, ml_text *value);
/* What a string without escapes means: what stands between its quotes. Not given when it has some.
 */
ml_text ml_json_plain(ml_text string);
/* Does a string hold U+0000, which C text cannot? */
bool ml_json_has_nul(ml_text string);

/* ---- json.c ---- */

/* Appends what a string means (it must not hold U+0000). False when memory is out. */
bool ml_json_decode_string(ml_text string, ml_buffer *out);

/* Appends a request's body: the operation's fields in the order of its rows, then the others. */
bool ml_json_encode_body(const ml_request *request, ml_buffer *out);

/* Reads an error body of Django REST Framework: {"detail": "..."} into *detail (freed by the
 * caller), {"field": ["...", ...]} (nested ones too) into error's problems. False: no memory. */
bool ml_json_read_errors(ml_text body, char **detail, ml_error *error);

#endif
