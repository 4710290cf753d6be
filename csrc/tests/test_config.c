/*
 * A client's options: each one good and bad, and what two clients have in common.
 */
#include "client.h"
#include "support/build.h"
#include "support/expect.h"

#include <math.h>

/* In every value that is refused; no error may repeat it. */
#define MARK "Zq7secret"

/* Makes a client of the options; the part of NULL: that succeeds. */
static void expect_client(const ml_client_options *options, const char *part) {
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_client_new(options, &client, &error);
    if (part == NULL) {
        if (status != ML_OK) print_error("%s\n", error.text);
        assert_int_equal(status, ML_OK);
        assert_non_null(client);
    } else {
        assert_int_equal(status, ML_ERR_CONFIGURATION);
        expect_failure(&error, ML_ERR_CONFIGURATION, part);
        expect_unquoted(&error, MARK);
        assert_null(client);
    }
    ml_error_clear(&error);
    ml_client_free(client);
}

/* ---- texts ---- */

typedef struct text_row {
    const char *name;
    size_t option; /* its offset */
    ml_text value;
    const char *part;
} text_row;

#define AT(option)     offsetof(ml_client_options, option)
#define KEY_CHARACTERS "must be printable ASCII without white space, line breaks or NUL"
#define CONTROL        "must not hold control characters"

static const text_row text_rows[] = {
    {"key_fine", AT(api_key), TEXT_OF("k"), NULL},
    {"key_missing", AT(api_key), {NULL, 0}, NULL},
    {"key_of_all_printable_characters", AT(api_key),
     TEXT_OF("!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"), NULL},
    {"key_empty", AT(api_key), TEXT_OF(""), "api_key is empty: give it whole, or leave it out"},
    {"key_with_its_scheme", AT(api_key), TEXT_OF("Bearer " MARK),
     "must not begin with \"Bearer \""},
    {"key_with_its_scheme_in_lower_case", AT(api_key), TEXT_OF("bearer " MARK), "\"Bearer \""},
    {"key_of_one_word_alone", AT(api_key), TEXT_OF("Bearer" MARK), NULL},
    {"key_in_quotes", AT(api_key), TEXT_OF("\"" MARK "\""),
     "api_key must not have quotes round it"},
    {"key_in_single_quotes", AT(api_key), TEXT_OF("'" MARK "'"), "quotes round it"},
    {"key_of_one_quote", AT(api_key), TEXT_OF("\""), NULL},
    {"key_with_a_quote_at_one_end", AT(api_key), TEXT_OF(MARK "\""), NULL},
    {"key_with_space", AT(api_key), TEXT_OF(MARK " x"), "api_key " KEY_CHARACTERS},
    {"key_with_line_feed_at_the_end", AT(api_key), TEXT_OF(MARK "\n"), "look for a line end"},
    {"key_with_carriage_return", AT(api_key), TEXT_OF(MARK "\r"), KEY_CHARACTERS},
    {"key_with_tab", AT(api_key), TEXT_OF("\t" MARK), KEY_CHARACTERS},
    {"key_with_nul", AT(api_key), TEXT_OF(MARK "\0x"), KEY_CHARACTERS},
    {"key_with_delete", AT(api_key), TEXT_OF(MARK "\x7F"), KEY_CHARACTERS},
    {"key_not_ascii", AT(api_key), TEXT_OF(MARK "\xC3\xA9"), KEY_CHARACTERS},
    {"production_key_over_https", AT(api_key), TEXT_OF("production_x"), NULL},
    {"account_token_fine", AT(account_token), TEXT_OF("t-1_x"), NULL},
    {"account_token_empty", AT(account_token), TEXT_OF(""), "account_token is empty"},
    {"account_token_with_line_feed", AT(account_token), TEXT_OF(MARK "\n"),
     "account_token " KEY_CHARACTERS},

    {"region_us", AT(region), TEXT_OF("us"), NULL},
    {"region_eu", AT(region), TEXT_OF("eu"), NULL},
    {"region_apac", AT(region), TEXT_OF("apac"), NULL},
    {"region_in_upper_case", AT(region), TEXT_OF("EU"),
     "region must be \"us\", \"eu\" or \"apac\""},
    {"region_unknown", AT(region), TEXT_OF(MARK), "region must be"},
    {"region_empty", AT(region), TEXT_OF(""), "region must be"},
    {"region_with_nul", AT(region), TEXT_OF("us\0"), "region " CONTROL},

    {"category_fine", AT(category), TEXT_OF("ats"), NULL},
    {"category_new", AT(category), TEXT_OF("payroll"), NULL},
    {"category_empty", AT(category), TEXT_OF(""), "category must be a slug"},
    {"category_with_slash", AT(category), TEXT_OF("../" MARK), "category must be a slug"},
    {"category_with_line_end", AT(category), TEXT_OF(MARK "\n"), "category " CONTROL},

    {"ca_bundle_missing_file", AT(ca_bundle), TEXT_OF("/nowhere/x"),
     "ca_bundle cannot be read: /nowhere/x: No such file or directory"},
    {"ca_bundle_directory_that_is_not_hashed", AT(ca_bundle), TEXT_OF("/"), "openssl rehash /"},
    {"ca_bundle_no_regular_file", AT(ca_bundle), TEXT_OF("/dev/null"), "it is no regular file"},
    {"ca_pem_without_certificate", AT(ca_pem), TEXT_OF(MARK "\n"),
     "ca_bundle holds no certificate in PEM form: (bytes)"},
    {"ca_pem_empty", AT(ca_pem), TEXT_OF(""), "ca_bundle holds no certificate in PEM form"},
    {"ca_pem_fine", AT(ca_pem), TEXT_OF("x\r\n-----BEGIN CERTIFICATE----- \r\n"), NULL},
    {"ca_pem_of_the_trusted_kind", AT(ca_pem), TEXT_OF("-----BEGIN TRUSTED CERTIFICATE-----"),
     NULL},
    {"ca_pem_with_another_begin", AT(ca_pem), TEXT_OF("-----BEGIN PRIVATE KEY-----\n" MARK),
     "ca_bundle holds no certificate in PEM form"},
    {"client_cert_missing_file", AT(client_cert), TEXT_OF("/nowhere/x"),
     "client_cert cannot be read: /nowhere/x: No such file or directory"},
    {"client_cert_directory", AT(client_cert), TEXT_OF("/"), "Is a directory"},
    {"client_key_with_line_end", AT(client_key), TEXT_OF(MARK "\n"), "client_cert " CONTROL},
    {"client_key_password_fine", AT(client_key_password), TEXT_OF("p"), NULL},
    {"client_key_password_with_nul", AT(client_key_password), TEXT_OF(MARK "\0"),
     "client_cert " CONTROL},
    {"ca_bundle_with_nul", AT(ca_bundle), TEXT_OF("/\0" MARK), "ca_bundle " CONTROL},
    {"client_cert_with_nul", AT(client_cert), TEXT_OF("/\0" MARK), "client_cert " CONTROL},
    {"client_cert_not_utf8", AT(client_cert), TEXT_OF(MARK "\xFF"),
     "client_cert must be valid UTF-8"},

    {"proxy_fine", AT(proxy), TEXT_OF("http://user:word@127.0.0.1:3128"), NULL},
    {"proxy_empty_means_none", AT(proxy), TEXT_OF(""), NULL},
    {"proxy_of_socks", AT(proxy), TEXT_OF("socks5h://user:" MARK "@127.0.0.1:1080"),
     "proxy is a SOCKS proxy"},
    {"proxy_of_another_scheme", AT(proxy), TEXT_OF("ftp://user:" MARK "@127.0.0.1"),
     "proxy must be a URL of http or https"},
    {"proxy_with_zone", AT(proxy), TEXT_OF("http://user:" MARK "@[fe80::1%25e]"),
     "proxy must not hold a zone id"},
    {"proxy_that_is_no_text", AT(proxy), TEXT_OF("http://%FF" MARK),
     "proxy must be a URL of http or https"},
    {"proxy_with_line_end", AT(proxy), TEXT_OF("http://" MARK "\r\n"), "proxy " CONTROL},

    {"user_agent_fine", AT(user_agent), TEXT_OF("app/1.0 (x; y)"), NULL},
    {"user_agent_not_ascii", AT(user_agent), TEXT_OF(MARK "\xC3\xA9"),
     "user_agent must be printable ASCII"},
    {"user_agent_with_line_end", AT(user_agent), TEXT_OF(MARK "\r\nX: y"), "user_agent " CONTROL},
    {"user_agent_empty", AT(user_agent), TEXT_OF(""), "user_agent must be printable ASCII"},
    {"user_agent_blank", AT(user_agent), TEXT_OF(" "), "user_agent must be printable ASCII"},
};

static void text_option(void **state) {
    const text_row *row = *state;
    ml_client_options options = test_options();
    options.base_url = (ml_text){0};
    void *at = (char *)&options + row->option;
    *(ml_text *)at = row->value;
    expect_client(&options, row->part);
}

/* ---- numbers ---- */

typedef struct number_row {
    const char *name;
    size_t option;
    bool is_double;
    double value;
    const char *part;
} number_row;

#define SECONDS "must be more than 0 and at most 86400 seconds"

static const number_row number_rows[] = {
    {"timeout_tiny", AT(timeout), true, 1e-9, NULL},
    {"timeout_of_a_day", AT(timeout), true, 86400.0, NULL},
    {"timeout_zero", AT(timeout), true, 0.0, "timeout " SECONDS},
    {"timeout_negative", AT(timeout), true, -1.0, "timeout " SECONDS},
    {"timeout_more_than_a_day", AT(timeout), true, 86400.5, "timeout " SECONDS},
    {"timeout_nan", AT(timeout), true, (double)NAN, "timeout " SECONDS},
    {"timeout_infinite", AT(timeout), true, (double)INFINITY, "timeout " SECONDS},
    {"connect_timeout_zero", AT(connect_timeout), true, 0.0, "connect_timeout " SECONDS},
    {"connect_timeout_nan", AT(connect_timeout), true, (double)NAN, "connect_timeout " SECONDS},
    {"connect_timeout_tiny", AT(connect_timeout), true, 1e-9, NULL},
    {"idle_timeout_zero", AT(idle_timeout), true, 0.0, "idle_timeout " SECONDS},
    {"idle_timeout_half_a_second", AT(idle_timeout), true, 0.5, NULL},
    {"max_retries_none", AT(max_retries), false, 0, NULL},
    {"max_retries_100", AT(max_retries), false, 100, NULL},
    {"max_retries_negative", AT(max_retries), false, -1, "max_retries must be 0 to 100"},
    {"max_retries_101", AT(max_retries), false, 101, "max_retries must be 0 to 100"},
    {"max_connections_1", AT(max_connections), false, 1, NULL},
    {"max_connections_0", AT(max_connections), false, 0, "max_connections must be 1 to 10000"},
    {"max_connections_10001", AT(max_connections), false, 10001, "max_connections must be 1"},
    {"budget_off", AT(budget_failures), false, 0, NULL},
    {"budget_by_default", AT(budget_failures), false, -1, NULL},
    {"budget_negative", AT(budget_failures), false, -2, "error_budget must count"},
    {"budget_window_zero", AT(budget_window), true, 0.0, "error_budget " SECONDS},
    {"budget_window_nan", AT(budget_window), true, (double)NAN, "error_budget " SECONDS},
};

static void number_option(void **state) {
    const number_row *row = *state;
    ml_client_options options = test_options();
    options.budget_failures = 20;
    void *at = (char *)&options + row->option;
    if (row->is_double)
        *(double *)at = row->value;
    else
        *(int *)at = (int)row->value;
    expect_client(&options, row->part);
}

static void window_does_not_matter_when_the_budget_is_off(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.budget_failures = 0;
    options.budget_window = -1.0;
    expect_client(&options, NULL);
}

static void defaults_are_those_of_the_header(void **state) {
    (void)state;
    ml_client_options options;
    ml_client_options_init(&options);
    assert_true(options.timeout == 30.0 && options.connect_timeout == 5.0);
    assert_true(options.idle_timeout == 110.0 && options.budget_window == 10.0);
    assert_int_equal(options.max_retries, 2);
    assert_int_equal(options.max_connections, 100);
    assert_int_equal(options.budget_failures, -1);
    assert_int_equal(options.max_response_bytes, 0);
    assert_false(options.allow_http);
    assert_null(options.api_key.data);
    expect_client(&options, NULL);
}

/* ---- base URLs ---- */

typedef struct url_row {
    const char *name;
    ml_text url;
    const char *part;
} url_row;

#define ABSOLUTE "base_url must be an absolute URL"
#define SCHEME   "base_url must start with https://"
#define USER     "base_url must not hold a user name or password"
#define QUERY    "base_url must not hold a query or fragment"
#define ASCII    "base_url must be printable ASCII"
#define PLAIN    "base_url would send the API key unencrypted"
#define TEN(s)   s s s s s s s s s s

static const url_row url_rows[] = {
    {"https", TEXT_OF("https://api.merge.dev/api"), NULL},
    {"https_with_port", TEXT_OF("https://api.merge.dev:8443/api"), NULL},
    {"https_in_upper_case", TEXT_OF("HTTPS://API.MERGE.DEV/api"), NULL},
    {"https_to_an_ipv6_address", TEXT_OF("https://[2001:db8::1]/api"), NULL},
    {"slashes_at_the_end", TEXT_OF("https://api.merge.dev/api//"), NULL},
    {"empty", TEXT_OF(""), ABSOLUTE},
    {"slashes_only", TEXT_OF("///"), ABSOLUTE},
    {"scheme_missing", TEXT_OF("api." MARK "/api"), ABSOLUTE},
    {"scheme_and_slashes_missing", TEXT_OF("localhost:8000"), ABSOLUTE},
    {"path_only", TEXT_OF("/api/" MARK), ABSOLUTE},
    {"host_missing", TEXT_OF("https:///api"), ABSOLUTE},
    {"host_with_bad_port", TEXT_OF("https://" MARK ":99999/api"), "base_url must have a port"},
    {"host_that_is_no_text", TEXT_OF("https://%FF" MARK "/api"), ABSOLUTE},
    {"host_in_percent_encoding", TEXT_OF("https://m%C3%BCnchen.example/api"), NULL},
    {"host_ending_in_garbage", TEXT_OF("https://[::1/" MARK), ABSOLUTE},
    {"ftp", TEXT_OF("ftp://" MARK "/api"), SCHEME},
    {"file", TEXT_OF("file:///etc/" MARK), "base_url must"},
    {"unknown_scheme", TEXT_OF("merge://" MARK "/api"), SCHEME},
    {"user_and_password", TEXT_OF("https://user:" MARK "@api.merge.dev/api"), USER},
    {"user_alone", TEXT_OF("https://" MARK "@api.merge.dev/api"), USER},
    {"password_alone", TEXT_OF("https://:" MARK "@api.merge.dev/api"), USER},
    {"zone", TEXT_OF("https://[fe80::1%25" MARK "]/api"), "base_url must not hold a zone id"},
    {"query", TEXT_OF("https://api.merge.dev/api?x=" MARK), QUERY},
    {"query_empty", TEXT_OF("https://api.merge.dev/api?"), QUERY},
    {"fragment", TEXT_OF("https://api.merge.dev/api#" MARK), QUERY},
    {"fragment_empty", TEXT_OF("https://api.merge.dev/api#"), QUERY},
    {"query_before_slashes", TEXT_OF("https://api.merge.dev/?/"), QUERY},
    {"space_inside", TEXT_OF("https://api.merge.dev/a " MARK), ASCII},
    {"not_ascii", TEXT_OF("https://" MARK ".m\xC3\xBCnchen/api"), ASCII},
    {"line_end", TEXT_OF("https://api.merge.dev/" MARK "\n"), "base_url " CONTROL},
    {"nul", TEXT_OF("https://api.merge.dev/\0" MARK), "base_url " CONTROL},
    {"too_long", TEXT_OF("https://api.merge.dev/" TEN(TEN(TEN("a")))), "at most 1000 characters"},
    {"plain_http_to_another_host", TEXT_OF("http://" MARK ".example/api"), PLAIN},
    {"plain_http_to_a_private_address", TEXT_OF("http://10.0.0.1/api"), PLAIN},
    {"plain_http_to_any_address", TEXT_OF("http://0.0.0.0:8000/api"), PLAIN},
    {"plain_http_to_a_host_that_begins_like_loopback", TEXT_OF("http://127.0.0.1.example/api"),
     PLAIN},
    {"plain_http_to_a_host_that_begins_like_localhost", TEXT_OF("http://localhost.example/api"),
     PLAIN},
    {"plain_http_to_another_ipv6_address", TEXT_OF("http://[2001:db8::1]/api"), PLAIN},
    {"loopback_127_0_0_1", TEXT_OF("http://127.0.0.1:8000/api"), NULL},
    {"loopback_127_8_8_8", TEXT_OF("http://127.8.8.8/api"), NULL},
    {"loopback_127_255_255_255", TEXT_OF("http://127.255.255.255"), NULL},
    {"loopback_short", TEXT_OF("http://127.1/api"), NULL},
    {"loopback_ipv6", TEXT_OF("http://[::1]:8000/api"), NULL},
    {"loopback_ipv6_written_out", TEXT_OF("http://[0:0:0:0:0:0:0:1]/api"), NULL},
    {"loopback_localhost", TEXT_OF("http://localhost:8000/api"), NULL},
    {"loopback_localhost_in_upper_case", TEXT_OF("http://LocalHost/api"), NULL},
};

static void base_url_rule(void **state) {
    const url_row *row = *state;
    ml_client_options options = test_options();
    options.base_url = row->url;
    expect_client(&options, row->part);
}

static void plain_http_needs_leave(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.base_url = TEXT("http://merge.internal/api");
    expect_client(&options, PLAIN);
    options.allow_http = true;
    expect_client(&options, NULL);
}

static void production_key_never_goes_over_plain_http(void **state) {
    (void)state;
    ml_client_options options = test_options();
    options.base_url = TEXT("http://merge.internal/api");
    options.allow_http = true;
    options.api_key = TEXT("production_" MARK);
    expect_client(&options, "api_key is a production key");
    options.base_url = TEXT("http://127.0.0.1/api");
    expect_client(&options, NULL);
}

static void key_of_a_call_is_judged_like_that_of_the_client(void **state) {
    (void)state;
    static const struct {
        ml_text key;
        const char *part;
    } rows[] = {{TEXT_OF("production_" MARK), "api_key is a production key"},
                {TEXT_OF(MARK "\n"), KEY_CHARACTERS},
                {TEXT_OF(""), "api_key is empty"}};
    ml_client *client = NULL;
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_call_options call;
    ml_call_options_init(&call);
    ml_client_options options = test_options();
    options.base_url = TEXT("http://merge.internal/api");
    options.allow_http = true;
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ml_request *request = small_request();
        assert_false(ml_request_has_api_key(request));
        ml_request_set_api_key(request, rows[i].key);
        assert_true(ml_request_has_api_key(request));
        ml_client_call(client, request, &call, &response, &error);
        expect_failure(&error, ML_ERR_CONFIGURATION, rows[i].part);
        expect_unquoted(&error, MARK);
        assert_null(response);
        ml_request_free(request);
    }
    ml_error_clear(&error);
    ml_client_free(client);
}

/* ---- where a URL leads ---- */

typedef struct origin_row {
    const char *name;
    const char *url;
    ml_origin origin; /* without scheme: there is none */
} origin_row;

static const origin_row origin_rows[] = {
    {"origin_of_https", "https://api.merge.dev/api", {"https", "api.merge.dev", 443, false}},
    {"origin_of_http", "http://merge.example", {"http", "merge.example", 80, false}},
    {"origin_in_upper_case", "HTTPS://API.Merge.dev:8443", {"https", "api.merge.dev", 8443, false}},
    {"origin_of_localhost", "http://LocalHost:8000/api", {"http", "localhost", 8000, true}},
    {"origin_of_a_short_address", "http://127.1:80/api", {"http", "127.0.0.1", 80, true}},
    {"origin_of_an_ipv6_address", "https://[::1]/api", {"https", "[::1]", 443, true}},
    {"origin_of_another_scheme", "ftp://api.merge.dev", {.port = 0}},
    {"origin_of_a_path", "/api", {.port = 0}},
    {"origin_of_nothing", "", {.port = 0}},
};

static void origin_of_url(void **state) {
    const origin_row *row = *state;
    ml_origin origin;
    bool is_there = row->origin.scheme[0] != '\0';
    assert_int_equal(ml_origin_of(row->url, &origin), is_there);
    if (!is_there) return;
    assert_string_equal(origin.scheme, row->origin.scheme);
    assert_string_equal(origin.host, row->origin.host);
    assert_int_equal(origin.port, row->origin.port);
    assert_int_equal(origin.is_loopback, row->origin.is_loopback);
}

static void base_url_follows_from_options(void **state) {
    (void)state;
    ml_client_options options;
    ml_client_options_init(&options);
    expect_text(ml_base_url_of(&options), TEXT("https://api.merge.dev/api"));
    options.region = TEXT("eu");
    expect_text(ml_base_url_of(&options), TEXT("https://api-eu.merge.dev/api"));
    options.region = TEXT("mars");
    assert_null(ml_base_url_of(&options).data);
    options.base_url = TEXT("https://other.example/");
    expect_text(ml_base_url_of(&options), TEXT("https://other.example"));
}

/* ---- reading back and comparing ---- */

static void expect_base_url(const ml_client_options *options, const char *url, const char *region) {
    ml_client *client = NULL;
    ml_client_options made;
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_new(options, &client, &error), ML_OK);
    ml_client_get_options(client, &made);
    expect_text(made.base_url, ml_text_of(url));
    if (region == NULL)
        assert_null(made.region.data);
    else
        expect_text(made.region, ml_text_of(region));
    ml_client_free(client);
}

static void base_url_is_read_back_as_it_is_used(void **state) {
    (void)state;
    ml_client_options options;
    ml_client_options_init(&options);
    expect_base_url(&options, "https://api.merge.dev/api", "us");
    options.region = TEXT("apac");
    expect_base_url(&options, "https://api-ap.merge.dev/api", "apac");
    options.base_url = TEXT("https://other.example/x//");
    expect_base_url(&options, "https://other.example/x", NULL);
}

static void secrets_are_not_read_back(void **state) {
    (void)state;
    ml_client *client = NULL;
    ml_client_options options = test_options(), made;
    options.account_token = TEXT("token");
    options.proxy = TEXT("http://user:word@127.0.0.1:1");
    options.client_key_password = TEXT("word");
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    ml_client_get_options(client, &made);
    assert_null(made.client_key_password.data);
    assert_null(made.api_key.data);
    assert_null(made.account_token.data);
    assert_null(made.proxy.data);
    ml_client_free(client);
}

static void options_are_copied(void **state) {
    (void)state;
    char url[] = "https://other.example/api", category[] = "crm";
    ml_client *client = NULL;
    ml_client_options options = test_options(), made;
    options.base_url = ml_text_of(url);
    options.category = ml_text_of(category);
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    memset(url, 'x', sizeof url - 1);
    memset(category, 'x', sizeof category - 1);
    ml_client_get_options(client, &made);
    expect_text(made.base_url, TEXT("https://other.example/api"));
    expect_text(made.category, TEXT("crm"));
    ml_client_free(client);
}

typedef struct change_row {
    const char *name;
    size_t option;
    enum { TEXT_OPTION, DOUBLE_OPTION, INT_OPTION, BOOL_OPTION, SIZE_OPTION } type;
    bool matters;
} change_row;

static const change_row change_rows[] = {
    {"api_key_is_not_compared", AT(api_key), TEXT_OPTION, false},
    {"account_token_is_compared", AT(account_token), TEXT_OPTION, true},
    {"base_url_is_compared", AT(base_url), TEXT_OPTION, true},
    {"region_beside_a_base_url_is_not_compared", AT(region), TEXT_OPTION, false},
    {"category_is_compared", AT(category), TEXT_OPTION, true},
    {"ca_bundle_is_compared", AT(ca_bundle), TEXT_OPTION, true},
    {"ca_pem_is_compared", AT(ca_pem), TEXT_OPTION, true},
    {"client_cert_is_compared", AT(client_cert), TEXT_OPTION, true},
    {"client_key_is_compared", AT(client_key), TEXT_OPTION, true},
    {"client_key_password_is_compared", AT(client_key_password), TEXT_OPTION, true},
    {"proxy_is_compared", AT(proxy), TEXT_OPTION, true},
    {"user_agent_is_compared", AT(user_agent), TEXT_OPTION, true},
    {"timeout_is_compared", AT(timeout), DOUBLE_OPTION, true},
    {"connect_timeout_is_compared", AT(connect_timeout), DOUBLE_OPTION, true},
    {"idle_timeout_is_compared", AT(idle_timeout), DOUBLE_OPTION, true},
    {"budget_window_is_compared", AT(budget_window), DOUBLE_OPTION, true},
    {"max_retries_is_compared", AT(max_retries), INT_OPTION, true},
    {"max_connections_is_compared", AT(max_connections), INT_OPTION, true},
    {"budget_failures_is_compared", AT(budget_failures), INT_OPTION, true},
    {"max_response_bytes_is_compared", AT(max_response_bytes), SIZE_OPTION, true},
    {"allow_http_is_compared", AT(allow_http), BOOL_OPTION, true},
};

static void change_option(ml_client_options *options, const change_row *row) {
    void *at = (char *)options + row->option;
    switch (row->type) {
    case TEXT_OPTION: *(ml_text *)at = TEXT("http://127.0.0.1:7"); return;
    case DOUBLE_OPTION: *(double *)at += 1.0; return;
    case INT_OPTION: *(int *)at += 1; return;
    case SIZE_OPTION: *(size_t *)at += 1; return;
    case BOOL_OPTION: *(bool *)at = !*(bool *)at; return;
    }
}

static void client_matches_options(void **state) {
    const change_row *row = *state;
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options = test_options();
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    assert_true(ml_client_matches(client, &options));
    change_option(&options, row);
    assert_int_equal(ml_client_matches(client, &options), !row->matters);
    ml_client_free(client);
}

static void client_matches_other_ways_to_say_the_same(void **state) {
    (void)state;
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_client_options options;
    ml_client_options_init(&options);
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    assert_true(ml_client_matches(client, &options));
    options.region = TEXT("us");
    assert_true(ml_client_matches(client, &options));
    options.region = TEXT("eu");
    assert_false(ml_client_matches(client, &options));
    options.region = TEXT("mars");
    assert_false(ml_client_matches(client, &options));
    ml_client_free(client);
}

/* ---- the library ---- */

static void library_knows_its_versions(void **state) {
    (void)state;
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_library_check(&error), ML_OK);
    expect_contains(ml_libcurl_version(), ".");
    expect_contains(ml_tls_version(), "/");
    expect_contains(ml_cjson_version(), ".");
    assert_true(strlen(ml_version()) > 0);
}

static void default_user_agent_names_library_and_libcurl(void **state) {
    (void)state;
    char expected[128];
    ml_client *client = NULL;
    ml_client_options options = test_options(), made;
    options.user_agent = (ml_text){0};
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_client_new(&options, &client, &error), ML_OK);
    ml_client_get_options(client, &made);
    snprintf(expected, sizeof expected, "merge-link/%s libcurl/%s", ml_version(),
             ml_libcurl_version());
    expect_text(made.user_agent, ml_text_of(expected));
    ml_client_free(client);
}

static void new_client_clears_the_error_of_another_call(void **state) {
    (void)state;
    ml_client *client = NULL;
    ml_error error;
    ml_error_init(&error);
    ml_request *request = empty_request();
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    ml_client_options options = test_options();
    options.timeout = -1.0;
    assert_int_equal(ml_client_new(&options, &client, &error), ML_ERR_CONFIGURATION);
    assert_int_equal(error.problem_count, 0);
    assert_string_equal(error.code, "timeout");
    assert_string_equal(error.cause, "");
    ml_error_clear(&error);
    ml_request_free(request);
}

int main(void) {
    SUITE_ROWS(text_option, text_rows);
    SUITE_ROWS(number_option, number_rows);
    SUITE_TEST(window_does_not_matter_when_the_budget_is_off);
    SUITE_TEST(defaults_are_those_of_the_header);
    SUITE_ROWS(base_url_rule, url_rows);
    SUITE_TEST(plain_http_needs_leave);
    SUITE_TEST(production_key_never_goes_over_plain_http);
    SUITE_TEST(key_of_a_call_is_judged_like_that_of_the_client);
    SUITE_ROWS(origin_of_url, origin_rows);
    SUITE_TEST(base_url_follows_from_options);
    SUITE_TEST(base_url_is_read_back_as_it_is_used);
    SUITE_TEST(secrets_are_not_read_back);
    SUITE_TEST(options_are_copied);
    SUITE_ROWS(client_matches_options, change_rows);
    SUITE_TEST(client_matches_other_ways_to_say_the_same);
    SUITE_TEST(library_knows_its_versions);
    SUITE_TEST(default_user_agent_names_library_and_libcurl);
    SUITE_TEST(new_client_clears_the_error_of_another_call);
    return suite_run("config");
}
