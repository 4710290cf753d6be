/*
 * url - URLs and dates as libcurl reads them.
 */
#include "../text.h"
#include "curl_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double ml_http_date(const char *text) {
    time_t date = curl_getdate(text, NULL);
    return date < 0 ? -1.0 : (double)date;
}

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

static CURLUcode read_parts(CURLU *handle, const char *url, unsigned flags, ml_url_parts *parts) {
    CURLUcode code = curl_url_set(handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | flags);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_SCHEME, parts->scheme, sizeof parts->scheme);
    if (code == CURLUE_OK)
        code = copy_part(handle, CURLUPART_HOST, parts->host, sizeof parts->host);
    /* None when the scheme is unknown: that is for the caller to judge. */
    if (code == CURLUE_OK) copy_part(handle, CURLUPART_PORT, parts->port, sizeof parts->port);
    parts->has_user = has_part(handle, CURLUPART_USER) || has_part(handle, CURLUPART_PASSWORD);
    parts->has_zone = has_part(handle, CURLUPART_ZONEID);
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

/* A host may be written in percent-encoding, of whatever bytes. */
static bool is_host_text(const char *host) {
    ml_text text = ml_text_of(host);
    for (size_t at = 0; at < text.length;)
        if (ml_utf8_next(text, &at) < 0) return false;
    return text.length > 0;
}

static ml_url_verdict verdict_of(CURLUcode code, const ml_url_parts *parts) {
    if (code == CURLUE_OUT_OF_MEMORY) return ML_URL_NO_MEMORY;
    if (code == CURLUE_BAD_PORT_NUMBER) return ML_URL_BAD_PORT;
    return code == CURLUE_OK && is_host_text(parts->host) ? ML_URL_GOOD : ML_URL_BAD;
}

ml_url_verdict ml_url_read(const char *url, ml_url_parts *parts) {
    *parts = (ml_url_parts){0};
    if (has_empty_host(url)) return ML_URL_BAD;
    CURLU *handle = curl_url();
    if (handle == NULL) return ML_URL_NO_MEMORY;
    CURLUcode code = read_parts(handle, url, 0, parts);
    curl_url_cleanup(handle);
    return verdict_of(code, parts);
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

ml_url_verdict ml_proxy_read(const char *url, ml_url_parts *parts, ml_secret *password,
                             ml_secret *login) {
    *parts = (ml_url_parts){0};
    CURLU *handle = curl_url();
    if (handle == NULL) return ML_URL_NO_MEMORY;
    CURLUcode code = read_parts(handle, url, CURLU_GUESS_SCHEME, parts);
    char *its_user = decoded_part(handle, CURLUPART_USER, CURLUE_NO_USER, &code);
    char *its_password = decoded_part(handle, CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, &code);
    bool good = ml_secret_set(password, ml_text_of(its_password));
    if (good && (its_user != NULL || its_password != NULL))
        good = set_login(login, its_user == NULL ? "" : its_user,
                         its_password == NULL ? "" : its_password);
    wipe(its_user);
    wipe(its_password);
    curl_url_cleanup(handle);
    return good ? verdict_of(code, parts) : ML_URL_NO_MEMORY;
}
