/*
 * accounts - lists linked accounts from C, page by page, each as Merge wrote it.
 *
 *     MERGE_API_KEY=test_... ./accounts ats
 *
 * MERGE_BASE_URL names another server than Merge's, such as a sandbox.
 */
#include "merge_link.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const ml_member *find_member(const ml_response *page, const char *name) {
    const ml_field *row = ml_field_find(ml_operation_find("linked_accounts")->response, name);
    for (size_t i = 0; i < ml_response_member_count(page); i++)
        if (ml_response_member(page, i)->field == row) return ml_response_member(page, i);
    return NULL;
}

/* A page promises its results; there is a cursor where another page follows. */
static const char *print_page(const ml_response *page) {
    const ml_member *results = find_member(page, "results"), *next = find_member(page, "next");
    printf("%.*s\n", (int)results->json.length, results->json.data);
    return next == NULL ? NULL : next->text;
}

/* One page; true: another one follows, and the request asks for it. */
static bool list_page(ml_client *client, ml_request *request, ml_error *error) {
    ml_response *page = NULL;
    ml_call_options options;
    ml_call_options_init(&options);
    ml_status status = ml_client_call(client, request, &options, &page, error);
    const char *next = status == ML_OK ? print_page(page) : NULL;
    if (next != NULL) ml_add_string(ml_request_fields(request), "cursor", ml_text_of(next));
    ml_response_free(page);
    return next != NULL;
}

static ml_status list(ml_client *client, ml_error *error) {
    ml_request *request = ml_request_new(ml_operation_find("linked_accounts"));
    if (request == NULL) return error->status = ML_ERR_MEMORY;
    ml_add_integer(ml_request_fields(request), "page_size", 100);
    while (list_page(client, request, error)) {
    }
    ml_request_free(request);
    return error->status;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s CATEGORY\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* as merge_link.h asks for */
    ml_client_options options;
    ml_client_options_init(&options);
    options.api_key = ml_text_of(getenv("MERGE_API_KEY"));
    options.base_url = ml_text_of(getenv("MERGE_BASE_URL"));
    options.category = ml_text_of(argv[1]);
    ml_error error;
    ml_error_init(&error);
    ml_client *client = NULL;
    ml_status status = ml_client_new(&options, &client, &error);
    if (status == ML_OK) status = list(client, &error);
    if (status != ML_OK) fprintf(stderr, "%s\n%s\n", error.text, error.hint);
    ml_client_free(client);
    ml_error_clear(&error);
    return status == ML_OK ? 0 : 1;
}
