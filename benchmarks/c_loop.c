/*
 * c_loop - one call after the other on a kept easy handle: the floor for one call with libcurl and
 * cJSON.
 */
#include "limits.h"

typedef struct loop {
    CURL *easy;
    answer into;
} loop;

static void make_calls(void *user, int calls) {
    loop *with = user;
    for (int i = 0; i < calls; i++) {
        char *body = make_body();
        with->into.length = 0;
        set_body(with->easy, body);
        check(with->easy, curl_easy_perform(with->easy), &with->into);
        free(body);
    }
}

int main(int argc, char **argv) {
    order task = read_order(argc, argv);
    loop with = {0};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct curl_slist *lines = make_lines(&task);
    with.easy = make_handle(&task, lines, &with.into);
    measure(make_calls, &with, task.warm_up);
    curl_easy_cleanup(with.easy);
    curl_slist_free_all(lines);
    return 0;
}
