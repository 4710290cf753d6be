/*
 * library - libcurl as a whole: made ready once for the process; versions.
 */
#include "../error.h"
#include "curl_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ML_VERSION
#define ML_VERSION "0.0.0"
#endif

/* 7.88.0 brought the last of what is used here (CURLOPT_QUICK_EXIT is 7.87). */
enum { OLDEST_LIBCURL = 0x075800 };

#if LIBCURL_VERSION_NUM < 0x075800
#error "merge-link needs libcurl 7.88 or newer"
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode init_result;
static char default_user_agent[128];

/* What the loaded libcurl is. */
static const curl_version_info_data *loaded(void) {
    return curl_version_info(CURLVERSION_NOW);
}

static void init(void) {
    init_result = curl_global_init(CURL_GLOBAL_DEFAULT);
    ml_curl_share_join();
    snprintf(default_user_agent, sizeof default_user_agent, "merge-link/%s libcurl/%s", ML_VERSION,
             loaded()->version);
}

const char *ml_version(void) {
    return ML_VERSION;
}

const char *ml_libcurl_version(void) {
    return loaded()->version;
}

const char *ml_tls_version(void) {
    const char *version = loaded()->ssl_version;
    return version != NULL ? version : "none";
}

const char *ml_default_user_agent(void) {
    return default_user_agent;
}

ml_status ml_library_check(ml_error *error) {
    if (loaded()->version_num >= OLDEST_LIBCURL) return ML_OK;
    return ml_fail(error, ML_ERR_CONFIGURATION, "libcurl %s is too old: 7.88 or newer is needed",
                   ml_libcurl_version());
}

ml_status ml_transport_init(ml_error *error) {
    pthread_once(&once, init);
    if (init_result == CURLE_OUT_OF_MEMORY) return ml_fail_memory(error);
    if (init_result != CURLE_OK)
        return ml_fail(error, ML_ERR_CONFIGURATION, "libcurl does not start: %s",
                       curl_easy_strerror(init_result));
    return ml_library_check(error);
}
