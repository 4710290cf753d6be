/*
 * call - one call as a state machine without a loop of its own: send, hold, wait until t, done.
 * Whoever drives it owns the network; retries, deadline, error budget and decoding are here.
 */
#ifndef ML_CALL_H
#define ML_CALL_H

#include "message.h"
#include "response.h"
#include "terms.h"
#include "transport.h"

typedef enum ml_step {
    ML_STEP_SEND, /* send call->exchange, then ml_call_sent() */
    ML_STEP_HOLD, /* wait until some request of the process has ended, or wake_at; then
                     ml_call_go_on() */
    ML_STEP_WAIT, /* wait until wake_at, then ml_call_go_on() */
    ML_STEP_DONE  /* take the outcome by ml_call_finish() */
} ml_step;

typedef struct ml_call {
    /* borrowed */
    const ml_operation *operation;
    const ml_config *config;
    const ml_transport *transport;
    const ml_call_options *options;
    ml_guard *guard; /* NULL: no error budget */

    ml_masked masked;
    ml_budget budget;
    ml_repeat repeat; /* the operation's rule for this method */
    double timeout;   /* seconds for all of it */
    double deadline;  /* on the transport's clock */
    double wake_at;
    double began; /* the attempt */
    int max_retries;
    int retries_done;
    unsigned attempts;
    bool may_have_arrived; /* of any attempt */
    bool in_flight;        /* counted by the guard */
    bool held_back;        /* by the guard, for good */
    /*
     * Set by the driver after ml_call_init(): a patient call waits for as long as the guard wants
     * it to, and for as long as Merge says by a 429 (see ml_retry_is_told()), whatever its timeout.
     */
    bool is_patient;
    double told; /* seconds that Merge has just told a patient call to wait; negative: none */
    int times_told;
    double paused_at;     /* since then its time stands still; 0: it does not */
    ml_secret api_key;    /* owned */
    ml_message message;   /* owned */
    ml_exchange exchange; /* owned; of the last attempt */
} ml_call;

/* What there is to check before anything is sent, as far as it goes without a message. */
ml_status ml_call_check(ml_request *request, const ml_config *config,
                        const ml_call_options *options, ml_error *error);
/* Makes the message of a request that was checked. On failure there is nothing to end. */
ml_status ml_call_init(ml_call *call, ml_request *request, const ml_terms *terms,
                       const ml_transport *transport, const ml_call_options *options,
                       ml_error *error);
/* The first step, and the one after holding or waiting. */
ml_step ml_call_go_on(ml_call *call);
ml_step ml_call_sent(ml_call *call);
/* The driver makes it wait: the timeout of a patient call stands still until ml_call_go_on() has it
 * sent. */
void ml_call_pause(ml_call *call);
/* The driver knows that the guard will not let it go in time: it is done. */
void ml_call_hold_back(ml_call *call, double until);
/* The outcome of the last attempt. */
ml_status ml_call_finish(ml_call *call, ml_response **response, ml_error *error);
/* The outcome of a call that its driver gave up: closed, interrupted, no connection in time. */
ml_status ml_call_give_up(ml_call *call, ml_status status, const char *text, ml_error *error);
void ml_call_free(ml_call *call);

#endif
