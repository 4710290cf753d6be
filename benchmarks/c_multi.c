/*
 * c_multi - many calls at once on kept easy handles in one curl_multi: the floor for many.
 *
 * With curl_multi_perform() and curl_multi_poll(): an epoll of its own (curl_multi_socket_action())
 * costs more for so few sockets, which libcurl gives up and takes back at each call.
 */
#include "limits.h"

typedef struct slot {
    CURL *easy;
    char *body;
    answer into;
} slot;

typedef struct crowd {
    CURLM *multi;
    int at_once;
    slot *slots;
} crowd;

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

static void make_calls(void *user, int calls) {
    crowd *all = user;
    int begun = 0, ended = 0, now = 1, running = 0;
    while (begun < all->at_once && begun < calls)
        start(all, &all->slots[begun++]);
    while (ended < calls) {
        /* What was begun in place of those that ended is sent before anything is waited for. */
        if (now == 0) curl_multi_poll(all->multi, NULL, 0, 1000, NULL);
        curl_multi_perform(all->multi, &running);
        now = collect(all, calls - begun);
        ended += now;
        begun += now < calls - begun ? now : calls - begun;
    }
}

int main(int argc, char **argv) {
    order task = read_order(argc, argv);
    crowd all = {.at_once = task.at_once};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *lines = make_lines(&task);
    all.multi = curl_multi_init();
    all.slots = calloc((size_t)task.at_once, sizeof *all.slots);
    if (all.multi == NULL || all.slots == NULL) fail("out of memory");
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
    return 0;
}
