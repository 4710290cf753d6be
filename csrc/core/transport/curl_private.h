/*
 * The room that knows libcurl: nothing outside of transport/ includes this header, and nothing
 * else includes curl's.
 */
#ifndef ML_CURL_PRIVATE_H
#define ML_CURL_PRIVATE_H

#include <curl/curl.h>

#include "../certificate.h"
#include "../transport.h"

/* ---- share.c ---- */

/* Gets ready for fork(). Once, before the first lane. */
void ml_curl_share_join(void);
/* What all lanes of the process share; NULL when memory is out. Lives as long as the process. */
CURLSH *ml_curl_share(void);

/* ---- options.c: what holds for every request of a client ---- */

/* Sets the options that never change. False: libcurl refused one, named in error. */
bool ml_curl_set_fixed(CURL *easy, const ml_config *config, ml_error *error);

/* ---- headers.c: the header section as it arrives ---- */

/* For CURLOPT_HEADERFUNCTION; its user data is the ml_exchange. */
size_t ml_curl_take_header(char *line, size_t size, size_t count, void *user);

/* ---- watch.c: what is seen of a connection while it is made ---- */

typedef struct ml_watched {
    ml_certificate certificate; /* that the other side showed last */
    bool has_begun_tls;
    bool has_asked; /* a request was written, be it the one to a proxy */
    int alert;      /* the number of the TLS alert that ended it; 0: none did */
} ml_watched;

/* For CURLOPT_DEBUGFUNCTION; its user data is an ml_watched. */
int ml_curl_watch(CURL *easy, curl_infotype type, char *data, size_t size, void *user);

/* ---- outcome.c: what a finished transfer means ---- */

/* A transfer that has ended. All borrowed. */
typedef struct ml_transfer {
    CURL *easy;
    const ml_config *config;
    const ml_watched *watched;
    ml_exchange *exchange;
    CURLcode code;
    const char *detail; /* libcurl's words */
    int refusal;        /* the status by which a proxy refused to pass the request on; 0: none */
} ml_transfer;

/* Fills the exchange's outcome from libcurl's result. */
void ml_curl_judge(const ml_transfer *transfer);

/* ---- words.c: what is said of a transfer that failed ---- */

/* Sets the exchange's text and hint. */
void ml_curl_explain(const ml_transfer *transfer);
/* The status by which a proxy refused to pass the request on; 0: it did not. */
int ml_curl_proxy_refusal(const ml_transfer *transfer);

#endif
