#include "engine.h"
#include "../error.h"
#include "../message.h"
#include "turns.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct ml_engine {
    ml_forkable forkable;          /* first, so that one can be had from the other */
    ml_listener listener;          /* second, likewise */
    const ml_transport *transport; /* borrowed */
    ml_many *many;                 /* owned */
    pthread_t thread;
    /* under the process's lock */
    ml_engine_home *home; /* borrowed; NULL: it has left */
    ml_ticket *inbox, **inbox_end;
    ml_ticket *cancelled;
    bool is_closing;
    bool is_silent;  /* the program ends */
    bool is_woken;   /* it will look here before it sleeps again */
    bool has_heard;  /* some request of the process has ended */
    bool is_holding; /* that would matter */
    /* of the engine's thread */
    ml_turns turns;
    ml_letters outgoing;
};

static const ml_error closed =
    ML_STATIC_ERROR(ML_ERR_CLOSED, "the client was closed during the call");
static const ml_error cancelled = ML_STATIC_ERROR(ML_ERR_INTERRUPTED, "cancelled");

/* With the lock. */
static void wake(ml_engine *engine) {
    if (engine->is_woken) return;
    engine->is_woken = true;
    engine->transport->many->wake(engine->many);
}

/* ---- the end of the program ---- */

/* Homes with an engine. Under the process's lock. */
static ml_engine_home *inhabited;

/* With the lock, as the next. */
static void enter(ml_engine_home *home) {
    home->next = inhabited;
    home->at = &inhabited;
    if (inhabited != NULL) inhabited->at = &home->next;
    inhabited = home;
}

static void leave(const ml_engine_home *home) {
    *home->at = home->next;
    if (home->next != NULL) home->next->at = home->at;
}

static void end_engine(ml_engine_home *home, bool is_silent);

/* The libraries that an engine's thread uses clean up when the program ends; it must be gone.
 * Nobody is woken by the outcomes: a thread that waits for them may belong to an interpreter that
 * has ended already. */
static void close_all(void) {
    ml_process_lock();
    while (inhabited != NULL)
        end_engine(inhabited, true);
    ml_process_unlock();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare_for_the_end(void) {
    atexit(close_all);
}

/* ---- the thread ---- */

/* What came in since the last time. */
typedef struct mail {
    ml_ticket *inbox;
    ml_ticket *cancelled;
    bool has_heard;
    bool is_closing;
} mail;

/* One that is over may be freed as soon as it is posted: it leaves the list before. */
static ml_ticket *take_cancelled(ml_engine *engine) {
    for (ml_ticket **at = &engine->cancelled; *at != NULL;) {
        if ((*at)->letter.news.is_over)
            *at = (*at)->next_cancelled;
        else
            at = &(*at)->next_cancelled;
    }
    return engine->cancelled;
}

static mail exchange_mail(ml_engine *engine) {
    ml_process_lock();
    mail got = {engine->inbox, take_cancelled(engine), engine->has_heard, engine->is_closing};
    ml_mailbox_post(&engine->outgoing, !engine->is_silent);
    engine->inbox = engine->cancelled = NULL;
    engine->inbox_end = &engine->inbox;
    engine->is_woken = engine->has_heard = false;
    ml_process_unlock();
    ml_letters_free(&engine->outgoing); /* those without a mailbox */
    return got;
}

static void take_in(ml_engine *engine, const mail *got) {
    ml_turns *turns = &engine->turns;
    for (ml_ticket *ticket = got->inbox, *next; ticket != NULL; ticket = next) {
        next = ticket->next_in;
        ml_turns_admit(turns, ticket);
    }
    for (ml_ticket *ticket = got->cancelled, *next; ticket != NULL; ticket = next) {
        next = ticket->next_cancelled;
        if (!ticket->letter.news.is_over) ml_turns_give_up(turns, ticket, &cancelled);
    }
    if (got->has_heard) ml_turns_unhold(turns);
}

/* Requests that others of the process have sent end, too. One that ended before this was said is
 * in has_heard. */
static bool say_what_matters(ml_engine *engine) {
    bool is_holding = engine->turns.held > 0;
    ml_process_lock();
    engine->is_holding = is_holding;
    bool has_heard = engine->has_heard;
    ml_process_unlock();
    return is_holding && has_heard;
}

/* False: it is to end. */
static bool work(ml_engine *engine) {
    bool is_settled;
    do {
        mail got = exchange_mail(engine);
        take_in(engine, &got);
        if (got.is_closing) return false;
        ml_turns_go_on(&engine->turns);
        is_settled = engine->outgoing.first == NULL && !say_what_matters(engine);
    } while (!is_settled);
    engine->transport->many->poll(engine->many, ml_turns_idle_time(&engine->turns));
    ml_turns_collect(&engine->turns);
    return true;
}

static void *run(void *context) {
    ml_engine *engine = context;
    while (work(engine)) {
    }
    ml_turns_give_up_all(&engine->turns, &closed);
    exchange_mail(engine);
    return NULL;
}

/* Signals are for the threads of the program. Called with the lock. */
static bool start_thread(ml_engine *engine) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&engine->thread, NULL, run, engine) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* ---- life ---- */

/* Its thread is not here, and what it was at work on is in no known state: it stays as it is. */
static void after_in_child(ml_forkable *forkable) {
    ml_engine *engine = (ml_engine *)forkable;
    if (engine->home == NULL) return;
    engine->transport->many->abandon(engine->many);
    leave(engine->home);
    engine->home->engine = NULL;
    engine->home = NULL;
}

static void hear(ml_listener *listener) {
    ml_engine *engine = (ml_engine *)((char *)listener - offsetof(ml_engine, listener));
    engine->has_heard = true;
    if (engine->is_holding) wake(engine);
}

static void free_engine(ml_engine *engine) {
    if (engine == NULL) return;
    ml_process_remove(&engine->forkable);
    if (engine->many != NULL) engine->transport->many->close(engine->many);
    ml_turns_free(&engine->turns);
    free(engine);
}

static ml_engine *new_engine(const ml_engine_parts *parts, ml_error *error) {
    ml_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) {
        ml_fail_memory(error);
        return NULL;
    }
    engine->forkable.in_child = after_in_child;
    engine->listener.hear = hear;
    engine->transport = parts->transport;
    engine->inbox_end = &engine->inbox;
    engine->many = parts->transport->many->open(parts->config, error);
    ml_turns_init(&engine->turns, parts->transport, engine->many, &engine->outgoing);
    if (engine->many == NULL) {
        free_engine(engine);
        return NULL;
    }
    pthread_once(&once, prepare_for_the_end);
    ml_process_add(&engine->forkable);
    return engine;
}

/* With the lock: from now on the home's engine is this one. */
static bool move_in(ml_engine_home *home, ml_engine *engine) {
    if (!start_thread(engine)) return false;
    home->engine = engine;
    engine->home = home;
    enter(home);
    ml_process_listen(&engine->listener);
    return true;
}

/* With the lock, which it lets go meanwhile. Whoever comes second only waits, and should look again
 * at what there is: the first one frees the engine. */
static void end_engine(ml_engine_home *home, bool is_silent) {
    ml_engine *engine = home->engine;
    if (engine->is_closing) {
        ml_process_wait(1.0);
        return;
    }
    engine->is_closing = true;
    engine->is_silent = is_silent;
    ml_process_unlisten(&engine->listener);
    wake(engine);
    ml_process_unlock();
    pthread_join(engine->thread, NULL);
    ml_process_lock();
    leave(home);
    home->engine = NULL;
    engine->home = NULL;
    ml_process_notify();
    ml_process_unlock();
    free_engine(engine);
    ml_process_lock();
}

void ml_engine_close(ml_engine_home *home) {
    ml_process_lock();
    home->is_closed = true;
    while (home->engine != NULL)
        end_engine(home, false);
    ml_process_unlock();
}

/* ---- submitting ---- */

/* With the lock. */
static void put_in(ml_engine *engine, ml_ticket *ticket) {
    ticket->engine = engine;
    ml_mailbox_expect(ticket);
    *engine->inbox_end = ticket;
    engine->inbox_end = &ticket->next_in;
    wake(engine);
}

/* Hands the ticket to the home's engine, for which the spare one is taken if there is none. False:
 * one is needed, or there is an error. */
static bool hand_over(ml_engine_home *home, ml_engine **spare, ml_ticket *ticket, ml_error *error) {
    ml_process_lock();
    if (home->is_closed) {
        ml_fail(error, ML_ERR_CLOSED, "the client is closed: make a new one");
    } else if (home->engine == NULL && *spare != NULL) {
        if (move_in(home, *spare))
            *spare = NULL;
        else
            ml_fail(error, ML_ERR_MEMORY, "cannot start another thread");
    }
    bool is_handed = error->status == ML_OK && home->engine != NULL;
    if (is_handed) put_in(home->engine, ticket);
    ml_process_unlock();
    return is_handed;
}

static ml_status hand_to_engine(ml_engine_home *home, const ml_engine_parts *parts,
                                ml_ticket *ticket, ml_error *error) {
    ml_engine *spare = NULL;
    while (!hand_over(home, &spare, ticket, error)) {
        if (error->status == ML_OK) spare = new_engine(parts, error);
        if (error->status != ML_OK) break;
    }
    free_engine(spare);
    return error->status;
}

static ml_status check(ml_request *request, const ml_engine_parts *parts,
                       const ml_submit_options *options, ml_error *error) {
    ml_call_options call_options = {.timeout = options->timeout,
                                    .max_retries = options->max_retries};
    ml_status status = ml_call_check(request, &parts->terms->config, &call_options, error);
    return status == ML_OK ? ml_message_check(request, &parts->terms->config, error) : status;
}

ml_status ml_engine_submit(ml_engine_home *home, const ml_engine_parts *parts, ml_request *request,
                           const ml_submit_options *options, ml_mailbox *mailbox,
                           ml_ticket **ticket, ml_error *error) {
    if (ticket != NULL) *ticket = NULL;
    ml_status status = check(request, parts, options, error);
    if (status != ML_OK) return status;
    ml_ticket *made = ml_ticket_new(options, parts->terms, mailbox);
    if (made == NULL) return ml_fail_memory(error);
    double timeout =
        options->timeout > 0.0 ? options->timeout : parts->terms->config.options.timeout;
    made->deadline = parts->transport->now() + timeout;
    made->letter.news.request = request;
    if (ticket != NULL) *ticket = made;
    status = hand_to_engine(home, parts, made, error);
    if (status == ML_OK) return ML_OK;
    if (ticket != NULL) *ticket = NULL;
    made->letter.news.request = NULL; /* still the caller's */
    ml_ticket_free(made);
    return status;
}

/* ---- cancelling ---- */

void ml_engine_cancel(ml_ticket *ticket) {
    ml_engine *engine = ticket->engine;
    if (engine == NULL || ticket->is_cancelled) return;
    ticket->is_cancelled = true;
    ticket->next_cancelled = engine->cancelled;
    engine->cancelled = ticket;
    wake(engine);
}

void ml_ticket_cancel(ml_ticket *ticket) {
    if (ticket->generation != ml_process_generation()) return;
    ml_process_lock();
    ml_engine_cancel(ticket);
    ml_process_unlock();
}
