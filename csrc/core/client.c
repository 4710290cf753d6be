/*
 * client - the blocking client: the loop that drives a call over a seat of its pool. What is to go
 * on without waiting, it leaves to its engine.
 */
#include "client.h"
#include "call.h"
#include "engine/engine.h"
#include "error.h"
#include "pool.h"
#include "terms.h"

#include <stdatomic.h>
#include <stdlib.h>

/* How long a caller may be away from its tick, in seconds. */
static const double TICK = 0.2;

/* What a client and its views share. */
typedef struct hub {
    atomic_uint users;
    const ml_transport *transport; /* borrowed */
    ml_terms *terms;               /* counted: the client's own, by which it connects */
    ml_pool pool;                  /* owned */
    ml_engine_home home;           /* owned */
} hub;

struct ml_client {
    hub *hub;        /* counted */
    ml_terms *terms; /* counted */
    bool is_view;
    atomic_bool is_closed; /* a view, alone */
};

void ml_call_options_init(ml_call_options *options) {
    *options = (ml_call_options){.timeout = -1.0, .max_retries = -1};
}

void ml_view_options_init(ml_view_options *options) {
    *options = (ml_view_options){.timeout = -1.0, .max_retries = -1};
}

/* ---- life ---- */

static void close_hub(hub *shared) {
    ml_pool_close(&shared->pool);
    ml_engine_close(&shared->home);
}

static void leave_hub(hub *shared) {
    if (atomic_fetch_sub(&shared->users, 1) > 1) return;
    ml_engine_close(&shared->home);
    ml_pool_free(&shared->pool);
    ml_terms_leave(shared->terms);
    free(shared);
}

/* Takes the terms over. */
static hub *new_hub(const ml_transport *transport, ml_terms *terms) {
    hub *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    atomic_init(&made->users, 1);
    made->transport = transport;
    made->terms = terms;
    if (ml_pool_init(&made->pool, transport, &terms->config)) return made;
    free(made);
    return NULL;
}

static ml_status fill_client(ml_client *client, const ml_transport *transport,
                             const ml_client_options *options, ml_error *error) {
    client->terms = ml_terms_new(options, error);
    if (client->terms == NULL) return error->status;
    client->hub = new_hub(transport, ml_terms_keep(client->terms));
    if (client->hub != NULL) return ML_OK;
    ml_terms_leave(client->terms);
    ml_terms_leave(client->terms);
    return ml_fail_memory(error);
}

ml_status ml_client_new_over(const ml_transport *transport, const ml_client_options *options,
                             ml_client **client, ml_error *error) {
    *client = NULL;
    ml_error_clear(error);
    ml_client *made = calloc(1, sizeof *made);
    if (made == NULL) return ml_fail_memory(error);
    ml_status status = fill_client(made, transport, options, error);
    if (status == ML_OK)
        *client = made;
    else
        free(made);
    return status;
}

ml_status ml_client_new(const ml_client_options *options, ml_client **client, ml_error *error) {
    *client = NULL;
    ml_error_clear(error);
    ml_status status = ml_transport_init(error);
    return status == ML_OK ? ml_client_new_over(&ml_curl_transport, options, client, error)
                           : status;
}

ml_status ml_client_view(ml_client *client, const ml_view_options *changes, ml_client **view,
                         ml_error *error) {
    *view = NULL;
    ml_error_clear(error);
    ml_client *made = calloc(1, sizeof *made);
    if (made == NULL) return ml_fail_memory(error);
    made->terms = ml_terms_change(client->terms, changes, error);
    if (made->terms == NULL) {
        free(made);
        return error->status;
    }
    made->is_view = true;
    made->hub = client->hub;
    atomic_fetch_add(&made->hub->users, 1);
    *view = made;
    return ML_OK;
}

void ml_client_close(ml_client *client) {
    if (client->is_view)
        atomic_store(&client->is_closed, true);
    else
        close_hub(client->hub);
}

bool ml_client_is_closed(ml_client *client) {
    return atomic_load(&client->is_closed) || ml_pool_is_closed(&client->hub->pool);
}

void ml_client_free(ml_client *client) {
    if (client == NULL) return;
    leave_hub(client->hub);
    ml_terms_leave(client->terms);
    free(client);
}

void ml_client_get_options(const ml_client *client, ml_client_options *options) {
    *options = client->terms->config.options;
}

bool ml_client_matches(const ml_client *client, const ml_client_options *options) {
    return ml_config_matches(&client->terms->config, options);
}

/* ---- driving ---- */

/* A call that is under way: who makes it, on which seat. */
typedef struct drive {
    ml_client *client;
    ml_seat *seat;
    ml_call *call;
    const ml_call_options *options;
} drive;

static bool is_ticked_off(const ml_call_options *options) {
    return options->tick != NULL && options->tick(options->context) != 0;
}

/* As ml_pool_take(); a view may be closed though its pool is not. */
static ml_seat *find_seat(ml_client *client, double seconds, ml_error *error) {
    if (!atomic_load(&client->is_closed)) return ml_pool_take(&client->hub->pool, seconds, error);
    ml_fail(error, ML_ERR_CLOSED, "the client is closed: make a new one");
    return NULL;
}

/* Waits for a seat until the call's deadline. */
static ml_status take_seat(drive *d, ml_error *error) {
    for (;;) {
        double left = d->call->deadline - d->client->hub->transport->now();
        d->seat = find_seat(d->client, left < TICK ? left : TICK, error);
        if (d->seat != NULL) return ML_OK;
        if (error->status != ML_OK) return error->status;
        if (is_ticked_off(d->options))
            return ml_call_give_up(d->call, ML_ERR_INTERRUPTED, "interrupted", error);
        if (d->client->hub->transport->now() >= d->call->deadline)
            return ml_call_give_up(
                d->call, ML_ERR_TIMEOUT,
                "timed out waiting for a free connection: all max_connections are in use", error);
    }
}

/* A signal handler or a hook may have forked: this is the child, and the connection the parent's.
 */
static bool is_forked(const drive *d) {
    return d->seat->lane == NULL;
}

/* Why a call must end now although it is not done; ML_OK when it need not. */
static ml_status must_stop(const drive *d) {
    bool ticked_off = is_ticked_off(d->options);
    if (is_forked(d)) return ML_ERR_TRANSPORT;
    if (ticked_off) return ML_ERR_INTERRUPTED;
    return ml_pool_is_closed(&d->client->hub->pool) ? ML_ERR_CLOSED : ML_OK;
}

static const char *words_for(ml_status stopped) {
    if (stopped == ML_ERR_CLOSED) return "the client was closed during the call";
    if (stopped == ML_ERR_TRANSPORT) return "the process was forked during the call";
    return "interrupted";
}

static ml_status send(const drive *d) {
    const ml_transport *transport = d->client->hub->transport;
    if (!transport->start(d->seat->lane, &d->call->exchange)) return ML_OK;
    while (!transport->poll(d->seat->lane, TICK)) {
        ml_status status = must_stop(d);
        if (status == ML_OK) continue;
        if (!is_forked(d)) transport->cancel(d->seat->lane);
        return status;
    }
    return ML_OK;
}

static ml_status wait(const drive *d) {
    const ml_transport *transport = d->client->hub->transport;
    for (;;) {
        double left = d->call->wake_at - transport->now();
        if (left > 0.0) transport->poll(d->seat->lane, left < TICK ? left : TICK);
        ml_status status = must_stop(d);
        if (status != ML_OK || left <= 0.0) return status;
    }
}

static ml_status hold(const drive *d) {
    const ml_call *call = d->call;
    double until = call->wake_at < call->deadline ? call->wake_at : call->deadline;
    double left = until - d->client->hub->transport->now();
    if (left > 0.0) ml_guard_wait(left < TICK ? left : TICK);
    return must_stop(d);
}

static ml_status go(const drive *d) {
    ml_status status = ML_OK;
    ml_step step = ml_call_go_on(d->call);
    while (status == ML_OK) {
        if (step != ML_STEP_DONE && is_forked(d)) return ML_ERR_TRANSPORT;
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

static ml_status finish(const drive *d, ml_status stopped, ml_response **response,
                        ml_error *error) {
    if (stopped == ML_OK) return ml_call_finish(d->call, response, error);
    return ml_call_give_up(d->call, stopped, words_for(stopped), error);
}

ml_status ml_client_call(ml_client *client, ml_request *request, const ml_call_options *options,
                         ml_response **response, ml_error *error) {
    ml_call call;
    *response = NULL;
    ml_error_clear(error);
    ml_status status = ml_call_check(request, &client->terms->config, options, error);
    if (status == ML_OK)
        status =
            ml_call_init(&call, request, client->terms, client->hub->transport, options, error);
    if (status != ML_OK) return status;
    drive d = {.client = client, .call = &call, .options = options};
    status = take_seat(&d, error);
    if (status == ML_OK) {
        status = go(&d);
        ml_pool_leave(&client->hub->pool, d.seat);
        status = finish(&d, status, response, error);
    }
    ml_call_free(&call);
    return status;
}

/* ---- connecting ahead ---- */

/* One call over a seat that is the caller's. */
static ml_status warm_seat(ml_client *client, ml_seat *seat, ml_request *request,
                           const ml_call_options *options, ml_response **response,
                           ml_error *error) {
    ml_call call;
    ml_status status = ml_call_check(request, &client->terms->config, options, error);
    if (status == ML_OK)
        status =
            ml_call_init(&call, request, client->terms, client->hub->transport, options, error);
    if (status != ML_OK) return status;
    drive d = {client, seat, &call, options};
    ml_response_free(*response);
    *response = NULL;
    status = finish(&d, go(&d), response, error);
    ml_call_free(&call);
    return status;
}

/* Seats are kept busy until all are warm, so that each call gets another. It waits for none: two
 * that warm up at once would wait for each other. */
ml_status ml_client_warm_up(ml_client *client, ml_request *request, const ml_call_options *options,
                            ml_response **response, ml_error *error) {
    int most = client->hub->terms->config.options.max_connections, count = 0;
    *response = NULL;
    ml_error_clear(error);
    ml_status status = ml_request_check(request, error);
    if (status != ML_OK) return status;
    int64_t connections = ml_request_integer(request, "connections");
    ml_seat **seats = calloc((size_t)most, sizeof *seats);
    if (seats == NULL) return ml_fail_memory(error);
    while (status == ML_OK && count < connections && count < most) {
        ml_seat *seat = find_seat(client, 0.0, error);
        if (seat == NULL) break;
        seats[count++] = seat;
        status = warm_seat(client, seat, request, options, response, error);
    }
    for (int i = 0; i < count; i++)
        ml_pool_leave(&client->hub->pool, seats[i]);
    free(seats);
    return error->status;
}

/* ---- many at once ---- */

void ml_submit_options_init(ml_submit_options *options) {
    *options = (ml_submit_options){.timeout = -1.0, .max_retries = -1};
}

ml_status ml_client_submit(ml_client *client, ml_request *request, const ml_submit_options *options,
                           ml_mailbox *mailbox, ml_ticket **ticket, ml_error *error) {
    ml_engine_parts parts = {client->hub->transport, &client->hub->terms->config, client->terms};
    ml_error_clear(error);
    if (ticket != NULL) *ticket = NULL;
    if (atomic_load(&client->is_closed))
        return ml_fail(error, ML_ERR_CLOSED, "the client is closed: make a new one");
    return ml_engine_submit(&client->hub->home, &parts, request, options, mailbox, ticket, error);
}
