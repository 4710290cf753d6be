/*
 * transport - the network behind a small table of functions: libcurl (transport/) in real life,
 * a script in the core's tests. It also owns the clock, so that tests can turn it.
 *
 * A lane sends one exchange at a time over a connection that it keeps; an ml_many sends many at
 * once.
 */
#ifndef ML_TRANSPORT_H
#define ML_TRANSPORT_H

#include "buffer.h"
#include "config.h"
#include "http.h"
#include "merge_link.h"

/* One attempt: what goes out, and what became of it. */
typedef struct ml_exchange {
    /* borrowed, until it is over */
    const ml_config *config; /* of the client or view whose call it is; NULL: the lane's */
    const char *method;
    const char *url;
    char *const *lines; /* of the header, "Name: value" */
    size_t line_count;
    ml_text body;
    bool has_body;
    bool once;      /* must not be written twice, not even by libcurl on a dead connection */
    double timeout; /* seconds left for it */
    double limit;   /* seconds that the whole call was given */
    size_t max_response_bytes;

    /* what came of it: status is ML_OK when a whole answer came, whatever it says */
    ml_status status;
    char code[ML_ERROR_CODE_SIZE];
    char text[ML_ERROR_TEXT_SIZE];
    char hint[ML_ERROR_HINT_SIZE]; /* what to do about it, or "" */
    const char *cause;             /* as in ml_error, or "" */
    bool is_final;                 /* a failure that another attempt would not mend */
    int http_status;
    unsigned sends; /* requests written or begun, libcurl's own repeats too */
    bool may_have_arrived;
    bool resend_refused; /* because of `once` */
    bool body_cut;       /* the body was larger than max_response_bytes */
    double began;        /* seconds since the epoch */
    ml_timing timing;

    void *carrier; /* the transport's own, while it is one of many */

    /* of the header reader */
    unsigned sections; /* status lines so far */
    bool has_length, has_encoding;
    bool headers_whole;       /* the empty line after them has come */
    const char *header_fault; /* why it ended the exchange, or NULL */

    /* owned */
    ml_buffer headers; /* of the final answer, without the status line */
    ml_buffer body_in;
} ml_exchange;

typedef struct ml_many ml_many;

/* Many exchanges at once, over as many connections as it takes. One thread uses it at a time, but
 * for `wake`. */
typedef struct ml_many_transport {
    /* NULL when memory is out. */
    ml_many *(*open)(const ml_config *config, ml_error *error);
    /* No exchange may be under way. */
    void (*close)(ml_many *many);
    /* In a forked child: closes its sockets and forgets the rest, which is the parent's. */
    void (*abandon)(ml_many *many);
    /* How many exchanges may be under way: as many as connections, until the server has agreed to
     * more than one on each. */
    size_t (*capacity)(const ml_many *many);
    /* Begins an exchange. False: it is over already, with a status that says why. */
    bool (*start)(ml_many *many, ml_exchange *exchange);
    /* Ends an exchange early. */
    void (*cancel)(ml_many *many, ml_exchange *exchange);
    /* Moves all of them on; waits for that many seconds at most, until something happens. */
    void (*poll)(ml_many *many, double seconds);
    /* One that is over and was not told yet; NULL: none. */
    ml_exchange *(*ended)(ml_many *many);
    /* Makes a poll return at once, or the next one. Any thread. */
    void (*wake)(ml_many *many);
} ml_many_transport;

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
    const ml_many_transport *many; /* by the same clock */
} ml_transport;

/* The transport over libcurl. */
extern const ml_transport ml_curl_transport;

/* Makes libcurl ready for the process, once. Any thread. */
ml_status ml_transport_init(ml_error *error);

/* Frees and clears what an exchange came back with, to be used for another attempt. */
void ml_exchange_reset(ml_exchange *exchange);

#endif
