/*
 * carrier - an easy handle, and the exchange that it carries: what a lane has one of, and an
 * ml_many many.
 */
#include "../error.h"
#include "../text.h"
#include "curl_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- callbacks ---- */

/* The body, up to the limit; one byte more ends the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *user) {
    ml_exchange *exchange = user;
    size_t length = size * count;
    size_t room = exchange->max_response_bytes - exchange->body_in.length;
    if (length > room) {
        exchange->body_cut = true;
        ml_buffer_append(&exchange->body_in, data, room);
        return CURL_WRITEFUNC_ERROR;
    }
    ml_buffer_append(&exchange->body_in, data, length);
    return exchange->body_in.failed ? CURL_WRITEFUNC_ERROR : length;
}

/* Called each time that the request is about to be written, libcurl's own repeats too. */
static int before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
                          int local_port) {
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    ml_exchange *exchange = ((ml_carrier *)user)->exchange;
    if (exchange == NULL) return CURL_PREREQFUNC_OK;
    exchange->resend_refused = exchange->once && exchange->sends > 0;
    if (exchange->resend_refused) return CURL_PREREQFUNC_ABORT;
    exchange->sends++;
    /* What a proxy said before, to CONNECT, is no part of the answer. */
    exchange->sections = 0;
    exchange->headers_whole = false;
    return CURL_PREREQFUNC_OK;
}

/* ---- life ---- */

static bool set_callbacks(ml_carrier *carrier, ml_sockets *sockets) {
    CURL *easy = carrier->easy;
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, carrier->detail) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, carrier) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ml_curl_take_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, ml_curl_watch) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_DEBUGDATA, &carrier->watched) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, carrier) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, ml_curl_open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, ml_curl_close_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SHARE, ml_curl_share()) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CURLU, carrier->url) == CURLE_OK;
}

bool ml_carrier_init(ml_carrier *carrier, const ml_config *config, ml_sockets *sockets,
                     ml_error *error) {
    *carrier = (ml_carrier){.config = config, .easy = curl_easy_init(), .url = curl_url()};
    if (carrier->easy == NULL || carrier->url == NULL || !set_callbacks(carrier, sockets))
        ml_fail_memory(error);
    else if (ml_curl_set_fixed(carrier->easy, config, error))
        return true;
    ml_carrier_free(carrier);
    return false;
}

void ml_carrier_free(ml_carrier *carrier) {
    curl_easy_cleanup(carrier->easy);
    curl_url_cleanup(carrier->url);
    ml_secret_free(&carrier->url_text);
    free(carrier->lines);
    carrier->easy = NULL;
    carrier->url = NULL;
    carrier->lines = NULL;
}

/* ---- an exchange ---- */

static double wall_clock(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static char no_expect[] = "Expect:", no_type[] = "Content-Type:";

/* Where a body is usual, "Content-Length: 0" says that there is none. */
static bool is_empty_post(const ml_exchange *exchange) {
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    if (exchange->has_body) return false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(exchange->method, methods[i]) == 0) return true;
    return false;
}

/* libcurl asks for 100-continue before a body of more than 1 MiB, unless it is told not to. */
enum { LARGE_BODY = 512 * 1024 };

/* libcurl's list type over the exchange's own lines: nothing is copied, so nothing stays. To an
 * empty POST libcurl would add a type. */
static bool link_lines(ml_carrier *carrier, const ml_exchange *exchange) {
    size_t own = exchange->line_count, count = own + 1;
    char *last = is_empty_post(exchange) ? no_type : no_expect;
    if (count > carrier->line_room) {
        struct curl_slist *lines = realloc(carrier->lines, count * sizeof *lines);
        if (lines == NULL) return false;
        carrier->lines = lines;
        carrier->line_room = count;
    }
    for (size_t i = 0; i < own; i++)
        carrier->lines[i] = (struct curl_slist){exchange->lines[i], &carrier->lines[i + 1]};
    carrier->lines[own] = (struct curl_slist){last, NULL};
    bool needs_last = last == no_type || exchange->body.length > LARGE_BODY;
    if (own > 0 && !needs_last) carrier->lines[own - 1].next = NULL;
    return true;
}

/* Parsed only when it is another than last time: a text, libcurl would parse for each transfer. */
static CURLcode set_url(ml_carrier *carrier, const char *url) {
    if (carrier->url_text.data != NULL && strcmp(carrier->url_text.data, url) == 0) return CURLE_OK;
    ml_secret_free(&carrier->url_text);
    CURLUcode code = curl_url_set(carrier->url, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OUT_OF_MEMORY) return CURLE_OUT_OF_MEMORY;
    if (code != CURLUE_OK) return CURLE_URL_MALFORMAT;
    return ml_secret_set(&carrier->url_text, ml_text_of(url)) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static CURLcode set_body(CURL *easy, const ml_exchange *exchange) {
    const char *data = exchange->has_body ? exchange->body.data : "";
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (code == CURLE_OK)
        code =
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.length);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_POSTFIELDS, data) : code;
}

static CURLcode set_method(CURL *easy, const ml_exchange *exchange) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (code != CURLE_OK) return code;
    bool is_post = exchange->has_body || is_empty_post(exchange);
    code = is_post ? set_body(easy, exchange) : curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (code == CURLE_OK && strcmp(exchange->method, is_post ? "POST" : "GET") != 0)
        code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    return code;
}

/* A lane may carry calls of views, which may lead elsewhere. */
static const ml_config *config_of(const ml_carrier *carrier) {
    const ml_config *own = carrier->exchange->config;
    return own != NULL ? own : carrier->config;
}

/* By another proxy, perhaps; what the handle has is right for most calls. */
static CURLcode set_proxy(ml_carrier *carrier) {
    const ml_config *config = config_of(carrier);
    bool differs =
        !ml_text_equal(ml_secret_view(&config->proxy), ml_secret_view(&carrier->config->proxy));
    if (differs || strcmp(config->origin, carrier->config->origin) != 0) carrier->has_roamed = true;
    if (!differs && !carrier->is_diverted) return CURLE_OK;
    carrier->is_diverted = true;
    CURLcode code = ml_curl_set_proxy(carrier->easy, config);
    if (code == CURLE_OK) carrier->is_diverted = differs;
    return code;
}

static CURLcode set_request(ml_carrier *carrier, ml_exchange *exchange, ml_route route) {
    CURL *easy = carrier->easy;
    /* Rounded up: what ended before the deadline might be tried again. */
    long milliseconds = exchange->timeout > 0.0 ? (long)(exchange->timeout * 1000.0) + 1 : 1;
    CURLcode code = set_url(carrier, exchange->url);
    if (code == CURLE_OK) code = set_proxy(carrier);
    /* Connections that are open may be those to another server. */
    bool watches = route.is_fresh || route.is_new || carrier->has_roamed;
    if (code == CURLE_OK)
        code = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, route.is_fresh ? 1L : 0L);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_VERBOSE, watches ? 1L : 0L);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, carrier->lines);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds);
    return code == CURLE_OK ? set_method(easy, exchange) : code;
}

CURLcode ml_carrier_load(ml_carrier *carrier, ml_exchange *exchange, ml_route route) {
    carrier->detail[0] = '\0';
    carrier->watched = (ml_watched){0};
    carrier->exchange = exchange;
    exchange->began = wall_clock();
    if (!link_lines(carrier, exchange)) return CURLE_OUT_OF_MEMORY;
    return set_request(carrier, exchange, route);
}

void ml_carrier_end(ml_carrier *carrier, CURLcode code) {
    ml_transfer transfer = {
        .easy = carrier->easy,
        .config = config_of(carrier),
        .watched = &carrier->watched,
        .exchange = carrier->exchange,
        .code = code,
        .detail = carrier->detail,
    };
    ml_curl_judge(&transfer);
    carrier->exchange = NULL;
}
