/*
 * client - the blocking client: a pool of lanes, used by any number of threads, and the loop
 * that drives a call over one of them.
 */
#include "client.h"
#include "call.h"
#include "error.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* How long a caller may be away from its tick, in seconds. */
static const double TICK = 0.2;

/* A place for one call at a time; its lane is opened on first use. */
typedef struct ml_seat {
    struct ml_seat *next;
    ml_lane *lane; /* owned */
} ml_seat;

struct ml_client {
    const ml_transport *transport; /* borrowed */
    ml_config config;              /* owned */
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

/* ---- life ---- */

static bool init_locks(ml_client *client) {
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&client->lock, NULL) != 0) return false;
    if (pthread_condattr_init(&attributes) != 0) goto fail;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&client->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (failed == 0) return true;
fail:
    pthread_mutex_destroy(&client->lock);
    return false;
}

ml_status ml_client_new_over(const ml_transport *transport, const ml_client_options *options,
                             ml_client **client, ml_error *error) {
    *client = NULL;
    ml_error_clear(error);
    ml_client *made = calloc(1, sizeof *made);
    if (made == NULL) return ml_fail_memory(error);
    made->transport = transport;
    ml_status status = ml_config_set(&made->config, options, error);
    if (status == ML_OK && !init_locks(made)) {
        ml_config_free(&made->config);
        status = ml_fail_memory(error);
    }
    if (status != ML_OK) {
        free(made);
        return status;
    }
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
    push(&client->busy, seat);
    return seat;
}

static struct timespec monotonic_in(double seconds) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    long long nanoseconds = at.tv_nsec + (long long)(seconds * 1e9);
    at.tv_sec += (time_t)(nanoseconds / 1000000000LL);
    at.tv_nsec = (long)(nanoseconds % 1000000000LL);
    return at;
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
            struct timespec until = monotonic_in(TICK);
            pthread_cond_timedwait(&client->freed, &client->lock, &until);
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

/* Why a call must end now although it is not done; ML_OK when it need not. */
static ml_status must_stop(ml_client *client, const ml_call_options *options) {
    if (is_ticked_off(options)) return ML_ERR_INTERRUPTED;
    return ml_client_is_closed(client) ? ML_ERR_CLOSED : ML_OK;
}

static ml_status send(ml_client *client, ml_lane *lane, ml_call *call,
                      const ml_call_options *options) {
    const ml_transport *transport = client->transport;
    if (!transport->start(lane, &call->exchange)) return ML_OK;
    while (!transport->poll(lane, TICK)) {
        ml_status status = must_stop(client, options);
        if (status == ML_OK) continue;
        transport->cancel(lane);
        return status;
    }
    return ML_OK;
}

static ml_status wait(ml_client *client, ml_lane *lane, const ml_call *call,
                      const ml_call_options *options) {
    const ml_transport *transport = client->transport;
    for (;;) {
        double left = call->wake_at - transport->now();
        if (left <= 0.0) return ML_OK;
        transport->poll(lane, left < TICK ? left : TICK);
        ml_status status = must_stop(client, options);
        if (status != ML_OK) return status;
    }
}

static ml_status drive(ml_client *client, ml_lane *lane, ml_call *call,
                       const ml_call_options *options) {
    ml_status status = ML_OK;
    ml_step step = ml_call_start(call);
    while (step != ML_STEP_DONE && status == ML_OK) {
        if (step == ML_STEP_SEND) {
            status = send(client, lane, call, options);
            if (status == ML_OK) step = ml_call_sent(call);
        } else {
            status = wait(client, lane, call, options);
            if (status == ML_OK) step = ml_call_waited(call);
        }
    }
    return status;
}

static ml_status run(ml_client *client, ml_call *call, const ml_call_options *options,
                     ml_response **response, ml_error *error) {
    ml_seat *seat = take_seat(client, call, options, error);
    if (seat == NULL) return error->status;
    ml_status status = open_lane(client, seat, error);
    if (status == ML_OK) {
        ml_status stopped = drive(client, seat->lane, call, options);
        leave_seat(client, seat);
        if (stopped == ML_OK) return ml_call_finish(call, response, error);
        return ml_call_give_up(call, stopped,
                               stopped == ML_ERR_CLOSED ? "the client was closed during the call"
                                                        : "interrupted",
                               error);
    }
    leave_seat(client, seat);
    return status;
}

ml_status ml_client_call(ml_client *client, ml_request *request, const ml_call_options *options,
                         ml_response **response, ml_error *error) {
    ml_call call;
    *response = NULL;
    ml_error_clear(error);
    ml_status status =
        ml_call_init(&call, request, &client->config, client->transport, options, error);
    if (status != ML_OK) return status;
    status = run(client, &call, options, response, error);
    ml_call_free(&call);
    return status;
}
