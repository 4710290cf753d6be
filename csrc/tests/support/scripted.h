/*
 * scripted - a transport that answers from a script, with a clock and dice that tests turn.
 *
 * Time passes only by what the script says, by waits between attempts and by scripted_advance().
 * There is one script for the program.
 *
 * Of many exchanges at once, time passes by scripted_advance() alone: a test lets the engine come
 * to rest by scripted_settle(), looks, and turns the clock.
 */
#ifndef ML_TEST_SCRIPTED_H
#define ML_TEST_SCRIPTED_H

#include "transport.h"

/* How one exchange ends. All zero: the usual answer of 200 with a link token. */
typedef struct scripted_answer {
    int http_status;     /* 0: 200 */
    const char *headers; /* "Name: value\r\n" each */
    const char *body;    /* NULL: a link token when the status is 200, else nothing */
    size_t body_length;  /* 0: up to the NUL */
    bool body_cut;
    ml_status status; /* ML_OK: an answer came */
    const char *text; /* of a failure */
    bool unsent;      /* of a failure: nothing was written */
    bool refused;     /* over before it began */
    unsigned resends; /* further requests that the transport sent by itself */
    double takes;     /* seconds, unless the exchange's timeout is shorter */
    double began;     /* by the wall clock */
    bool hangs;       /* is never over; seconds pass */
    bool blocks;      /* the thread stands still until woken or scripted_release() */
} scripted_answer;

extern const ml_transport scripted_transport;

/* Forgets what was sent, the clock, and lanes that a test before did not close. */
void scripted_reset(void);
/* Forgets what was sent and the clock, and plays these answers, one for each exchange. Borrows
 * them. */
void scripted_play(const scripted_answer *answers, size_t count);
/* The same answer again and again. */
void scripted_play_forever(const scripted_answer *answer);

/* One exchange as it went out. */
typedef struct scripted_sent {
    char method[16];
    char url[1200];
    char lines[4096]; /* "Name: value\n" each */
    char body[8192];
    double at; /* on the clock */
    double timeout;
    size_t max_response_bytes;
} scripted_sent;

size_t scripted_sent_count(void);
const scripted_sent *scripted_sent_at(size_t index);

double scripted_now(void);
void scripted_advance(double seconds);
void scripted_set_dice(double (*dice)(void));
/* From now on a wait between attempts blocks its thread until it is woken. */
void scripted_block_waits(void);

size_t scripted_open_lanes(void);
size_t scripted_cancelled(void);
void scripted_refuse_lanes(bool refuse);

/* Returns once that many threads are blocked in the transport. */
void scripted_await_blocked(size_t threads);
size_t scripted_blocked(void);
/* Lets blocked exchanges end with their answers. */
void scripted_release(void);

/* Returns once every engine has done what there is to do now. */
void scripted_settle(void);
/* Of engines: exchanges that are under way. */
size_t scripted_under_way(void);
size_t scripted_open_engines(void);
/* As if the server had agreed to so many exchanges on each connection. */
void scripted_set_streams(size_t streams);

#endif
