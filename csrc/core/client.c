/*
 * client - the blocking client: the loop that drives a call over a seat of its pool. What is to go
 * on without waiting, it leaves to its engine.
 */
#include "client.h"
#include "call.h"
#include "engine/engine.h"
#include "error.h"
#include "pool.h"

#include <stdlib.h>

/* How long a caller may be away from its tick, in seconds. */
static const double TICK = 0.2;

struct ml_client {
    const ml_transport *transport; /* borrowed */
    ml_guard *guard;               /* borrowed; NULL: no error budget */
    ml_config config;              /* owned */
    ml_pool pool;                  /* owned */
    ml_engine_home home;           /* owned */
};

void ml_call_options_init(ml_call_options *options) {
    *options = (ml_call_options){.timeout = -1.0, .max_retries = -1};
}

/* ---- life ---- */

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
    ml_status status = ml_config_set(&made->config, options, error);
    if (status == ML_OK) status = find_guard(made, error);
    if (status == ML_OK && !ml_pool_init(&made->pool, transport, &made->config))
        status = ml_fail_memory(error);
    if (status != ML_OK) {
        ml_config_free(&made->config);
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

void ml_client_close(ml_client *client) {
    ml_pool_close(&client->pool);
    ml_engine_close(&client->home);
}

bool ml_client_is_closed(ml_client *client) {
    return ml_pool_is_closed(&client->pool);
}

void ml_client_free(ml_client *client) {
    if (client == NULL) return;
    ml_engine_close(&client->home);
    ml_pool_free(&client->pool);
    ml_config_free(&client->config);
    free(client);
}

void ml_client_get_options(const ml_client *client, ml_client_options *options) {
    *options = client->config.options;
}

bool ml_client_matches(const ml_client *client, const ml_client_options *options) {
    return ml_config_matches(&client->config, options);
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

/* Waits for a seat until the call's deadline. */
static ml_status take_seat(drive *d, ml_error *error) {
    for (;;) {
        double left = d->call->deadline - d->client->transport->now();
        d->seat = ml_pool_take(&d->client->pool, left < TICK ? left : TICK, error);
        if (d->seat != NULL) return ML_OK;
        if (error->status != ML_OK) return error->status;
        if (is_ticked_off(d->options))
            return ml_call_give_up(d->call, ML_ERR_INTERRUPTED, "interrupted", error);
        if (d->client->transport->now() >= d->call->deadline)
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
    return ml_pool_is_closed(&d->client->pool) ? ML_ERR_CLOSED : ML_OK;
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
        if (!is_forked(d)) transport->cancel(d->seat->lane);
        return status;
    }
    return ML_OK;
}

static ml_status wait(const drive *d) {
    const ml_transport *transport = d->client->transport;
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
    double left = until - d->client->transport->now();
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
    ml_status status = ml_call_check(request, &client->config, options, error);
    if (status == ML_OK)
        status = ml_call_init(&call, request, &client->config, client->guard, client->transport,
                              options, error);
    if (status != ML_OK) return status;
    drive d = {.client = client, .call = &call, .options = options};
    status = take_seat(&d, error);
    if (status == ML_OK) {
        status = go(&d);
        ml_pool_leave(&client->pool, d.seat);
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
    ml_status status = ml_call_check(request, &client->config, options, error);
    if (status == ML_OK)
        status = ml_call_init(&call, request, &client->config, client->guard, client->transport,
                              options, error);
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
    int most = client->config.options.max_connections, count = 0;
    *response = NULL;
    ml_error_clear(error);
    ml_status status = ml_request_check(request, error);
    if (status != ML_OK) return status;
    int64_t connections = ml_request_integer(request, "connections");
    ml_seat **seats = calloc((size_t)most, sizeof *seats);
    if (seats == NULL) return ml_fail_memory(error);
    while (status == ML_OK && count < connections && count < most) {
        ml_seat *seat = ml_pool_take(&client->pool, 0.0, error);
        if (seat == NULL) break;
        seats[count++] = seat;
        status = warm_seat(client, seat, request, options, response, error);
    }
    for (int i = 0; i < count; i++)
        ml_pool_leave(&client->pool, seats[i]);
    free(seats);
    return error->status;
}

/* ---- many at once ---- */

void ml_submit_options_init(ml_submit_options *options) {
    *options = (ml_submit_options){.timeout = -1.0, .max_retries = -1};
}

ml_status ml_client_submit(ml_client *client, ml_request *request, const ml_submit_options *options,
                           ml_mailbox *mailbox, ml_ticket **ticket, ml_error *error) {
    ml_engine_parts parts = {client->transport, &client->config, client->guard};
    ml_error_clear(error);
    return ml_engine_submit(&client->home, &parts, request, options, mailbox, ticket, error);
}
