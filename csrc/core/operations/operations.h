/*
 * operations - the rows of the operation table, by what they are about, and the rows of fields that
 * several of them have. operation.c lists them.
 */
#ifndef ML_OPERATIONS_H
#define ML_OPERATIONS_H

#include "merge_link.h"

/* Each ends with a row whose name is NULL. */
extern const ml_operation ml_linking_operations[];
extern const ml_operation ml_account_operations[];
extern const ml_operation ml_sync_operations[];
extern const ml_operation ml_scope_operations[];
extern const ml_operation ml_passthrough_operations[];
extern const ml_operation ml_receiver_operations[];
extern const ml_operation ml_mapping_operations[];
extern const ml_operation ml_any_operations[];

/* The slugs that Merge's reference lists for `categories`; an open set. */
extern const char *const ml_categories[];
/* The first segment of a path; newer SDKs know more of these than the body's list has. */
extern const char *const ml_path_categories[];
/* "GET" and the others. */
extern const char *const ml_methods[];

/* An item: any text that is not empty. */
extern const ml_field ml_text_item;
/* An item: an id, in a list that is joined by commas. */
extern const ml_field ml_id_item;
/* An item: any JSON. */
extern const ml_field ml_any_item;
/* An item: what may be done with one common model. */
extern const ml_field ml_model_scope;

/* What an answer that is a page promises. */
extern const ml_field ml_page[];

#define ML_TABLE(...)   ((const ml_field[]){__VA_ARGS__, {.name = NULL}})
#define ML_CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Sizes of answers: of those that Merge makes, and of those that are what somebody else says, or a
 * page of common models. */
enum { ML_MIB = 1024 * 1024, ML_SMALL_ANSWER = ML_MIB, ML_LARGE_ANSWER = 64 * ML_MIB };

/* The row that every operation with a category in its path has. */
#define ML_PATH_CATEGORY                                                                           \
    {.name = "category",                                                                           \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_IN_PATH,                                                                    \
     .format = ML_FORMAT_SLUG,                                                                     \
     .choices = ml_path_categories}

/* The fields of an operation that has no others. */
extern const ml_field ml_no_fields[];

/* An id of 1 to 512 characters in the path. */
#define ML_PATH_ID(its_name)                                                                       \
    {.name = (its_name),                                                                           \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_REQUIRED | ML_FIELD_IN_PATH,                                                \
     .min = 1,                                                                                     \
     .max = 512}

/* Filters of a query. */
#define ML_QUERY_TEXT(its_name, longest)                                                           \
    {.name = (its_name),                                                                           \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_IN_QUERY,                                                                   \
     .min = 1,                                                                                     \
     .max = (longest)}
#define ML_QUERY_BOOL(its_name)                                                                    \
    {.name = (its_name), .type = ML_TYPE_BOOL, .flags = ML_FIELD_IN_QUERY}
#define ML_QUERY_TIME(its_name)                                                                    \
    {.name = (its_name),                                                                           \
     .type = ML_TYPE_STRING,                                                                       \
     .flags = ML_FIELD_IN_QUERY,                                                                   \
     .format = ML_FORMAT_DATE_TIME}
#define ML_QUERY_LIST(its_name, its_item)                                                          \
    {.name = (its_name),                                                                           \
     .type = ML_TYPE_ARRAY,                                                                        \
     .flags = ML_FIELD_IN_QUERY,                                                                   \
     .min = 1,                                                                                     \
     .of = (its_item)}
/* Cursors are the server's: their length is its business. */
#define ML_QUERY_CURSOR ML_QUERY_TEXT("cursor", 0)
#define ML_QUERY_PAGE_SIZE                                                                         \
    {.name = "page_size", .type = ML_TYPE_INTEGER, .flags = ML_FIELD_IN_QUERY, .min = 1, .max = 100}

#endif
