/*
 * message - a checked request as it goes over the wire: URL, header lines, body.
 */
#ifndef ML_MESSAGE_H
#define ML_MESSAGE_H

#include "arena.h"
#include "buffer.h"
#include "config.h"
#include "request.h"

/* Of a request: its account token, and what its fields hold, each in as many forms as it has. */
enum { ML_MESSAGE_SECRETS = 8 };

typedef struct ml_message {
    const char *method; /* of the row, or in the arena */
    bool has_body;
    size_t line_count;
    char **lines;                        /* in the arena */
    const char *shown_path;              /* of the URL that is shown: what follows the base URL */
    ml_text secrets[ML_MESSAGE_SECRETS]; /* what the request holds of them; in the arena */
    size_t secret_count;
    /* owned; may hold secrets */
    ml_arena arena;
    ml_buffer url;
    ml_buffer shown_url; /* for people: without what may be secret */
    ml_buffer body;
} ml_message;

/* Has the path of a request that passed ml_request_check() all that it needs? */
ml_status ml_message_check(const ml_request *request, const ml_config *config, ml_error *error);
/* The account token that goes with a request; not given: none. */
ml_text ml_message_account_token(const ml_request *request, const ml_config *config);
/* Builds the message of a request that passed ml_request_check(). Copies what it needs. */
ml_status ml_message_build(ml_message *message, const ml_request *request, const ml_config *config,
                           ml_text api_key, ml_error *error);
void ml_message_free(ml_message *message);

#endif
