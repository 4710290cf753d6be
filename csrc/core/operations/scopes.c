/* What of an end user's data may be read and written: https://docs.merge.dev/basics/scopes */
#include "operations.h"

static const ml_field model_permission = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of = ML_TABLE({.name = "is_enabled", .type = ML_TYPE_BOOL}),
};

const ml_field ml_model_scope = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of = ML_TABLE(
        {.name = "model_name", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
        {.name = "model_permissions", .type = ML_TYPE_MAP, .of = &model_permission},
        {.name = "field_permissions",
         .type = ML_TYPE_OBJECT,
         .of = ML_TABLE({.name = "enabled_fields", .type = ML_TYPE_ARRAY, .of = &ml_text_item},
                        {.name = "disabled_fields", .type = ML_TYPE_ARRAY, .of = &ml_text_item})}),
};

static const ml_field set_linked_account_scopes[] = {
    {.name = "common_models",
     .type = ML_TYPE_ARRAY,
     .flags = ML_FIELD_REQUIRED,
     .of = &ml_model_scope},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

const ml_operation ml_scope_operations[] = {
    {.name = "default_scopes",
     .method = "GET",
     .path = "/{category}/v1/default-scopes",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = ml_no_fields,
     .answer = ML_ANSWER_OBJECT,
     .result = "Scopes"},
    {.name = "linked_account_scopes",
     .method = "GET",
     .path = "/{category}/v1/linked-account-scopes",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = ml_no_fields,
     .answer = ML_ANSWER_OBJECT,
     .result = "Scopes"},
    {.name = "set_linked_account_scopes",
     .method = "POST",
     .path = "/{category}/v1/linked-account-scopes",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = set_linked_account_scopes,
     .positional = 1,
     .answer = ML_ANSWER_OBJECT,
     .result = "Scopes"},
    {.name = NULL},
};
