/*
 * engine - a thread that makes any number of calls at once: it drives many call state machines
 * (call.h) over one ml_many (transport.h). One for each client, from the first submit on.
 *
 * What passes between threads is under the process's lock: see mailbox.h. All else belongs to the
 * engine's thread.
 */
#ifndef ML_ENGINE_H
#define ML_ENGINE_H

#include "../terms.h"
#include "../transport.h"

typedef struct ml_engine ml_engine;

/* What a client lends to its engine. */
typedef struct ml_engine_parts {
    const ml_transport *transport;
    const ml_config *config; /* by which it connects */
    ml_terms *terms;         /* of what is submitted now */
} ml_engine_parts;

/* Where a client keeps its engine. Under the process's lock; all zero at first. */
typedef struct ml_engine_home {
    ml_engine *engine; /* NULL: none yet, or it is the parent's */
    bool is_closed;
    struct ml_engine_home *next, **at; /* of those that have one: for the end of the program */
} ml_engine_home;

/* See ml_client_submit(). */
ml_status ml_engine_submit(ml_engine_home *home, const ml_engine_parts *parts, ml_request *request,
                           const ml_submit_options *options, ml_mailbox *mailbox,
                           ml_ticket **ticket, ml_error *error);

/* Ends all that is under way with ML_ERR_CLOSED, and the thread. Later submits fail. */
void ml_engine_close(ml_engine_home *home);

/* With the process's lock: has the engine cancel the ticket, unless its outcome is there. */
void ml_engine_cancel(ml_ticket *ticket);

#endif
