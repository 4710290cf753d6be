/*
 * c_multi - many calls at once on kept easy handles in one curl_multi, driven by epoll: the floor for many.
 */
#include "limits.h"

#include <sys/epoll.h>
#include <unistd.h>

typedef struct slot {
    CURL *easy;
    char *body;
    answer into;
} slot;

typedef struct crowd {
    CURLM *multi;
    int events;   /* epoll */
    long timeout; /* milliseconds; negative: none */
    int at_once;
    slot *slots;
} crowd;

static int watch_socket(CURL *easy, curl_socket_t number, int what, void *user, void *known) {
    crowd *all = user;
    struct epoll_event event = {.data.fd = number};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(all->events, EPOLL_CTL_DEL, number, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    epoll_ctl(all->events, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, number, &event);
    if (known == NULL) curl_multi_assign(all->multi, number, all);
    return 0;
}

static int watch_clock(CURLM *multi, long timeout, void *user) {
    (void)multi;
    ((crowd *)user)->timeout = timeout;
    return 0;
}

static void start(crowd *all, slot *on) {
    on->body = make_body();
    on->into.length = 0;
    set_body(on->easy, on->body);
    curl_multi_add_handle(all->multi, on->easy);
}

/* How many have ended; as many as `more` says are begun in their place. */
static int collect(crowd *all, int more) {
    int ended = 0, left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(all->multi, &left)) != NULL;) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        slot *on = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &on);
        curl_multi_remove_handle(all->multi, easy);
        check(easy, code, &on->into);
        free(on->body);
        if (ended++ < more) start(all, on);
    }
    return ended;
}

static void wait_and_move(crowd *all) {
    struct epoll_event ready[64];
    int running = 0;
    int count = epoll_wait(all->events, ready, 64, (int)all->timeout);
    if (count == 0) curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (int i = 0; i < count; i++) {
        int what = (ready[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (ready[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (ready[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(all->multi, ready[i].data.fd, what, &running);
    }
}

static void make_calls(void *user, int calls) {
    crowd *all = user;
    int begun = 0, ended = 0;
    while (begun < all->at_once && begun < calls)
        start(all, &all->slots[begun++]);
    while (ended < calls) {
        wait_and_move(all);
        int now = collect(all, calls - begun);
        ended += now;
        begun += now < calls - begun ? now : calls - begun;
    }
}

int main(int argc, char **argv) {
    order task = read_order(argc, argv);
    crowd all = {.events = epoll_create1(0), .timeout = -1, .at_once = task.at_once};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *lines = make_lines(&task);
    all.multi = curl_multi_init();
    all.slots = calloc((size_t)task.at_once, sizeof *all.slots);
    if (all.events < 0 || all.multi == NULL || all.slots == NULL) fail("out of memory");
    curl_multi_setopt(all.multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(all.multi, CURLMOPT_SOCKETDATA, &all);
    curl_multi_setopt(all.multi, CURLMOPT_TIMERFUNCTION, watch_clock);
    curl_multi_setopt(all.multi, CURLMOPT_TIMERDATA, &all);
    curl_multi_setopt(all.multi, CURLMOPT_MAXCONNECTS, (long)task.at_once);
    for (int i = 0; i < task.at_once; i++) {
        all.slots[i].easy = make_handle(&task, lines, &all.slots[i].into);
        curl_easy_setopt(all.slots[i].easy, CURLOPT_PRIVATE, &all.slots[i]);
    }
    measure(make_calls, &all, task.warm_up);
    for (int i = 0; i < task.at_once; i++)
        curl_easy_cleanup(all.slots[i].easy);
    curl_multi_cleanup(all.multi);
    curl_slist_free_all(lines);
    free(all.slots);
    close(all.events);
    return 0;
}
