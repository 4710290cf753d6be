/*
 * merge_link.h - link accounts through Merge (https://docs.merge.dev), from C.
 *
 * A client holds options and connections. A request names an operation (a row of the operation
 * table) and holds the caller's values. ml_client_call() checks the values, sends the request and
 * reads the answer:
 *
 *     ml_client_options options;
 *     ml_client_options_init(&options);
 *     options.api_key = ml_text_of("test_...");
 *     ml_client *client = NULL;
 *     ml_error error;
 *     ml_error_init(&error);
 *     if (ml_client_new(&options, &client, &error) != ML_OK) ...
 *
 * ml_client_submit() does the same for many calls at once, without waiting: their outcomes come out
 * at an ml_mailbox.
 *
 * Ownership is said at each function. "Copies": the argument may go as soon as the call returns.
 * "Borrows": it must stay until the call returns. Every free function accepts NULL.
 *
 * Threads: a client may be used by any number of threads at once, a mailbox and its tickets by one
 * thread at a time; any thread may submit to a mailbox. A request, a response, news and an error
 * belong to one thread at a time.
 *
 * Signals: libcurl may write to a connection that the server has closed, so a program must ignore
 * SIGPIPE, as Python does.
 *
 * Text is UTF-8. Times are in seconds, sizes in bytes, unless a name says otherwise.
 */
#ifndef MERGE_LINK_H
#define MERGE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- text ------------------------------------------------------------------------------ */

/* A piece of text that somebody else owns; it need not end in NUL. data == NULL: not given. */
typedef struct ml_text {
    const char *data;
    size_t length;
} ml_text;

/* The whole of a NUL-terminated string; NULL gives the text that is not given. Borrows. */
ml_text ml_text_of(const char *string);

/* ---- outcomes -------------------------------------------------------------------------- */

typedef enum ml_status {
    ML_OK = 0,
    ML_ERR_MEMORY,        /* out of memory */
    ML_ERR_CONFIGURATION, /* an option of the client or the call is impossible */
    ML_ERR_VALIDATION,    /* refused before sending: see ml_error.problems */
    ML_ERR_TRANSPORT,     /* never got a whole answer */
    ML_ERR_TLS,           /* the server could not be trusted, or speaks no TLS we accept */
    ML_ERR_TIMEOUT,       /* the deadline passed first */
    ML_ERR_API,           /* Merge answered with a status of 400 or more */
    ML_ERR_BUDGET,        /* held back here: too many calls have failed lately; nothing was sent */
    ML_ERR_RESPONSE,      /* answered with 2xx or 3xx, but not as the API promises */
    ML_ERR_CLOSED,        /* the client is closed */
    ML_ERR_INTERRUPTED    /* the caller's tick asked to stop, or the ticket was cancelled */
} ml_status;

/* One thing wrong with one field, found here before sending or told by Merge. */
typedef struct ml_problem {
    char *field;   /* a path such as "common_models[0].model_id"; "" when it is about no field */
    char *message; /* says the limit and the fix; never repeats the value */
} ml_problem;

#define ML_ERROR_TEXT_SIZE 512
#define ML_ERROR_HINT_SIZE 256
#define ML_ERROR_CODE_SIZE 48

/* What went wrong. No part of it ever holds a secret of the client or of the call. */
typedef struct ml_error {
    ml_status status;
    char text[ML_ERROR_TEXT_SIZE]; /* a line for a person: what is wrong */
    char hint[ML_ERROR_HINT_SIZE]; /* a line more: what to do; or "" */
    char code[ML_ERROR_CODE_SIZE]; /* libcurl's name of a transport failure; the option that
                                      ML_ERR_CONFIGURATION is about, such as "base_url"; or "" */
    const char *cause;     /* for programs, where status and code do not tell: "loopback_only" (see
                              ml_set_loopback_only()), "lookup" (the time was up while looking up a
                              name), "proxy" (not the server failed, but the proxy), "proxy_login",
                              "proxy_refusal" (it does not connect), "proxy_is_none" (it knows no
                              CONNECT); or "". Lives as long as the program */
    int http_status;       /* 0 when no answer came */
    double retry_after;    /* seconds that Merge asks to wait; negative: not said */
    unsigned attempts;     /* requests sent */
    bool may_have_arrived; /* some of the request was sent, so Merge may have acted on it */
    /* owned */
    ml_problem *problems; /* of ML_ERR_VALIDATION and ML_ERR_API */
    size_t problem_count;
    char *request; /* "POST https://api.merge.dev/api/ats/v1/link-token", without what may be
                      secret; NULL: there was none to send */
} ml_error;

/* Makes an error that says ML_OK. Every ml_error must be initialised before it is passed. */
void ml_error_init(ml_error *error);
/* Frees what it owns and makes it say ML_OK again. */
void ml_error_clear(ml_error *error);

/* ---- operations ------------------------------------------------------------------------ */

typedef enum ml_type {
    ML_TYPE_STRING,
    ML_TYPE_INTEGER,
    ML_TYPE_BOOL,
    ML_TYPE_ARRAY,  /* of what `of` says */
    ML_TYPE_OBJECT, /* with the members in `of` */
    ML_TYPE_MAP,    /* any keys, values of what `of` says */
    ML_TYPE_JSON,   /* any JSON object, as the caller writes it */
    ML_TYPE_ANY     /* any JSON value, likewise */
} ml_type;

typedef enum ml_format {
    ML_FORMAT_TEXT,         /* anything printable that is not just white space */
    ML_FORMAT_SLUG,         /* lower case letters, digits, "-" and "_" */
    ML_FORMAT_UUID,         /* 8-4-4-4-12 hexadecimal digits */
    ML_FORMAT_LANGUAGE_TAG, /* such as "en" or "pt-BR" */
    ML_FORMAT_CREDENTIAL,   /* text that must never be shown */
    ML_FORMAT_DATE_TIME,    /* ISO 8601 with offset: "2026-01-31T12:00:00Z" */
    ML_FORMAT_METHOD,       /* of HTTP: "GET", "POST", "PUT", "PATCH" or "DELETE" */
    ML_FORMAT_PATH          /* what follows the base URL, such as "/ats/v1/candidates": from "/" on,
                               without query, fragment, empty and dot segments. "%XX" stays as it
                               is; what else a path cannot hold is percent-encoded */
} ml_format;

enum {
    ML_FIELD_REQUIRED = 1 << 0,
    ML_FIELD_IN_PATH = 1 << 1,  /* a part of the path or the method, not of the body */
    ML_FIELD_CLOSED = 1 << 2,   /* nothing but the choices; else they only catch near misses */
    ML_FIELD_UNIQUE = 1 << 3,   /* an array without duplicates */
    ML_FIELD_NULLABLE = 1 << 4, /* an answer may hold null */
    /* Goes into the query: a list joined by commas, of a map each member (null is left out). */
    ML_FIELD_IN_QUERY = 1 << 5,
    ML_FIELD_IN_HEADER = 1 << 6, /* a map of strings: further HTTP headers */
    ML_FIELD_IS_BODY = 1 << 7,   /* not a member of the body, but all of it */
};

/* One row of a field table. A table ends with a row whose name is NULL. */
typedef struct ml_field {
    const char *name;
    ml_type type;
    unsigned flags;
    ml_format format;       /* of a string, or of the keys of a map */
    int64_t min, max;       /* characters, items or value; max 0: no limit */
    int64_t fallback;       /* an integer that is always sent: this one when not given; 0: none */
    const char *relaxed_by; /* a bool field that, when true, ... */
    int64_t relaxed_max;    /* ... raises max to this */
    const char *const *choices; /* known values (of the keys of a map), ends with NULL */
    const struct ml_field *of;  /* members of an object, or the one row of an item or map value */
} ml_field;

/* May a request that perhaps arrived be sent again? */
typedef enum ml_repeat {
    ML_REPEAT_ALWAYS,   /* harmless: reads, link tokens */
    ML_REPEAT_UNSENT,   /* only when nothing was written, or Merge said 429 */
    ML_REPEAT_BY_METHOD /* unsent for POST and PATCH, else always */
} ml_repeat;

/* What a 2xx answer is. */
typedef enum ml_answer {
    ML_ANSWER_OBJECT,  /* a JSON object */
    ML_ANSWER_LIST,    /* a JSON array */
    ML_ANSWER_PAGE,    /* a JSON object with an array `results`, and `next` and `previous` */
    ML_ANSWER_NOTHING, /* nothing that is read, and no HTML page; there may be no body */
    ML_ANSWER_ANY      /* any JSON, no body, or a body that does not claim to be JSON or HTML */
} ml_answer;

/* Does a call need the token of a linked account? One that has no use for it never sends it. */
typedef enum ml_account { ML_ACCOUNT_NONE, ML_ACCOUNT_REQUIRED, ML_ACCOUNT_OPTIONAL } ml_account;

/* One row of the operation table: an endpoint of Merge's API. */
typedef struct ml_operation {
    const char *name;   /* "create_link_token" */
    const char *method; /* "POST", or "{method}": what that field says */
    const char *path;   /* "/{category}/v1/link-token": "{name}" is one segment, encoded;
                           "{+name}" is a whole path, of ML_FORMAT_PATH */
    const char
        *category_from; /* the array field whose first item is the category by default, or NULL */
    ml_repeat repeat;
    ml_account account;
    size_t max_response_bytes;
    const ml_field *fields;   /* in the order in which they are sent */
    size_t positional;        /* so many of them, the first, may be given by position */
    ml_answer answer;         /* what a 2xx answer is ... */
    const ml_field *response; /* ... and which members it has; NULL: none that are looked at */
    const char *result; /* name of the type that languages give to it, or to each of a list or page:
                           "LinkToken"; NULL: none */
    const char *spent;  /* the hint of a 404 (where an account token is required, of a 401, too) to
                           a call of which more than one attempt was made, or NULL */
} ml_operation;

/* The row with that name, or NULL. Rows live as long as the program. */
const ml_operation *ml_operation_find(const char *name);
/* All rows: so many, and the one with that index; NULL: no such index. */
size_t ml_operation_count(void);
const ml_operation *ml_operation_at(size_t index);
/* The row of a field by its name, or NULL. */
const ml_field *ml_field_find(const ml_field *fields, const char *name);

/* ---- requests -------------------------------------------------------------------------- */

typedef struct ml_request ml_request;
typedef struct ml_value ml_value;

/* A request for an operation. The caller frees it. NULL when memory is out. */
ml_request *ml_request_new(const ml_operation *operation);
/* Another one that is the same in all. The caller frees it. NULL when memory is out, also for the
 * first one. */
ml_request *ml_request_copy(const ml_request *request);
void ml_request_free(ml_request *request);

/* The object that the operation's fields are added to. Belongs to the request. */
ml_value *ml_request_fields(ml_request *request);
/* The object for members that this library does not know: sent as they are. */
ml_value *ml_request_extra(ml_request *request);

/*
 * Each adds one value: to an object under `name`, to an array at its end (`name` is then ignored).
 * One with a row that is added to an object again replaces what was there; names without one must
 * differ.
 * All arguments are copied. A parent of NULL is ignored, and running out of memory is remembered
 * and reported by ml_client_call(), so that callers need not check each step.
 */
void ml_add_null(ml_value *parent, const char *name);
void ml_add_bool(ml_value *parent, const char *name, bool boolean);
void ml_add_integer(ml_value *parent, const char *name, int64_t integer);
void ml_add_string(ml_value *parent, const char *name, ml_text text);
/* The text must be valid JSON; it is sent as it is. */
void ml_add_json(ml_value *parent, const char *name, ml_text json);
/* A value of a type that JSON has not: validation will say "must be a string, not <type>". */
void ml_add_foreign(ml_value *parent, const char *name, const char *type);
/* A value that cannot be sent for another reason: validation will say `why`. */
void ml_add_unusable(ml_value *parent, const char *name, const char *why);
ml_value *ml_add_array(ml_value *parent, const char *name);
ml_value *ml_add_object(ml_value *parent, const char *name);

/* The integer that is sent for a field: the caller's, else the row's fallback, else 0. */
int64_t ml_request_integer(const ml_request *request, const char *field);

/* What validation calls some of JSON's values, so that it speaks the caller's language. */
typedef struct ml_words {
    const char *null;    /* "null" */
    const char *boolean; /* "true or false" */
    const char *object;  /* "an object" */
} ml_words;

/* Borrows. Not called: JSON's own words. */
void ml_request_set_words(ml_request *request, const ml_words *words);

/* The API key of this one call, copied; not given: the client's. */
void ml_request_set_api_key(ml_request *request, ml_text api_key);
bool ml_request_has_api_key(const ml_request *request);
/* The account token of this one call, copied; not given: the client's. */
void ml_request_set_account_token(ml_request *request, ml_text account_token);
const ml_operation *ml_request_operation(const ml_request *request);

/* A further HTTP header, copied. Checked with the fields. */
void ml_request_add_header(ml_request *request, ml_text name, ml_text value);

/* Checks every field and header, as ml_client_call() does. Fills error.problems. */
ml_status ml_request_check(ml_request *request, ml_error *error);

/* ---- clients --------------------------------------------------------------------------- */

typedef struct ml_client ml_client;

typedef struct ml_client_options {
    ml_text api_key;       /* needed by each call: here or in its request */
    ml_text account_token; /* of the linked account, for the operations that need one */
    ml_text region;        /* "us" (default), "eu" or "apac" */
    ml_text base_url;      /* what stands before "/{category}"; wins over region */
    ml_text category;      /* of calls that name none */
    ml_text ca_bundle;     /* PEM file or hashed directory; not given: the system's */
    ml_text ca_pem;        /* PEM text that counts instead of ca_bundle */
    ml_text client_cert;   /* PEM file with the certificate */
    ml_text client_key;    /* PEM file with its key; not given: client_cert holds it too */
    ml_text client_key_password;
    ml_text proxy; /* URL of http or https; not given or "": none */
    ml_text user_agent;
    double timeout;            /* 30.0: a whole call, retries and waits included */
    double connect_timeout;    /* 5.0: name lookup, connect and TLS of one attempt */
    double idle_timeout;       /* 110.0: a connection idle for longer is not used again */
    int max_retries;           /* 2 */
    int max_connections;       /* 100 */
    size_t max_response_bytes; /* 0: what the operation's row says */
    int budget_failures;       /* failures in the window after which calls are held back; 0: off;
                                  negative (default): 20, or off when base_url is loopback */
    double budget_window;      /* 10.0 */
    bool allow_http;           /* plain http:// to hosts that are not loopback */
} ml_client_options;

/* The defaults above. */
void ml_client_options_init(ml_client_options *options);

/* The base URL that a client of these options has: base_url, else the region's. Borrows; not given
 * when the region is unknown. */
ml_text ml_base_url_of(const ml_client_options *options);

/* Where a URL leads, as libcurl reads it. */
typedef struct ml_origin {
    char scheme[8];
    char host[256];   /* an IPv6 address in brackets */
    int port;         /* the scheme's own when the URL names none */
    bool is_loopback; /* the host is this machine, by its name or address */
} ml_origin;

/* False: it is no URL of http or https, or memory is out. */
bool ml_origin_of(const char *url, ml_origin *origin);

/* Makes a client; copies the options. *client is the caller's to free. */
ml_status ml_client_new(const ml_client_options *options, ml_client **client, ml_error *error);
/* Ends it for all threads: running calls end with ML_ERR_CLOSED. Any thread; again is harmless. */
void ml_client_close(ml_client *client);
bool ml_client_is_closed(ml_client *client);
/* Frees it, and closes it unless it has views. No other thread may be in a call. */
void ml_client_free(ml_client *client);

/* What the client was made with; base_url as it is used. Texts belong to the client. The secrets
 * (api_key, account_token, client_key_password) and the proxy are left out. */
void ml_client_get_options(const ml_client *client, ml_client_options *options);
/* Would these options make a client like this one? The API key is not compared. */
bool ml_client_matches(const ml_client *client, const ml_client_options *options);

/* What a view changes; what is not given stays as it is. */
typedef struct ml_view_options {
    ml_text account_token, category, region;
    ml_text base_url; /* wins over region */
    ml_text proxy;    /* "": none */
    double timeout;   /* negative (default): as it is */
    int max_retries;  /* negative (default): as it is */
} ml_view_options;

/* Changes nothing. */
void ml_view_options_init(ml_view_options *options);

/*
 * Makes a view of a client, or of a view: a client with other options over the same connections and
 * the same engine. Copies. *view is the caller's to free, before the client or after it: what they
 * share is closed and goes with the last of them.
 * Closing a view closes it alone: later calls end with ML_ERR_CLOSED, those under way go on.
 * Closing the client closes its views.
 */
ml_status ml_client_view(ml_client *client, const ml_view_options *changes, ml_client **view,
                         ml_error *error);

typedef struct ml_response ml_response;

/* Seconds since the attempt began, as libcurl measures them; 0 for a step that was not needed or
 * not reached. */
typedef struct ml_timing {
    double name_lookup, connect, tls, first_byte, total;
} ml_timing;

/* What is told of an attempt, before it and after it. Texts belong to the call. */
typedef struct ml_attempt {
    const char *method; /* "POST" */
    const char *host;
    const char *path; /* without base URL and without what may be secret: "/ats/v1/link-token" */
    const char *url;  /* base URL and that path */
    unsigned number;  /* from 1 */
    bool is_over;     /* the rest is of attempts that are over */
    int http_status;  /* 0: no whole answer */
    const char *code; /* libcurl's name of a failure, or "" */
    double seconds;   /* that it took */
    double retry_in;  /* seconds until the next attempt; negative: there is none */
    ml_timing timing; /* of its steps */
    ml_text
        headers; /* the answer's lines, for ml_answer_time(); not masked. None: no whole answer */
} ml_attempt;

typedef struct ml_call_options {
    double timeout;  /* negative: the client's */
    int max_retries; /* negative: the client's */
    /* Called from the calling thread at least every 0.2 s while the call waits; non-zero ends it
     * with ML_ERR_INTERRUPTED. May be NULL. */
    int (*tick)(void *context);
    /* Called from the calling thread before and after each attempt. May be NULL. */
    void (*on_attempt)(void *context, const ml_attempt *attempt);
    void *context;
} ml_call_options;

void ml_call_options_init(ml_call_options *options);

/*
 * Checks, sends and decodes: one call from begin to end. Borrows the request.
 * *response is set when ML_OK comes back, and with ML_ERR_API and ML_ERR_RESPONSE too (what the
 * server said); the caller frees it. *error says what went wrong otherwise.
 */
ml_status ml_client_call(ml_client *client, ml_request *request, const ml_call_options *options,
                         ml_response **response, ml_error *error);

/*
 * Connects ahead: makes a request of the operation "warm_up" over as many connections as its field
 * `connections` says, one after the other, and keeps them. It is a read that Merge answers with 200
 * when the API key is good: what it answers otherwise is the error, and counts as a failure there.
 * The rest is as for ml_client_call().
 */
ml_status ml_client_warm_up(ml_client *client, ml_request *request, const ml_call_options *options,
                            ml_response **response, ml_error *error);

/* ---- many at once ---------------------------------------------------------------------- */

/*
 * A client's engine is a thread that makes any number of calls at once. It starts with the first
 * submit, and in a forked child anew with the first one there: the child has nothing to do with
 * what its parent submitted. With HTTP/1.1, at most `max_connections` requests are under way at
 * once; where a server agrees to HTTP/2, a hundred on each of so many connections, and a thousand
 * in all. The rest waits its turn, and a ticket that waits takes little more memory than its
 * request.
 */

/* Where outcomes come out: one for each event loop or thread that waits. */
typedef struct ml_mailbox ml_mailbox;
/* One submitted call. It may be used until its outcome is taken. */
typedef struct ml_ticket ml_ticket;
/* A pace that many calls share. */
typedef struct ml_flow ml_flow;

/* NULL when memory or descriptors are out. */
ml_mailbox *ml_mailbox_new(void);
/* Cancels what is under way for it, and frees what was not taken. No thread may be submitting to
 * it. */
void ml_mailbox_free(ml_mailbox *mailbox);
/* For poll() and its kin: readable while something waits to be taken. It belongs to the mailbox,
 * and stays the same; negative: a forked child could not have one of its own. */
int ml_mailbox_descriptor(const ml_mailbox *mailbox);
/* Waits for that many seconds at most. True: something is there. False may also come early, when a
 * signal arrives. */
bool ml_mailbox_wait(ml_mailbox *mailbox, double seconds);

/* What is told of a submitted call. All of it belongs to the news. */
typedef struct ml_news {
    void *context;      /* of the submit */
    bool is_over;       /* true: the outcome, which comes once for each submit, and last */
    ml_attempt attempt; /* when not over: an attempt that begins, or one that is over */
    /* the outcome */
    ml_request *request;
    ml_response *response; /* as for ml_client_call(); may be NULL */
    const ml_error *error; /* never NULL; its status is ML_OK when all is well */
} ml_news;

/* The oldest news; NULL: nothing now. The caller frees it. */
ml_news *ml_mailbox_take(ml_mailbox *mailbox);
void ml_news_free(ml_news *news);

/* A flow with a pace of so many requests a second at most, retries included; 0: as fast as goes.
 * NULL when memory is out. */
ml_flow *ml_flow_new(double per_second);
/* Calls that were submitted with it keep its pace all the same. */
void ml_flow_free(ml_flow *flow);

typedef struct ml_submit_options {
    double timeout;      /* negative: the client's. It runs from the submit on, in the queue too */
    int max_retries;     /* negative: the client's */
    bool tells_attempts; /* attempts come to the mailbox, too; false: only those that are repeated.
                            One for whose news there is no memory is left out */
    /*
     * NULL: none. A call with a flow is patient:
     * - it waits for the flow's pace;
     * - when Merge answers one of the flow's calls with 429 and says how long to wait, up to 10
     *   minutes, all of them wait, and that call is sent again, whatever its timeout and
     *   max_retries, up to 10 times;
     * - where the error budget would end it with ML_ERR_BUDGET, it waits until it may be sent.
     * None of these waits, nor the one in the queue, counts as a part of the timeout.
     */
    ml_flow *flow;
    void *context; /* comes with the news */
} ml_submit_options;

void ml_submit_options_init(ml_submit_options *options);

/*
 * Checks as ml_client_call() does, and leaves the rest to the engine. ML_OK: the request belongs to
 * the engine, and the outcome will come to the mailbox. Otherwise the request is the caller's as
 * before, and nothing comes: ML_ERR_CONFIGURATION, ML_ERR_VALIDATION, ML_ERR_CLOSED or
 * ML_ERR_MEMORY, which includes a thread that cannot be started. `ticket` may be NULL; *ticket is
 * set before the outcome can come, which may be before this returns.
 *
 * A call that is under way when the client is closed ends with ML_ERR_CLOSED; when
 * ml_client_close() returns, its outcome is in the mailbox.
 */
ml_status ml_client_submit(ml_client *client, ml_request *request, const ml_submit_options *options,
                           ml_mailbox *mailbox, ml_ticket **ticket, ml_error *error);

/* The outcome comes all the same: soon, ML_ERR_INTERRUPTED, unless the call was quicker. From the
 * mailbox's thread. Again, and in a forked child, it has no effect. */
void ml_ticket_cancel(ml_ticket *ticket);

/* ---- responses ------------------------------------------------------------------------- */

typedef enum ml_kind {
    ML_KIND_NULL,
    ML_KIND_BOOL,
    ML_KIND_NUMBER,
    ML_KIND_STRING,
    ML_KIND_ARRAY,
    ML_KIND_OBJECT
} ml_kind;

/* A member of the answer's JSON object, in the server's order. */
typedef struct ml_member {
    const ml_field *field; /* its row, or NULL when this library does not know it */
    const char *name;      /* NULL when it holds U+0000: then only name_json has it */
    ml_text name_json;     /* the name as it was sent, with its quotes */
    ml_kind kind;
    ml_text json;     /* the value exactly as it was sent */
    const char *text; /* a string, decoded; NULL for other kinds and when it holds U+0000 */
} ml_member;

void ml_response_free(ml_response *response);
int ml_response_status(const ml_response *response);
unsigned ml_response_attempts(const ml_response *response);
ml_timing ml_response_timing(const ml_response *response);
/* Seconds since the epoch on this machine's clock, when the last attempt began. */
double ml_response_began(const ml_response *response);
/* The header lines without the status line: "Name: value\r\n" each. The call's own secrets are
 * masked in them. */
ml_text ml_response_headers(const ml_response *response);
/* The body as it came, decompressed; cut to the size limit when the status is 400 or more.
 * When the call failed, the call's own secrets are masked in it. */
ml_text ml_response_body(const ml_response *response);
bool ml_response_body_is_json(const ml_response *response);
/* The "detail" of an error body, or NULL. */
const char *ml_response_detail(const ml_response *response);
size_t ml_response_member_count(const ml_response *response);
const ml_member *ml_response_member(const ml_response *response, size_t index);

/* When the server answered, by its own clock: the Date in header lines, in seconds since the epoch;
 * `began` when there is none or it is no date. The server decides when a token expires. */
double ml_answer_time(ml_text headers, double began);

/* ---- the library ----------------------------------------------------------------------- */

const char *ml_version(void);         /* of this library */
const char *ml_libcurl_version(void); /* of the libcurl in use */
const char *ml_tls_version(void);     /* name and version of the TLS library that libcurl uses */
const char *ml_cjson_version(void);   /* of the cJSON in use */
/* ML_ERR_CONFIGURATION when the libcurl in use is too old (7.88 is needed). */
ml_status ml_library_check(ml_error *error);
/* Where this machine keeps its CA certificates: a hashed directory or a PEM file; NULL: nowhere
 * known. The text lives as long as the program. */
const char *ml_system_ca(void);
/* Forbids calls that would leave this machine, so that a test can never reach Merge: while it is
 * on, a call to a host that is not loopback, or through a proxy that is not, ends with
 * ML_ERR_CONFIGURATION before anything is sent, whenever its client was made. Calls that have begun
 * go on. It holds for the whole process and is inherited by fork. Each true takes a false of its
 * own to end it; a false too many has no effect. Any thread. */
void ml_set_loopback_only(bool on);
/* Finds the known names that a wrong one may stand for, at most so many, in their own order, and
 * returns how many. Borrows; names ends with NULL. */
size_t ml_likely_names(const char *name, const char *const *names, const char **likely,
                       size_t most);

#ifdef __cplusplus
}
#endif

#endif
