/*
 * sockets - the open sockets of a lane or an ml_many: opened and closed where a fork cannot come
 * in between, and looked at before a kept connection is used.
 */
#include "../process.h"
#include "curl_private.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef POLLRDHUP /* Linux alone has it: elsewhere this notices connections that were reset */
#define POLLRDHUP 0
#endif

enum { AT_ONCE = 64 };

/* One for which there is no place is still open in the child. */
static void swap_socket(const ml_sockets *sockets, int from, int to) {
    for (size_t i = 0; i < sockets->room; i++) {
        int expected = from;
        if (atomic_compare_exchange_strong(&sockets->places[i], &expected, to)) return;
    }
}

curl_socket_t ml_curl_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    ml_sockets *sockets = user;
    ml_process_lock(); /* No fork comes in between: the child would not know the socket. */
    int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (made >= 0) {
        swap_socket(sockets, 0, made + 1);
        atomic_fetch_add(&sockets->open, 1);
    }
    ml_process_unlock();
    return made;
}

/* Forgotten first: the number may be somebody else's as soon as it is closed. */
int ml_curl_close_socket(void *user, curl_socket_t item) {
    ml_sockets *sockets = user;
    ml_process_lock();
    swap_socket(sockets, item + 1, 0);
    atomic_fetch_sub(&sockets->open, 1);
    int failed = close(item);
    ml_process_unlock();
    return failed;
}

bool ml_sockets_any_hung_up(const ml_sockets *sockets) {
    struct pollfd kept[AT_ONCE];
    size_t left = atomic_load(&sockets->open);
    for (size_t i = 0; i < sockets->room && left > 0;) {
        nfds_t count = 0;
        for (; i < sockets->room && left > 0 && count < AT_ONCE; i++) {
            int item = atomic_load(&sockets->places[i]) - 1;
            if (item < 0) continue;
            kept[count++] = (struct pollfd){.fd = item, .events = POLLRDHUP};
            left--;
        }
        if (count > 0 && poll(kept, count, 0) > 0) return true;
    }
    return false;
}

void ml_sockets_abandon(ml_sockets *sockets) {
    for (size_t i = 0; i < sockets->room; i++) {
        int item = atomic_exchange(&sockets->places[i], 0) - 1;
        if (item >= 0) close(item);
    }
    atomic_store(&sockets->open, 0);
}
