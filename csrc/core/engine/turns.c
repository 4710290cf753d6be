#include "turns.h"
#include "../error.h"
#include "flow.h"

#include <stddef.h>
#include <stdlib.h>

/* Jobs are big: beyond those in flight, no more than so many wait for another attempt before new
 * ones begin. */
enum { MOST_WAITING = 1000 };

static const double LONGEST_IDLE = 3600.0;

static double now_of(const ml_turns *turns) {
    return turns->transport->now();
}

/* ---- queues ---- */

static void stand_still(ml_turns *turns, ml_queue *queue, double until) {
    ml_heap_set(&turns->timers, &queue->timer, until);
}

static void take_turns(ml_turns *turns, ml_queue *queue) {
    ml_heap_unset(&turns->timers, &queue->timer);
    if (queue->is_held) {
        queue->last_held = turns->round;
        queue->is_held = false;
        turns->held--;
    }
    if (queue->is_in_turn) return;
    queue->is_in_turn = true;
    queue->next_in_turn = NULL;
    *(turns->in_turn != NULL ? &turns->last_in_turn->next_in_turn : &turns->in_turn) = queue;
    turns->last_in_turn = queue;
}

static ml_queue *next_queue(ml_turns *turns) {
    ml_queue *queue = turns->in_turn;
    turns->in_turn = queue->next_in_turn;
    queue->is_in_turn = false;
    return queue;
}

static ml_turns *turns_of(void *context) {
    return context;
}

static void ring_queue(void *context, ml_timer *timer) {
    take_turns(turns_of(context), (ml_queue *)((char *)timer - offsetof(ml_queue, timer)));
}

/* The flow's queue, now the first of all: the next ticket will have the same flow most likely. */
static ml_queue *find_queue(ml_turns *turns, const ml_flow *flow) {
    for (ml_queue **at = &turns->queues; *at != NULL; at = &(*at)->next) {
        ml_queue *queue = *at;
        if (queue->flow != flow) continue;
        *at = queue->next;
        queue->next = turns->queues;
        turns->queues = queue;
        return queue;
    }
    return NULL;
}

static ml_queue *queue_of(ml_turns *turns, ml_flow *flow) {
    ml_queue *queue = flow == NULL ? &turns->plain : find_queue(turns, flow);
    if (queue != NULL) return queue;
    queue = calloc(1, sizeof *queue);
    if (queue == NULL) return NULL;
    queue->flow = ml_flow_keep(flow);
    queue->timer.ring = ring_queue;
    queue->next = turns->queues;
    turns->queues = queue;
    return queue;
}

/* One for a flow goes when it has no tickets left; the pace is kept in the flow. */
static void drop_unused(ml_turns *turns, ml_queue *queue) {
    if (queue->members > 0 || queue->is_in_turn || queue == &turns->plain) return;
    find_queue(turns, queue->flow);
    turns->queues = queue->next;
    ml_heap_unset(&turns->timers, &queue->timer);
    ml_flow_leave(queue->flow);
    free(queue);
}

/* ---- the end ---- */

static void free_job(ml_turns *turns, ml_ticket *ticket) {
    if (ticket->job == NULL) return;
    ml_call_free(&ticket->job->call);
    free(ticket->job);
    ticket->job = NULL;
    turns->jobs--;
}

/* A ticket that was concluded goes out. */
static void let_go(ml_turns *turns, ml_ticket *ticket) {
    ml_queue *queue = ticket->queue;
    free_job(turns, ticket);
    ml_heap_unset(&turns->timers, &ticket->timer);
    turns->tickets--;
    if (queue != NULL) {
        bool was_queued = ticket->list == &queue->tickets;
        ml_ticket_unlist(ticket);
        queue->members--;
        if (was_queued) take_turns(turns, queue);
        drop_unused(turns, queue);
    }
    ml_letters_add(turns->outgoing, &ticket->letter);
}

static void finish(ml_turns *turns, ml_ticket *ticket) {
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_call_finish(&ticket->job->call, &response, &error);
    ml_ticket_conclude(ticket, response, &error);
    let_go(turns, ticket);
}

void ml_turns_give_up(ml_turns *turns, ml_ticket *ticket, const ml_error *why) {
    ml_error error;
    if (ticket->list == &turns->sent) {
        turns->transport->many->cancel(turns->many, &ticket->job->call.exchange);
        turns->in_flight--;
    }
    if (ticket->job != NULL) {
        ml_error_init(&error);
        ml_call_give_up(&ticket->job->call, why->status, why->text, &error);
        ml_ticket_conclude(ticket, NULL, &error);
    } else {
        ml_ticket_conclude_with(ticket, why);
    }
    let_go(turns, ticket);
}

static void give_up_list(ml_turns *turns, const ml_tickets *list, const ml_error *why) {
    while (list->first != NULL)
        ml_turns_give_up(turns, list->first, why);
}

/* Queues with tickets take turns again as these go, and stay until they have had theirs. */
void ml_turns_give_up_all(ml_turns *turns, const ml_error *why) {
    give_up_list(turns, &turns->sent, why);
    give_up_list(turns, &turns->waiting, why);
    give_up_list(turns, &turns->plain.tickets, why);
    for (ml_queue *queue = turns->queues; queue != NULL; queue = queue->next)
        give_up_list(turns, &queue->tickets, why);
}

/* ---- queueing ---- */

static const ml_error no_turn = ML_STATIC_ERROR(
    ML_ERR_TIMEOUT, "timed out waiting for a free connection: all max_connections are in use");

static void wait_for_turn(ml_turns *turns, ml_ticket *ticket) {
    if (ticket->flow == NULL) ml_heap_set(&turns->timers, &ticket->timer, ticket->deadline);
    if (ticket->job != NULL) ml_call_pause(&ticket->job->call);
    take_turns(turns, ticket->queue);
}

static void admit_again(ml_turns *turns, ml_ticket *ticket) {
    ml_tickets_add_first(&ticket->queue->tickets, ticket);
    wait_for_turn(turns, ticket);
}

static bool begin(ml_turns *turns, ml_ticket *ticket);

/* Behind one that the guard holds, it is the guard that kept it waiting. */
static void time_out(ml_turns *turns, ml_ticket *ticket) {
    const ml_queue *queue = ticket->queue;
    if (!queue->is_held && queue->last_held < turns->round) {
        ml_turns_give_up(turns, ticket, &no_turn);
    } else if (begin(turns, ticket)) {
        ml_call_hold_back(&ticket->job->call, queue->timer.at);
        finish(turns, ticket);
    }
}

static void ring_ticket(void *context, ml_timer *timer) {
    ml_turns *turns = turns_of(context);
    ml_ticket *ticket = (ml_ticket *)((char *)timer - offsetof(ml_ticket, timer));
    if (ticket->list == &turns->waiting) {
        ml_ticket_unlist(ticket);
        admit_again(turns, ticket);
    } else {
        time_out(turns, ticket);
    }
}

/* There is always room for the timers of all tickets and queues: setting one cannot fail. */
static bool make_room(ml_turns *turns, ml_ticket *ticket) {
    ticket->queue = queue_of(turns, ticket->flow);
    return ticket->queue != NULL && ml_heap_reserve(&turns->timers, turns->tickets * 2 + 1);
}

void ml_turns_admit(ml_turns *turns, ml_ticket *ticket) {
    turns->tickets++;
    ticket->timer.ring = ring_ticket;
    if (ticket->queue == NULL && !make_room(turns, ticket)) {
        ml_error error;
        ml_error_init(&error);
        ml_fail_memory(&error);
        ml_ticket_conclude(ticket, NULL, &error);
        if (ticket->queue != NULL) ticket->queue->members++;
        let_go(turns, ticket);
        return;
    }
    ticket->queue->members++;
    ml_tickets_add(&ticket->queue->tickets, ticket);
    wait_for_turn(turns, ticket);
}

/* ---- a turn ---- */

static void tell_attempt(void *context, const ml_attempt *attempt) {
    ml_job *job = context;
    if (!job->ticket->tells_attempts && attempt->retry_in < 0.0) return;
    ml_letter *letter = ml_letter_of_attempt(job->ticket, attempt);
    if (letter != NULL) ml_letters_add(job->outgoing, letter);
}

static ml_status make_job(ml_turns *turns, ml_ticket *ticket, ml_error *error) {
    ml_job *job = malloc(sizeof *job);
    if (job == NULL) return ml_fail_memory(error);
    job->ticket = ticket;
    job->outgoing = turns->outgoing;
    job->options = (ml_call_options){
        .timeout = ticket->timeout,
        .max_retries = ticket->max_retries,
        .on_attempt = tell_attempt,
        .context = job,
    };
    ml_status status = ml_call_init(&job->call, ticket->letter.news.request, ticket->terms,
                                    turns->transport, &job->options, error);
    if (status != ML_OK) {
        free(job);
        return status;
    }
    job->call.is_patient = ticket->flow != NULL;
    if (!job->call.is_patient) job->call.deadline = ticket->deadline;
    ticket->job = job;
    turns->jobs++;
    return ML_OK;
}

/* Makes the ticket's job if it has none. False: it is over. */
static bool begin(ml_turns *turns, ml_ticket *ticket) {
    ml_error error;
    if (ticket->job != NULL) return true;
    ml_error_init(&error);
    if (make_job(turns, ticket, &error) == ML_OK) return true;
    ml_ticket_conclude(ticket, NULL, &error);
    let_go(turns, ticket);
    return false;
}

/* What Merge says to one call of a flow, holds for all. */
static void heed(const ml_turns *turns, const ml_ticket *ticket) {
    double told = ticket->job->call.told;
    if (ticket->flow != NULL && told >= 0.0) ml_flow_hold(ticket->flow, now_of(turns) + told);
}

static void take_answer(ml_turns *turns, ml_ticket *ticket) {
    ml_call *call = &ticket->job->call;
    ml_step step = ml_call_sent(call);
    heed(turns, ticket);
    if (step == ML_STEP_DONE) {
        finish(turns, ticket);
    } else if (call->told >= 0.0) {
        admit_again(turns, ticket); /* the flow makes it wait */
    } else {
        ml_tickets_add(&turns->waiting, ticket);
        ml_heap_set(&turns->timers, &ticket->timer, call->wake_at);
    }
}

static void send(ml_turns *turns, ml_ticket *ticket) {
    ml_heap_unset(&turns->timers, &ticket->timer);
    ml_ticket_unlist(ticket);
    ticket->is_due = false;
    if (turns->transport->many->start(turns->many, &ticket->job->call.exchange)) {
        ml_tickets_add(&turns->sent, ticket);
        turns->in_flight++;
    } else {
        take_answer(turns, ticket);
    }
}

/* Asks the flow, once for each send. */
static bool is_due(const ml_turns *turns, ml_ticket *ticket, double *until) {
    if (ticket->flow != NULL && !ticket->is_due)
        ticket->is_due = ml_flow_ask(ticket->flow, now_of(turns), until);
    return ticket->flow == NULL || ticket->is_due;
}

/* Of the queue's first ticket. */
static void take_turn(ml_turns *turns, ml_queue *queue) {
    ml_ticket *ticket = queue->tickets.first;
    double until = 0.0;
    if (!is_due(turns, ticket, &until)) {
        stand_still(turns, queue, until);
        return;
    }
    if (!begin(turns, ticket)) return;
    switch (ml_call_go_on(&ticket->job->call)) {
    case ML_STEP_SEND:
        take_turns(turns, queue);
        send(turns, ticket);
        break;
    case ML_STEP_HOLD:
    case ML_STEP_WAIT:
        queue->is_held = true;
        turns->held++;
        ml_call_pause(&ticket->job->call);
        stand_still(turns, queue, ticket->job->call.wake_at);
        break;
    case ML_STEP_DONE: finish(turns, ticket); break;
    }
}

/* A new one must wait while too many wait for another attempt. */
static bool must_wait(const ml_turns *turns, const ml_ticket *ticket) {
    return ticket->job == NULL && turns->jobs >= turns->in_flight + MOST_WAITING;
}

static void take_all_turns(ml_turns *turns) {
    const ml_queue *first_waiting = NULL;
    while (turns->in_turn != NULL &&
           turns->in_flight < turns->transport->many->capacity(turns->many)) {
        ml_queue *queue = next_queue(turns);
        if (queue->tickets.first == NULL) {
            drop_unused(turns, queue);
        } else if (must_wait(turns, queue->tickets.first)) {
            take_turns(turns, queue);
            if (queue == first_waiting) return;
            if (first_waiting == NULL) first_waiting = queue;
        } else {
            first_waiting = NULL;
            take_turn(turns, queue);
        }
    }
}

/* ---- what the engine's thread does ---- */

void ml_turns_go_on(ml_turns *turns) {
    double now = now_of(turns);
    for (ml_timer *timer; (timer = ml_heap_first(&turns->timers)) != NULL && timer->at <= now;) {
        ml_heap_unset(&turns->timers, timer);
        timer->ring(turns, timer);
    }
    take_all_turns(turns);
    turns->round++;
}

void ml_turns_collect(ml_turns *turns) {
    const ml_many_transport *transport = turns->transport->many;
    for (ml_exchange *exchange; (exchange = transport->ended(turns->many)) != NULL;) {
        ml_job *job = (ml_job *)((char *)exchange - offsetof(ml_job, call.exchange));
        turns->in_flight--;
        ml_ticket_unlist(job->ticket);
        take_answer(turns, job->ticket);
    }
}

void ml_turns_unhold(ml_turns *turns) {
    if (turns->plain.is_held) take_turns(turns, &turns->plain);
    for (ml_queue *queue = turns->queues; queue != NULL; queue = queue->next)
        if (queue->is_held) take_turns(turns, queue);
}

double ml_turns_idle_time(const ml_turns *turns) {
    const ml_timer *timer = ml_heap_first(&turns->timers);
    if (timer == NULL) return LONGEST_IDLE;
    double left = timer->at - now_of(turns);
    return left < LONGEST_IDLE ? (left > 0.0 ? left : 0.0) : LONGEST_IDLE;
}

/* ---- life ---- */

void ml_turns_init(ml_turns *turns, const ml_transport *transport, ml_many *many,
                   ml_letters *outgoing) {
    *turns = (ml_turns){
        .transport = transport,
        .many = many,
        .outgoing = outgoing,
        .plain = {.timer = {.ring = ring_queue}},
        .round = 1,
    };
}

void ml_turns_free(ml_turns *turns) {
    while (turns->in_turn != NULL)
        drop_unused(turns, next_queue(turns));
    ml_heap_free(&turns->timers);
}
