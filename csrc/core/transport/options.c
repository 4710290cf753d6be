/*
 * options - what holds for every request of a client: trust, proxy, limits, callbacks.
 */
#include "../error.h"
#include "curl_private.h"

/* Sets one option; the first failure is remembered with the option's name. */
#define SET(option, value)                                                                         \
    (code == CURLE_OK ? (code = curl_easy_setopt(easy, option, value), name = #option, code) : code)

static bool finish(CURLcode code, const char *name, ml_error *error) {
    if (code == CURLE_OK) return true;
    if (code == CURLE_OUT_OF_MEMORY)
        ml_fail_memory(error);
    else
        ml_fail(error, ML_ERR_CONFIGURATION, "libcurl %s refuses %s: %s", ml_libcurl_version(),
                name, curl_easy_strerror(code));
    return false;
}

/* Nothing that a server or the environment says may lead elsewhere. */
static bool set_limits(CURL *easy, ml_error *error) {
    CURLcode code = CURLE_OK;
    const char *name = "";
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    return finish(code, name, error);
}

static bool set_timeouts(CURL *easy, const ml_client_options *options, ml_error *error) {
    CURLcode code = CURLE_OK;
    const char *name = "";
    double connect = options->connect_timeout * 1000.0;
    SET(CURLOPT_CONNECTTIMEOUT_MS, connect < 1.0 ? 1L : (long)connect);
    /* libcurl counts whole seconds, and lets go of a connection in the one after; 0 would be no
     * limit. */
    SET(CURLOPT_MAXAGE_CONN, options->idle_timeout < 2.0 ? 1L : (long)options->idle_timeout - 1);
    return finish(code, name, error);
}

/* libcurl's blob is writable, though it only reads what it holds. */
static struct curl_blob blob_of(ml_text text) {
    union {
        const char *from;
        void *to;
    } data = {.from = text.data};
    return (struct curl_blob){data.to, text.length, CURL_BLOB_NOCOPY};
}

/* Of the server, and of a proxy that is spoken to over TLS. A hashed directory is read certificate
 * by certificate; libcurl's built-in bundle, which would be read whole for each connection, is
 * switched off then. */
static bool set_trust(CURL *easy, const ml_config *config, ml_error *error) {
    CURLcode code = CURLE_OK;
    const char *name = "";
    const char *path = config->options.ca_bundle.data;
    ml_text pem = config->options.ca_pem;
    struct curl_blob blob = blob_of(pem);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (path != NULL) {
        SET(CURLOPT_CAPATH, config->ca_is_directory ? path : NULL);
        SET(CURLOPT_CAINFO, config->ca_is_directory ? NULL : path);
        SET(CURLOPT_PROXY_CAPATH, config->ca_is_directory ? path : NULL);
        SET(CURLOPT_PROXY_CAINFO, config->ca_is_directory ? NULL : path);
    }
    if (pem.data != NULL) {
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAINFO_BLOB, &blob);
        SET(CURLOPT_PROXY_CAPATH, NULL);
        SET(CURLOPT_PROXY_CAINFO, NULL);
        SET(CURLOPT_PROXY_CAINFO_BLOB, &blob);
    }
    return finish(code, name, error);
}

static bool set_client_cert(CURL *easy, const ml_config *config, ml_error *error) {
    CURLcode code = CURLE_OK;
    const char *name = "";
    const char *password = config->client_key_password.data;
    if (config->options.client_cert.data == NULL) return true;
    SET(CURLOPT_SSLCERT, config->options.client_cert.data);
    SET(CURLOPT_SSLKEY, config->options.client_key.data);
    /* Without one, OpenSSL asks for the password on the terminal, and waits for ever. */
    SET(CURLOPT_KEYPASSWD, password != NULL ? password : "");
    return finish(code, name, error);
}

/* Empty texts keep libcurl from looking into the environment. Of a URL without a port, libcurl's
 * own default is 1080. */
CURLcode ml_curl_set_proxy(CURL *easy, const ml_config *config) {
    const char *url = config->proxy.data != NULL ? config->proxy.data : "";
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, url);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_PROXYPORT, config->proxy_port) : code;
}

static bool set_proxy(CURL *easy, const ml_config *config, ml_error *error) {
    const char *name = "CURLOPT_PROXY";
    CURLcode code = ml_curl_set_proxy(easy, config);
    SET(CURLOPT_NOPROXY, "");
    return finish(code, name, error);
}

bool ml_curl_set_fixed(CURL *easy, const ml_config *config, ml_error *error) {
    return set_limits(easy, error) && set_timeouts(easy, &config->options, error) &&
           set_trust(easy, config, error) && set_client_cert(easy, config, error) &&
           set_proxy(easy, config, error);
}
