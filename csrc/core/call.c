#include "call.h"
#include "error.h"
#include "process.h"
#include "retry.h"

#include <math.h>
#include <string.h>

/* So often a patient call does as Merge says, before it counts as one that failed. */
enum { MOST_TOLD = 10 };

static double time_left(const ml_call *call) {
    return call->deadline - call->transport->now();
}

/* ---- begin ---- */

static ml_status check_destination(const ml_config *config, ml_error *error) {
    if (!config->has_remote_host && !config->has_remote_proxy) return ML_OK;
    if (!ml_process_is_loopback_only()) return ML_OK;
    error->cause = "loopback_only";
    return ml_refuse(error, config->has_remote_host ? "base_url" : "proxy",
                     "leads to %s, and calls that leave this machine are forbidden now (in a test: "
                     "by the pytest fixture merge_link_sandbox)",
                     config->has_remote_host ? config->host : config->proxy_server);
}

static ml_text key_of(const ml_request *request, const ml_config *config) {
    return request->api_key.data != NULL ? request->api_key : ml_secret_view(&config->api_key);
}

static ml_status check_key(const ml_request *request, const ml_config *config, ml_error *error) {
    ml_text key = key_of(request, config);
    if (key.data == NULL) return ml_refuse(error, "api_key", "is missing");
    return request->api_key.data != NULL ? ml_config_check_key(config, key, error) : ML_OK;
}

static ml_status check_call_options(const ml_call_options *options, ml_error *error) {
    double timeout = options->timeout;
    if (isnan(timeout) || timeout == 0.0 || timeout > 86400.0)
        return ml_refuse(error, "timeout", "must be more than 0 and at most 86400 seconds");
    if (options->max_retries > 100) return ml_refuse(error, "max_retries", "must be 0 to 100");
    return ML_OK;
}

static ml_status check_account_token(const ml_request *request, const ml_config *config,
                                     ml_error *error) {
    const ml_operation *operation = request->operation;
    if (operation->account == ML_ACCOUNT_NONE) return ML_OK;
    if (request->account_token.data != NULL)
        return ml_config_check_account_token(request->account_token, error);
    if (operation->account == ML_ACCOUNT_OPTIONAL || config->account_token.data != NULL)
        return ML_OK;
    ml_fail(error, ML_ERR_CONFIGURATION, "%s needs an account_token", operation->name);
    ml_print(error->code, sizeof error->code, "account_token");
    return error->status;
}

ml_status ml_call_check(ml_request *request, const ml_config *config,
                        const ml_call_options *options, ml_error *error) {
    ml_status status = request->arena.failed ? ml_fail_memory(error) : ML_OK;
    if (status == ML_OK) status = check_destination(config, error);
    if (status == ML_OK) status = check_call_options(options, error);
    if (status == ML_OK) status = check_key(request, config, error);
    if (status == ML_OK) status = check_account_token(request, config, error);
    if (status == ML_OK) status = ml_request_check(request, error);
    return status;
}

/* Puts it in its place by length. */
static void add_secret(ml_masked *masked, size_t count, ml_text secret) {
    size_t at = count;
    for (; at > 0 && masked->secrets[at - 1].length < secret.length; at--)
        masked->secrets[at] = masked->secrets[at - 1];
    masked->secrets[at] = secret;
}

/* A proxy's URL without a login may be just the host and port that messages name. */
static void list_secrets(ml_call *call) {
    static const ml_secret none = {0};
    const ml_config *config = call->config;
    const ml_secret *proxy = config->proxy_login.data != NULL ? &config->proxy : &none;
    const ml_secret *const secrets[] = {
        &config->account_token,  proxy,          &config->proxy_login,
        &config->proxy_password, &call->api_key,
    };
    size_t count = 0;
    call->masked.api_key = ml_secret_view(&call->api_key);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (secrets[i]->data != NULL)
            add_secret(&call->masked, count++, ml_secret_view(secrets[i]));
    for (size_t i = 0; i < call->message.secret_count; i++)
        add_secret(&call->masked, count++, call->message.secrets[i]);
}

/* What libcurl says, and a URL, may hold what the client was given. */
static void mask_text(const ml_call *call, char *text) {
    for (const ml_text *secret = call->masked.secrets; secret->data != NULL; secret++)
        ml_mask(text, strlen(text), *secret);
}

static ml_repeat repeat_of(const ml_call *call) {
    const char *method = call->message.method;
    if (call->operation->repeat != ML_REPEAT_BY_METHOD) return call->operation->repeat;
    bool may_add = strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0;
    return may_add ? ML_REPEAT_UNSENT : ML_REPEAT_ALWAYS;
}

static void fill_exchange(ml_call *call) {
    size_t cap = call->config->options.max_response_bytes;
    ml_exchange *exchange = &call->exchange;
    exchange->config = call->config;
    exchange->method = call->message.method;
    exchange->url = call->message.url.data;
    exchange->lines = call->message.lines;
    exchange->line_count = call->message.line_count;
    exchange->body = ml_buffer_view(&call->message.body);
    exchange->has_body = call->message.has_body;
    exchange->limit = call->timeout;
    exchange->once = call->repeat == ML_REPEAT_UNSENT;
    exchange->max_response_bytes = cap > 0 ? cap : call->operation->max_response_bytes;
}

ml_status ml_call_init(ml_call *call, ml_request *request, const ml_terms *terms,
                       const ml_transport *transport, const ml_call_options *options,
                       ml_error *error) {
    const ml_config *config = &terms->config;
    const ml_client_options *defaults = &config->options;
    double timeout = options->timeout > 0.0 ? options->timeout : defaults->timeout;
    *call = (ml_call){
        .operation = request->operation,
        .config = config,
        .transport = transport,
        .options = options,
        .guard = terms->guard,
        .budget = {defaults->budget_failures, defaults->budget_window},
        .max_retries = options->max_retries >= 0 ? options->max_retries : defaults->max_retries,
        .timeout = timeout,
        .deadline = transport->now() + timeout,
        .told = -1.0,
    };
    ml_status status = ML_OK;
    if (!ml_secret_set(&call->api_key, key_of(request, config))) status = ml_fail_memory(error);
    if (status == ML_OK)
        status = ml_message_build(&call->message, request, config, ml_secret_view(&call->api_key),
                                  error);
    if (status != ML_OK) {
        ml_call_free(call);
        return status;
    }
    call->repeat = repeat_of(call);
    list_secrets(call);
    mask_text(call, call->message.shown_url.data);
    fill_exchange(call);
    return ML_OK;
}

/* ---- telling ---- */

static void tell(const ml_call *call, bool is_over, double retry_in) {
    if (call->options->on_attempt == NULL) return;
    bool is_answered = is_over && call->exchange.status == ML_OK;
    ml_attempt attempt = {
        .method = call->message.method,
        .host = call->config->host,
        .path = call->message.shown_path,
        .url = ml_buffer_view(&call->message.shown_url).data,
        .number = (unsigned)(call->retries_done + call->times_told) + 1,
        .is_over = is_over,
        .http_status = call->exchange.status == ML_OK ? call->exchange.http_status : 0,
        .code = call->exchange.code,
        .seconds = is_over ? call->transport->now() - call->began : 0.0,
        .retry_in = retry_in,
        .timing = call->exchange.timing,
        .headers = is_answered ? ml_buffer_view(&call->exchange.headers) : (ml_text){0},
    };
    call->options->on_attempt(call->options->context, &attempt);
}

/* ---- steps ---- */

void ml_call_pause(ml_call *call) {
    if (call->is_patient && call->paused_at == 0.0) call->paused_at = call->transport->now();
}

static ml_step send(ml_call *call) {
    if (call->paused_at > 0.0) call->deadline += call->transport->now() - call->paused_at;
    call->paused_at = 0.0;
    ml_exchange_reset(&call->exchange);
    tell(call, false, -1.0);
    call->exchange.timeout = time_left(call);
    call->began = call->transport->now();
    return ML_STEP_SEND;
}

/* Asks the error budget. One that holds a call back past its deadline has used it up. */
ml_step ml_call_go_on(ml_call *call) {
    double now = call->transport->now();
    if (call->guard == NULL) return send(call);
    switch (ml_guard_ask(call->guard, &call->budget, now, &call->wake_at)) {
    case ML_GUARD_GO: call->in_flight = true; return send(call);
    case ML_GUARD_WAIT:
        if (call->is_patient || now < call->deadline) return ML_STEP_HOLD;
        break;
    case ML_GUARD_REFUSED:
        if (call->is_patient) return ML_STEP_HOLD;
        break;
    }
    call->held_back = true;
    return ML_STEP_DONE;
}

void ml_call_hold_back(ml_call *call, double until) {
    call->held_back = true;
    call->wake_at = until;
}

/* What Merge counts against this address, also when its answer breaks off. */
static bool is_failure(const ml_exchange *exchange) {
    return exchange->sends > 0 && exchange->http_status >= 400 && exchange->http_status != 429;
}

static void leave_guard(ml_call *call, bool failed) {
    if (!call->in_flight) return;
    call->in_flight = false;
    ml_guard_leave(call->guard, &call->budget, failed, call->transport->now());
}

static double told_to_wait(const ml_call *call) {
    const ml_exchange *exchange = &call->exchange;
    if (exchange->status != ML_OK || exchange->http_status < 400) return -1.0;
    ml_text headers = ml_buffer_view(&exchange->headers);
    ml_text wait = ml_header_find(headers, "Retry-After");
    if (wait.length == 0)
        return call->is_patient ? ml_retry_in_words(ml_buffer_view(&exchange->body_in)) : -1.0;
    return ml_retry_after(wait, ml_answer_time(headers, exchange->began));
}

/* Takes what the exchange sent into the call's count, once. */
static void count_sends(ml_call *call) {
    call->attempts += call->exchange.sends;
    call->exchange.sends = 0;
    if (call->exchange.may_have_arrived) call->may_have_arrived = true;
}

ml_step ml_call_sent(ml_call *call) {
    ml_exchange *exchange = &call->exchange;
    leave_guard(call, is_failure(exchange));
    if (exchange->sends == 0) exchange->sends = 1;
    count_sends(call);
    call->told = -1.0;
    ml_retry_facts facts = {
        .status = exchange->status,
        .http_status = exchange->http_status,
        .retry_after = told_to_wait(call),
        .may_have_arrived = exchange->may_have_arrived,
        .is_final = exchange->is_final,
        .repeat = call->repeat,
        .retries_done = call->retries_done,
        .max_retries = call->max_retries,
        .time_left = time_left(call),
        .dice = call->transport->dice(),
    };
    if (call->is_patient && ml_retry_is_told(&facts)) call->told = facts.retry_after;
    bool obeys = call->told >= 0.0 && call->times_told < MOST_TOLD;
    double delay = obeys ? call->told : ml_retry_delay(&facts);
    tell(call, true, delay);
    if (delay < 0.0) return ML_STEP_DONE;
    *(obeys ? &call->times_told : &call->retries_done) += 1;
    call->wake_at = call->transport->now() + delay;
    return ML_STEP_WAIT;
}

/* ---- end ---- */

static void report(const ml_call *call, ml_error *error) {
    error->attempts = call->attempts;
    error->may_have_arrived = call->may_have_arrived;
    ml_error_set_request(error, call->message.method,
                         ml_buffer_view(&call->message.shown_url).data);
    mask_text(call, error->text);
    mask_text(call, error->hint);
}

static ml_status fail_held_back(const ml_call *call, ml_error *error) {
    double wait = call->wake_at - call->transport->now();
    error->retry_after = wait > 0.0 ? wait : 0.0;
    return ml_fail(
        error, ML_ERR_BUDGET,
        "held back, nothing was sent: Merge shuts out an address whose requests fail too "
        "often, and error_budget lets %d fail in %g seconds at %s; try again in %.1f s",
        call->budget.failures, call->budget.window, call->config->host, error->retry_after);
}

static ml_status fail_unanswered(const ml_call *call, ml_error *error) {
    const ml_exchange *exchange = &call->exchange;
    error->http_status = exchange->http_status;
    memcpy(error->code, exchange->code, sizeof error->code);
    memcpy(error->hint, exchange->hint, sizeof error->hint);
    if (exchange->cause != NULL) error->cause = exchange->cause;
    return ml_fail(error, exchange->status, "%s", exchange->text);
}

/* A call that was made more than once may have met what it did itself. The token of an account that
 * is gone is a 401. */
static void hint_at_spent(const ml_call *call, ml_error *error) {
    const char *spent = call->operation->spent;
    bool is_gone = error->http_status == 404 ||
                   (error->http_status == 401 && call->operation->account == ML_ACCOUNT_REQUIRED);
    if (spent == NULL || call->attempts < 2 || !is_gone) return;
    ml_print(error->hint, sizeof error->hint, "%s", spent);
}

/* A retry that the error budget forbids ends with the last real outcome. */
ml_status ml_call_finish(ml_call *call, ml_response **response, ml_error *error) {
    ml_status status;
    if (call->held_back && call->attempts == 0)
        status = fail_held_back(call, error);
    else if (call->exchange.status == ML_OK)
        status = ml_response_read(call->operation, &call->exchange, call->attempts, &call->masked,
                                  response, error);
    else
        status = fail_unanswered(call, error);
    if (status == ML_ERR_API) hint_at_spent(call, error);
    if (status != ML_OK) report(call, error);
    return status;
}

ml_status ml_call_give_up(ml_call *call, ml_status status, const char *text, ml_error *error) {
    leave_guard(call, is_failure(&call->exchange));
    ml_fail(error, status, "%s", text);
    count_sends(call);
    report(call, error);
    return status;
}

void ml_call_free(ml_call *call) {
    leave_guard(call, false);
    ml_secret_free(&call->api_key);
    ml_message_free(&call->message);
    ml_exchange_reset(&call->exchange);
}
