/*
 * transport - the network behind a small table of functions: libcurl (transport/) in real life,
 * a script in the core's tests. It also owns the clock, so that tests can turn it.
 *
 * A lane sends one exchange at a time over a connection that it keeps.
 */
#ifndef ML_TRANSPORT_H
#define ML_TRANSPORT_H

#include "buffer.h"
#include "config.h"
#include "merge_link.h"

/* One attempt: what goes out, and what became of it. */
typedef struct ml_exchange {
    /* borrowed, until it is over */
    const char *method;
    const char *url;
    char *const *lines; /* of the header, "Name: value" */
    size_t line_count;
    ml_text body;
    bool has_body;
    bool once;      /* must not be written twice, not even by libcurl on a dead connection */
    double timeout; /* seconds left for it */
    size_t max_response_bytes;

    /* what came of it: status is ML_OK when a whole answer came, whatever it says */
    ml_status status;
    char code[ML_ERROR_CODE_SIZE];
    char text[256];
    int http_status;
    unsigned sends; /* requests written or begun, libcurl's own repeats too */
    bool may_have_arrived;
    bool resend_refused; /* because of `once` */
    bool body_cut;       /* the body was larger than max_response_bytes */
    double began;        /* seconds since the epoch */
    ml_timing timing;

    /* of the header reader */
    unsigned sections; /* status lines so far */
    bool has_length, has_encoding;
    bool headers_whole; /* the empty line after them has come */

    /* owned */
    ml_buffer headers; /* of the final answer, without the status line */
    ml_buffer body_in;
} ml_exchange;

typedef struct ml_lane ml_lane;

typedef struct ml_transport {
    /* NULL when memory is out or libcurl refuses an option (error says which). */
    ml_lane *(*open)(const ml_config *config, ml_error *error);
    void (*close)(ml_lane *lane);
    /* In a forked child: closes the lane's sockets and forgets the rest, which is the parent's. */
    void (*abandon)(ml_lane *lane);
    /* Begins an exchange. False: it is over already, with a status that says why. */
    bool (*start)(ml_lane *lane, ml_exchange *exchange);
    /* Moves it on, for about that many seconds at most; true when it is over. Without an exchange
     * it only waits. */
    bool (*poll)(ml_lane *lane, double seconds);
    /* Ends an exchange early; its connection is not used again. */
    void (*cancel)(ml_lane *lane);
    /* Makes a poll in another thread return at once. */
    void (*wake)(ml_lane *lane);
    /* Seconds on a clock that only goes forward. */
    double (*now)(void);
    /* A number of [0, 1). */
    double (*dice)(void);
} ml_transport;

/* The transport over libcurl. */
extern const ml_transport ml_curl_transport;

/* Makes libcurl ready for the process, once. Any thread. */
ml_status ml_transport_init(ml_error *error);

/* "merge-link/<version> libcurl/<version>" */
const char *ml_default_user_agent(void);

/* What a URL consists of, as libcurl reads it. */
typedef struct ml_url_parts {
    char scheme[8];
    char host[256];
    char port[8]; /* the scheme's own when the URL names none */
    bool has_user, has_query, has_fragment;
} ml_url_parts;

typedef enum ml_url_verdict { ML_URL_GOOD, ML_URL_BAD, ML_URL_NO_MEMORY } ml_url_verdict;

ml_url_verdict ml_url_read(const char *url, ml_url_parts *parts);

/* The password in a proxy's URL, and its user and password as they are sent: in base64. Neither is
 * set when the URL (it may be NULL) holds none. False when memory is out. */
bool ml_proxy_login(const char *url, ml_secret *password, ml_secret *login);

/* An HTTP date as seconds since the epoch; negative when it is none. */
double ml_http_date(const char *text);

/* Frees and clears what an exchange came back with, to be used for another attempt. */
void ml_exchange_reset(ml_exchange *exchange);

/* The value of a header in a block of "Name: value\r\n" lines, the last one if it is repeated.
 * Length 0 when it is missing. */
ml_text ml_header_find(ml_text block, const char *name);

#endif
