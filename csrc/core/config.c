#include "config.h"
#include "error.h"
#include "http.h"
#include "text.h"

#include <arpa/inet.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* https://docs.merge.dev/basics/regions */
static const struct {
    const char *name, *base_url;
} regions[] = {
    {"us", "https://api.merge.dev/api"},
    {"eu", "https://api-eu.merge.dev/api"},
    {"apac", "https://api-ap.merge.dev/api"},
};

/* Failures in the window; none are counted on loopback unless asked for. */
enum { DEFAULT_BUDGET = 20 };

/* The options that are copied as they are. */
static const size_t plain_texts[] = {
    offsetof(ml_client_options, region),      offsetof(ml_client_options, base_url),
    offsetof(ml_client_options, category),    offsetof(ml_client_options, ca_bundle),
    offsetof(ml_client_options, client_cert), offsetof(ml_client_options, no_proxy),
    offsetof(ml_client_options, user_agent),
};
enum { PLAIN_TEXTS = sizeof plain_texts / sizeof *plain_texts };

static ml_text *text_at(ml_client_options *options, size_t offset) {
    return (ml_text *)((char *)options + offset);
}

static ml_text text_of(const ml_client_options *options, size_t offset) {
    return *(const ml_text *)((const char *)options + offset);
}

void ml_client_options_init(ml_client_options *options) {
    *options = (ml_client_options){
        .timeout = 30.0,
        .connect_timeout = 5.0,
        .idle_timeout = 110.0,
        .max_retries = 2,
        .max_connections = 100,
        .budget_failures = -1,
        .budget_window = 10.0,
    };
}

/* ---- checks ---- */

static ml_status refuse(ml_error *error, const char *option, const char *why) {
    return ml_fail(error, ML_ERR_CONFIGURATION, "%s %s", option, why);
}

static bool is_visible_ascii(ml_text text) {
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7E) return false;
    return true;
}

static bool is_quoted(ml_text text) {
    char first = text.data[0];
    return text.length > 1 && (first == '"' || first == '\'') &&
           text.data[text.length - 1] == first;
}

static ml_status check_credential(const char *option, ml_text text, ml_error *error) {
    static const char scheme[] = "Bearer ";
    if (text.length == 0) return refuse(error, option, "is empty: give it whole, or leave it out");
    if (text.length >= sizeof scheme - 1 && strncasecmp(text.data, scheme, sizeof scheme - 1) == 0)
        return refuse(error, option,
                      "must not begin with \"Bearer \": give what follows it, the header is made "
                      "here");
    if (is_quoted(text))
        return refuse(error, option, "must not have quotes round it: look how it was read");
    if (is_visible_ascii(text)) return ML_OK;
    return refuse(error, option,
                  "must be printable ASCII without white space, line breaks or NUL: look for a "
                  "line end that was read with it");
}

/* NUL, line breaks and other control characters have no place in any option. */
static ml_status check_text(const char *option, ml_text text, ml_error *error) {
    for (size_t at = 0; at < text.length;) {
        int32_t c = ml_utf8_next(text, &at);
        if (c < 0) return refuse(error, option, "must be valid UTF-8");
        if (ml_is_control(c)) return refuse(error, option, "must not hold control characters");
    }
    return ML_OK;
}

static ml_status check_seconds(const char *option, double seconds, ml_error *error) {
    if (seconds > 0.0 && seconds <= 86400.0) return ML_OK;
    return refuse(error, option, "must be more than 0 and at most 86400 seconds");
}

static ml_status check_count(const char *option, int value, int min, int max, ml_error *error) {
    if (value >= min && value <= max) return ML_OK;
    return ml_fail(error, ML_ERR_CONFIGURATION, "%s must be %d to %d", option, min, max);
}

static ml_status check_numbers(const ml_client_options *options, ml_error *error) {
    ml_status status = check_seconds("timeout", options->timeout, error);
    if (status == ML_OK) status = check_seconds("connect_timeout", options->connect_timeout, error);
    if (status == ML_OK) status = check_seconds("idle_timeout", options->idle_timeout, error);
    if (status == ML_OK) status = check_count("max_retries", options->max_retries, 0, 100, error);
    if (status == ML_OK)
        status = check_count("max_connections", options->max_connections, 1, 10000, error);
    if (status == ML_OK && (options->budget_failures < -1 || options->budget_failures > 100000))
        status = refuse(error, "error_budget", "must count 0 to 100000 failures");
    if (status == ML_OK && options->budget_failures != 0)
        status = check_seconds("error_budget", options->budget_window, error);
    return status;
}

/* A blank one would not be sent at all. */
static bool is_user_agent(ml_text text) {
    bool blank = true;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7E) return false;
        if (text.data[i] != ' ') blank = false;
    }
    return !blank;
}

static ml_status check_texts(const ml_client_options *options, ml_error *error) {
    static const char *const names[PLAIN_TEXTS] = {
        "region", "base_url", "category", "ca_bundle", "client_cert", "no_proxy", "user_agent"};
    for (size_t i = 0; i < PLAIN_TEXTS; i++) {
        ml_status status = check_text(names[i], text_of(options, plain_texts[i]), error);
        if (status != ML_OK) return status;
    }
    if (options->category.data != NULL && !ml_is_slug(options->category))
        return refuse(error, "category", "must be a slug, such as \"ats\"");
    if (options->user_agent.data != NULL && !is_user_agent(options->user_agent))
        return refuse(error, "user_agent", "must be printable ASCII, not blank");
    return check_text("proxy", options->proxy, error);
}

static bool is_loopback(const char *host) {
    struct in_addr v4;
    struct in6_addr v6;
    char bare[64] = "";
    size_t length = strlen(host);
    if (strcasecmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    if (length < 3 || length >= sizeof bare || host[0] != '[') return false;
    memcpy(bare, host + 1, length - 2);
    return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool is_production(ml_text key) {
    static const char prefix[] = "production_";
    return key.length >= sizeof prefix - 1 && memcmp(key.data, prefix, sizeof prefix - 1) == 0;
}

static ml_status read_base_url(const char *url, ml_url_parts *parts, ml_error *error) {
    switch (ml_url_read(url, parts)) {
    case ML_URL_NO_MEMORY: return ml_fail_memory(error);
    case ML_URL_BAD:
        return refuse(error, "base_url",
                      "must be an absolute URL, such as https://api.merge.dev/api");
    case ML_URL_GOOD: break;
    }
    if (strcmp(parts->scheme, "https") != 0 && strcmp(parts->scheme, "http") != 0)
        return refuse(error, "base_url", "must start with https:// (or http:// to loopback)");
    if (parts->has_user) return refuse(error, "base_url", "must not hold a user name or password");
    if (parts->has_query || parts->has_fragment)
        return refuse(error, "base_url", "must not hold a query or fragment");
    return ML_OK;
}

static void lower(char *text) {
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z') *text = (char)(*text - 'A' + 'a');
}

/* What follows from the base URL. A proxy elsewhere carries plain http away from loopback. */
static void note_origin(ml_config *config, ml_url_parts *parts) {
    bool loopback = is_loopback(parts->host);
    lower(parts->host);
    config->is_plain_http =
        strcmp(parts->scheme, "http") == 0 && (!loopback || config->has_remote_proxy);
    config->default_budget = loopback ? 0 : DEFAULT_BUDGET;
    if (config->options.budget_failures < 0)
        config->options.budget_failures = config->default_budget;
    snprintf(config->host, sizeof config->host, "%s", parts->host);
    snprintf(config->origin, sizeof config->origin, "%s://%s:%s", parts->scheme, parts->host,
             parts->port);
}

static ml_status check_base_url(ml_config *config, ml_error *error) {
    ml_url_parts parts;
    ml_text url = config->options.base_url;
    if (url.length > 1000 || !is_visible_ascii(url))
        return refuse(error, "base_url", "must be printable ASCII of at most 1000 characters");
    ml_status status = read_base_url(url.data, &parts, error);
    if (status != ML_OK) return status;
    note_origin(config, &parts);
    if (config->is_plain_http && !config->options.allow_http)
        return refuse(error, "base_url",
                      "would send the API key unencrypted: use https://, or allow_http=True in a "
                      "network that you trust");
    return ML_OK;
}

ml_status ml_config_check_key(const ml_config *config, ml_text key, ml_error *error) {
    ml_status status = check_credential("api_key", key, error);
    if (status != ML_OK || !config->is_plain_http || !is_production(key)) return status;
    return refuse(error, "api_key", "is a production key: it is never sent over plain http://");
}

static ml_status check_files(ml_config *config, ml_error *error) {
    struct stat facts;
    const char *ca = config->options.ca_bundle.data, *own = config->options.client_cert.data;
    if (ca != NULL && stat(ca, &facts) != 0)
        return refuse(error, "ca_bundle",
                      "names a file or directory that cannot be read (where it is not given, "
                      "SSL_CERT_FILE and SSL_CERT_DIR say)");
    config->ca_is_directory = ca != NULL && S_ISDIR(facts.st_mode);
    if (own != NULL && access(own, R_OK) != 0)
        return refuse(error, "client_cert", "names a file that cannot be read");
    return ML_OK;
}

static bool is_proxy_scheme(const char *scheme) {
    return strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0 ||
           strncmp(scheme, "socks", 5) == 0;
}

/* Reads the proxy's URL, and the password in it, which must be masked where it comes back. */
static ml_status check_proxy(ml_config *config, ml_error *error) {
    ml_url_parts parts;
    if (config->proxy.data == NULL) return ML_OK;
    switch (
        ml_proxy_read(config->proxy.data, &parts, &config->proxy_password, &config->proxy_login)) {
    case ML_URL_NO_MEMORY: return ml_fail_memory(error);
    case ML_URL_BAD: parts.scheme[0] = '\0'; break;
    case ML_URL_GOOD: break;
    }
    if (!is_proxy_scheme(parts.scheme))
        return refuse(error, "proxy", "must be a URL, such as http://proxy.example:3128");
    config->has_remote_proxy = !is_loopback(parts.host) && config->options.no_proxy.data == NULL;
    return ML_OK;
}

/* ---- copying ---- */

static size_t copied_length(ml_text text) {
    return text.data == NULL ? 0 : text.length + 1;
}

static bool copy_texts(ml_config *config, const ml_client_options *from) {
    size_t total = 1;
    for (size_t i = 0; i < PLAIN_TEXTS; i++)
        total += copied_length(text_of(from, plain_texts[i]));
    char *end = config->texts = malloc(total);
    if (end == NULL) return false;
    for (size_t i = 0; i < PLAIN_TEXTS; i++) {
        ml_text text = text_of(from, plain_texts[i]);
        if (text.data == NULL) continue;
        memcpy(end, text.data, text.length);
        end[text.length] = '\0';
        *text_at(&config->options, plain_texts[i]) = (ml_text){end, text.length};
        end += text.length + 1;
    }
    return ml_secret_set(&config->api_key, from->api_key) &&
           ml_secret_set(&config->account_token, from->account_token) &&
           ml_secret_set(&config->proxy, from->proxy);
}

static ml_text without_end_slashes(ml_text url) {
    while (url.length > 0 && url.data[url.length - 1] == '/')
        url.length--;
    return url;
}

static ml_text base_url_of_region(ml_text region) {
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        if (ml_text_equal(region, ml_text_of(regions[i].name)))
            return ml_text_of(regions[i].base_url);
    return (ml_text){0};
}

/* The options with what follows from others filled in. No base URL: the region is unknown. */
static ml_client_options chosen_options(const ml_client_options *options) {
    ml_client_options chosen = *options;
    if (chosen.proxy.length == 0) chosen.proxy = (ml_text){0};
    if (chosen.user_agent.data == NULL) chosen.user_agent = ml_text_of(ml_default_user_agent());
    if (chosen.base_url.data != NULL) {
        chosen.base_url = without_end_slashes(chosen.base_url);
        chosen.region = (ml_text){0};
        return chosen;
    }
    if (chosen.region.data == NULL) chosen.region = ml_text_of(regions[0].name);
    chosen.base_url = base_url_of_region(chosen.region);
    return chosen;
}

static ml_status fill(ml_config *config, const ml_client_options *options, ml_error *error) {
    ml_client_options chosen = chosen_options(options);
    bool known = options->region.data == NULL || base_url_of_region(options->region).data != NULL;
    if (!known) return refuse(error, "region", "must be \"us\", \"eu\" or \"apac\"");
    config->options = chosen;
    config->options.api_key = config->options.account_token = config->options.proxy = (ml_text){0};
    if (!copy_texts(config, &chosen)) return ml_fail_memory(error);
    ml_status status = check_proxy(config, error);
    if (status == ML_OK) status = check_base_url(config, error);
    if (status == ML_OK && options->api_key.data != NULL)
        status = ml_config_check_key(config, options->api_key, error);
    if (status == ML_OK && options->account_token.data != NULL)
        status = check_credential("account_token", options->account_token, error);
    return status == ML_OK ? check_files(config, error) : status;
}

ml_status ml_config_set(ml_config *config, const ml_client_options *options, ml_error *error) {
    *config = (ml_config){0};
    ml_status status = check_numbers(options, error);
    if (status == ML_OK) status = check_texts(options, error);
    if (status == ML_OK) status = fill(config, options, error);
    if (status != ML_OK) ml_config_free(config);
    return status;
}

void ml_config_free(ml_config *config) {
    ml_secret_free(&config->api_key);
    ml_secret_free(&config->account_token);
    ml_secret_free(&config->proxy);
    ml_secret_free(&config->proxy_password);
    ml_secret_free(&config->proxy_login);
    free(config->texts);
    *config = (ml_config){0};
}

/* ---- comparing ---- */

static bool same_text(ml_text a, ml_text b) {
    return (a.data == NULL) == (b.data == NULL) && ml_text_equal(a, b);
}

static bool same_numbers(const ml_client_options *a, const ml_client_options *b) {
    return a->timeout == b->timeout && a->connect_timeout == b->connect_timeout &&
           a->idle_timeout == b->idle_timeout && a->max_retries == b->max_retries &&
           a->max_connections == b->max_connections &&
           a->max_response_bytes == b->max_response_bytes &&
           a->budget_failures == b->budget_failures && a->budget_window == b->budget_window &&
           a->allow_http == b->allow_http;
}

bool ml_config_matches(const ml_config *config, const ml_client_options *options) {
    ml_client_options chosen = chosen_options(options);
    if (chosen.budget_failures < 0) chosen.budget_failures = config->default_budget;
    if (!same_numbers(&config->options, &chosen)) return false;
    for (size_t i = 0; i < PLAIN_TEXTS; i++)
        if (!same_text(text_of(&config->options, plain_texts[i]), text_of(&chosen, plain_texts[i])))
            return false;
    return same_text(ml_secret_view(&config->account_token), options->account_token) &&
           same_text(ml_secret_view(&config->proxy), chosen.proxy);
}
