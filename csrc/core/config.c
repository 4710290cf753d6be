#include "config.h"
#include "error.h"
#include "http.h"
#include "pem.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
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

/* The options that are copied as they are, and what messages call them. */
static const struct {
    size_t at; /* in ml_client_options */
    const char *name;
} plain_texts[] = {
    {offsetof(ml_client_options, region), "region"},
    {offsetof(ml_client_options, base_url), "base_url"},
    {offsetof(ml_client_options, category), "category"},
    {offsetof(ml_client_options, ca_bundle), "ca_bundle"},
    {offsetof(ml_client_options, ca_pem), NULL}, /* has lines */
    {offsetof(ml_client_options, client_cert), "client_cert"},
    {offsetof(ml_client_options, client_key), "client_cert"},
    {offsetof(ml_client_options, user_agent), "user_agent"},
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
    return ml_refuse(error, option, "%s", why);
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

/* NUL, line breaks and other control characters have no place in an option of one line. */
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
    return ml_refuse(error, option, "must be %d to %d", min, max);
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
    for (size_t i = 0; i < PLAIN_TEXTS; i++) {
        if (plain_texts[i].name == NULL) continue;
        ml_text text = text_of(options, plain_texts[i].at);
        ml_status status = check_text(plain_texts[i].name, text, error);
        if (status != ML_OK) return status;
    }
    if (options->category.data != NULL && !ml_is_slug(options->category))
        return refuse(error, "category", "must be a slug, such as \"ats\"");
    if (options->user_agent.data != NULL && !is_user_agent(options->user_agent))
        return refuse(error, "user_agent", "must be printable ASCII, not blank");
    ml_status status = check_text("client_cert", options->client_key_password, error);
    return status == ML_OK ? check_text("proxy", options->proxy, error) : status;
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

static bool is_http(const char *scheme) {
    return strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0;
}

static const char bad_port[] = "must have a port of 1 to 65535, or none";

static ml_status read_base_url(const char *url, ml_url_parts *parts, ml_error *error) {
    switch (ml_url_read(url, parts)) {
    case ML_URL_NO_MEMORY: return ml_fail_memory(error);
    case ML_URL_BAD:
        return refuse(error, "base_url",
                      "must be an absolute URL, such as https://api.merge.dev/api");
    case ML_URL_BAD_PORT: return refuse(error, "base_url", bad_port);
    case ML_URL_GOOD: break;
    }
    if (!is_http(parts->scheme))
        return refuse(error, "base_url", "must start with https:// (or http:// to loopback)");
    if (parts->has_user) return refuse(error, "base_url", "must not hold a user name or password");
    if (parts->has_zone) return refuse(error, "base_url", "must not hold a zone id (%25...)");
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
    config->has_remote_host = !loopback;
    config->is_plain_http =
        strcmp(parts->scheme, "http") == 0 && (!loopback || config->has_remote_proxy);
    config->default_budget = loopback ? 0 : DEFAULT_BUDGET;
    config->has_default_budget = config->options.budget_failures < 0;
    if (config->has_default_budget) config->options.budget_failures = config->default_budget;
    config->is_tls = strcmp(parts->scheme, "https") == 0;
    snprintf(config->host, sizeof config->host, "%s", parts->host);
    snprintf(config->server, sizeof config->server, "%s:%s", parts->host, parts->port);
    snprintf(config->origin, sizeof config->origin, "%s://%s:%s", parts->scheme, parts->host,
             parts->port);
}

static ml_status check_base_url(ml_config *config, ml_text key, ml_error *error) {
    ml_url_parts parts;
    ml_text url = config->options.base_url;
    if (url.length > 1000 || !is_visible_ascii(url))
        return refuse(error, "base_url", "must be printable ASCII of at most 1000 characters");
    ml_status status = read_base_url(url.data, &parts, error);
    if (status != ML_OK) return status;
    note_origin(config, &parts);
    /* A production key is refused for itself, as allow_http would not help it. */
    if (config->is_plain_http && !config->options.allow_http && !is_production(key))
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

ml_status ml_config_check_account_token(ml_text token, ml_error *error) {
    return check_credential("account_token", token, error);
}

/* ---- files ---- */

static ml_status refuse_file(ml_error *error, const char *option, const char *why,
                             const char *path) {
    return ml_refuse(error, option, "%s: %.300s", why, path);
}

static ml_status refuse_unread(ml_error *error, const char *option, const char *path, int number) {
    bool is_ca = strcmp(option, "ca_bundle") == 0;
    return ml_refuse(error, option, "cannot be read: %.300s: %s%s", path,
                     number == EINVAL ? "it is no regular file" : strerror(number),
                     is_ca ? " (where it is not given, SSL_CERT_FILE and SSL_CERT_DIR say)" : "");
}

static const char no_certificate[] = "holds no certificate in PEM form";

static ml_status check_ca_file(const char *path, ml_error *error) {
    ml_pem found;
    int number = ml_pem_read(path, &found);
    if (number != 0) return refuse_unread(error, "ca_bundle", path, number);
    return found.has_certificate ? ML_OK : refuse_file(error, "ca_bundle", no_certificate, path);
}

static ml_status check_ca_directory(const char *path, ml_error *error) {
    if (ml_is_hashed_directory(path)) return ML_OK;
    return ml_refuse(error, "ca_bundle",
                     "is a directory without certificates under the hashes of their names; "
                     "to make them, run: openssl rehash %.300s",
                     path);
}

static ml_status check_ca(ml_config *config, ml_error *error) {
    struct stat facts;
    ml_text pem = config->options.ca_pem;
    const char *path = config->options.ca_bundle.data;
    if (pem.data != NULL) {
        if (ml_pem_of(pem).has_certificate) return ML_OK;
        return refuse_file(error, "ca_bundle", no_certificate, "(bytes)");
    }
    if (path == NULL) return ML_OK;
    if (stat(path, &facts) != 0) return refuse_unread(error, "ca_bundle", path, errno);
    config->ca_is_directory = S_ISDIR(facts.st_mode);
    return config->ca_is_directory ? check_ca_directory(path, error) : check_ca_file(path, error);
}

/* So far as it can be told without decoding: the rest shows when it is used. */
static ml_status check_client_key(const ml_config *config, const char *path, const ml_pem *found,
                                  ml_error *error) {
    if (!found->has_key)
        return refuse_file(error, "client_cert",
                           "must be (certificate, key), for this file holds no private key in PEM "
                           "form",
                           path);
    if (found->is_key_encrypted && config->client_key_password.data == NULL)
        return refuse_file(error, "client_cert",
                           "must be (certificate, key, password), for the key is encrypted", path);
    return ML_OK;
}

static ml_status check_client_cert(const ml_config *config, ml_error *error) {
    ml_pem found;
    const char *certificate = config->options.client_cert.data;
    const char *key = config->options.client_key.data;
    if (certificate == NULL) return ML_OK;
    int number = ml_pem_read(certificate, &found);
    if (number != 0) return refuse_unread(error, "client_cert", certificate, number);
    if (!found.has_certificate)
        return refuse_file(error, "client_cert", no_certificate, certificate);
    if (key == NULL) return check_client_key(config, certificate, &found, error);
    number = ml_pem_read(key, &found);
    if (number != 0) return refuse_unread(error, "client_cert", key, number);
    return check_client_key(config, key, &found, error);
}

/* ---- the proxy ---- */

/* Reads the proxy's URL, and the password in it, which must be masked where it comes back. */
static ml_status read_proxy(ml_config *config, ml_url_parts *parts, ml_error *error) {
    switch (
        ml_proxy_read(config->proxy.data, parts, &config->proxy_password, &config->proxy_login)) {
    case ML_URL_NO_MEMORY: return ml_fail_memory(error);
    case ML_URL_BAD_PORT: return refuse(error, "proxy", bad_port);
    case ML_URL_BAD: parts->scheme[0] = '\0'; break;
    case ML_URL_GOOD: break;
    }
    if (parts->has_zone) return refuse(error, "proxy", "must not hold a zone id (%25...)");
    if (is_http(parts->scheme)) return ML_OK;
    if (strncmp(parts->scheme, "socks", 5) == 0)
        return refuse(error, "proxy",
                      "is a SOCKS proxy, which is not supported: only http:// and https:// are "
                      "(where proxy is not given, HTTPS_PROXY and ALL_PROXY say; proxy=\"\" is "
                      "none)");
    return refuse(error, "proxy",
                  "must be a URL of http or https, such as http://proxy.example:3128");
}

static ml_status check_proxy(ml_config *config, ml_error *error) {
    ml_url_parts parts;
    if (config->proxy.data == NULL) return ML_OK;
    ml_status status = read_proxy(config, &parts, error);
    if (status != ML_OK) return status;
    lower(parts.host);
    config->has_remote_proxy = !is_loopback(parts.host);
    config->is_proxy_tls = strcmp(parts.scheme, "https") == 0;
    config->proxy_port = strtol(parts.port, NULL, 10);
    snprintf(config->proxy_server, sizeof config->proxy_server, "%s:%s", parts.host, parts.port);
    return ML_OK;
}

/* ---- copying ---- */

static size_t copied_length(ml_text text) {
    return text.data == NULL ? 0 : text.length + 1;
}

static bool copy_texts(ml_config *config, const ml_client_options *from) {
    size_t total = 1;
    for (size_t i = 0; i < PLAIN_TEXTS; i++)
        total += copied_length(text_of(from, plain_texts[i].at));
    char *end = config->texts = malloc(total);
    if (end == NULL) return false;
    for (size_t i = 0; i < PLAIN_TEXTS; i++) {
        ml_text text = text_of(from, plain_texts[i].at);
        if (text.data == NULL) continue;
        memcpy(end, text.data, text.length);
        end[text.length] = '\0';
        *text_at(&config->options, plain_texts[i].at) = (ml_text){end, text.length};
        end += text.length + 1;
    }
    return ml_secret_set(&config->api_key, from->api_key) &&
           ml_secret_set(&config->account_token, from->account_token) &&
           ml_secret_set(&config->client_key_password, from->client_key_password) &&
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
    if (chosen.ca_pem.data != NULL) chosen.ca_bundle = (ml_text){0};
    if (chosen.ca_pem.data == NULL && chosen.ca_bundle.data == NULL)
        chosen.ca_bundle = ml_text_of(ml_system_ca());
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

ml_text ml_base_url_of(const ml_client_options *options) {
    return chosen_options(options).base_url;
}

bool ml_origin_of(const char *url, ml_origin *origin) {
    ml_url_parts parts;
    *origin = (ml_origin){0};
    if (ml_url_read(url, &parts) != ML_URL_GOOD || !is_http(parts.scheme)) return false;
    lower(parts.host);
    memcpy(origin->scheme, parts.scheme, sizeof origin->scheme);
    memcpy(origin->host, parts.host, sizeof origin->host);
    origin->port = (int)strtol(parts.port, NULL, 10);
    origin->is_loopback = is_loopback(parts.host);
    return true;
}

static ml_status refuse_region(ml_text region, ml_error *error) {
    static const char *const names[] = {"us", "eu", "apac", NULL};
    const char *near = ml_near_miss(region, names);
    if (near == NULL) return refuse(error, "region", "must be \"us\", \"eu\" or \"apac\"");
    return ml_refuse(error, "region", "must be \"us\", \"eu\" or \"apac\"; did you mean \"%s\"?",
                     near);
}

/* All but what is in files. */
static ml_status fill(ml_config *config, const ml_client_options *options, ml_error *error) {
    ml_client_options chosen = chosen_options(options);
    bool known = options->region.data == NULL || base_url_of_region(options->region).data != NULL;
    if (!known) return refuse_region(options->region, error);
    config->options = chosen;
    config->options.api_key = config->options.account_token = (ml_text){0};
    config->options.proxy = config->options.client_key_password = (ml_text){0};
    if (!copy_texts(config, &chosen)) return ml_fail_memory(error);
    ml_status status = check_proxy(config, error);
    if (status == ML_OK) status = check_base_url(config, options->api_key, error);
    if (status == ML_OK && options->api_key.data != NULL)
        status = ml_config_check_key(config, options->api_key, error);
    if (status == ML_OK && options->account_token.data != NULL)
        status = ml_config_check_account_token(options->account_token, error);
    return status;
}

static ml_status check_files(ml_config *config, ml_error *error) {
    ml_status status = check_ca(config, error);
    return status == ML_OK ? check_client_cert(config, error) : status;
}

/* A path may hold what was meant for another option. */
static void mask_secrets(const ml_client_options *options, char *text) {
    const ml_text secrets[] = {options->api_key, options->account_token,
                               options->client_key_password};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        ml_mask(text, strlen(text), secrets[i]);
}

static ml_status set_all_but_files(ml_config *config, const ml_client_options *options,
                                   ml_error *error) {
    *config = (ml_config){0};
    ml_status status = check_numbers(options, error);
    if (status == ML_OK) status = check_texts(options, error);
    return status == ML_OK ? fill(config, options, error) : status;
}

static ml_status finish(ml_config *config, const ml_client_options *options, ml_status status,
                        ml_error *error) {
    if (status == ML_OK) return ML_OK;
    mask_secrets(options, error->text);
    ml_config_free(config);
    return status;
}

ml_status ml_config_set(ml_config *config, const ml_client_options *options, ml_error *error) {
    ml_status status = set_all_but_files(config, options, error);
    if (status == ML_OK) status = check_files(config, error);
    return finish(config, options, status, error);
}

/* ---- changing ---- */

/* The options that would make the config. Borrows from it. */
static ml_client_options options_of(const ml_config *config) {
    ml_client_options options = config->options;
    options.api_key = ml_secret_view(&config->api_key);
    options.account_token = ml_secret_view(&config->account_token);
    options.client_key_password = ml_secret_view(&config->client_key_password);
    options.proxy = ml_secret_view(&config->proxy);
    if (config->has_default_budget) options.budget_failures = -1;
    return options;
}

/* Of region and base URL, the one that is named makes the other go. */
static void change(ml_client_options *options, const ml_view_options *changes) {
    if (changes->account_token.data != NULL) options->account_token = changes->account_token;
    if (changes->category.data != NULL) options->category = changes->category;
    if (changes->timeout >= 0.0 || isnan(changes->timeout)) options->timeout = changes->timeout;
    if (changes->max_retries >= 0) options->max_retries = changes->max_retries;
    if (changes->region.data != NULL) options->region = changes->region;
    if (options->region.data != NULL) options->base_url = (ml_text){0};
    if (changes->base_url.data != NULL) options->base_url = changes->base_url;
    if (changes->proxy.data != NULL) options->proxy = changes->proxy;
}

ml_status ml_config_change(ml_config *config, const ml_config *base, const ml_view_options *changes,
                           ml_error *error) {
    ml_client_options options = options_of(base);
    change(&options, changes);
    ml_status status = set_all_but_files(config, &options, error);
    config->ca_is_directory = base->ca_is_directory;
    return finish(config, &options, status, error);
}

void ml_config_free(ml_config *config) {
    ml_secret_free(&config->api_key);
    ml_secret_free(&config->account_token);
    ml_secret_free(&config->proxy);
    ml_secret_free(&config->proxy_password);
    ml_secret_free(&config->proxy_login);
    ml_secret_free(&config->client_key_password);
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
        if (!same_text(text_of(&config->options, plain_texts[i].at),
                       text_of(&chosen, plain_texts[i].at)))
            return false;
    return same_text(ml_secret_view(&config->account_token), options->account_token) &&
           same_text(ml_secret_view(&config->client_key_password), options->client_key_password) &&
           same_text(ml_secret_view(&config->proxy), chosen.proxy);
}
