/*
 * operation - the table of operations: one row for each endpoint of Merge's API.
 * Validation, encoding, decoding and the names that other languages see all come from here.
 */
#include "merge_link.h"

#include <string.h>

#define TABLE(...)   ((const ml_field[]){__VA_ARGS__, {.name = NULL}})
#define CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { MIB = 1024 * 1024 };

/* The slugs that Merge's reference lists for `categories`; an open set. */
static const char *const categories[] = {"hris", "ats",         "accounting",    "ticketing", "crm",
                                         "mktg", "filestorage", "knowledgebase", NULL};

/* The first segment of a path; newer SDKs know more of these than the body's list has. */
static const char *const path_categories[] = {"hris", "ats",      "accounting",  "ticketing",
                                              "crm",  "mktg",     "filestorage", "knowledgebase",
                                              "chat", "calendar", "email",       NULL};

/* The row that every operation with a category in its path has. */
#define PATH_CATEGORY                                                                              \
    {.name = "category",                                                                           \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_IN_PATH,                                                                    \
     .format = ML_FORMAT_SLUG,                                                                     \
     .choices = path_categories}

static const ml_field text_item = {.name = "", .type = ML_TYPE_STRING, .min = 1};

/* https://docs.merge.dev/basics/scopes: what common_models and the scopes are made of. */

static const ml_field action_item = {
    .name = "",
    .type = ML_TYPE_STRING,
    .flags = ML_FIELD_CLOSED,
    .choices = CHOICES("READ", "WRITE"),
};

static const ml_field common_model = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of = TABLE({.name = "model_id", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
                {.name = "enabled_actions",
                 .type = ML_TYPE_ARRAY,
                 .flags = ML_FIELD_REQUIRED,
                 .of = &action_item},
                {.name = "disabled_fields",
                 .type = ML_TYPE_ARRAY,
                 .flags = ML_FIELD_REQUIRED,
                 .of = &text_item}),
};

static const ml_field model_permission = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of = TABLE({.name = "is_enabled", .type = ML_TYPE_BOOL}),
};

static const ml_field model_scope = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of =
        TABLE({.name = "model_name", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
              {.name = "model_permissions", .type = ML_TYPE_MAP, .of = &model_permission},
              {.name = "field_permissions",
               .type = ML_TYPE_OBJECT,
               .of = TABLE({.name = "enabled_fields", .type = ML_TYPE_ARRAY, .of = &text_item},
                           {.name = "disabled_fields", .type = ML_TYPE_ARRAY, .of = &text_item})}),
};

static const ml_field model_scopes = {.name = "", .type = ML_TYPE_ARRAY, .of = &model_scope};

static const ml_field category_item = {
    .name = "",
    .type = ML_TYPE_STRING,
    .format = ML_FORMAT_SLUG,
    .choices = categories,
};

/* https://docs.merge.dev/ats/link-token/ */
static const ml_field create_link_token[] = {
    {.name = "end_user_email_address",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED,
     .min = 1,
     .max = 100},
    {.name = "end_user_organization_name",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED,
     .min = 1,
     .max = 100},
    {.name = "end_user_origin_id",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED,
     .min = 1,
     .max = 100},
    {.name = "categories",
     .type = ML_TYPE_ARRAY,
     .flags = ML_FIELD_REQUIRED | ML_FIELD_UNIQUE,
     .min = 1,
     .of = &category_item},
    {.name = "integration", .type = ML_TYPE_STRING, .format = ML_FORMAT_SLUG},
    {.name = "link_expiry_mins",
     .type = ML_TYPE_INTEGER,
     .min = 30,
     .max = 720,
     .fallback = 30,
     .relaxed_by = "should_create_magic_link_url",
     .relaxed_max = 10080},
    {.name = "should_create_magic_link_url", .type = ML_TYPE_BOOL},
    {.name = "hide_admin_magic_link", .type = ML_TYPE_BOOL},
    {.name = "common_models", .type = ML_TYPE_ARRAY, .of = &common_model},
    {.name = "category_common_model_scopes",
     .type = ML_TYPE_MAP,
     .format = ML_FORMAT_SLUG,
     .choices = categories,
     .of = &model_scopes},
    {.name = "language", .type = ML_TYPE_STRING, .format = ML_FORMAT_LANGUAGE_TAG},
    {.name = "are_syncs_disabled", .type = ML_TYPE_BOOL},
    {.name = "integration_specific_config", .type = ML_TYPE_JSON},
    {.name = "completed_account_initial_screen",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_CLOSED,
     .choices = CHOICES("SELECTIVE_SYNC")},
    {.name = "linked_destination_id", .type = ML_TYPE_STRING, .format = ML_FORMAT_UUID},
    {.name = "credential_id", .type = ML_TYPE_STRING, .format = ML_FORMAT_UUID},
    {.name = "ekm_enabled", .type = ML_TYPE_BOOL},
    PATH_CATEGORY,
    {.name = NULL},
};

static const ml_field link_token[] = {
    {.name = "link_token",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED,
     .format = ML_FORMAT_CREDENTIAL,
     .min = 1},
    {.name = "integration_name", .type = ML_TYPE_STRING, .flags = ML_FIELD_NULLABLE},
    {.name = "magic_link_url",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_NULLABLE,
     .format = ML_FORMAT_CREDENTIAL},
    {.name = NULL},
};

/* The cheapest read: https://docs.merge.dev/ats/linked-accounts/ */
static const ml_field warm_up[] = {
    {.name = "connections", .type = ML_TYPE_INTEGER, .min = 1, .max = 10000, .fallback = 1},
    PATH_CATEGORY,
    {.name = NULL},
};

/* A page of them; what is on it is nobody's business here. */
static const ml_field linked_accounts[] = {
    {.name = "results", .type = ML_TYPE_ARRAY, .flags = ML_FIELD_REQUIRED},
    {.name = NULL},
};

static const ml_operation operations[] = {
    {.name = "create_link_token",
     .method = "POST",
     .path = "/{category}/v1/link-token",
     .category_from = "categories",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = MIB,
     .fields = create_link_token,
     .response = link_token,
     .result = "LinkToken"},
    {.name = "warm_up",
     .method = "GET",
     .path = "/{category}/v1/linked-accounts?page_size=1",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = MIB,
     .fields = warm_up,
     .response = linked_accounts},
};

const ml_operation *ml_operation_find(const char *name) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0) return &operations[i];
    return NULL;
}

const ml_field *ml_field_find(const ml_field *fields, const char *name) {
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0) return fields;
    return NULL;
}
