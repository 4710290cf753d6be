#include "server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 32, MOST_REQUESTS = 64, REQUEST_BYTES = 16 * 1024 };

typedef struct request {
    char bytes[REQUEST_BYTES];
    size_t body_length;
} request;

static struct {
    pthread_t thread;
    int listener, stop[2];
    int connections[MOST_CONNECTIONS]; /* -1: none */
    bool held[MOST_CONNECTIONS];
    const server_turn *turns;
    size_t count, next;
    bool forever;
    char base_url[64], dead_url[64];
    size_t accepted, request_count;
    request requests[MOST_REQUESTS];
} server;

/* ---- the script ---- */

static const server_turn *next_turn(void) {
    static const server_turn over = {.then = SERVER_CLOSES};
    if (server.forever) return server.turns;
    return server.next < server.count ? &server.turns[server.next++] : &over;
}

static bool is_next_unread(void) {
    return !server.forever && server.next < server.count && server.turns[server.next].unread;
}

/* ---- requests ---- */

static size_t declared_length(const char *header) {
    const char *line = strcasestr(header, "\r\ncontent-length:");
    return line == NULL ? 0 : (size_t)strtoul(line + 17, NULL, 10);
}

/* Reads up to the end of the header section, byte by byte; false when the connection ends. */
static bool read_header(int connection, char *bytes, size_t *length) {
    while (*length < REQUEST_BYTES - 1 && strstr(bytes, "\r\n\r\n") == NULL) {
        if (recv(connection, bytes + *length, 1, 0) <= 0) return false;
        bytes[++*length] = '\0';
    }
    return true;
}

static void read_body(int connection, request *into, size_t length) {
    char rest[4096];
    while (into->body_length < length) {
        size_t missing = length - into->body_length;
        ssize_t got = recv(connection, rest, missing < sizeof rest ? missing : sizeof rest, 0);
        if (got <= 0) return;
        into->body_length += (size_t)got;
        size_t used = strlen(into->bytes), room = REQUEST_BYTES - 1 - used;
        snprintf(into->bytes + used, room + 1, "%.*s", (int)got, rest);
    }
}

static bool read_request(int connection) {
    static request last;
    size_t length = 0;
    memset(&last, 0, sizeof last);
    if (!read_header(connection, last.bytes, &length)) return false;
    read_body(connection, &last, declared_length(last.bytes));
    size_t at = server.request_count < MOST_REQUESTS ? server.request_count : MOST_REQUESTS - 1;
    server.requests[at] = last;
    server.request_count++;
    return true;
}

/* ---- answers ---- */

static void send_answer(int connection, const server_turn *turn) {
    size_t length = turn->length > 0 ? turn->length : strlen(turn->answer);
    for (size_t sent = 0; sent < length;) {
        size_t step = turn->bytewise ? 1 : length - sent;
        ssize_t done = send(connection, turn->answer + sent, step, MSG_NOSIGNAL);
        if (done <= 0) return;
        sent += (size_t)done;
    }
}

static void drop(size_t slot) {
    close(server.connections[slot]);
    server.connections[slot] = -1;
}

static void serve(size_t slot) {
    int connection = server.connections[slot];
    char byte;
    if (recv(connection, &byte, 1, MSG_PEEK) <= 0 || server.held[slot] ||
        !read_request(connection)) {
        drop(slot);
        return;
    }
    const server_turn *turn = next_turn();
    if (turn->answer != NULL) send_answer(connection, turn);
    if (turn->then == SERVER_CLOSES) drop(slot);
    if (turn->then == SERVER_HOLDS) server.held[slot] = true;
}

static void accept_one(void) {
    int yes = 1, connection = accept(server.listener, NULL, NULL);
    size_t slot = 0;
    if (connection < 0) return;
    while (slot < MOST_CONNECTIONS && server.connections[slot] >= 0)
        slot++;
    if (slot == MOST_CONNECTIONS) abort();
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    server.accepted++;
    server.held[slot] = false;
    server.connections[slot] = connection;
    if (!is_next_unread()) return;
    next_turn();
    drop(slot);
}

/* ---- the thread ---- */

static void *run(void *nothing) {
    (void)nothing;
    struct pollfd waiting[MOST_CONNECTIONS + 2];
    for (;;) {
        waiting[MOST_CONNECTIONS] = (struct pollfd){.fd = server.listener, .events = POLLIN};
        waiting[MOST_CONNECTIONS + 1] = (struct pollfd){.fd = server.stop[0], .events = POLLIN};
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            waiting[i] = (struct pollfd){.fd = server.connections[i], .events = POLLIN};
        if (poll(waiting, MOST_CONNECTIONS + 2, -1) < 0) continue;
        if (waiting[MOST_CONNECTIONS + 1].revents != 0) return NULL;
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            if (waiting[i].revents != 0) serve(i);
        if (waiting[MOST_CONNECTIONS].revents != 0) accept_one();
    }
}

/* A socket on a free port; the port goes into the URL. */
static int listen_somewhere(char *url, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, MOST_CONNECTIONS) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    snprintf(url, size, "http://127.0.0.1:%d/api", ntohs(address.sin_port));
    return listener;
}

static void begin(void) {
    server.next = server.accepted = server.request_count = 0;
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        server.connections[i] = -1;
    server.listener = listen_somewhere(server.base_url, sizeof server.base_url);
    if (pipe(server.stop) != 0 || pthread_create(&server.thread, NULL, run, NULL) != 0) abort();
}

void server_start(const server_turn *turns, size_t count) {
    server.turns = turns;
    server.count = count;
    server.forever = false;
    begin();
}

void server_start_forever(const server_turn *turn) {
    server.turns = turn;
    server.count = 1;
    server.forever = true;
    begin();
}

void server_stop(void) {
    if (write(server.stop[1], "x", 1) != 1) abort();
    pthread_join(server.thread, NULL);
    close(server.listener);
    close(server.stop[0]);
    close(server.stop[1]);
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        if (server.connections[i] >= 0) drop(i);
}

const char *server_base_url(void) {
    return server.base_url;
}

const char *server_dead_url(void) {
    close(listen_somewhere(server.dead_url, sizeof server.dead_url));
    return server.dead_url;
}

size_t server_connections(void) {
    return server.accepted;
}

size_t server_requests(void) {
    return server.request_count;
}

const char *server_request(size_t index) {
    if (index >= server.request_count || index >= MOST_REQUESTS) abort();
    return server.requests[index].bytes;
}

size_t server_body_length(size_t index) {
    if (index >= server.request_count || index >= MOST_REQUESTS) abort();
    return server.requests[index].body_length;
}
