/*
 * The room that knows libcurl: nothing outside of transport/ includes this header, and nothing
 * else includes curl's.
 */
#ifndef ML_CURL_PRIVATE_H
#define ML_CURL_PRIVATE_H

#include <curl/curl.h>

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

/* ---- outcome.c: what a finished transfer means ---- */

/* Fills the exchange's outcome from libcurl's result. */
void ml_curl_judge(CURL *easy, CURLcode code, const char *detail, ml_exchange *exchange);

#endif
