/*
 * socket_loop - the same bytes over a bare socket, prepared once and not parsed: what the kernel
 * costs.
 */
#include "limits.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct loop {
    int connection;
    char request[2048];
    size_t length;
} loop;

/* An answer comes in one piece: the server writes it so, and it is small. */
static void make_calls(void *user, int calls) {
    const loop *with = user;
    char into[4096];
    for (int i = 0; i < calls; i++) {
        if (send(with->connection, with->request, with->length, 0) != (ssize_t)with->length)
            fail("send");
        ssize_t got = recv(with->connection, into, sizeof into, 0);
        if (got < 12 || memcmp(into, "HTTP/1.1 200", 12) != 0) fail("the status is not 200");
    }
}

static void prepare(loop *with, const order *task, long port) {
    char *body = make_body();
    int length = snprintf(with->request, sizeof with->request,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\n"
                          "Accept-Encoding: deflate, gzip, br, zstd\r\nUser-Agent: %s\r\n"
                          "Accept: application/json\r\nAuthorization: Bearer %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          strchr(task->url + strlen("http://"), '/'), port, task->user_agent,
                          task->key, strlen(body), body);
    if (length < 0 || (size_t)length >= sizeof with->request) fail("the request is too long");
    with->length = (size_t)length;
    free(body);
}

static int connect_to(long port) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((in_port_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (connection < 0) fail("socket");
    if (connect(connection, (const struct sockaddr *)&to, sizeof to) != 0) fail("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

int main(int argc, char **argv) {
    static const char host[] = "http://127.0.0.1:";
    order task = read_order(argc, argv);
    if (strncmp(task.url, host, strlen(host)) != 0) fail("the URL is not http://127.0.0.1:...");
    long port = strtol(task.url + strlen(host), NULL, 10);
    loop with = {.connection = connect_to(port)};
    prepare(&with, &task, port);
    measure(make_calls, &with, task.warm_up);
    close(with.connection);
    return 0;
}
