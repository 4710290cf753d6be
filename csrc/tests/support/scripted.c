#include "scripted.h"
#include "error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SENT = 128, MOST_LANES = 64, MOST_ENGINES = 2, MOST_AT_ONCE = 128 };

/* An exchange of many. */
typedef struct journey {
    ml_exchange *exchange; /* NULL: a free place */
    const scripted_answer *answer;
    double ends_at;
} journey;

struct ml_many {
    bool taken, woken, asleep;
    size_t capacity;
    journey journeys[MOST_AT_ONCE];
};

struct ml_lane {
    bool taken;
    bool woken;
    ml_exchange *exchange;
    const scripted_answer *answer;
    double ends_at;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const scripted_answer *answers;
    size_t count, next;
    bool forever;
    scripted_sent sent[MOST_SENT];
    size_t sent_count;
    double now;
    double (*dice)(void);
    bool block_waits, released, refuse_lanes;
    size_t open_lanes, cancelled, blocked;
    ml_lane lanes[MOST_LANES];
    size_t streams;
    ml_many engines[MOST_ENGINES];
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void lock(void) {
    pthread_mutex_lock(&world.lock);
}

static void unlock(void) {
    pthread_mutex_unlock(&world.lock);
}

static double half(void) {
    return 0.5;
}

/* ---- the script ---- */

void scripted_reset(void) {
    lock();
    memset(world.lanes, 0, sizeof world.lanes);
    world.open_lanes = 0;
    unlock();
    scripted_play(NULL, 0);
}

void scripted_play(const scripted_answer *answers, size_t count) {
    lock();
    world.answers = answers;
    world.count = count;
    world.next = world.sent_count = world.cancelled = 0;
    world.forever = world.block_waits = world.released = world.refuse_lanes = false;
    world.now = 1000.0;
    world.dice = half;
    world.streams = 1;
    unlock();
}

void scripted_play_forever(const scripted_answer *answer) {
    scripted_play(answer, 1);
    world.forever = true;
}

/* A script that is over answers 418, which no test expects. */
static const scripted_answer *next_answer(void) {
    static const scripted_answer over = {.http_status = 418, .body = "the script is over"};
    if (world.forever) return world.answers;
    return world.next < world.count ? &world.answers[world.next++] : &over;
}

static void record(const ml_exchange *exchange) {
    if (world.forever) world.sent_count = 0;
    if (world.sent_count == MOST_SENT) abort();
    scripted_sent *sent = &world.sent[world.sent_count++];
    snprintf(sent->method, sizeof sent->method, "%s", exchange->method);
    snprintf(sent->url, sizeof sent->url, "%s", exchange->url);
    snprintf(sent->body, sizeof sent->body, "%.*s", (int)exchange->body.length,
             exchange->body.data);
    size_t used = 0;
    for (size_t i = 0; i < exchange->line_count && used < sizeof sent->lines; i++)
        used += (size_t)snprintf(sent->lines + used, sizeof sent->lines - used, "%s\n",
                                 exchange->lines[i]);
    sent->at = world.now;
    sent->timeout = exchange->timeout;
    sent->max_response_bytes = exchange->max_response_bytes;
}

/* ---- what tests ask and say ---- */

size_t scripted_sent_count(void) {
    return world.sent_count;
}

const scripted_sent *scripted_sent_at(size_t index) {
    if (index >= world.sent_count) abort();
    return &world.sent[index];
}

double scripted_now(void) {
    lock();
    double now = world.now;
    unlock();
    return now;
}

/* Called with the lock. */
static void wake_engines(void) {
    for (size_t i = 0; i < MOST_ENGINES; i++)
        world.engines[i].woken = true;
    pthread_cond_broadcast(&world.changed);
}

void scripted_advance(double seconds) {
    lock();
    world.now += seconds;
    wake_engines();
    unlock();
}

void scripted_set_dice(double (*dice)(void)) {
    world.dice = dice;
}

void scripted_block_waits(void) {
    world.block_waits = true;
}

size_t scripted_open_lanes(void) {
    return world.open_lanes;
}

size_t scripted_cancelled(void) {
    return world.cancelled;
}

void scripted_refuse_lanes(bool refuse) {
    world.refuse_lanes = refuse;
}

void scripted_await_blocked(size_t threads) {
    lock();
    while (world.blocked < threads)
        pthread_cond_wait(&world.changed, &world.lock);
    unlock();
}

size_t scripted_blocked(void) {
    lock();
    size_t threads = world.blocked;
    unlock();
    return threads;
}

void scripted_release(void) {
    lock();
    world.released = true;
    wake_engines();
    unlock();
}

static bool is_settled(void) {
    for (size_t i = 0; i < MOST_ENGINES; i++)
        if (world.engines[i].taken && (!world.engines[i].asleep || world.engines[i].woken))
            return false;
    return true;
}

void scripted_settle(void) {
    lock();
    while (!is_settled())
        pthread_cond_wait(&world.changed, &world.lock);
    unlock();
}

size_t scripted_under_way(void) {
    size_t count = 0;
    lock();
    for (size_t i = 0; i < MOST_ENGINES; i++)
        for (size_t j = 0; j < MOST_AT_ONCE; j++)
            if (world.engines[i].taken && world.engines[i].journeys[j].exchange != NULL) count++;
    unlock();
    return count;
}

size_t scripted_open_engines(void) {
    size_t count = 0;
    lock();
    for (size_t i = 0; i < MOST_ENGINES; i++)
        if (world.engines[i].taken) count++;
    unlock();
    return count;
}

void scripted_set_streams(size_t streams) {
    lock();
    world.streams = streams;
    unlock();
}

/* ---- the transport ---- */

static ml_lane *open_lane(const ml_config *config, ml_error *error) {
    (void)config;
    ml_lane *lane = NULL;
    lock();
    for (size_t i = 0; i < MOST_LANES && !world.refuse_lanes && lane == NULL; i++)
        if (!world.lanes[i].taken) lane = &world.lanes[i];
    if (lane != NULL) {
        *lane = (ml_lane){.taken = true};
        world.open_lanes++;
    }
    unlock();
    if (lane == NULL) ml_fail(error, ML_ERR_CONFIGURATION, "no lanes today");
    return lane;
}

static void close_lane(ml_lane *lane) {
    lock();
    if (lane->exchange != NULL) abort();
    lane->taken = false;
    world.open_lanes--;
    unlock();
}

static void fail_exchange(ml_exchange *exchange, ml_status status, const char *code,
                          const char *text) {
    exchange->status = status;
    snprintf(exchange->code, sizeof exchange->code, "%s", code);
    snprintf(exchange->text, sizeof exchange->text, "the script says %s", text);
}

static void deliver(ml_exchange *exchange, const scripted_answer *answer) {
    static const char token[] = "{\"link_token\":\"necdP7FtdASl1fQwm62be2_dM4wBG8_GactqoUV0\"}";
    exchange->http_status = answer->http_status == 0 ? 200 : answer->http_status;
    const char *body = answer->body;
    if (body == NULL) body = exchange->http_status == 200 ? token : "";
    size_t length = answer->body_length > 0 ? answer->body_length : strlen(body);
    if (answer->headers != NULL) ml_buffer_text(&exchange->headers, answer->headers);
    ml_buffer_append(&exchange->body_in, body, length);
    exchange->body_cut = answer->body_cut;
    if (exchange->headers.failed || exchange->body_in.failed)
        fail_exchange(exchange, ML_ERR_MEMORY, "CURLE_OUT_OF_MEMORY", "out of memory");
}

static void finish(ml_exchange *exchange, const scripted_answer *answer, bool timed_out) {
    exchange->sends = answer->unsent ? 0 : 1 + answer->resends;
    exchange->may_have_arrived = !answer->unsent;
    if (timed_out)
        fail_exchange(exchange, ML_ERR_TIMEOUT, "CURLE_OPERATION_TIMEDOUT", "timed out");
    else if (answer->status != ML_OK)
        fail_exchange(exchange, answer->status, "CURLE_RECV_ERROR",
                      answer->text != NULL ? answer->text : "receiving failed");
    else
        deliver(exchange, answer);
}

/* Only a forked child would. */
static void abandon_lane(ml_lane *lane) {
    (void)lane;
    abort();
}

static bool start(ml_lane *lane, ml_exchange *exchange) {
    lock();
    const scripted_answer *answer = next_answer();
    record(exchange);
    exchange->began = answer->began;
    double takes = answer->takes < exchange->timeout ? answer->takes : exchange->timeout;
    lane->ends_at = world.now + takes;
    lane->answer = answer;
    if (answer->refused)
        finish(exchange, answer, false);
    else
        lane->exchange = exchange;
    unlock();
    return !answer->refused;
}

/* Stands still until somebody wakes the lane or releases all. Called with the lock. */
static void block(ml_lane *lane) {
    world.blocked++;
    pthread_cond_broadcast(&world.changed);
    while (!lane->woken && !world.released)
        pthread_cond_wait(&world.changed, &world.lock);
    lane->woken = false;
    world.blocked--;
}

/* Called with the lock. */
static bool move_on(ml_lane *lane, double seconds) {
    const scripted_answer *answer = lane->answer;
    if (answer->blocks) block(lane);
    if (answer->blocks && !world.released) return false;
    if (answer->hangs || lane->ends_at > world.now + seconds) {
        world.now += seconds;
        return false;
    }
    if (lane->ends_at > world.now) world.now = lane->ends_at;
    finish(lane->exchange, answer, answer->takes >= lane->exchange->timeout);
    lane->exchange = NULL;
    return true;
}

static bool poll(ml_lane *lane, double seconds) {
    bool over = true;
    lock();
    if (lane->exchange != NULL)
        over = move_on(lane, seconds);
    else if (world.block_waits)
        block(lane);
    else
        world.now += seconds;
    unlock();
    return over;
}

static void cancel(ml_lane *lane) {
    lock();
    if (lane->exchange != NULL) {
        finish(lane->exchange, &(scripted_answer){.status = ML_ERR_TRANSPORT}, false);
        lane->exchange = NULL;
        world.cancelled++;
    }
    unlock();
}

static void wake(ml_lane *lane) {
    lock();
    lane->woken = true;
    pthread_cond_broadcast(&world.changed);
    unlock();
}

static double throw_dice(void) {
    return world.dice();
}

/* ---- many at once ---- */

static ml_many *open_many(const ml_config *config, ml_error *error) {
    ml_many *many = NULL;
    lock();
    for (size_t i = 0; i < MOST_ENGINES && !world.refuse_lanes && many == NULL; i++)
        if (!world.engines[i].taken) many = &world.engines[i];
    if (many != NULL)
        *many = (ml_many){.taken = true, .capacity = (size_t)config->options.max_connections};
    unlock();
    if (many == NULL) ml_fail(error, ML_ERR_CONFIGURATION, "no lanes today");
    return many;
}

static void close_many(ml_many *many) {
    lock();
    for (size_t i = 0; i < MOST_AT_ONCE; i++)
        if (many->journeys[i].exchange != NULL) abort();
    many->taken = false;
    pthread_cond_broadcast(&world.changed);
    unlock();
}

static void abandon_many(ml_many *many) {
    (void)many;
    abort();
}

static size_t capacity(const ml_many *many) {
    lock();
    size_t most = many->capacity * world.streams;
    unlock();
    return most;
}

static bool start_one(ml_many *many, ml_exchange *exchange) {
    lock();
    const scripted_answer *answer = next_answer();
    record(exchange);
    exchange->began = answer->began;
    size_t at = 0;
    while (at < MOST_AT_ONCE && many->journeys[at].exchange != NULL)
        at++;
    if (at == MOST_AT_ONCE) abort();
    double takes = answer->takes < exchange->timeout ? answer->takes : exchange->timeout;
    if (answer->hangs) takes = exchange->timeout;
    if (answer->refused)
        finish(exchange, answer, false);
    else
        many->journeys[at] = (journey){exchange, answer, world.now + takes};
    unlock();
    return !answer->refused;
}

/* Called with the lock. */
static bool is_over(const journey *one) {
    if (one->exchange == NULL) return false;
    if (one->answer->blocks) return world.released;
    return one->ends_at <= world.now;
}

static void cancel_one(ml_many *many, ml_exchange *exchange) {
    lock();
    for (size_t i = 0; i < MOST_AT_ONCE; i++) {
        if (many->journeys[i].exchange != exchange) continue;
        finish(exchange, &(scripted_answer){.status = ML_ERR_TRANSPORT}, false);
        many->journeys[i].exchange = NULL;
        world.cancelled++;
    }
    unlock();
}

static ml_exchange *ended(ml_many *many) {
    ml_exchange *exchange = NULL;
    lock();
    for (size_t i = 0; i < MOST_AT_ONCE && exchange == NULL; i++) {
        journey *one = &many->journeys[i];
        if (!is_over(one)) continue;
        exchange = one->exchange;
        bool is_late = one->answer->hangs || one->answer->takes >= exchange->timeout;
        finish(exchange, one->answer, is_late);
        one->exchange = NULL;
    }
    unlock();
    return exchange;
}

/* Called with the lock. */
static bool has_news(const ml_many *many, double until) {
    if (many->woken || world.now >= until) return true;
    for (size_t i = 0; i < MOST_AT_ONCE; i++)
        if (is_over(&many->journeys[i])) return true;
    return false;
}

static void poll_many(ml_many *many, double seconds) {
    lock();
    double until = world.now + seconds;
    many->asleep = true;
    pthread_cond_broadcast(&world.changed);
    while (!has_news(many, until))
        pthread_cond_wait(&world.changed, &world.lock);
    many->asleep = many->woken = false;
    unlock();
}

static void wake_many(ml_many *many) {
    lock();
    many->woken = true;
    pthread_cond_broadcast(&world.changed);
    unlock();
}

static const ml_many_transport scripted_many = {
    .open = open_many,
    .close = close_many,
    .abandon = abandon_many,
    .capacity = capacity,
    .start = start_one,
    .cancel = cancel_one,
    .poll = poll_many,
    .ended = ended,
    .wake = wake_many,
};

const ml_transport scripted_transport = {
    .open = open_lane,
    .close = close_lane,
    .abandon = abandon_lane,
    .start = start,
    .poll = poll,
    .cancel = cancel,
    .wake = wake,
    .now = scripted_now,
    .dice = throw_dice,
    .many = &scripted_many,
};
