/*
 * ticket - a submitted call. It is its own outcome, too: so there is always a letter for that one.
 */
#ifndef ML_TICKET_H
#define ML_TICKET_H

#include "../terms.h"
#include "heap.h"
#include "mailbox.h"

typedef struct ml_engine ml_engine;
typedef struct ml_job ml_job;
typedef struct ml_queue ml_queue;
typedef struct ml_tickets ml_tickets;

struct ml_ticket {
    ml_letter letter;    /* first, so that one can be had from the other */
    unsigned generation; /* of the process that it was submitted in */
    double timeout;      /* of the options */
    int max_retries;     /* of the options */
    bool tells_attempts; /* of the options */
    /* owned */
    ml_error *failure; /* the outcome's error; NULL: none, or no memory for it */
    ml_flow *flow;     /* counted; NULL: none */
    ml_terms *terms;   /* counted */
    /* under the process's lock */
    ml_engine *engine;                       /* borrowed; NULL: the outcome is in the mailbox */
    ml_mailbox *mailbox;                     /* borrowed; NULL: gone */
    ml_ticket *next_expected, **expected_at; /* in the mailbox */
    bool is_cancelled;
    ml_ticket *next_in;        /* in the engine's inbox */
    ml_ticket *next_cancelled; /* among those that the engine is to cancel */
    /* of the engine's thread */
    ml_tickets *list; /* that it is in; NULL: in none */
    ml_ticket *next, *before;
    ml_queue *queue; /* whose turns it takes */
    ml_timer timer;  /* its deadline while it queues; the end of a wait between attempts */
    double deadline; /* on the transport's clock; unless it is patient */
    bool is_due;     /* the flow let it go, though it was not sent yet */
    ml_job *job;     /* owned; NULL until it is its turn for the first time */
};

/* NULL when memory is out. Copies what the options say; the request stays the caller's until the
 * letter has it. */
ml_ticket *ml_ticket_new(const ml_submit_options *options, ml_terms *terms, ml_mailbox *mailbox);
/* With the outcome; what it owns, too. Its job must be gone. */
void ml_ticket_free(ml_ticket *ticket);

/* Makes the letter the outcome, with what there is in the error, which is emptied. */
void ml_ticket_conclude(ml_ticket *ticket, ml_response *response, ml_error *error);
/* The same without a response. The error lives as long as the program. */
void ml_ticket_conclude_with(ml_ticket *ticket, const ml_error *error);

/* ---- lists ---- */

struct ml_tickets {
    ml_ticket *first, *last;
};

void ml_tickets_add(ml_tickets *list, ml_ticket *ticket);
void ml_tickets_add_first(ml_tickets *list, ml_ticket *ticket);
/* Takes it out of its list, if it is in one. */
void ml_ticket_unlist(ml_ticket *ticket);

#endif
