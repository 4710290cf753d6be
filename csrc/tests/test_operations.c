/*
 * Each operation on the wire: method, URL, account token and body; the rules that its row has; and
 * the paths and queries that a caller may write.
 */
#include "client.h"
#include "support/build.h"
#include "support/expect.h"
#include "support/scripted.h"

#define BASE    "http://127.0.0.1:9/api"
#define ACCOUNT "token-of-account"

/* A client with an account token, and its last call. */
typedef struct stage {
    ml_client *client;
    ml_request *request;
    ml_call_options options;
    ml_response *response;
    ml_error error;
    ml_status status;
} stage;

static void open_stage(stage *s, const char *operation) {
    ml_client_options options = test_options();
    options.account_token = TEXT(ACCOUNT);
    *s = (stage){.request = ml_request_new(ml_operation_find(operation))};
    assert_non_null(s->request);
    scripted_reset();
    ml_error_init(&s->error);
    ml_call_options_init(&s->options);
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &s->client, &s->error),
                     ML_OK);
}

static void call(stage *s) {
    ml_response_free(s->response);
    s->status = ml_client_call(s->client, s->request, &s->options, &s->response, &s->error);
}

static void close_stage(stage *s) {
    ml_response_free(s->response);
    ml_request_free(s->request);
    ml_error_clear(&s->error);
    ml_client_free(s->client);
    assert_int_equal(scripted_open_lanes(), 0);
}

/* ---- fields, written as text ---- */

static void add_items(ml_value *list, const char *items) {
    for (const char *at = items; *at != '\0';) {
        size_t length = strcspn(at, "|");
        ml_add_string(list, NULL, (ml_text){at, length});
        at += length + (at[length] == '|');
    }
}

static void add_entries(ml_value *map, const char *entries, bool is_json) {
    char name[64];
    for (const char *at = entries; *at != '\0';) {
        size_t sign = strcspn(at, "="), length = strcspn(at, "|");
        snprintf(name, sizeof name, "%.*s", (int)sign, at);
        ml_text value = {at + sign + 1, length - sign - 1};
        if (is_json)
            ml_add_json(map, name, value);
        else
            ml_add_string(map, name, value);
        at += length + (at[length] == '|');
    }
}

/* "s name=text", "i name=42", "b name=", "j name=json", "[ name=a|b", "{ name=k=json|l=json",
 * "h name=k=text|l=text". */
static void add_field(ml_request *request, const char *line) {
    char name[64];
    ml_value *fields = ml_request_fields(request);
    size_t length = strcspn(line + 2, "=");
    const char *value = line + 2 + length + 1;
    snprintf(name, sizeof name, "%.*s", (int)length, line + 2);
    switch (line[0]) {
    case 's': ml_add_string(fields, name, ml_text_of(value)); break;
    case 'i': ml_add_integer(fields, name, strtoll(value, NULL, 10)); break;
    case 'b': ml_add_bool(fields, name, value[0] != 'f'); break;
    case 'j': ml_add_json(fields, name, ml_text_of(value)); break;
    case 'n': ml_add_null(fields, name); break;
    case '[': add_items(ml_add_array(fields, name), value); break;
    case '{': add_entries(ml_add_object(fields, name), value, true); break;
    case 'h': add_entries(ml_add_object(fields, name), value, false); break;
    default: fail_msg("no such kind of field: %s", line);
    }
}

enum { MOST_FIELDS = 18 };

typedef struct wire_row {
    const char *name; /* of the test: the operation, and what follows "__" */
    const char *method;
    const char *url;    /* after the base URL */
    const char *body;   /* NULL: none, and no type */
    const char *answer; /* NULL: {} */
    const char *fields[MOST_FIELDS];
} wire_row;

static const char *operation_of(const char *test, char *name, size_t size) {
    const char *end = strstr(test, "__");
    size_t length = end == NULL ? strlen(test) : (size_t)(end - test);
    snprintf(name, size, "%.*s", (int)length, test);
    return name;
}

#define MAPPING "s remote_method=GET", "s remote_url_path=/users", "s common_model_name=Candidate"

static const wire_row wire_rows[] = {
    {"retrieve_account_token",
     "GET",
     "/ats/v1/account-token/pub",
     NULL,
     NULL,
     {"s public_token=pub"}},
    {"retrieve_account_token__to_another_endpoint",
     "GET",
     "/ats/v1/account-token/..%2Flink-token",
     NULL,
     NULL,
     {"s public_token=../link-token"}},
    {"retrieve_account_token__with_a_query",
     "GET",
     "/ats/v1/account-token/a%3Fb%3D1%23c%252F",
     NULL,
     NULL,
     {"s public_token=a?b=1#c%2F"}},
    {"retrieve_account_token__with_an_emoji",
     "GET",
     "/hris/v1/account-token/%F0%9F%98%80",
     NULL,
     NULL,
     {"s public_token=\xF0\x9F\x98\x80", "s category=hris"}},
    {"regenerate_account_token", "POST", "/ats/v1/account-token/regenerate", NULL, NULL, {NULL}},
    {"account_details", "GET", "/ats/v1/account-details", NULL, NULL, {NULL}},
    {"linked_accounts", "GET", "/ats/v1/linked-accounts", NULL, "{\"results\":[]}", {NULL}},
    {"linked_accounts__with_all_filters",
     "GET",
     "/crm/v1/linked-accounts?category=crm&cursor=c%2B1%3D&end_user_email_address=a%40b.c"
     "&end_user_organization_name=Zo%C3%AB%20%26%20Co&end_user_origin_id=o&"
     "end_user_origin_ids=1%2C2&id=i&ids=x%2Cy&include_duplicates=true&integration_name=Lever"
     "&is_test_account=false&page_size=100&status=RELINK_NEEDED",
     NULL,
     "{\"results\":[],\"next\":null}",
     {"s category=crm", "s cursor=c+1=", "s end_user_email_address=a@b.c",
      "s end_user_organization_name=Zo\xC3\xAB & Co", "s end_user_origin_id=o",
      "[ end_user_origin_ids=1|2", "s id=i", "[ ids=x|y",
      "b include_duplicates=", "s integration_name=Lever", "b is_test_account=false",
      "i page_size=100", "s status=RELINK_NEEDED"}},
    {"linked_accounts__where_a_filter_is_set_again",
     "GET",
     "/ats/v1/linked-accounts?cursor=second&page_size=2",
     NULL,
     "{\"results\":[]}",
     {"s cursor=first", "i page_size=2", "s cursor=second"}},
    {"linked_accounts__where_a_filter_is_taken_back",
     "GET",
     "/ats/v1/linked-accounts",
     NULL,
     "{\"results\":[]}",
     {"s cursor=first", "n cursor="}},
    {"delete_account", "POST", "/ats/v1/delete-account", NULL, "", {NULL}},
    {"generate_key", "POST", "/ats/v1/generate-key", "{\"name\":\"k\"}", NULL, {"s name=k"}},
    {"regenerate_key", "POST", "/ats/v1/regenerate-key", "{\"name\":\"k\"}", NULL, {"s name=k"}},
    {"sync_status",
     "GET",
     "/ats/v1/sync-status?cursor=c&page_size=1",
     NULL,
     "{\"results\":[{}],\"next\":\"c\",\"previous\":null}",
     {"i page_size=1", "s cursor=c"}},
    {"force_resync", "POST", "/ats/v1/sync-status/resync", NULL, "[]", {NULL}},
    {"default_scopes", "GET", "/ats/v1/default-scopes", NULL, NULL, {NULL}},
    {"linked_account_scopes", "GET", "/ats/v1/linked-account-scopes", NULL, NULL, {NULL}},
    {"set_linked_account_scopes",
     "POST",
     "/ats/v1/linked-account-scopes",
     "{\"common_models\":[]}",
     NULL,
     {"[ common_models="}},
    {"issues",
     "GET",
     "/ats/v1/issues?account_token=secret-filter&end_date=2026-01-31T12%3A00%3A00Z"
     "&include_muted=true&status=ONGOING",
     NULL,
     "{\"results\":[]}",
     {"s account_token=secret-filter", "b include_muted=", "s status=ONGOING",
      "s end_date=2026-01-31T12:00:00Z"}},
    {"issue", "GET", "/ats/v1/issues/a%2Fb", NULL, NULL, {"s id=a/b"}},
    {"passthrough",
     "POST",
     "/ats/v1/passthrough",
     "{\"method\":\"GET\",\"path\":\"/x?y\",\"data\":[1.50, null],\"headers\":{\"A\":\"b\"},"
     "\"request_format\":\"JSON\",\"normalize_response\":true}",
     NULL,
     {"s method=GET", "s path=/x?y", "j data=[1.50, null]", "j headers={\"A\":\"b\"}",
      "s request_format=JSON", "b normalize_response="}},
    {"async_passthrough",
     "POST",
     "/ats/v1/async-passthrough",
     "{\"method\":\"DELETE\",\"path\":\"/x\",\"base_url_override\":\"https://a.example\","
     "\"multipart_form_data\":[{}]}",
     NULL,
     {"s method=DELETE", "s path=/x", "s base_url_override=https://a.example",
      "j multipart_form_data=[{}]"}},
    {"async_passthrough_result", "GET", "/ats/v1/async-passthrough/r", NULL, NULL, {"s id=r"}},
    {"webhook_receivers", "GET", "/ats/v1/webhook-receivers", NULL, "[{}]", {NULL}},
    {"create_webhook_receiver",
     "POST",
     "/ats/v1/webhook-receivers",
     "{\"event\":\"LinkedAccount.linked\",\"is_active\":true,\"key\":\"secret-key\"}",
     NULL,
     {"s event=LinkedAccount.linked", "b is_active=", "s key=secret-key"}},
    {"available_actions", "GET", "/chat/v1/available-actions", NULL, NULL, {"s category=chat"}},
    {"field_mappings",
     "GET",
     "/ats/v1/field-mappings?exclude_remote_field_metadata=true",
     NULL,
     NULL,
     {"b exclude_remote_field_metadata="}},
    {"create_field_mapping",
     "POST",
     "/ats/v1/field-mappings?exclude_remote_field_metadata=false&remote_data_iteration_count=3",
     "{\"remote_field_traversal_path\":[\"a\",\"b\"],\"remote_method\":\"GET\","
     "\"remote_url_path\":\"/users\",\"common_model_name\":\"Candidate\",\"target_field_name\":"
     "\"t\",\"is_integration_wide\":true}",
     NULL,
     {"[ remote_field_traversal_path=a|b", MAPPING, "s target_field_name=t",
      "b is_integration_wide=", "i remote_data_iteration_count=3",
      "b exclude_remote_field_metadata=false"}},
    {"update_field_mapping",
     "PATCH",
     "/ats/v1/field-mappings/m%201",
     "{\"jmes_path\":\"a.b\"}",
     NULL,
     {"s id=m 1", "s jmes_path=a.b"}},
    {"delete_field_mapping", "DELETE", "/ats/v1/field-mappings/m", NULL, "", {"s id=m"}},
    {"remote_fields",
     "GET",
     "/ats/v1/remote-fields?common_models=Job%2CCandidate&include_example_values=true",
     NULL,
     NULL,
     {"[ common_models=Job|Candidate", "b include_example_values="}},
    {"target_fields", "GET", "/ats/v1/target-fields", NULL, NULL, {NULL}},
    {"create_target_field",
     "POST",
     "/ats/v1/target-fields",
     "{\"name\":\"n\",\"description\":\"\",\"common_model\":\"Job\"}",
     NULL,
     {"s name=n", "s description=", "s common_model=Job"}},
    {"audit_trail",
     "GET",
     "/ats/v1/audit-trail?event_type=CREATED&page_size=5&user_email=a%40b",
     NULL,
     "{\"results\":[]}",
     {"s user_email=a@b", "i page_size=5", "s event_type=CREATED"}},
    {"ignore",
     "POST",
     "/ats/v1/bank-info/ignore/..%2Fx",
     "{\"reason\":\"GDPR\",\"message\":\"gone\"}",
     "",
     {"s model=bank-info", "s id=../x", "s reason=GDPR", "s message=gone"}},
    {"request",
     "GET",
     "/ats/v1/candidates",
     NULL,
     NULL,
     {"s method=GET", "s path=/ats/v1/candidates"}},
    {"request__with_parameters",
     "GET",
     "/x?a=1&b=1.50&c=x%20y%22&d=true&f=p%2C1%2Ctrue&g=a%2Cb",
     NULL,
     NULL,
     {"s method=GET", "s path=/x",
      "{ params=a=1|b=1.50|c=\"x y\\u0022\"|d=true|e=null|f=[\"p\", 1,true]|g=\"a,b\""}},
    {"request__with_parameters_that_have_white_space_around",
     "GET",
     "/x?a=1%2Cb&c=2&d=e",
     NULL,
     NULL,
     {"s method=GET", "s path=/x", "{ params=a= [ 1 , \"b\"] |c= 2\n|d=\t\"e\" |f= null "}},
    {"request__with_parameters_of_the_callers_own_types",
     "GET",
     "/x?a=b%3D1&c=",
     NULL,
     NULL,
     {"s method=GET", "s path=/x", "h params=a=b=1|c="}},
    {"request__with_a_body",
     "PUT",
     "/x",
     "[1.0, {\"a\": 12345678901234567890}]",
     "",
     {"s method=PUT", "s path=/x", "j json=[1.0, {\"a\": 12345678901234567890}]"}},
    {"request__with_null_as_its_body",
     "POST",
     "/x",
     "null",
     NULL,
     {"s method=POST", "s path=/x", "j json=null"}},
    {"request__without_a_body",
     "POST",
     "/x",
     NULL,
     NULL,
     {"s method=POST", "s path=/x", "n json="}},
    {"request__with_a_path_of_all_sorts",
     "DELETE",
     "/a%20b/%C3%A9%2f%7B%7D%22/!$&'()*+,;=:@-._~/",
     NULL,
     NULL,
     {"s method=DELETE", "s path=/a b/\xC3\xA9%2f{}\"/!$&'()*+,;=:@-._~/"}},
    {"paginate",
     "GET",
     "/ats/v1/jobs?page_size=2",
     NULL,
     "{\"results\":[]}",
     {"s path=/ats/v1/jobs", "{ params=page_size=2"}},
    {"paginate__with_the_cursor_of_the_next_page",
     "GET",
     "/ats/v1/jobs?page_size=2&cursor=next",
     NULL,
     "{\"results\":[]}",
     {"s path=/ats/v1/jobs", "{ params=cursor=\"first\"|page_size=2", "s cursor=next"}},
};

static void add_fields(ml_request *request, const char *const *fields) {
    for (size_t i = 0; i < MOST_FIELDS && fields[i] != NULL; i++)
        add_field(request, fields[i]);
}

static void operation_goes_out_so(void **state) {
    const wire_row *row = *state;
    char name[64], url[1200];
    stage s;
    open_stage(&s, operation_of(row->name, name, sizeof name));
    const ml_operation *operation = ml_request_operation(s.request);
    scripted_answer answer = {.body = row->answer != NULL ? row->answer : "{}"};
    add_fields(s.request, row->fields);
    scripted_play(&answer, 1);
    call(&s);
    if (s.status != ML_OK) print_error("%s\n", s.error.text);
    assert_int_equal(s.status, ML_OK);
    const scripted_sent *sent = scripted_sent_at(0);
    snprintf(url, sizeof url, BASE "%s", row->url);
    assert_string_equal(sent->method, row->method);
    assert_string_equal(sent->url, url);
    assert_string_equal(sent->body, row->body != NULL ? row->body : "");
    assert_int_equal(strstr(sent->lines, "Content-Type: ") != NULL, row->body != NULL);
    assert_int_equal(strstr(sent->lines, "X-Account-Token: " ACCOUNT "\n") != NULL,
                     operation->account != ML_ACCOUNT_NONE);
    assert_int_equal(sent->max_response_bytes, operation->max_response_bytes);
    close_stage(&s);
}

/* ---- rows ---- */

static void every_operation_is_on_the_wire_here(void **state) {
    (void)state;
    char name[64];
    size_t count = ml_operation_count();
    assert_int_equal(count, 33);
    assert_null(ml_operation_at(count));
    for (size_t i = 0; i < count; i++) {
        const ml_operation *operation = ml_operation_at(i);
        assert_ptr_equal(ml_operation_find(operation->name), operation);
        bool is_here = strcmp(operation->name, "create_link_token") == 0 ||
                       strcmp(operation->name, "warm_up") == 0;
        for (size_t j = 0; j < COUNT(wire_rows); j++)
            if (strcmp(operation_of(wire_rows[j].name, name, sizeof name), operation->name) == 0)
                is_here = true;
        if (!is_here) fail_msg("no row for %s", operation->name);
    }
}

static void what_must_not_happen_twice_is_not_repeated(void **state) {
    (void)state;
    static const char *const unsent[] = {
        "regenerate_account_token",
        "generate_key",
        "regenerate_key",
        "force_resync",
        "set_linked_account_scopes",
        "passthrough",
        "async_passthrough",
        "create_webhook_receiver",
        "create_field_mapping",
        "update_field_mapping",
        "create_target_field",
    };
    size_t found = 0;
    for (size_t i = 0; i < ml_operation_count(); i++) {
        const ml_operation *operation = ml_operation_at(i);
        if (operation->repeat != ML_REPEAT_UNSENT) continue;
        bool is_listed = false;
        for (size_t j = 0; j < COUNT(unsent); j++)
            if (strcmp(operation->name, unsent[j]) == 0) is_listed = true;
        if (!is_listed) fail_msg("%s is repeated only when unsent", operation->name);
        found++;
    }
    assert_int_equal(found, COUNT(unsent));
}

/* ---- account tokens ---- */

static void account_token_of_the_call_wins(void **state) {
    (void)state;
    static const scripted_answer answer = {.http_status = 404,
                                           .body = "{\"detail\":\"no token-of-call here\"}"};
    stage s;
    open_stage(&s, "account_details");
    ml_request_set_account_token(s.request, TEXT("token-of-call"));
    scripted_play(&answer, 1);
    call(&s);
    expect_contains(scripted_sent_at(0)->lines, "X-Account-Token: token-of-call\n");
    expect_absent(scripted_sent_at(0)->lines, ACCOUNT);
    expect_failure(&s.error, ML_ERR_API, "no ************* here");
    close_stage(&s);
}

static void account_token_is_never_sent_where_none_is_needed(void **state) {
    (void)state;
    static const scripted_answer answer = {.body = "{}"};
    stage s;
    open_stage(&s, "default_scopes");
    ml_request_set_account_token(s.request, TEXT("token-of-call"));
    scripted_play(&answer, 1);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    expect_absent(scripted_sent_at(0)->lines, "X-Account-Token");
    close_stage(&s);
}

static void account_token_that_cannot_be_sent_is_refused(void **state) {
    (void)state;
    stage s;
    open_stage(&s, "account_details");
    ml_request_set_account_token(s.request, TEXT("Zq7\r\nX: y"));
    call(&s);
    expect_failure(&s.error, ML_ERR_CONFIGURATION, "account_token must be printable ASCII");
    assert_string_equal(s.error.code, "account_token");
    expect_unquoted(&s.error, "Zq7");
    assert_int_equal(scripted_sent_count(), 0);
    close_stage(&s);
}

static void call_that_needs_an_account_token_and_has_none_is_not_sent(void **state) {
    (void)state;
    ml_client_options options = test_options();
    stage s;
    open_stage(&s, "delete_account");
    ml_client_free(s.client);
    assert_int_equal(ml_client_new_over(&scripted_transport, &options, &s.client, &s.error), ML_OK);
    call(&s);
    expect_failure(&s.error, ML_ERR_CONFIGURATION, "delete_account needs an account_token");
    assert_string_equal(s.error.code, "account_token");
    assert_int_equal(scripted_sent_count(), 0);
    close_stage(&s);
}

/* ---- repeating ---- */

typedef struct repeat_row {
    const char *name;
    const char *operation;
    const char *fields[MOST_FIELDS];
    unsigned sends;
} repeat_row;

static const repeat_row repeat_rows[] = {
    {"read_is_repeated", "account_details", {NULL}, 3},
    {"deletion_is_repeated", "delete_account", {NULL}, 3},
    {"passthrough_is_not_repeated", "passthrough", {"s method=GET", "s path=/x"}, 1},
    {"get_is_repeated", "request", {"s method=GET", "s path=/x"}, 3},
    {"put_is_repeated", "request", {"s method=PUT", "s path=/x"}, 3},
    {"delete_is_repeated", "request", {"s method=DELETE", "s path=/x"}, 3},
    {"post_is_not_repeated", "request", {"s method=POST", "s path=/x"}, 1},
    {"patch_is_not_repeated", "request", {"s method=PATCH", "s path=/x"}, 1},
};

static void failure_that_passes_is_followed_by_so_many(void **state) {
    static const scripted_answer answer = {.http_status = 503};
    const repeat_row *row = *state;
    stage s;
    open_stage(&s, row->operation);
    add_fields(s.request, row->fields);
    scripted_play_forever(&answer);
    call(&s);
    assert_int_equal(s.status, ML_ERR_API);
    assert_int_equal(s.error.attempts, row->sends);
    close_stage(&s);
}

static const char spent[] = "The first attempt may have used the public token up";

static void token_that_is_gone_after_a_repeat_may_be_spent(void **state) {
    (void)state;
    static const scripted_answer answers[] = {{.status = ML_ERR_TRANSPORT, .text = "broken"},
                                              {.http_status = 404}};
    stage s;
    open_stage(&s, "retrieve_account_token");
    add_field(s.request, "s public_token=public-token");
    scripted_play(answers, COUNT(answers));
    call(&s);
    assert_int_equal(s.error.http_status, 404);
    expect_contains(s.error.hint, spent);
    scripted_play(answers + 1, 1);
    call(&s);
    assert_int_equal(s.error.http_status, 404);
    assert_string_equal(s.error.hint, "");
    close_stage(&s);
}

/* ---- what must not be shown ---- */

typedef struct shown_row {
    const char *name;
    const char *operation;
    const char *fields[MOST_FIELDS];
    const char *echo;    /* what the server says */
    const char *request; /* that the error names */
    const char *text;    /* a part of the error's */
} shown_row;

static const shown_row shown_rows[] = {
    {"public_token",
     "retrieve_account_token",
     {"s public_token=Zq7-pub/lic"},
     "no Zq7-pub/lic, no Zq7-pub%2Flic",
     "GET " BASE "/ats/v1/account-token/{public_token}",
     "no ***********, no *************"},
    {"filter",
     "issues",
     {"s account_token=Zq7-token"},
     "bad Zq7-token",
     "GET " BASE "/ats/v1/issues",
     "bad *********"},
    {"key_of_a_receiver",
     "create_webhook_receiver",
     {"s event=e", "b is_active=", "s key=Zq7-secret"},
     "weak Zq7-secret",
     "POST " BASE "/ats/v1/webhook-receivers",
     "weak **********"},
    {"public_token_in_a_path",
     "request",
     {"s method=GET", "s path=/ats/v1/account-token/Zq7 to%6Ben"},
     "Zq7 to%6Ben Zq7%20to%6Ben Zq7 token.",
     "GET " BASE "/ats/v1/account-token/{public_token}",
     "*********** ************* *********."},
    {"public_token_in_a_path_in_disguise",
     "request",
     {"s method=GET", "s path=/x/Account%2Dtoken/Zq7token"},
     "Zq7token.",
     "GET " BASE "/x/Account%2Dtoken/{public_token}",
     "********."},
    {"public_token_in_a_path_before_a_slash",
     "request",
     {"s method=GET", "s path=/ats/v1/account-token/Zq7token/"},
     "no Zq7token.",
     "GET " BASE "/ats/v1/account-token/{public_token}",
     "no ********."},
    {"parameters",
     "request",
     {"s method=GET", "s path=/x", "{ params=a=\"Zq7\""},
     "",
     "GET " BASE "/x",
     "404"},
    {"path_without_a_secret",
     "request",
     {"s method=GET", "s path=/ats/v1/account-token/regenerate"},
     "regenerate",
     "GET " BASE "/ats/v1/account-token/regenerate",
     "regenerate"},
};

static void secret_is_not_shown(void **state) {
    const shown_row *row = *state;
    char body[256];
    stage s;
    open_stage(&s, row->operation);
    add_fields(s.request, row->fields);
    snprintf(body, sizeof body, "{\"detail\":\"%s\"}", row->echo);
    scripted_answer answer = {.http_status = 404, .body = body};
    scripted_play(&answer, 1);
    call(&s);
    expect_failure(&s.error, ML_ERR_API, row->text);
    assert_string_equal(s.error.request, row->request);
    expect_unquoted(&s.error, "Zq7");
    expect_absent(ml_response_body(s.response).data, "Zq7");
    close_stage(&s);
}

/* ---- what is refused ---- */

typedef struct refused_row {
    const char *name;
    const char *operation;
    const char *fields[MOST_FIELDS];
    const char *field;
    const char *part;
} refused_row;

#define PATH_ROW(test, path, part) {test, "request", {"s method=GET", "s path=" path}, "path", part}
#define HUNDRED                                                                                    \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "012345678901234567890123456789"

static const refused_row refused_rows[] = {
    PATH_ROW("path_without_a_slash", "ats/v1", "must start with \"/\""),
    PATH_ROW("path_that_is_empty", "", "must have 1 to 8000 characters"),
    PATH_ROW("path_with_a_scheme", "https://evil.example/", "must start with \"/\""),
    PATH_ROW("path_with_a_host", "//evil.example/", "must not hold \"//\""),
    PATH_ROW("path_with_an_empty_segment", "/a//b", "must not hold \"//\""),
    PATH_ROW("path_with_a_query", "/a?b=1", "must not hold \"?\""),
    PATH_ROW("path_with_a_fragment", "/a#b", "must not hold \"#\""),
    PATH_ROW("path_with_a_backslash", "/a\\b", "must not hold a backslash"),
    PATH_ROW("path_with_a_dot", "/a/./b", "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_dots", "/a/../b", "must not hold \".\" or \"..\""),
    PATH_ROW("path_that_ends_in_dots", "/a/..", "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_encoded_dots", "/a/%2e%2E/b", "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_half_encoded_dots", "/a/.%2E/b", "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_dots_before_an_encoded_slash", "/a/..%2Fb",
             "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_dots_behind_an_encoded_backslash", "/a%5C..",
             "must not hold \".\" or \"..\""),
    PATH_ROW("path_with_a_lone_percent", "/100%", "without two hexadecimal digits"),
    PATH_ROW("path_with_a_percent_and_one_digit", "/a%2", "without two hexadecimal digits"),
    PATH_ROW("path_with_a_percent_and_no_digits", "/a%zz", "without two hexadecimal digits"),
    PATH_ROW("path_with_a_line_break", "/a\r\nX: y", "control characters"),
    PATH_ROW("path_with_a_tab", "/a\tb", "control characters"),
    PATH_ROW("path_of_bad_utf8", "/a\xFF", "valid UTF-8"),
    {"method_in_small_letters",
     "request",
     {"s method=get", "s path=/"},
     "method",
     "did you mean \"GET\""},
    {"method_that_is_not_known",
     "request",
     {"s method=TRACE", "s path=/"},
     "method",
     "must be one of"},
    {"method_with_a_line_break",
     "request",
     {"s method=GET\r\n", "s path=/"},
     "method",
     "control characters"},
    {"method_that_is_missing", "request", {"s path=/"}, "method", "is required"},
    {"body_with_get",
     "request",
     {"s method=GET", "s path=/", "j json={}"},
     "json",
     "cannot be sent"},
    {"parameter_that_is_an_object",
     "request",
     {"s method=GET", "s path=/", "{ params=a={}"},
     "params.a",
     "a query has no objects"},
    {"parameter_that_is_a_list_of_lists",
     "request",
     {"s method=GET", "s path=/", "{ params=a=[[1]]"},
     "params.a",
     "must be a list of texts"},
    {"parameter_that_is_an_empty_list",
     "request",
     {"s method=GET", "s path=/", "{ params=a=[ ]"},
     "params.a",
     "at least 1 item"},
    {"parameter_of_a_list_with_a_comma",
     "request",
     {"s method=GET", "s path=/", "{ params=a=[\"x\",\"1\\u002c2\"]"},
     "params.a",
     "must not hold a comma"},
    {"parameter_with_nul",
     "request",
     {"s method=GET", "s path=/", "{ params=a=\"\\u0000\""},
     "params.a",
     "must not hold NUL"},
    {"parameter_that_is_no_json",
     "request",
     {"s method=GET", "s path=/", "{ params=a=[\"\\ud800\"]"},
     "params.a",
     "must be JSON"},
    {"parameter_without_a_name",
     "request",
     {"s method=GET", "s path=/", "h params==1"},
     "params[0]",
     "must have at least 1 character"},
    {"header_with_a_line_break",
     "request",
     {"s method=GET", "s path=/", "h headers=X-A=a\r\nb"},
     "headers.X-A",
     "must be printable ASCII"},
    {"header_of_our_own",
     "request",
     {"s method=GET", "s path=/", "h headers=X-Account-Token=t"},
     "headers.X-Account-Token",
     "is set by this library"},
    {"header_that_is_no_string",
     "request",
     {"s method=GET", "s path=/", "{ headers=X-A=1"},
     "headers.X-A",
     "must be a string"},
    {"public_token_with_a_line_break",
     "retrieve_account_token",
     {"s public_token=a\r\nX: y"},
     "public_token",
     "control characters"},
    {"public_token_of_513_characters",
     "retrieve_account_token",
     {"s public_token=" HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED "0123456789012"},
     "public_token",
     "must have 1 to 512 characters, has 513"},
    {"id_that_is_empty", "issue", {"s id="}, "id", "must have 1 to 512 characters"},
    {"id_with_a_comma_in_a_list",
     "linked_accounts",
     {"[ ids=a|b,c"},
     "ids[1]",
     "must not hold a comma"},
    {"list_of_ids_that_is_empty", "linked_accounts", {"[ ids="}, "ids", "at least 1 item"},
    {"page_size_of_101", "linked_accounts", {"i page_size=101"}, "page_size", "must be 1 to 100"},
    {"page_size_of_0", "sync_status", {"i page_size=0"}, "page_size", "must be 1 to 100"},
    {"status_that_is_nearly_one",
     "linked_accounts",
     {"s status=COMPLETED"},
     "status",
     "did you mean \"COMPLETE\""},
    {"category_that_is_nearly_one",
     "linked_accounts",
     {"s category=atss"},
     "category",
     "did you mean \"ats\""},
    {"date_without_an_offset",
     "issues",
     {"s start_date=2026-01-31T12:00:00"},
     "start_date",
     "must be a time with its offset from UTC"},
    {"reason_that_is_not_known",
     "ignore",
     {"s model=candidates", "s id=1", "s reason=BORED"},
     "reason",
     "must be one of"},
    {"format_that_is_not_known",
     "passthrough",
     {"s method=GET", "s path=/", "s request_format=YAML"},
     "request_format",
     "must be one of"},
    {"headers_of_passthrough_that_are_no_object",
     "passthrough",
     {"s method=GET", "s path=/", "j headers=[]"},
     "headers",
     "must be an object"},
};

static void request_is_refused(void **state) {
    const refused_row *row = *state;
    ml_error error;
    ml_error_init(&error);
    ml_request *request = ml_request_new(ml_operation_find(row->operation));
    add_fields(request, row->fields);
    ml_request_check(request, &error);
    expect_problems(&error, &(expected_problem){row->field, row->part}, 1);
    ml_request_free(request);
    ml_error_clear(&error);
}

static void path_segment_of_dots_is_refused(void **state) {
    (void)state;
    stage s;
    open_stage(&s, "issue");
    add_field(s.request, "s id=..");
    call(&s);
    expect_failure(&s.error, ML_ERR_VALIDATION, "id must be given, and not be \".\" or \"..\"");
    assert_int_equal(scripted_sent_count(), 0);
    close_stage(&s);
}

typedef struct time_row {
    const char *name;
    const char *time;
    bool is_good;
} time_row;

static const time_row time_rows[] = {
    {"time_in_utc", "2026-01-31T12:00:00Z", true},
    {"time_with_an_offset", "2026-01-31T12:00:00+05:30", true},
    {"time_with_a_fraction", "2026-01-31T12:00:00.123456-08:00", true},
    {"time_with_a_blank", "2026-01-31 12:00:00+00:00", true},
    {"leap_second", "2016-12-31T23:59:60Z", true},
    {"date_alone", "2026-01-31", false},
    {"thirteenth_month", "2026-13-31T12:00:00Z", false},
    {"hour_24", "2026-01-31T24:00:00Z", false},
    {"point_without_a_fraction", "2026-01-31T12:00:00.Z", false},
    {"something_behind_it", "2026-01-31T12:00:00Z ", false},
    {"offset_without_minutes", "2026-01-31T12:00:00+05", false},
    {"words", "yesterday", false},
};

static void time_is_told_from_what_is_none(void **state) {
    const time_row *row = *state;
    ml_error error;
    ml_error_init(&error);
    ml_request *request = ml_request_new(ml_operation_find("audit_trail"));
    add_text(request, "start_date", row->time);
    assert_int_equal(ml_request_check(request, &error) == ML_OK, row->is_good);
    ml_request_free(request);
    ml_error_clear(&error);
}

static void extra_body_is_refused_where_there_is_no_body(void **state) {
    (void)state;
    static const char *const operations[] = {"regenerate_account_token", "delete_field_mapping",
                                             "account_details"};
    for (size_t i = 0; i < COUNT(operations); i++) {
        stage s;
        open_stage(&s, operations[i]);
        if (i == 1) add_field(s.request, "s id=m");
        ml_add_integer(ml_request_extra(s.request), "new", 1);
        call(&s);
        expect_failure(&s.error, ML_ERR_VALIDATION, "this request has no body");
        close_stage(&s);
    }
}

/* ---- further headers ---- */

static void headers_of_both_kinds_go_out(void **state) {
    (void)state;
    static const scripted_answer answer = {.body = "{}"};
    stage s;
    open_stage(&s, "request");
    add_field(s.request, "s method=GET");
    add_field(s.request, "s path=/x");
    add_field(s.request, "h headers=Accept=text/csv|X-A=b");
    ml_request_add_header(s.request, TEXT("X-B"), TEXT("c"));
    scripted_play(&answer, 1);
    call(&s);
    assert_string_equal(scripted_sent_at(0)->lines,
                        "User-Agent: tests/1.0\nAuthorization: Bearer " TEST_KEY
                        "\nX-Account-Token: " ACCOUNT "\nX-B: c\nAccept: text/csv\nX-A: b\n");
    close_stage(&s);
}

static void header_of_both_kinds_at_once_is_refused(void **state) {
    (void)state;
    stage s;
    open_stage(&s, "request");
    add_field(s.request, "s method=GET");
    add_field(s.request, "s path=/x");
    add_field(s.request, "h headers=X-Trace=b");
    ml_request_add_header(s.request, TEXT("x-trace"), TEXT("c"));
    call(&s);
    expect_failure(&s.error, ML_ERR_VALIDATION, "headers.X-Trace is in extra_headers too");
    assert_int_equal(scripted_sent_count(), 0);
    close_stage(&s);
}

/* ---- copies ---- */

static void copy_goes_out_as_the_first_one(void **state) {
    (void)state;
    static const scripted_answer answer = {.body = "{\"results\":[]}"};
    char url[1200], lines[4096];
    stage s;
    open_stage(&s, "paginate");
    add_field(s.request, "s path=/ats/v1/jobs");
    add_field(s.request, "{ params=a=[1,2]|b=\"c\"");
    add_field(s.request, "h headers=X-A=b");
    ml_request_set_account_token(s.request, TEXT("token-of-call"));
    ml_request_set_api_key(s.request, TEXT("key-of-call"));
    ml_request_add_header(s.request, TEXT("X-B"), TEXT("c"));
    ml_request *copy = ml_request_copy(s.request);
    scripted_play_forever(&answer);
    call(&s);
    snprintf(url, sizeof url, "%s", scripted_sent_at(0)->url);
    snprintf(lines, sizeof lines, "%s", scripted_sent_at(0)->lines);
    ml_request_free(s.request);
    s.request = copy;
    call(&s);
    assert_int_equal(s.status, ML_OK);
    assert_string_equal(scripted_sent_at(0)->url, url);
    assert_string_equal(scripted_sent_at(0)->lines, lines);
    expect_contains(lines, "X-Account-Token: token-of-call\n");
    expect_contains(lines, "Bearer key-of-call\n");
    close_stage(&s);
}

static void copy_of_a_full_body_is_the_same(void **state) {
    (void)state;
    stage s;
    open_stage(&s, "create_link_token");
    ml_request_free(s.request);
    ml_request *full = full_request();
    ml_add_json(ml_request_extra(full), "new", TEXT("{\"a\":1}"));
    s.request = ml_request_copy(full);
    ml_request_free(full);
    scripted_play(&(scripted_answer){0}, 1);
    call(&s);
    assert_int_equal(s.status, ML_OK);
    expect_contains(scripted_sent_at(0)->body, "\"ekm_enabled\":false,\"new\":{\"a\":1}}");
    assert_memory_equal(scripted_sent_at(0)->body, full_body, strlen(full_body) - 1);
    close_stage(&s);
}

int main(void) {
    SUITE_ROWS(operation_goes_out_so, wire_rows);
    SUITE_TEST(every_operation_is_on_the_wire_here);
    SUITE_TEST(what_must_not_happen_twice_is_not_repeated);
    SUITE_TEST(account_token_of_the_call_wins);
    SUITE_TEST(account_token_is_never_sent_where_none_is_needed);
    SUITE_TEST(account_token_that_cannot_be_sent_is_refused);
    SUITE_TEST(call_that_needs_an_account_token_and_has_none_is_not_sent);
    SUITE_ROWS(failure_that_passes_is_followed_by_so_many, repeat_rows);
    SUITE_TEST(token_that_is_gone_after_a_repeat_may_be_spent);
    SUITE_ROWS(secret_is_not_shown, shown_rows);
    SUITE_ROWS(request_is_refused, refused_rows);
    SUITE_TEST(path_segment_of_dots_is_refused);
    SUITE_ROWS(time_is_told_from_what_is_none, time_rows);
    SUITE_TEST(extra_body_is_refused_where_there_is_no_body);
    SUITE_TEST(headers_of_both_kinds_go_out);
    SUITE_TEST(header_of_both_kinds_at_once_is_refused);
    SUITE_TEST(copy_goes_out_as_the_first_one);
    SUITE_TEST(copy_of_a_full_body_is_the_same);
    return suite_run("operations");
}
