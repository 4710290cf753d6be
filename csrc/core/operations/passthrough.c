/* Requests that Merge passes on to the integration:
 * https://docs.merge.dev/supplemental-data/passthrough/ */
#include "operations.h"

/* `path` and `method` are the integration's, so they go into the body. */
static const ml_field passthrough[] = {
    {.name = "method",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED | ML_FIELD_CLOSED,
     .format = ML_FORMAT_METHOD,
     .choices = ml_methods},
    {.name = "path", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
    {.name = "base_url_override", .type = ML_TYPE_STRING, .min = 1},
    {.name = "data", .type = ML_TYPE_ANY},
    {.name = "multipart_form_data", .type = ML_TYPE_ANY},
    {.name = "headers", .type = ML_TYPE_JSON},
    {.name = "request_format",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_CLOSED,
     .choices = ML_CHOICES("JSON", "XML", "MULTIPART")},
    {.name = "normalize_response", .type = ML_TYPE_BOOL},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field async_passthrough_result[] = {
    ML_PATH_ID("id"),
    ML_PATH_CATEGORY,
    {.name = NULL},
};

const ml_operation ml_passthrough_operations[] = {
    {.name = "passthrough",
     .method = "POST",
     .path = "/{category}/v1/passthrough",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = passthrough,
     .answer = ML_ANSWER_OBJECT,
     .result = "PassthroughResponse"},
    {.name = "async_passthrough",
     .method = "POST",
     .path = "/{category}/v1/async-passthrough",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = passthrough,
     .answer = ML_ANSWER_OBJECT,
     .result = "AsyncPassthroughReceipt"},
    {.name = "async_passthrough_result",
     .method = "GET",
     .path = "/{category}/v1/async-passthrough/{id}",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = async_passthrough_result,
     .positional = 1,
     .answer = ML_ANSWER_OBJECT,
     .result = "PassthroughResponse"},
    {.name = NULL},
};
