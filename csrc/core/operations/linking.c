/* Linking an account: the token that opens Merge Link, and what comes of it. */
#include "operations.h"

/* https://docs.merge.dev/basics/scopes: what common_models and the scopes are made of. */

static const ml_field action_item = {
    .name = "",
    .type = ML_TYPE_STRING,
    .flags = ML_FIELD_CLOSED,
    .choices = ML_CHOICES("READ", "WRITE"),
};

static const ml_field common_model = {
    .name = "",
    .type = ML_TYPE_OBJECT,
    .of =
        ML_TABLE({.name = "model_id", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
                 {.name = "enabled_actions",
                  .type = ML_TYPE_ARRAY,
                  .flags = ML_FIELD_REQUIRED,
                  .of = &action_item},
                 {.name = "disabled_fields",
                  .type = ML_TYPE_ARRAY,
                  .flags = ML_FIELD_REQUIRED,
                  .of = &ml_text_item}),
};

static const ml_field model_scopes = {.name = "", .type = ML_TYPE_ARRAY, .of = &ml_model_scope};

static const ml_field category_item = {
    .name = "",
    .type = ML_TYPE_STRING,
    .format = ML_FORMAT_SLUG,
    .choices = ml_categories,
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
     .choices = ml_categories,
     .of = &model_scopes},
    {.name = "language", .type = ML_TYPE_STRING, .format = ML_FORMAT_LANGUAGE_TAG},
    {.name = "are_syncs_disabled", .type = ML_TYPE_BOOL},
    {.name = "integration_specific_config", .type = ML_TYPE_JSON},
    {.name = "completed_account_initial_screen",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_CLOSED,
     .choices = ML_CHOICES("SELECTIVE_SYNC")},
    {.name = "linked_destination_id", .type = ML_TYPE_STRING, .format = ML_FORMAT_UUID},
    {.name = "credential_id", .type = ML_TYPE_STRING, .format = ML_FORMAT_UUID},
    {.name = "ekm_enabled", .type = ML_TYPE_BOOL},
    ML_PATH_CATEGORY,
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

/* https://docs.merge.dev/ats/account-token/ */
static const ml_field retrieve_account_token[] = {
    {.name = "public_token",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_REQUIRED | ML_FIELD_IN_PATH,
     .format = ML_FORMAT_CREDENTIAL,
     .min = 1,
     .max = 512},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

/* The cheapest read: https://docs.merge.dev/ats/linked-accounts/ */
static const ml_field warm_up[] = {
    {.name = "connections", .type = ML_TYPE_INTEGER, .min = 1, .max = 10000, .fallback = 1},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

/* A page of them; what is on it is nobody's business here. */
static const ml_field any_page[] = {
    {.name = "results", .type = ML_TYPE_ARRAY, .flags = ML_FIELD_REQUIRED},
    {.name = NULL},
};

const ml_operation ml_linking_operations[] = {
    {.name = "create_link_token",
     .method = "POST",
     .path = "/{category}/v1/link-token",
     .category_from = "categories",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = create_link_token,
     .response = link_token,
     .result = "LinkToken"},
    {.name = "warm_up",
     .method = "GET",
     .path = "/{category}/v1/linked-accounts?page_size=1",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = warm_up,
     .positional = 1,
     .answer = ML_ANSWER_OBJECT,
     .response = any_page},
    /* A public token is good for one answer, so a repeat may come too late: but one that was lost
     * with its answer is lost either way, and one that never arrived is saved. */
    {.name = "retrieve_account_token",
     .method = "GET",
     .path = "/{category}/v1/account-token/{public_token}",
     .repeat = ML_REPEAT_ALWAYS,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = retrieve_account_token,
     .positional = 1,
     .answer = ML_ANSWER_OBJECT,
     .result = "AccountToken",
     .spent = "The first attempt may have used the public token up, though its answer was lost: "
              "have the end user link again"},
    {.name = "regenerate_account_token",
     .method = "POST",
     .path = "/{category}/v1/account-token/regenerate",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = ml_no_fields,
     .answer = ML_ANSWER_OBJECT,
     .result = "RegeneratedAccountToken"},
    {.name = NULL},
};
