/*
 * retry - when is a failed attempt followed by another? A pure function: clock and dice are given.
 */
#ifndef ML_RETRY_H
#define ML_RETRY_H

#include "merge_link.h"

typedef struct ml_retry_facts {
    ml_status status;      /* of the attempt; ML_OK when an answer came */
    int http_status;       /* of that answer */
    double retry_after;    /* seconds; negative: not said */
    bool may_have_arrived; /* when no whole answer came */
    bool is_final;         /* another attempt would not mend it */
    ml_repeat repeat;      /* the operation's rule */
    int retries_done, max_retries;
    double time_left; /* seconds until the deadline */
    double dice;      /* of [0, 1) */
} ml_retry_facts;

/* Seconds to wait before the next attempt; negative: there is none. */
double ml_retry_delay(const ml_retry_facts *facts);

/* Did Merge answer with 429 and a wait that a patient call obeys: of no more than 10 minutes? */
bool ml_retry_is_told(const ml_retry_facts *facts);

/* The seconds in "Expected available in 17 seconds.", which an answer's body says where the header
 * is missing; negative when it does not. */
double ml_retry_in_words(ml_text body);

/* A Retry-After header (seconds, fractions or an HTTP date) as seconds from `now` (since the
 * epoch); negative when it is none. */
double ml_retry_after(ml_text header, double now);

#endif
