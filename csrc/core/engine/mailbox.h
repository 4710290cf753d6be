/*
 * mailbox - letters on their way from an engine's thread to whoever waits for them.
 *
 * What passes between threads here and in engine.h is under the process's lock: held for a moment
 * only, taken before every fork, and one for all, so that no two can be taken in the wrong order.
 */
#ifndef ML_MAILBOX_H
#define ML_MAILBOX_H

#include "../process.h"
#include "bell.h"
#include "merge_link.h"

/* News on its way. */
typedef struct ml_letter {
    ml_news news;           /* first, so that one can be had from the other */
    struct ml_letter *next; /* in one list at a time */
    ml_ticket *ticket;      /* whose news it is */
} ml_letter;

typedef struct ml_letters {
    ml_letter *first, *last;
} ml_letters;

/* Puts a letter at the end. */
void ml_letters_add(ml_letters *letters, ml_letter *letter);
/* The first one, or NULL. */
ml_letter *ml_letters_take(ml_letters *letters);
/* Frees them all. */
void ml_letters_free(ml_letters *letters);

struct ml_mailbox {
    ml_forkable forkable; /* first, so that one can be had from the other */
    ml_bell bell;
    ml_letters at_hand; /* of the thread that takes: the bell rings while there are any */
    /* under the process's lock */
    ml_letters arrived;
    ml_ticket *tickets; /* whose outcome is still to come */
    bool is_ringing;
    bool is_due; /* to be rung */
    ml_mailbox *next_due;
};

/* News of an attempt; NULL when memory is out. */
ml_letter *ml_letter_of_attempt(ml_ticket *ticket, const ml_attempt *attempt);

/* All with the lock: a ticket's outcome is to come to its mailbox, or not any more. */
void ml_mailbox_expect(ml_ticket *ticket);
void ml_mailbox_forget(ml_ticket *ticket);
/* With the lock: delivers all letters. Those whose mailbox is gone are left behind, for the caller
 * to free without the lock. */
void ml_mailbox_post(ml_letters *letters);

#endif
