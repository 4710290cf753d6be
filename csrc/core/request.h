/*
 * request - the caller's values, copied: a tree in an arena of its own.
 */
#ifndef ML_REQUEST_H
#define ML_REQUEST_H

#include "arena.h"
#include "merge_link.h"

typedef enum ml_value_kind {
    ML_VALUE_NULL,
    ML_VALUE_BOOL,
    ML_VALUE_INTEGER,
    ML_VALUE_STRING,
    ML_VALUE_JSON,
    ML_VALUE_FOREIGN,
    ML_VALUE_UNUSABLE,
    ML_VALUE_ARRAY,
    ML_VALUE_OBJECT
} ml_value_kind;

struct ml_value {
    ml_value_kind kind;
    const ml_field *row; /* what it should be; NULL: no row knows it */
    ml_value *next;      /* the next one in the same array or object */
    const char *name;    /* in an object */
    ml_arena *arena;
    bool boolean;
    int64_t integer;
    ml_text text;      /* a string, JSON text, a foreign type, or why it is unusable */
    ml_value *members; /* of an array or object */
    ml_value *last;
    size_t count;
};

typedef struct ml_header {
    struct ml_header *next;
    ml_text name, value;
} ml_header;

struct ml_request {
    const ml_operation *operation;
    ml_field row;          /* of the object of all fields */
    const ml_words *words; /* borrowed */
    ml_arena arena;        /* owned: all of the below */
    ml_value *fields;
    ml_value *extra;
    ml_text api_key;
    ml_text account_token;
    ml_header *headers; /* in the order given */
    ml_header *last_header;
};

/* What the operation's method is: its own, or what the field says. Not given: that is missing. */
ml_text ml_request_method(const ml_request *request);
/* Is there anything that goes into the body? */
bool ml_request_has_body(const ml_request *request);

/* Does the field go elsewhere than into the body? */
static inline bool ml_field_is_elsewhere(const ml_field *row) {
    return (row->flags & (ML_FIELD_IN_PATH | ML_FIELD_IN_QUERY | ML_FIELD_IN_HEADER)) != 0;
}

/* The rows of an object's members; NULL when it has none of its own. */
const ml_field *ml_value_rows(const ml_value *object);
/* The member of an object that has this row, or NULL; the last one when it was added twice. */
const ml_value *ml_value_of_row(const ml_value *object, const ml_field *row);
/* The member of an object with that name, or NULL; the last one when it was added twice. */
const ml_value *ml_value_member(const ml_value *object, const char *name);
/* A field's value; NULL when it was not given (null means that too). */
const ml_value *ml_request_value(const ml_request *request, const char *field);

#endif
