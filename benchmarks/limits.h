/*
 * limits.h - what the C programs here share: the order to measure, the body, the answer, the
 * clocks.
 *
 * They do what a client of Merge has to do for a call, and nothing more: a body made with cJSON for
 * each call, the header lines that merge-link sends, the answer parsed with cJSON, its status and
 * its link_token looked at, and the token copied. What fails ends the program: they are no clients.
 *
 * Each is started with a JSON object, says "ready" once it is connected and warm, and then measures
 * as many calls as each line on its standard input says (see subjects/measuring.py).
 */
#ifndef LIMITS_H
#define LIMITS_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct order {
    const char *url; /* of the endpoint */
    const char *ca;  /* PEM file; NULL: plain */
    const char *key;
    const char *user_agent;
    int at_once;
    int warm_up; /* calls */
} order;

static inline void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline const char *text_of(const cJSON *task, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(task, name));
}

static inline int number_of(const cJSON *task, const char *name) {
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(task, name);
    return cJSON_IsNumber(number) ? number->valueint : 1;
}

/* The strings live as long as the program. */
static inline order read_order(int argc, char **argv) {
    cJSON *task = argc == 2 ? cJSON_Parse(argv[1]) : NULL;
    if (task == NULL) fail("the only argument must be a JSON object");
    order read = {
        .url = text_of(task, "url"),
        .ca = text_of(task, "ca"),
        .key = text_of(task, "key"),
        .user_agent = text_of(task, "user_agent"),
        .at_once = number_of(task, "at_once"),
        .warm_up = number_of(task, "warm_up"),
    };
    if (read.url == NULL || read.key == NULL || read.user_agent == NULL)
        fail("a member is missing");
    return read;
}

/* ---- a request and its answer ---- */

static inline char *make_body(void) {
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "end_user_email_address", "hr@acme.example");
    cJSON_AddStringToObject(body, "end_user_organization_name", "Acme");
    cJSON_AddStringToObject(body, "end_user_origin_id", "acme-42");
    cJSON *categories = cJSON_AddArrayToObject(body, "categories");
    cJSON_AddItemToArray(categories, cJSON_CreateString("ats"));
    cJSON_AddNumberToObject(body, "link_expiry_mins", 30);
    char *text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    if (text == NULL) fail("out of memory");
    return text;
}

static inline void read_answer(const char *answer, size_t length) {
    cJSON *read = cJSON_ParseWithLength(answer, length);
    const char *token = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(read, "link_token"));
    char *kept = token != NULL ? strdup(token) : NULL;
    if (kept == NULL) fail("no link_token in the answer");
    free(kept);
    cJSON_Delete(read);
}

typedef struct answer {
    char data[4096];
    size_t length;
} answer;

static inline size_t take_body(char *data, size_t size, size_t count, void *user) {
    answer *into = user;
    size_t length = size * count;
    if (length > sizeof into->data - into->length) return 0;
    memcpy(into->data + into->length, data, length);
    into->length += length;
    return length;
}

static inline struct curl_slist *make_lines(const order *task) {
    char user_agent[256], authorization[256];
    snprintf(user_agent, sizeof user_agent, "User-Agent: %s", task->user_agent);
    snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", task->key);
    struct curl_slist *lines = curl_slist_append(NULL, user_agent);
    lines = curl_slist_append(lines, "Accept: application/json");
    lines = curl_slist_append(lines, authorization);
    return curl_slist_append(lines, "Content-Type: application/json");
}

/* All that is the same for each call. The URL is parsed once: as text it would be parsed each time.
 */
static inline CURL *make_handle(const order *task, struct curl_slist *lines, answer *into) {
    CURL *easy = curl_easy_init();
    CURLU *url = curl_url(); /* as long as the program */
    if (easy == NULL || url == NULL) fail("out of memory");
    if (curl_url_set(url, CURLUPART_URL, task->url, 0) != CURLUE_OK) fail("the URL");
    curl_easy_setopt(easy, CURLOPT_CURLU, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, into);
    if (task->ca != NULL) curl_easy_setopt(easy, CURLOPT_CAINFO, task->ca);
    return easy;
}

/* The body is read where it lies until the call is over. */
static inline void set_body(CURL *easy, const char *body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
}

static inline void check(CURL *easy, CURLcode code, const answer *from) {
    long status = 0;
    if (code != CURLE_OK) fail(curl_easy_strerror(code));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) fail("the status is not 200");
    read_answer(from->data, from->length);
}

/* ---- measuring ---- */

static inline double seconds_of(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static inline void measure(void (*make)(void *user, int calls), void *user, int warm_up) {
    char line[32];
    make(user, warm_up);
    for (puts("ready"); fflush(stdout) == 0 && fgets(line, sizeof line, stdin) != NULL;) {
        int calls = atoi(line);
        double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
        make(user, calls);
        cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        wall = seconds_of(CLOCK_MONOTONIC) - wall;
        printf("{\"calls\": %d, \"cpu\": %.9f, \"wall\": %.9f}\n", calls, cpu, wall);
    }
}

#endif
