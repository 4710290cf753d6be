/*
 * lane - one exchange at a time over one kept connection: an easy handle in a multi handle of
 * its own, so that whoever drives it can look up from the network every now and then.
 */
#include "../clock.h"
#include "../error.h"
#include "../process.h"
#include "curl_private.h"

#include <stdlib.h>
#include <unistd.h>

enum { MOST_SOCKETS = 16 };

struct ml_lane {
    CURLM *multi;       /* owned */
    ml_carrier carrier; /* owned */
    ml_lane *next;      /* of those that a forked child abandoned */
    ml_sockets sockets;
    atomic_int places[MOST_SOCKETS];
};

/* ---- clock and dice ---- */

/* Jitter needs no more than numbers that differ from thread to thread and try to try. */
static double dice(void) {
    static _Thread_local uint64_t state;
    static _Thread_local unsigned generation;
    /* After a fork too, or all children would wait alike. */
    if (state == 0 || generation != ml_process_generation()) {
        generation = ml_process_generation();
        state =
            (uint64_t)(uintptr_t)&state ^ (uint64_t)(ml_now() * 1e9) ^ ((uint64_t)getpid() << 32);
    }
    state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return (double)((mixed ^ (mixed >> 31)) >> 11) / 9007199254740992.0;
}

/* ---- life ---- */

static bool is_busy(const ml_lane *lane) {
    return lane->carrier.exchange != NULL;
}

static void close_lane(ml_lane *lane) {
    if (lane == NULL) return;
    if (is_busy(lane)) curl_multi_remove_handle(lane->multi, lane->carrier.easy);
    ml_carrier_free(&lane->carrier);
    if (lane->multi != NULL) curl_multi_cleanup(lane->multi);
    free(lane);
}

/* Lanes that stay as the fork found them: libcurl promises nothing across fork, and cleaning up
 * would say goodbye to the server on the parent's connection. */
static ml_lane *abandoned;

static void abandon(ml_lane *lane) {
    ml_sockets_abandon(&lane->sockets);
    lane->next = abandoned;
    abandoned = lane;
}

static ml_lane *open_lane(const ml_config *config, ml_error *error) {
    ml_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL) {
        ml_fail_memory(error);
        return NULL;
    }
    lane->sockets = (ml_sockets){.places = lane->places, .room = MOST_SOCKETS};
    lane->multi = curl_multi_init();
    if (lane->multi == NULL ||
        curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK) {
        ml_fail_memory(error);
        goto fail;
    }
#if LIBCURL_VERSION_NUM >= 0x081400 /* from 8.20 on, cleaning up waits for name lookups */
    curl_multi_setopt(lane->multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
    if (ml_carrier_init(&lane->carrier, config, &lane->sockets, error)) return lane;
fail:
    close_lane(lane);
    return NULL;
}

/* ---- an exchange ---- */

static void end_exchange(ml_lane *lane, CURLcode code) {
    curl_multi_remove_handle(lane->multi, lane->carrier.easy);
    ml_carrier_end(&lane->carrier, code);
}

/* Newer versions of libcurl do not look whether the server has closed a kept connection that was
 * used a moment ago: the request would be sent in vain, and twice. */
static bool start(ml_lane *lane, ml_exchange *exchange) {
    ml_route route = {
        .is_fresh = ml_sockets_any_hung_up(&lane->sockets),
        .is_new = atomic_load(&lane->sockets.open) == 0,
    };
    CURLcode code = ml_carrier_load(&lane->carrier, exchange, route);
    if (code == CURLE_OK && curl_multi_add_handle(lane->multi, lane->carrier.easy) != CURLM_OK)
        code = CURLE_OUT_OF_MEMORY;
    if (code != CURLE_OK) ml_carrier_end(&lane->carrier, code);
    return code == CURLE_OK;
}

/* Moves the transfer on; true when it is over. */
static bool advance(ml_lane *lane) {
    int running = 0, left = 0;
    CURLMcode failed = curl_multi_perform(lane->multi, &running);
    if (failed != CURLM_OK) {
        end_exchange(lane, failed == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_RECV_ERROR);
        return true;
    }
    if (running > 0) return false;
    const CURLMsg *message = curl_multi_info_read(lane->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) return false;
    end_exchange(lane, message->data.result);
    return true;
}

static bool move_on(ml_lane *lane, double seconds) {
    /* Rounded up: a wait of less than a millisecond must not become a busy loop. */
    int milliseconds = (int)(seconds * 1000.0) + 1;
    if (is_busy(lane) && advance(lane)) return true;
    CURLMcode failed = curl_multi_poll(lane->multi, NULL, 0, milliseconds, NULL);
    if (!is_busy(lane)) return true;
    if (failed == CURLM_OK) return advance(lane);
    end_exchange(lane, CURLE_UNRECOVERABLE_POLL);
    return true;
}

static void cancel(ml_lane *lane) {
    if (!is_busy(lane)) return;
    end_exchange(lane, CURLE_ABORTED_BY_CALLBACK);
}

static void wake(ml_lane *lane) {
    curl_multi_wakeup(lane->multi);
}

const ml_transport ml_curl_transport = {
    .open = open_lane,
    .close = close_lane,
    .abandon = abandon,
    .start = start,
    .poll = move_on,
    .cancel = cancel,
    .wake = wake,
    .now = ml_now,
    .dice = dice,
    .many = &ml_curl_many,
};
