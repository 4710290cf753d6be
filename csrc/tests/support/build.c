#include "build.h"

#include <stdlib.h>

const ml_operation *link_token_operation(void) {
    return ml_operation_find("create_link_token");
}

/* The tests of failing allocations make requests of their own. */
static ml_request *made(ml_request *request) {
    if (request == NULL) abort();
    return request;
}

ml_request *empty_request(void) {
    return made(ml_request_new(link_token_operation()));
}

void add_text(ml_request *request, const char *field, const char *value) {
    ml_add_string(ml_request_fields(request), field, ml_text_of(value));
}

void add_categories(ml_request *request, const char *const *slugs) {
    ml_value *list = ml_add_array(ml_request_fields(request), "categories");
    for (; *slugs != NULL; slugs++)
        ml_add_string(list, NULL, ml_text_of(*slugs));
}

static void add_required(ml_request *request) {
    add_text(request, "end_user_email_address", "hr@acme.example");
    add_text(request, "end_user_organization_name", "Acme");
    add_text(request, "end_user_origin_id", "acme-42");
    add_categories(request, (const char *const[]){"ats", NULL});
}

ml_request *small_request(void) {
    ml_request *request = empty_request();
    add_required(request);
    return request;
}

static void add_common_models(ml_value *fields) {
    ml_value *models = ml_add_array(fields, "common_models");
    ml_value *model = ml_add_object(models, NULL);
    ml_value *disabled = ml_add_array(model, "disabled_fields");
    ml_add_string(disabled, NULL, ml_text_of("ssn"));
    ml_value *actions = ml_add_array(model, "enabled_actions");
    ml_add_string(actions, NULL, ml_text_of("READ"));
    ml_add_string(actions, NULL, ml_text_of("WRITE"));
    ml_add_string(model, "model_id", ml_text_of("hris.Employee"));
}

static void add_scopes(ml_value *fields) {
    ml_value *scopes = ml_add_object(fields, "category_common_model_scopes");
    ml_value *list = ml_add_array(scopes, "ats");
    ml_value *scope = ml_add_object(list, NULL);
    ml_value *narrowed = ml_add_object(scope, "field_permissions");
    ml_add_array(narrowed, "disabled_fields");
    ml_add_string(ml_add_array(narrowed, "enabled_fields"), NULL, ml_text_of("name"));
    ml_value *permissions = ml_add_object(scope, "model_permissions");
    ml_add_bool(ml_add_object(permissions, "READ"), "is_enabled", true);
    ml_add_string(scope, "model_name", ml_text_of("Job"));
}

/* From the last row to the first: the order of adding must not matter. */
ml_request *full_request(void) {
    static const char uuid[] = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    ml_request *request = empty_request();
    ml_value *fields = ml_request_fields(request);
    ml_add_bool(fields, "ekm_enabled", false);
    add_text(request, "credential_id", uuid);
    add_text(request, "linked_destination_id", uuid);
    add_text(request, "completed_account_initial_screen", "SELECTIVE_SYNC");
    ml_add_json(fields, "integration_specific_config", ml_text_of("{\"a\": [1, 2.50, null]}"));
    ml_add_bool(fields, "are_syncs_disabled", true);
    add_text(request, "language", "de");
    add_scopes(fields);
    add_common_models(fields);
    ml_add_bool(fields, "hide_admin_magic_link", false);
    ml_add_bool(fields, "should_create_magic_link_url", true);
    ml_add_integer(fields, "link_expiry_mins", 10080);
    add_text(request, "integration", "greenhouse");
    add_required(request);
    return request;
}

const char full_body[] =
    "{\"end_user_email_address\":\"hr@acme.example\",\"end_user_organization_name\":\"Acme\","
    "\"end_user_origin_id\":\"acme-42\",\"categories\":[\"ats\"],\"integration\":\"greenhouse\","
    "\"link_expiry_mins\":10080,\"should_create_magic_link_url\":true,"
    "\"hide_admin_magic_link\":false,\"common_models\":[{\"model_id\":\"hris.Employee\","
    "\"enabled_actions\":[\"READ\",\"WRITE\"],\"disabled_fields\":[\"ssn\"]}],"
    "\"category_common_model_scopes\":{\"ats\":[{\"model_name\":\"Job\","
    "\"model_permissions\":{\"READ\":{\"is_enabled\":true}},"
    "\"field_permissions\":{\"enabled_fields\":[\"name\"],\"disabled_fields\":[]}}]},"
    "\"language\":\"de\",\"are_syncs_disabled\":true,"
    "\"integration_specific_config\":{\"a\": [1, 2.50, null]},"
    "\"completed_account_initial_screen\":\"SELECTIVE_SYNC\","
    "\"linked_destination_id\":\"3fa85f64-5717-4562-b3fc-2c963f66afa6\","
    "\"credential_id\":\"3fa85f64-5717-4562-b3fc-2c963f66afa6\",\"ekm_enabled\":false}";

ml_client_options test_options(void) {
    ml_client_options options;
    ml_client_options_init(&options);
    options.api_key = ml_text_of(TEST_KEY);
    options.base_url = ml_text_of("http://127.0.0.1:9/api");
    options.user_agent = ml_text_of("tests/1.0");
    options.budget_failures = 0;
    return options;
}

/* ---- an operation that is as different as it can be ---- */

static const ml_field thing_fields[] = {
    {.name = "category",
     .type = ML_TYPE_STRING,
     .flags = ML_FIELD_IN_PATH,
     .format = ML_FORMAT_SLUG},
    {.name = "thing", .type = ML_TYPE_STRING, .flags = ML_FIELD_IN_PATH | ML_FIELD_REQUIRED},
    {.name = NULL},
};

static const ml_field thing_answer[] = {
    {.name = "id", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED},
    {.name = "size", .type = ML_TYPE_INTEGER},
    {.name = "is_new", .type = ML_TYPE_BOOL},
    {.name = "parts", .type = ML_TYPE_ARRAY},
    {.name = "owner", .type = ML_TYPE_OBJECT, .flags = ML_FIELD_NULLABLE},
    {.name = NULL},
};

const ml_operation fetch_thing = {
    .name = "fetch_thing",
    .method = "GET",
    .path = "/{category}/v1/things/{thing}",
    .repeat = ML_REPEAT_UNSENT,
    .account = ML_ACCOUNT_REQUIRED,
    .max_response_bytes = 1024,
    .fields = thing_fields,
    .response = thing_answer,
};

ml_request *thing_request(const char *category, ml_text thing) {
    ml_request *request = made(ml_request_new(&fetch_thing));
    if (category != NULL) add_text(request, "category", category);
    ml_add_string(ml_request_fields(request), "thing", thing);
    return request;
}
