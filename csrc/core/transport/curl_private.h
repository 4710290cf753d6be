/*
 * The room that knows libcurl: nothing outside of transport/ includes this header, and nothing
 * else includes curl's.
 */
#ifndef ML_CURL_PRIVATE_H
#define ML_CURL_PRIVATE_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "../certificate.h"
#include "../transport.h"

/* ---- share.c ---- */

/* Gets ready for fork(). Once, before the first lane. */
void ml_curl_share_join(void);
/* What all lanes of the process share; NULL when memory is out. Lives as long as the process. */
CURLSH *ml_curl_share(void);

/* ---- options.c: what holds for every request of a client ---- */

/* Sets the options that never change. False: libcurl refused one, named in error. */
bool ml_curl_set_fixed(CURL *easy, const ml_config *config, ml_error *error);
/* The one of them that a view may change. */
CURLcode ml_curl_set_proxy(CURL *easy, const ml_config *config);

/* ---- sockets.c: the open sockets of a lane or an ml_many ---- */

/* libcurl owns them, but a forked child must close its copies, and a kept connection that the
 * server has closed is known by its socket. Atomic because a fork may come at any time. */
typedef struct ml_sockets {
    atomic_int *places; /* borrowed; each socket plus one, so that 0 is a free place */
    size_t room;
    atomic_size_t open;
} ml_sockets;

/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION; the user data is an ml_sockets.
 */
curl_socket_t ml_curl_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address);
int ml_curl_close_socket(void *user, curl_socket_t item);
/* Has the other side closed one of them? */
bool ml_sockets_any_hung_up(const ml_sockets *sockets);
/* In a forked child: closes them all. */
void ml_sockets_abandon(ml_sockets *sockets);

/* ---- headers.c: the header section as it arrives ---- */

/* For CURLOPT_HEADERFUNCTION; its user data is the ml_exchange. */
size_t ml_curl_take_header(char *line, size_t size, size_t count, void *user);

/* ---- watch.c: what is seen of a connection while it is made ---- */

typedef struct ml_watched {
    ml_certificate certificate; /* that the other side showed last */
    bool has_begun_tls;
    bool has_asked; /* a request was written, be it the one to a proxy */
    int alert;      /* the number of the TLS alert that ended it; 0: none did */
} ml_watched;

/* For CURLOPT_DEBUGFUNCTION; its user data is an ml_watched. */
int ml_curl_watch(CURL *easy, curl_infotype type, char *data, size_t size, void *user);

/* ---- carrier.c: an easy handle, and the exchange that it carries ---- */

typedef struct ml_carrier {
    CURL *easy;               /* owned */
    CURLU *url;               /* owned: where the last exchange went */
    ml_secret url_text;       /* owned: the same as text */
    struct curl_slist *lines; /* owned: an array of line_room, linked one to the next */
    size_t line_room;
    const ml_config *config; /* borrowed */
    bool is_diverted;        /* the handle has another proxy than that of the config */
    bool has_roamed;         /* it went to another server, or by another proxy, at least once */
    ml_exchange *exchange;   /* borrowed while it is under way */
    ml_watched watched;      /* in this exchange */
    char detail[CURL_ERROR_SIZE];
} ml_carrier;

/* False: memory is out or libcurl refuses an option; there is nothing to free then. It stays where
 * it is from now on. Both are borrowed. */
bool ml_carrier_init(ml_carrier *carrier, const ml_config *config, ml_sockets *sockets,
                     ml_error *error);
void ml_carrier_free(ml_carrier *carrier);

/* What is known of the connection that an exchange will have. */
typedef struct ml_route {
    bool is_fresh; /* it must be a new one */
    bool is_new;   /* it may be a new one: what is seen of it is watched */
} ml_route;

/* Gets ready to carry the exchange. Then, unless it fails, it is for the caller to add the easy
 * handle to a multi handle, and to call ml_carrier_end() when it was removed from there. */
CURLcode ml_carrier_load(ml_carrier *carrier, ml_exchange *exchange, ml_route route);
/* Judges the exchange, and lets go of it. */
void ml_carrier_end(ml_carrier *carrier, CURLcode code);

/* ---- many.c ---- */

extern const ml_many_transport ml_curl_many;

/* ---- outcome.c: what a finished transfer means ---- */

/* A transfer that has ended. All borrowed. */
typedef struct ml_transfer {
    CURL *easy;
    const ml_config *config;
    const ml_watched *watched;
    ml_exchange *exchange;
    CURLcode code;
    const char *detail; /* libcurl's words */
    int refusal;        /* the status by which a proxy refused to pass the request on; 0: none */
} ml_transfer;

/* Fills the exchange's outcome from libcurl's result. */
void ml_curl_judge(const ml_transfer *transfer);

/* ---- words.c: what is said of a transfer that failed ---- */

/* Sets the exchange's text and hint. */
void ml_curl_explain(const ml_transfer *transfer);
/* The status by which a proxy refused to pass the request on; 0: it did not. */
int ml_curl_proxy_refusal(const ml_transfer *transfer);

#endif
