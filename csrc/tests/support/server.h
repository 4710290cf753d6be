/*
 * server - a scripted HTTP server on a free loopback port, in a thread of its own. It reads whole
 * requests and answers each with the next turn of its script, byte for byte.
 *
 * One runs at a time. What it saw is asked for after server_stop().
 */
#ifndef ML_TEST_SERVER_H
#define ML_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum server_end {
    SERVER_KEEPS,  /* the connection, for further requests */
    SERVER_CLOSES, /* the connection */
    SERVER_HOLDS   /* the connection, and says nothing more */
} server_end;

typedef struct server_turn {
    const char *answer; /* NULL: none */
    size_t length;      /* 0: up to the NUL */
    server_end then;
    bool unread;   /* closes a new connection at once, without reading */
    bool bytewise; /* sends byte by byte */
} server_turn;

/* Borrows the turns until it is stopped. A connection that comes after the last one is closed. */
void server_start(const server_turn *turns, size_t count);
/* The same turn again and again. */
void server_start_forever(const server_turn *turn);
void server_stop(void);

/* "http://127.0.0.1:<port>/api" */
const char *server_base_url(void);
/* A port on which nothing listens, as a base URL. */
const char *server_dead_url(void);

size_t server_connections(void);
size_t server_requests(void);
/* The bytes of a request, cut to 16 KiB. */
const char *server_request(size_t index);
/* Of the body alone, uncut. */
size_t server_body_length(size_t index);

#endif
