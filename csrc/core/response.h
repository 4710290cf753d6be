/*
 * response - what the server said, checked against what the operation's row promises.
 */
#ifndef ML_RESPONSE_H
#define ML_RESPONSE_H

#include "merge_link.h"
#include "message.h"
#include "transport.h"

/* What must not be shown in what a server says. Ends with a text that is not given. */
typedef struct ml_masked {
    /* The longest first: one may be a part of another. Five are the client's and the key. */
    ml_text secrets[5 + ML_MESSAGE_SECRETS + 1];
    ml_text api_key; /* one of them; the only one that no good answer may hold */
} ml_masked;

/*
 * Judges a whole answer. Takes headers and body out of the exchange. *response is set unless
 * memory is out, whatever the answer says. The error's attempts are the caller's to set.
 */
ml_status ml_response_read(const ml_operation *operation, ml_exchange *exchange, unsigned attempts,
                           const ml_masked *masked, ml_response **response, ml_error *error);

#endif
