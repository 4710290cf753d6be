/*
 * turns - whose turn it is: the queues of an engine, and each ticket's way through them. All of it
 * belongs to the engine's thread.
 *
 * A ticket queues for the first time, is sent, perhaps waits and queues again, and is over:
 *
 *     submitted -> queue -> sent -> over
 *                    ^       |
 *                    +- waiting
 *
 * Tickets with a flow have a queue for that flow, all others share one. Queues that can go on take
 * turns; one whose first ticket is held, by the flow or by the guard, stands still.
 */
#ifndef ML_TURNS_H
#define ML_TURNS_H

#include "../call.h"
#include "engine.h"
#include "ticket.h"

struct ml_queue {
    ml_flow *flow; /* counted; NULL: of all tickets without one */
    ml_tickets tickets;
    size_t members;  /* tickets of it, in all stages */
    ml_timer timer;  /* until when it stands still, at the latest */
    ml_queue *next;  /* of all queues */
    bool is_in_turn; /* it is among those that take turns */
    ml_queue *next_in_turn;
    bool is_held; /* by the guard: stands still until a request of the process has ended, too */
    uint64_t last_held; /* in which round that was so last */
};

/* What a ticket needs from its first turn on. */
struct ml_job {
    ml_ticket *ticket;    /* borrowed */
    ml_letters *outgoing; /* borrowed */
    ml_call_options options;
    ml_call call;
};

typedef struct ml_turns {
    const ml_transport *transport; /* borrowed */
    ml_many *many;                 /* borrowed */
    ml_letters *outgoing;          /* borrowed: where news go */
    ml_queue plain;                /* of tickets without a flow */
    ml_queue *queues;              /* all of them */
    ml_queue *in_turn, *last_in_turn;
    ml_tickets sent, waiting;
    ml_heap timers;
    size_t tickets;   /* in all stages */
    size_t jobs;      /* of these have one */
    size_t in_flight; /* of these are sent */
    size_t held;      /* queues that the guard holds */
    uint64_t round;   /* from 1: what comes in, then what it is time for */
} ml_turns;

void ml_turns_init(ml_turns *turns, const ml_transport *transport, ml_many *many,
                   ml_letters *outgoing);
/* No tickets may be left. */
void ml_turns_free(ml_turns *turns);

/* A ticket has been submitted. */
void ml_turns_admit(ml_turns *turns, ml_ticket *ticket);
/* Ends it, wherever it is. `why` lives as long as the program. */
void ml_turns_give_up(ml_turns *turns, ml_ticket *ticket, const ml_error *why);
void ml_turns_give_up_all(ml_turns *turns, const ml_error *why);

/* Lets queues that the guard held try again. */
void ml_turns_unhold(ml_turns *turns);
/* Does what it is time for, and sends what may go out. */
void ml_turns_go_on(ml_turns *turns);
/* Takes what has ended. */
void ml_turns_collect(ml_turns *turns);
/* Seconds until something is to be done, whatever happens. */
double ml_turns_idle_time(const ml_turns *turns);

#endif
