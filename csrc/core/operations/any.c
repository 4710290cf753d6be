/* Any endpoint of Merge's API, by its path */
#include "operations.h"

#define PATH                                                                                       \
    {.name = "path",                                                                               \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_REQUIRED | ML_FIELD_IN_PATH,                                                \
     .format = ML_FORMAT_PATH,                                                                     \
     .min = 1,                                                                                     \
     .max = 8000}

#define PARAMS                                                                                     \
    {.name = "params", .type = ML_TYPE_MAP, .flags = ML_FIELD_IN_QUERY, .of = &ml_any_item}

#define HEADERS                                                                                    \
    {.name = "headers", .type = ML_TYPE_MAP, .flags = ML_FIELD_IN_HEADER, .of = &header_value}

/* Headers have rules of their own. */
static const ml_field header_value = {.name = "", .type = ML_TYPE_STRING};

static const ml_field request[] = {
    {.name = "method",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED | ML_FIELD_IN_PATH | ML_FIELD_CLOSED,
     .format = ML_FORMAT_METHOD,
     .choices = ml_methods},
    PATH,
    PARAMS,
    {.name = "json", .type = ML_TYPE_ANY, .flags = ML_FIELD_IS_BODY},
    HEADERS,
    {.name = NULL},
};

/* The cursor is that of the next page; one among the params gives way to it. */
static const ml_field paginate[] = {
    PATH, PARAMS, HEADERS, ML_QUERY_CURSOR, {.name = NULL},
};

const ml_operation ml_any_operations[] = {
    {.name = "request",
     .method = "{method}",
     .path = "{+path}",
     .repeat = ML_REPEAT_BY_METHOD,
     .account = ML_ACCOUNT_OPTIONAL,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = request,
     .positional = 2,
     .answer = ML_ANSWER_ANY,
     .result = "RawResponse"},
    {.name = "paginate",
     .method = "GET",
     .path = "{+path}",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_OPTIONAL,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = paginate,
     .positional = 1,
     .answer = ML_ANSWER_PAGE,
     .response = ml_page},
    {.name = NULL},
};
