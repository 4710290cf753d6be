/*
 * echo - an HTTP server on a free loopback port, in a thread of its own, for any number of clients
 * at once (server.h plays a script instead). What it answers is asked for by the first letters of
 * the request's end_user_origin_id:
 *
 *     drop    closes the connection without an answer
 *     hang    says nothing
 *     s503    that status, with Retry-After: 0
 *     e401    that status, with the whole request in the answer's "detail" and in a header
 *     other   a link token: "token-of-" and the end_user_origin_id
 *
 * A request without a body gets an empty object. One server runs at a time.
 */
#ifndef ML_TEST_ECHO_H
#define ML_TEST_ECHO_H

#include <stddef.h>

void echo_start(void);
void echo_stop(void);

/* "http://127.0.0.1:<port>/api" */
const char *echo_base_url(void);

/* Requests that have come so far, and connections that are open now. Any thread. */
size_t echo_requests(void);
size_t echo_connections(void);

#endif
