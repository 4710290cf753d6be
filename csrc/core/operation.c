/*
 * operation - the table of operations: one row for each endpoint of Merge's API.
 * Validation, encoding, decoding and the names that other languages see all come from here.
 */
#include "operations/operations.h"

#include <string.h>

/* ---- what several rooms use ---- */

const char *const ml_categories[] = {"hris", "ats",         "accounting",    "ticketing", "crm",
                                     "mktg", "filestorage", "knowledgebase", NULL};

const char *const ml_path_categories[] = {"hris", "ats",      "accounting",  "ticketing",
                                          "crm",  "mktg",     "filestorage", "knowledgebase",
                                          "chat", "calendar", "email",       NULL};

const char *const ml_methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};

const ml_field ml_text_item = {.name = "", .type = ML_TYPE_STRING, .min = 1};
const ml_field ml_id_item = {.name = "", .type = ML_TYPE_STRING, .min = 1, .max = 512};
const ml_field ml_any_item = {.name = "", .type = ML_TYPE_ANY};

const ml_field ml_no_fields[] = {ML_PATH_CATEGORY, {.name = NULL}};

const ml_field ml_page[] = {
    {.name = "results", .type = ML_TYPE_ARRAY, .flags = ML_FIELD_REQUIRED},
    {.name = "next", .type = ML_TYPE_STRING, .flags = ML_FIELD_NULLABLE},
    {.name = "previous", .type = ML_TYPE_STRING, .flags = ML_FIELD_NULLABLE},
    {.name = NULL},
};

/* ---- finding ---- */

static const ml_operation *const rooms[] = {
    ml_linking_operations,     ml_account_operations,  ml_sync_operations,    ml_scope_operations,
    ml_passthrough_operations, ml_receiver_operations, ml_mapping_operations, ml_any_operations,
};
enum { ROOMS = sizeof rooms / sizeof *rooms };

const ml_operation *ml_operation_find(const char *name) {
    for (size_t i = 0; i < ROOMS; i++)
        for (const ml_operation *row = rooms[i]; row->name != NULL; row++)
            if (strcmp(row->name, name) == 0) return row;
    return NULL;
}

const ml_operation *ml_operation_at(size_t index) {
    for (size_t i = 0; i < ROOMS; i++)
        for (const ml_operation *row = rooms[i]; row->name != NULL; row++)
            if (index-- == 0) return row;
    return NULL;
}

size_t ml_operation_count(void) {
    size_t count = 0;
    while (ml_operation_at(count) != NULL)
        count++;
    return count;
}

const ml_field *ml_field_find(const ml_field *fields, const char *name) {
    for (; fields->name != NULL; fields++)
        if (strcmp(fields->name, name) == 0) return fields;
    return NULL;
}
