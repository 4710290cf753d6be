#include "retry.h"
#include "http.h"

#include <stdlib.h>
#include <string.h>

static const double FIRST_DELAY = 0.5, LONGEST_DELAY = 8.0, LONGEST_TOLD = 600.0;

static bool is_passing(int http_status) {
    switch (http_status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return true;
    default: return false;
    }
}

/* Could another attempt end better, and may it be made? */
static bool is_worth_it(const ml_retry_facts *facts) {
    bool harmless = facts->repeat == ML_REPEAT_ALWAYS;
    if (facts->is_final) return false;
    switch (facts->status) {
    case ML_OK: return is_passing(facts->http_status) && (harmless || facts->http_status == 429);
    case ML_ERR_TRANSPORT:
    case ML_ERR_TIMEOUT: return harmless || !facts->may_have_arrived;
    case ML_ERR_MEMORY:
    case ML_ERR_CONFIGURATION:
    case ML_ERR_VALIDATION:
    case ML_ERR_TLS:
    case ML_ERR_API:
    case ML_ERR_BUDGET:
    case ML_ERR_RESPONSE:
    case ML_ERR_CLOSED:
    case ML_ERR_INTERRUPTED: break;
    }
    return false;
}

/* Full jitter: anything up to a ceiling that doubles. */
static double backoff(int retries_done, double dice) {
    double ceiling = FIRST_DELAY;
    for (int i = 0; i < retries_done && ceiling < LONGEST_DELAY; i++)
        ceiling *= 2.0;
    return dice * (ceiling < LONGEST_DELAY ? ceiling : LONGEST_DELAY);
}

double ml_retry_delay(const ml_retry_facts *facts) {
    if (facts->retries_done >= facts->max_retries || !is_worth_it(facts)) return -1.0;
    bool told = facts->status == ML_OK && facts->retry_after >= 0.0;
    double delay = told ? facts->retry_after : backoff(facts->retries_done, facts->dice);
    return delay < facts->time_left ? delay : -1.0;
}

bool ml_retry_is_told(const ml_retry_facts *facts) {
    return facts->status == ML_OK && facts->http_status == 429 && facts->retry_after >= 0.0 &&
           facts->retry_after <= LONGEST_TOLD;
}

static bool is_number(ml_text text) {
    size_t digits = 0, points = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9')
            digits++;
        else if (text.data[i] == '.')
            points++;
        else
            return false;
    }
    return digits > 0 && points <= 1;
}

/* Digits and at most one point, read without strtod: that one follows the locale. */
static double read_number(ml_text text) {
    double value = 0.0, place = 0.0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '.') {
            place = 1.0;
            continue;
        }
        value = value * 10.0 + (text.data[i] - '0');
        place *= 10.0;
    }
    return place > 0.0 ? value / place : value;
}

double ml_retry_after(ml_text header, double now) {
    char text[64];
    if (header.length == 0 || header.length >= sizeof text) return -1.0;
    if (is_number(header)) return read_number(header);
    memcpy(text, header.data, header.length);
    text[header.length] = '\0';
    double date = ml_http_date(text);
    if (date < 0.0) return -1.0;
    return date > now ? date - now : 0.0;
}

double ml_retry_in_words(ml_text body) {
    static const char words[] = "Expected available in ";
    const char *found =
        body.length > 0 ? memmem(body.data, body.length, words, sizeof words - 1) : NULL;
    if (found == NULL) return -1.0;
    ml_text number = {found + sizeof words - 1, 0};
    const char *end = body.data + body.length;
    while (number.data + number.length < end && number.length < 10 &&
           number.data[number.length] >= '0' && number.data[number.length] <= '9')
        number.length++;
    return number.length > 0 ? read_number(number) : -1.0;
}
