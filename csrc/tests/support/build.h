/*
 * build - requests, options and operations to test with.
 */
#ifndef ML_TEST_BUILD_H
#define ML_TEST_BUILD_H

#include "merge_link.h"

#define TEST_KEY "test_abcdefghijklmnop"

/* The rows of the operation that all of this is about. */
const ml_operation *link_token_operation(void);

/* A request without any field. */
ml_request *empty_request(void);
/* One with the four required fields: hr@acme.example, Acme, acme-42, ["ats"]. */
ml_request *small_request(void);
/* One with every field that there is. */
ml_request *full_request(void);

/* What full_request() is on the wire. */
extern const char full_body[];

/* Adds `categories`; the list ends with NULL. */
void add_categories(ml_request *request, const char *const *slugs);
void add_text(ml_request *request, const char *field, const char *value);

/* Options with TEST_KEY, for a server that does not exist; without an error budget. */
ml_client_options test_options(void);

/* GET /{category}/v1/things/{thing}: needs an account token and must not happen twice. */
extern const ml_operation fetch_thing;
/* A request for it. */
ml_request *thing_request(const char *category, ml_text thing);

#endif
