#include "echo.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 256, MOST_BYTES = 16 * 1024, LONGEST_ORIGIN = 128 };

typedef struct connection {
    int socket; /* -1: a free place */
    size_t length;
    char bytes[MOST_BYTES];
} connection;

static struct {
    pthread_t thread;
    int listener, stop[2];
    char base_url[64];
    atomic_size_t requests, open;
    connection connections[MOST_CONNECTIONS];
} echo;

static void drop(connection *c) {
    close(c->socket);
    c->socket = -1;
    atomic_fetch_sub(&echo.open, 1);
}

/* ---- answers ---- */

static void send_all(const connection *c, const char *text) {
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t done = send(c->socket, text, length, MSG_NOSIGNAL);
        if (done <= 0) return;
        text += done;
        length -= (size_t)done;
    }
}

static void send_answer(const connection *c, int status, const char *header, const char *body) {
    static char answer[9 * MOST_BYTES];
    snprintf(answer, sizeof answer, "HTTP/1.1 %d Said\r\n%sContent-Length: %zu\r\n\r\n%s", status,
             header, strlen(body), body);
    send_all(c, answer);
}

/* The request as the inside of a JSON string. */
static void quote(const char *text, char *to) {
    for (; *text != '\0'; text++) {
        if (strchr("\"\\", *text) != NULL) *to++ = '\\';
        *to++ = *text >= ' ' ? *text : ' ';
    }
    *to = '\0';
}

static void send_echo(const connection *c, int status) {
    static char quoted[2 * MOST_BYTES], body[5 * MOST_BYTES], header[3 * MOST_BYTES];
    quote(c->bytes, quoted);
    snprintf(body, sizeof body, "{\"detail\": \"%s\", \"fields\": [{\"inner\": [\"%s\"]}]}", quoted,
             quoted);
    snprintf(header, sizeof header, "X-Echo: %s\r\n", quoted);
    send_answer(c, status, header, body);
}

static void send_token(const connection *c, const char *origin) {
    char body[LONGEST_ORIGIN + 64];
    snprintf(body, sizeof body, "{\"link_token\": \"token-of-%s\", \"new\": [1, \"a\"]}", origin);
    send_answer(c, 200, "", body);
}

static void read_origin(const connection *c, char *origin) {
    static const char name[] = "\"end_user_origin_id\":\"";
    const char *found = strstr(c->bytes, name);
    size_t length = 0;
    if (found != NULL) {
        found += sizeof name - 1;
        length = strcspn(found, "\"");
        if (length >= LONGEST_ORIGIN) length = LONGEST_ORIGIN - 1;
        memcpy(origin, found, length);
    }
    origin[length] = '\0';
}

static void reply(connection *c) {
    char origin[LONGEST_ORIGIN];
    read_origin(c, origin);
    int status = origin[0] == '\0' ? 0 : (int)strtol(origin + 1, NULL, 10);
    if (strncmp(origin, "drop", 4) == 0)
        drop(c);
    else if (origin[0] == '\0')
        send_answer(c, 200, "", "{\"results\": []}");
    else if (origin[0] == 's' && status > 0)
        send_answer(c, status, "Retry-After: 0\r\n", "{\"detail\": \"no\"}");
    else if (origin[0] == 'e' && status > 0)
        send_echo(c, status);
    else if (strncmp(origin, "hang", 4) != 0)
        send_token(c, origin);
}

/* ---- requests ---- */

/* Bytes of the whole request; 0 when they are not known yet. */
static size_t request_length(const connection *c) {
    const char *end = strstr(c->bytes, "\r\n\r\n");
    const char *line = strcasestr(c->bytes, "\r\ncontent-length:");
    if (end == NULL) return 0;
    size_t body = line != NULL && line < end ? (size_t)strtoul(line + 17, NULL, 10) : 0;
    return (size_t)(end - c->bytes) + 4 + body;
}

static void serve(connection *c) {
    ssize_t got = recv(c->socket, c->bytes + c->length, MOST_BYTES - 1 - c->length, 0);
    if (got <= 0) {
        drop(c);
        return;
    }
    c->length += (size_t)got;
    c->bytes[c->length] = '\0';
    size_t whole = request_length(c);
    if (whole == 0 || whole > c->length) return;
    atomic_fetch_add(&echo.requests, 1);
    reply(c);
    c->length = 0;
    c->bytes[0] = '\0';
}

static void accept_one(void) {
    int yes = 1, made = accept(echo.listener, NULL, NULL);
    size_t at = 0;
    if (made < 0) return;
    while (at < MOST_CONNECTIONS && echo.connections[at].socket >= 0)
        at++;
    if (at == MOST_CONNECTIONS) abort();
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    atomic_fetch_add(&echo.open, 1);
    echo.connections[at].socket = made;
    echo.connections[at].length = 0;
    echo.connections[at].bytes[0] = '\0';
}

/* ---- the thread ---- */

static void *run(void *nothing) {
    (void)nothing;
    struct pollfd waiting[MOST_CONNECTIONS + 2];
    for (;;) {
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            waiting[i] = (struct pollfd){.fd = echo.connections[i].socket, .events = POLLIN};
        waiting[MOST_CONNECTIONS] = (struct pollfd){.fd = echo.listener, .events = POLLIN};
        waiting[MOST_CONNECTIONS + 1] = (struct pollfd){.fd = echo.stop[0], .events = POLLIN};
        if (poll(waiting, MOST_CONNECTIONS + 2, -1) < 0) continue;
        if (waiting[MOST_CONNECTIONS + 1].revents != 0) return NULL;
        for (size_t i = 0; i < MOST_CONNECTIONS; i++)
            if (waiting[i].revents != 0) serve(&echo.connections[i]);
        if (waiting[MOST_CONNECTIONS].revents != 0) accept_one();
    }
}

void echo_start(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        echo.connections[i].socket = -1;
    atomic_store(&echo.requests, 0);
    atomic_store(&echo.open, 0);
    echo.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (echo.listener < 0 ||
        bind(echo.listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(echo.listener, MOST_CONNECTIONS) != 0 ||
        getsockname(echo.listener, (struct sockaddr *)&address, &length) != 0 ||
        pipe(echo.stop) != 0)
        abort();
    snprintf(echo.base_url, sizeof echo.base_url, "http://127.0.0.1:%d/api",
             ntohs(address.sin_port));
    if (pthread_create(&echo.thread, NULL, run, NULL) != 0) abort();
}

void echo_stop(void) {
    if (write(echo.stop[1], "x", 1) != 1) abort();
    pthread_join(echo.thread, NULL);
    close(echo.listener);
    close(echo.stop[0]);
    close(echo.stop[1]);
    for (size_t i = 0; i < MOST_CONNECTIONS; i++)
        if (echo.connections[i].socket >= 0) drop(&echo.connections[i]);
}

const char *echo_base_url(void) {
    return echo.base_url;
}

size_t echo_requests(void) {
    return atomic_load(&echo.requests);
}

size_t echo_connections(void) {
    return atomic_load(&echo.open);
}
