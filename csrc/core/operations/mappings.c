/* Fields of the integration that become fields of common models:
 * https://docs.merge.dev/supplemental-data/field-mappings/ */
#include "operations.h"

#define METADATA ML_QUERY_BOOL("exclude_remote_field_metadata")

/* The same when one is made and when it is changed, but for what must be given. */
#define MAPPING(required)                                                                          \
    {.name = "remote_field_traversal_path",                                                        \
     .type = ML_TYPE_ARRAY,                                                                        \
     .flags = (required),                                                                          \
     .min = 1,                                                                                     \
     .of = &ml_any_item},                                                                          \
        {.name = "remote_method",                                                                  \
         .type = ML_TYPE_STRING,                                                                   \
         .flags = (required),                                                                      \
         .min = 1,                                                                                 \
         .choices = ml_methods},                                                                   \
        {.name = "remote_url_path", .type = ML_TYPE_STRING, .flags = (required), .min = 1},        \
        {.name = "common_model_name", .type = ML_TYPE_STRING, .flags = (required), .min = 1},      \
        {.name = "target_field_name", .type = ML_TYPE_STRING, .min = 1},                           \
        {.name = "target_field_description", .type = ML_TYPE_STRING},                              \
        {.name = "organization_wide_target_field", .type = ML_TYPE_BOOL},                          \
        {.name = "is_integration_wide", .type = ML_TYPE_BOOL},                                     \
        {.name = "jmes_path", .type = ML_TYPE_STRING, .min = 1},                                   \
        {.name = "advanced_mapping_expression", .type = ML_TYPE_STRING, .min = 1}, METADATA, {     \
        .name = "remote_data_iteration_count", .type = ML_TYPE_INTEGER,                            \
        .flags = ML_FIELD_IN_QUERY, .min = 1, .max = INT32_MAX                                     \
    }

static const ml_field field_mappings[] = {
    METADATA,
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field create_field_mapping[] = {
    MAPPING(ML_FIELD_REQUIRED),
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field update_field_mapping[] = {
    ML_PATH_ID("id"),
    MAPPING(0),
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field delete_field_mapping[] = {
    ML_PATH_ID("id"),
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field remote_fields[] = {
    ML_QUERY_LIST("common_models", &ml_text_item),
    ML_QUERY_BOOL("include_example_values"),
    ML_PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field create_target_field[] = {
    {.name = "name", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
    {.name = "description", .type = ML_TYPE_STRING},
    {.name = "common_model", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

const ml_operation ml_mapping_operations[] = {
    {.name = "field_mappings",
     .method = "GET",
     .path = "/{category}/v1/field-mappings",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = field_mappings,
     .answer = ML_ANSWER_OBJECT,
     .result = "FieldMappings"},
    {.name = "create_field_mapping",
     .method = "POST",
     .path = "/{category}/v1/field-mappings",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = create_field_mapping,
     .answer = ML_ANSWER_OBJECT,
     .result = "FieldMappingResult"},
    {.name = "update_field_mapping",
     .method = "PATCH",
     .path = "/{category}/v1/field-mappings/{id}",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = update_field_mapping,
     .positional = 1,
     .answer = ML_ANSWER_OBJECT,
     .result = "FieldMappingResult"},
    /* As delete_account: a repeat does no harm, but may find nothing to delete. */
    {.name = "delete_field_mapping",
     .method = "DELETE",
     .path = "/{category}/v1/field-mappings/{id}",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = delete_field_mapping,
     .positional = 1,
     .answer = ML_ANSWER_NOTHING,
     .spent = "The first attempt may have deleted the mapping, though its answer was lost"},
    {.name = "remote_fields",
     .method = "GET",
     .path = "/{category}/v1/remote-fields",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = remote_fields,
     .answer = ML_ANSWER_OBJECT,
     .result = "RemoteFields"},
    {.name = "target_fields",
     .method = "GET",
     .path = "/{category}/v1/target-fields",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = ml_no_fields,
     .answer = ML_ANSWER_OBJECT,
     .result = "TargetFields"},
    {.name = "create_target_field",
     .method = "POST",
     .path = "/{category}/v1/target-fields",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_LARGE_ANSWER,
     .fields = create_target_field,
     .answer = ML_ANSWER_OBJECT,
     .result = "TargetFields"},
    {.name = NULL},
};
