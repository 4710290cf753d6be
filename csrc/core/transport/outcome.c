/*
 * outcome - what a finished transfer means: libcurl's result as one of our statuses.
 */
#include "curl_private.h"

#include <stdio.h>
#include <string.h>

#define NAMED(code) {code, #code}

/* Those that can come of an HTTP transfer; others are named by their number. */
static const struct {
    CURLcode code;
    const char *name;
} names[] = {
    NAMED(CURLE_UNSUPPORTED_PROTOCOL),
    NAMED(CURLE_URL_MALFORMAT),
    NAMED(CURLE_COULDNT_RESOLVE_PROXY),
    NAMED(CURLE_COULDNT_RESOLVE_HOST),
    NAMED(CURLE_COULDNT_CONNECT),
    NAMED(CURLE_WEIRD_SERVER_REPLY),
    NAMED(CURLE_PARTIAL_FILE),
    NAMED(CURLE_WRITE_ERROR),
    NAMED(CURLE_OPERATION_TIMEDOUT),
    NAMED(CURLE_SSL_CONNECT_ERROR),
    NAMED(CURLE_GOT_NOTHING),
    NAMED(CURLE_SSL_ENGINE_NOTFOUND),
    NAMED(CURLE_SEND_ERROR),
    NAMED(CURLE_RECV_ERROR),
    NAMED(CURLE_SSL_CERTPROBLEM),
    NAMED(CURLE_SSL_CIPHER),
    NAMED(CURLE_PEER_FAILED_VERIFICATION),
    NAMED(CURLE_BAD_CONTENT_ENCODING),
    NAMED(CURLE_SSL_CACERT_BADFILE),
    NAMED(CURLE_SSL_SHUTDOWN_FAILED),
    NAMED(CURLE_SSL_ISSUER_ERROR),
    NAMED(CURLE_SSL_INVALIDCERTSTATUS),
    NAMED(CURLE_PROXY),
    NAMED(CURLE_SSL_CLIENTCERT),
    NAMED(CURLE_UNRECOVERABLE_POLL),
    NAMED(CURLE_NO_CONNECTION_AVAILABLE),
    NAMED(CURLE_ABORTED_BY_CALLBACK),
    NAMED(CURLE_BAD_FUNCTION_ARGUMENT),
    {(CURLcode)100, "CURLE_TOO_LARGE"}, /* from libcurl 8.6 on */
};

static void name_code(CURLcode code, char *to) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].code == code) {
            snprintf(to, ML_ERROR_CODE_SIZE, "%s", names[i].name);
            return;
        }
    }
    snprintf(to, ML_ERROR_CODE_SIZE, "CURLE_%d", (int)code);
}

static ml_status status_of(CURLcode code) {
    switch ((int)code) {
    case CURLE_OK: return ML_OK;
    case CURLE_OUT_OF_MEMORY: return ML_ERR_MEMORY;
    case CURLE_OPERATION_TIMEDOUT: return ML_ERR_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_BAD_FUNCTION_ARGUMENT: /* newer ones, of a client certificate without use */
        return ML_ERR_TLS;
    default: return ML_ERR_TRANSPORT;
    }
}

/* A handshake that the network broke says nothing about trust. libcurl has one code for both and
 * tells them apart only in its words (those of OpenSSL). */
static bool is_broken_handshake(CURLcode code, const char *detail) {
    static const char *const signs[] = {"SSL_ERROR_SYSCALL", "SSL_ERROR_ZERO_RETURN",
                                        "unexpected eof", "Connection reset", "Broken pipe"};
    if (code != CURLE_SSL_CONNECT_ERROR) return false;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(detail, signs[i]) != NULL) return true;
    return false;
}

static double seconds_of(CURL *easy, CURLINFO info) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, info, &microseconds);
    return (double)microseconds / 1e6;
}

static void read_facts(CURL *easy, ml_exchange *exchange) {
    long http_status = 0, request_bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    exchange->http_status = (int)http_status;
    /* What was written may have been for a proxy's CONNECT only. */
    exchange->may_have_arrived = request_bytes > 0 && exchange->sends > 0;
    exchange->timing = (ml_timing){
        .name_lookup = seconds_of(easy, CURLINFO_NAMELOOKUP_TIME_T),
        .connect = seconds_of(easy, CURLINFO_CONNECT_TIME_T),
        .tls = seconds_of(easy, CURLINFO_APPCONNECT_TIME_T),
        .first_byte = seconds_of(easy, CURLINFO_STARTTRANSFER_TIME_T),
        .total = seconds_of(easy, CURLINFO_TOTAL_TIME_T),
    };
}

/* Where libcurl's own result misleads, when headers break off or a line of them is too long. */
static CURLcode judge_headers(CURLcode code, const ml_exchange *exchange, const char **detail) {
    if (exchange->headers_whole || exchange->sends == 0) return code;
    if (code == CURLE_OK) {
        *detail = "the connection was closed in the middle of the answer's headers";
        return CURLE_PARTIAL_FILE;
    }
    if (code == CURLE_OUT_OF_MEMORY && !exchange->headers.failed) {
        *detail = "a line of the answer's headers is too long";
        return CURLE_WEIRD_SERVER_REPLY;
    }
    return code;
}

/* What a proxy says in the server's place is no answer. */
static void judge_proxy(ml_transfer *transfer) {
    ml_exchange *exchange = transfer->exchange;
    if (exchange->status != ML_OK && exchange->status != ML_ERR_TRANSPORT) return;
    int refusal = transfer->refusal = ml_curl_proxy_refusal(transfer);
    if (refusal == 0) return;
    exchange->status = ML_ERR_TRANSPORT;
    exchange->http_status = 0;
    /* Of a request that was written twice, the first may have been passed on. */
    if (exchange->sends <= 1 && !transfer->config->is_tls) exchange->may_have_arrived = false;
    exchange->is_final = (refusal < 500 || refusal == 501) && refusal != 408 && refusal != 429;
}

/* A server may end the handshake when the request is written already; then it has not read it. */
static void judge_alert(const ml_transfer *transfer) {
    ml_exchange *exchange = transfer->exchange;
    if (exchange->status != ML_ERR_TRANSPORT || transfer->watched->alert == 0) return;
    if (exchange->sections > 0) return;
    exchange->status = ML_ERR_TLS;
    exchange->may_have_arrived = false;
}

void ml_curl_judge(const ml_transfer *transfer) {
    ml_transfer t = *transfer;
    ml_exchange *exchange = t.exchange;
    read_facts(t.easy, exchange);
    if (exchange->body_cut) t.code = CURLE_OK;
    if (exchange->resend_refused) {
        t.code = CURLE_RECV_ERROR;
        t.detail = "the connection broke after the request was written; it is not sent again, "
                   "because Merge may have acted on it";
    }
    if (exchange->header_fault != NULL) t.detail = exchange->header_fault;
    t.code = judge_headers(t.code, exchange, &t.detail);
    exchange->status = is_broken_handshake(t.code, t.detail) ? ML_ERR_TRANSPORT : status_of(t.code);
    judge_alert(&t);
    judge_proxy(&t);
    if (exchange->headers.failed || exchange->body_in.failed) exchange->status = ML_ERR_MEMORY;
    if (exchange->status == ML_OK) return;
    if (t.code != CURLE_OK) name_code(t.code, exchange->code);
    ml_curl_explain(&t);
}

void ml_exchange_reset(ml_exchange *exchange) {
    ml_buffer_free(&exchange->headers);
    ml_buffer_free(&exchange->body_in);
    exchange->status = ML_OK;
    exchange->code[0] = exchange->text[0] = exchange->hint[0] = '\0';
    exchange->cause = "";
    exchange->is_final = false;
    exchange->http_status = 0;
    exchange->sends = 0;
    exchange->may_have_arrived = exchange->body_cut = exchange->resend_refused = false;
    exchange->has_length = exchange->has_encoding = exchange->headers_whole = false;
    exchange->header_fault = NULL;
    exchange->sections = 0;
    exchange->began = 0.0;
    exchange->timing = (ml_timing){0};
}
