/*
 * library - libcurl as a whole: made ready once for the process; versions; URLs and dates as it
 * reads them.
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

static void init(void) {
    init_result = curl_global_init(CURL_GLOBAL_DEFAULT);
    snprintf(default_user_agent, sizeof default_user_agent, "merge-link/%s libcurl/%s", ML_VERSION,
             ml_curl_info()->version);
}

const curl_version_info_data *ml_curl_info(void) {
    return curl_version_info(CURLVERSION_NOW);
}

const char *ml_version(void) {
    return ML_VERSION;
}

const char *ml_libcurl_version(void) {
    return ml_curl_info()->version;
}

const char *ml_default_user_agent(void) {
    return default_user_agent;
}

ml_status ml_library_check(ml_error *error) {
    if (ml_curl_info()->version_num >= OLDEST_LIBCURL) return ML_OK;
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

double ml_http_date(const char *text) {
    time_t date = curl_getdate(text, NULL);
    return date < 0 ? -1.0 : (double)date;
}

/* ---- URLs ---- */

static bool has_part(CURLU *url, CURLUPart part) {
    char *value = NULL;
    bool there = curl_url_get(url, part, &value, 0) == CURLUE_OK;
    curl_free(value);
    return there;
}

static CURLUcode copy_part(CURLU *url, CURLUPart part, char *to, size_t size) {
    char *value = NULL;
    CURLUcode code = curl_url_get(url, part, &value, CURLU_DEFAULT_PORT);
    if (code != CURLUE_OK) return code;
    bool fits = strlen(value) < size;
    if (fits) memcpy(to, value, strlen(value) + 1);
    curl_free(value);
    return fits ? CURLUE_OK : CURLUE_BAD_HOSTNAME;
}

static CURLUcode read_parts(CURLU *handle, const char *url, ml_url_parts *parts) {
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_SCHEME, parts->scheme, sizeof parts->scheme);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_HOST, parts->host, sizeof parts->host);
    /* None when the scheme is unknown: that is for the caller to judge. */
    if (code == CURLUE_OK) copy_part(handle, CURLUPART_PORT, parts->port, sizeof parts->port);
    parts->has_user = has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
    /* An empty one swallows what is appended, and libcurl does not report it. */
    parts->has_query = strchr(url, '?') != NULL;
    parts->has_fragment = strchr(url, '#') != NULL;
    return code;
}

/* libcurl takes a third slash as if it were not there: "https:///api" would be the host "api". */
static bool has_empty_host(const char *url) {
    const char *authority = strstr(url, "://");
    return authority != NULL && authority[3] == '/';
}

ml_url_verdict ml_url_read(const char *url, ml_url_parts *parts) {
    *parts = (ml_url_parts){0};
    if (has_empty_host(url)) return ML_URL_BAD;
    CURLU *handle = curl_url();
    if (handle == NULL) return ML_URL_NO_MEMORY;
    CURLUcode code = read_parts(handle, url, parts);
    curl_url_cleanup(handle);
    if (code == CURLUE_OUT_OF_MEMORY) return ML_URL_NO_MEMORY;
    return code == CURLUE_OK && parts->host[0] != '\0' ? ML_URL_GOOD : ML_URL_BAD;
}

/* ---- a proxy's login ---- */

static char *decoded_part(CURLU *url, CURLUPart part, CURLUcode none, CURLUcode *code) {
    char *value = NULL;
    if (*code == CURLUE_OK) *code = curl_url_get(url, part, &value, CURLU_URLDECODE);
    if (*code == none) *code = CURLUE_OK;
    return value;
}

static void wipe(char *text) {
    if (text != NULL) explicit_bzero(text, strlen(text));
    curl_free(text);
}

static bool set_login(ml_secret *login, const char *user, const char *password) {
    size_t size = strlen(user) + strlen(password) + 2;
    char *pair = malloc(size);
    if (pair == NULL) return false;
    snprintf(pair, size, "%s:%s", user, password);
    bool good = ml_secret_set_base64(login, ml_text_of(pair));
    explicit_bzero(pair, size);
    free(pair);
    return good;
}

/* What libcurl cannot read it will not use either. */
bool ml_proxy_login(const char *url, ml_secret *password, ml_secret *login) {
    if (url == NULL) return true;
    CURLU *handle = curl_url();
    if (handle == NULL) return false;
    CURLUcode code =
        curl_url_set(handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
    char *its_user = decoded_part(handle, CURLUPART_USER, CURLUE_NO_USER, &code);
    char *its_password = decoded_part(handle, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, &code);
    bool good = code != CURLUE_OUT_OF_MEMORY;
    if (good) good = ml_secret_set(password, ml_text_of(its_password));
    if (good && (its_user != NULL || its_password != NULL))
        good = set_login(login, its_user == NULL ? "" : its_user,
                         its_password == NULL ? "" : its_password);
    wipe(its_user);
    wipe(its_password);
    curl_url_cleanup(handle);
    return good;
}
