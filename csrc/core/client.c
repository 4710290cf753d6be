/*
 * client - the blocking client: a pool of lanes, used by any number of threads, and the loop
 * that drives a call over one of them.
 */
#include "client.h"
#include "call.h"
#include "clock.h"
#include "error.h"
#include "process.h"

#include <pthread.h>
#include <stdlib.h>

/* How long a caller may be away from its tick, in seconds. */
static const double TICK = 0.2;

/* A place for one call at a time; its lane is opened on first use. */
typedef struct ml_seat {
    struct ml_seat *next;
    pthread_t owner; /* while it is busy */
    ml_lane *lane;   /* owned; NULL again when a busy one was lost to a fork */
} ml_seat;

struct ml_client {
    ml_forkable forkable;          /* first, so that one can be had from the other */
    const ml_transport *transport; /* borrowed */
    ml_config config;              /* owned */
    ml_guard *guard;               /* borrowed; NULL: no error budget */
    pthread_mutex_t lock;          /* of all below */
    pthread_cond_t freed;
    bool closed;
    int seat_count;
    ml_seat *idle; /* owned; the one used last comes first */
    ml_seat *busy; /* owned */
};

void ml_call_options_init(ml_call_options *options) {
    *options = (ml_call_options){.timeout = -1.0, .max_retries = -1};
}

/* ---- fork ---- */

static ml_client *client_of(ml_forkable *forkable) {
    return (ml_client *)forkable;
}

static void before_fork(ml_forkable *forkable) {
    pthread_mutex_lock(&client_of(forkable)->lock);
}

static void after_in_parent(ml_forkable *forkable) {
    pthread_mutex_unlock(&client_of(forkable)->lock);
}

/* The connections are the parent's. */
static void abandon_lane(const ml_client *client, ml_seat *seat) {
    if (seat->lane != NULL) client->transport->abandon(seat->lane);
    seat->lane = NULL;
}

static void drop_idle(ml_client *client) {
    for (ml_seat *seat = client->idle, *next; seat != NULL; seat = next) {
        next = seat->next;
        abandon_lane(client, seat);
        free(seat);
    }
    client->idle = NULL;
}

/* A busy seat belongs to a call of a thread that is not here, or to one of this very thread, when
 * a signal handler forks: that one gives it back. */
static void drop_busy_of_others(ml_client *client) {
    ml_seat *own = NULL;
    for (ml_seat *seat = client->busy, *next; seat != NULL; seat = next) {
        next = seat->next;
        abandon_lane(client, seat);
        if (pthread_equal(seat->owner, pthread_self())) {
            seat->next = own;
            own = seat;
        } else {
            free(seat);
        }
    }
    client->busy = own;
}

static void after_in_child(ml_forkable *forkable) {
    ml_client *client = client_of(forkable);
    pthread_mutex_init(&client->lock, NULL);
    ml_cond_init(&client->freed);
    drop_idle(client);
    drop_busy_of_others(client);
    client->seat_count = 0;
    for (const ml_seat *seat = client->busy; seat != NULL; seat = seat->next)
        client->seat_count++;
}

/* ---- life ---- */

static bool init_locks(ml_client *client) {
    if (!ml_process_init() || pthread_mutex_init(&client->lock, NULL) != 0) return false;
    if (ml_cond_init(&client->freed)) return true;
    pthread_mutex_destroy(&client->lock);
    return false;
}

static ml_status find_guard(ml_client *client, ml_error *error) {
    if (client->config.options.budget_failures == 0) return ML_OK;
    client->guard = ml_guard_of(client->config.origin);
    return client->guard == NULL ? ml_fail_memory(error) : ML_OK;
}

ml_status ml_client_new_over(const ml_transport *transport, const ml_client_options *options,
                             ml_client **client, ml_error *error) {
    *client = NULL;
    ml_error_clear(error);
    ml_client *made = calloc(1, sizeof *made);
    if (made == NULL) return ml_fail_memory(error);
    made->transport = transport;
    made->forkable = (ml_forkable){
        .before = before_fork, .in_parent = after_in_parent, .in_child = after_in_child};
    ml_status status = ml_config_set(&made->config, options, error);
    if (status == ML_OK) status = find_guard(made, error);
    if (status == ML_OK && !init_locks(made)) status = ml_fail_memory(error);
    if (status != ML_OK) {
        ml_config_free(&made->config);
        free(made);
        return status;
    }
    ml_process_add(&made->forkable);
    *client = made;
    return ML_OK;
}

ml_status ml_client_new(const ml_client_options *options, ml_client **client, ml_error *error) {
    *client = NULL;
    ml_error_clear(error);
    ml_status status = ml_transport_init(error);
    return status == ML_OK ? ml_client_new_over(&ml_curl_transport, options, client, error)
                           : status;
}

static void free_seats(const ml_client *client, ml_seat *seats) {
    for (ml_seat *seat = seats, *next; seat != NULL; seat = next) {
        next = seat->next;
        if (seat->lane != NULL) client->transport->close(seat->lane);
        free(seat);
    }
}

void ml_client_close(ml_client *client) {
    pthread_mutex_lock(&client->lock);
    client->closed = true;
    ml_seat *idle = client->idle;
    client->idle = NULL;
    for (ml_seat *seat = client->busy; seat != NULL; seat = seat->next)
        if (seat->lane != NULL) client->transport->wake(seat->lane);
    pthread_cond_broadcast(&client->freed);
    pthread_mutex_unlock(&client->lock);
    free_seats(client, idle);
}

bool ml_client_is_closed(ml_client *client) {
    pthread_mutex_lock(&client->lock);
    bool closed = client->closed;
    pthread_mutex_unlock(&client->lock);
    return closed;
}

void ml_client_free(ml_client *client) {
    if (client == NULL) return;
    ml_client_close(client);
    ml_process_remove(&client->forkable);
    free_seats(client, client->busy);
    pthread_cond_destroy(&client->freed);
    pthread_mutex_destroy(&client->lock);
    ml_config_free(&client->config);
    free(client);
}

void ml_client_get_options(const ml_client *client, ml_client_options *options) {
    *options = client->config.options;
}

bool ml_client_matches(const ml_client *client, const ml_client_options *options) {
    return ml_config_matches(&client->config, options);
}

/* ---- seats ---- */

static void push(ml_seat **list, ml_seat *seat) {
    seat->next = *list;
    *list = seat;
}

static void drop(ml_seat **list, const ml_seat *seat) {
    while (*list != seat)
        list = &(*list)->next;
    *list = seat->next;
}

/* An idle seat, else a new one; NULL when memory is out. Called with the lock. */
static ml_seat *get_seat(ml_client *client) {
    ml_seat *seat = client->idle;
    if (seat != NULL) {
        client->idle = seat->next;
    } else {
        seat = calloc(1, sizeof *seat);
        if (seat == NULL) return NULL;
        client->seat_count++;
    }
    seat->owner = pthread_self();
    push(&client->busy, seat);
    return seat;
}

static bool is_ticked_off(const ml_call_options *options) {
    return options->tick != NULL && options->tick(options->context) != 0;
}

/* Why a caller without a seat must not wait any longer; ML_OK when it may. */
static ml_status must_go(ml_client *client, ml_call *call, const ml_call_options *options,
                         ml_error *error) {
    if (is_ticked_off(options))
        return ml_call_give_up(call, ML_ERR_INTERRUPTED, "interrupted", error);
    if (client->transport->now() < call->deadline) return ML_OK;
    return ml_call_give_up(
        call, ML_ERR_TIMEOUT,
        "timed out waiting for a free connection: all max_connections are in use", error);
}

/* A seat, waited for until the call's deadline; NULL with an error. */
static ml_seat *take_seat(ml_client *client, ml_call *call, const ml_call_options *options,
                          ml_error *error) {
    ml_status status = ML_OK;
    ml_seat *seat = NULL;
    pthread_mutex_lock(&client->lock);
    while (status == ML_OK && seat == NULL) {
        if (client->closed) {
            status = ml_call_give_up(call, ML_ERR_CLOSED, "the client is closed", error);
        } else if (client->idle == NULL &&
                   client->seat_count >= client->config.options.max_connections) {
            ml_cond_wait(&client->freed, &client->lock, TICK);
            pthread_mutex_unlock(&client->lock);
            status = must_go(client, call, options, error);
            pthread_mutex_lock(&client->lock);
        } else {
            seat = get_seat(client);
            if (seat == NULL) status = ml_fail_memory(error);
        }
    }
    pthread_mutex_unlock(&client->lock);
    return seat;
}

static void leave_seat(ml_client *client, ml_seat *seat) {
    pthread_mutex_lock(&client->lock);
    drop(&client->busy, seat);
    bool keep = !client->closed && seat->lane != NULL;
    if (keep)
        push(&client->idle, seat);
    else
        client->seat_count--;
    pthread_cond_signal(&client->freed);
    pthread_mutex_unlock(&client->lock);
    if (keep) return;
    seat->next = NULL;
    free_seats(client, seat);
}

/* Opens the lane under the lock, so that closing the client sees it or comes first. */
static ml_status open_lane(ml_client *client, ml_seat *seat, ml_error *error) {
    if (seat->lane != NULL) return ML_OK;
    ml_lane *lane = client->transport->open(&client->config, error);
    if (lane == NULL) return error->status;
    pthread_mutex_lock(&client->lock);
    seat->lane = lane;
    pthread_mutex_unlock(&client->lock);
    return ML_OK;
}

/* ---- driving ---- */

/* A call that is under way: who makes it, on which seat. */
typedef struct drive {
    ml_client *client;
    ml_seat *seat;
    ml_call *call;
    const ml_call_options *options;
} drive;

/* Why a call must end now although it is not done; ML_OK when it need not. */
static ml_status must_stop(const drive *d) {
    bool ticked_off = is_ticked_off(d->options);
    /* A signal handler may have forked: this is the child, and the connection the parent's. */
    if (d->seat->lane == NULL) return ML_ERR_TRANSPORT;
    if (ticked_off) return ML_ERR_INTERRUPTED;
    return ml_client_is_closed(d->client) ? ML_ERR_CLOSED : ML_OK;
}

static const char *words_for(ml_status stopped) {
    if (stopped == ML_ERR_CLOSED) return "the client was closed during the call";
    if (stopped == ML_ERR_TRANSPORT) return "the process was forked during the call";
    return "interrupted";
}

static ml_status send(const drive *d) {
    const ml_transport *transport = d->client->transport;
    if (!transport->start(d->seat->lane, &d->call->exchange)) return ML_OK;
    while (!transport->poll(d->seat->lane, TICK)) {
        ml_status status = must_stop(d);
        if (status == ML_OK) continue;
        if (d->seat->lane != NULL) transport->cancel(d->seat->lane);
        return status;
    }
    return ML_OK;
}

static ml_status wait(const drive *d) {
    const ml_transport *transport = d->client->transport;
    for (;;) {
        double left = d->call->wake_at - transport->now();
        if (left <= 0.0) return ML_OK;
        transport->poll(d->seat->lane, left < TICK ? left : TICK);
        ml_status status = must_stop(d);
        if (status != ML_OK) return status;
    }
}

static ml_status hold(const drive *d) {
    double left = d->call->wake_at - d->client->transport->now();
    if (left > 0.0) ml_guard_wait(left < TICK ? left : TICK);
    return must_stop(d);
}

static ml_status go(const drive *d) {
    ml_status status = ML_OK;
    ml_step step = ml_call_go_on(d->call);
    while (status == ML_OK) {
        switch (step) {
        case ML_STEP_DONE: return ML_OK;
        case ML_STEP_SEND: status = send(d); break;
        case ML_STEP_HOLD: status = hold(d); break;
        case ML_STEP_WAIT: status = wait(d); break;
        }
        if (status == ML_OK)
            step = step == ML_STEP_SEND ? ml_call_sent(d->call) : ml_call_go_on(d->call);
    }
    return status;
}

static ml_status run(ml_client *client, ml_call *call, const ml_call_options *options,
                     ml_response **response, ml_error *error) {
    ml_seat *seat = take_seat(client, call, options, error);
    if (seat == NULL) return error->status;
    ml_status status = open_lane(client, seat, error);
    if (status != ML_OK) {
        leave_seat(client, seat);
        return status;
    }
    status = go(&(drive){client, seat, call, options});
    leave_seat(client, seat);
    if (status == ML_OK) return ml_call_finish(call, response, error);
    return ml_call_give_up(call, status, words_for(status), error);
}

ml_status ml_client_call(ml_client *client, ml_request *request, const ml_call_options *options,
                         ml_response **response, ml_error *error) {
    ml_call call;
    *response = NULL;
    ml_error_clear(error);
    ml_status status = ml_call_init(&call, request, &client->config, client->guard,
                                    client->transport, options, error);
    if (status != ML_OK) return status;
    status = run(client, &call, options, response, error);
    ml_call_free(&call);
    return status;
}
