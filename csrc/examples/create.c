/*
 * create - makes a link token from C.
 *
 *     MERGE_API_KEY=test_... ./create hr@acme.example Acme acme-42 ats
 *
 * MERGE_BASE_URL names another server than Merge's, such as a sandbox.
 */
#include "merge_link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void add_text(ml_value *fields, const char *name, const char *value) {
    ml_add_string(fields, name, ml_text_of(value));
}

static ml_request *make_request(char **argv) {
    ml_request *request = ml_request_new(ml_operation_find("create_link_token"));
    if (request == NULL) return NULL;
    ml_value *fields = ml_request_fields(request);
    add_text(fields, "end_user_email_address", argv[1]);
    add_text(fields, "end_user_organization_name", argv[2]);
    add_text(fields, "end_user_origin_id", argv[3]);
    add_text(ml_add_array(fields, "categories"), NULL, argv[4]);
    return request;
}

static void print_token(const ml_response *response) {
    for (size_t i = 0; i < ml_response_member_count(response); i++) {
        const ml_member *member = ml_response_member(response, i);
        if (member->field != NULL && member->text != NULL)
            printf("%s: %s\n", member->name, member->text);
    }
}

static ml_status create(ml_client *client, char **argv, ml_error *error) {
    ml_call_options options;
    ml_call_options_init(&options);
    ml_response *response = NULL;
    ml_request *request = make_request(argv);
    if (request == NULL) return ML_ERR_MEMORY;
    ml_status status = ml_client_call(client, request, &options, &response, error);
    if (status == ML_OK) print_token(response);
    ml_response_free(response);
    ml_request_free(request);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s EMAIL ORGANIZATION ORIGIN_ID CATEGORY\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* as merge_link.h asks for */
    ml_client_options options;
    ml_client_options_init(&options);
    options.api_key = ml_text_of(getenv("MERGE_API_KEY"));
    options.base_url = ml_text_of(getenv("MERGE_BASE_URL"));
    options.ca_bundle = ml_text_of(ml_system_ca());
    ml_error error;
    ml_error_init(&error);
    ml_client *client = NULL;
    ml_status status = ml_client_new(&options, &client, &error);
    if (status == ML_OK) status = create(client, argv, &error);
    if (status != ML_OK) fprintf(stderr, "%s\n%s\n", error.text, error.hint);
    ml_client_free(client);
    ml_error_clear(&error);
    return status == ML_OK ? 0 : 1;
}
