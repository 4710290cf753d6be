/* Where webhooks go: https://docs.merge.dev/ats/webhook-receivers/ */
#include "operations.h"

/* Names of events are an open set, and old and new ones differ in more than spelling. */
static const ml_field create_webhook_receiver[] = {
    {.name = "event", .type = ML_TYPE_STRING, .flags = ML_FIELD_REQUIRED, .min = 1},
    {.name = "is_active", .type = ML_TYPE_BOOL, .flags = ML_FIELD_REQUIRED},
    {.name = "key", .type = ML_TYPE_STRING, .format = ML_FORMAT_CREDENTIAL, .min = 1},
    ML_PATH_CATEGORY,
    {.name = NULL},
};

const ml_operation ml_receiver_operations[] = {
    {.name = "webhook_receivers",
     .method = "GET",
     .path = "/{category}/v1/webhook-receivers",
     .repeat = ML_REPEAT_ALWAYS,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = ml_no_fields,
     .answer = ML_ANSWER_LIST,
     .result = "WebhookReceiver"},
    {.name = "create_webhook_receiver",
     .method = "POST",
     .path = "/{category}/v1/webhook-receivers",
     .repeat = ML_REPEAT_UNSENT,
     .account = ML_ACCOUNT_REQUIRED,
     .max_response_bytes = ML_SMALL_ANSWER,
     .fields = create_webhook_receiver,
     .answer = ML_ANSWER_OBJECT,
     .result = "WebhookReceiver"},
    {.name = NULL},
};
