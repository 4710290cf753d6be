#include "secret.h"

#include <stdlib.h>
#include <string.h>

enum { SHORTEST_MASKED = 6 };

bool ml_secret_set(ml_secret *secret, ml_text text) {
    ml_secret_free(secret);
    if (text.data == NULL) return true;
    secret->data = malloc(text.length + 1);
    if (secret->data == NULL) return false;
    if (text.length > 0) memcpy(secret->data, text.data, text.length);
    secret->data[text.length] = '\0';
    secret->length = text.length;
    return true;
}

bool ml_secret_set_base64(ml_secret *secret, ml_text text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    ml_secret_free(secret);
    size_t length = (text.length + 2) / 3 * 4;
    char *out = secret->data = malloc(length + 1);
    if (out == NULL) return false;
    for (size_t i = 0; i < text.length; i += 3) {
        size_t left = text.length - i;
        uint32_t bits = (uint32_t)(unsigned char)text.data[i] << 16;
        if (left > 1) bits |= (uint32_t)(unsigned char)text.data[i + 1] << 8;
        if (left > 2) bits |= (unsigned char)text.data[i + 2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = left > 1 ? digits[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[bits & 63] : '=';
    }
    *out = '\0';
    secret->length = length;
    return true;
}

ml_text ml_secret_view(const ml_secret *secret) {
    return (ml_text){secret->data, secret->length};
}

void ml_secret_free(ml_secret *secret) {
    if (secret->data != NULL) {
        explicit_bzero(secret->data, secret->length);
        free(secret->data);
    }
    *secret = (ml_secret){0};
}

void ml_free_wiped(char *string) {
    if (string == NULL) return;
    explicit_bzero(string, strlen(string));
    free(string);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The value of a JSON escape of an ASCII character at text, with its length; 0 when it is none. */
static size_t escaped_ascii(const char *text, size_t length, char *value) {
    if (length < 2 || text[0] != '\\') return 0;
    if (text[1] != 'u') {
        *value = text[1];
        return 2;
    }
    if (length < 6 || text[2] != '0' || text[3] != '0') return 0;
    int high = hex_digit(text[4]), low = hex_digit(text[5]);
    if (high < 0 || low < 0) return 0;
    *value = (char)(high * 16 + low);
    return 6;
}

/* How many bytes belong together at text: an escape, a pair of them, or one byte. JSON that is
 * changed in the middle of them is none any more. */
static size_t unit_length(const char *text, size_t length) {
    if (length < 2 || text[0] != '\\') return 1;
    if (text[1] != 'u') return 2;
    bool is_pair = length >= 12 && (text[2] == 'd' || text[2] == 'D') &&
                   memchr("89abAB", text[3], 6) != NULL && text[6] == '\\';
    size_t unit = is_pair ? 12 : 6;
    return length < unit ? length : unit;
}

static bool is_cut_escape(const char *text, size_t length) {
    return text[0] == '\\' && (length == 1 || (text[1] == 'u' && length < 6));
}

/* How many bytes at text spell the secret, or as much of it as is there before the text was cut;
 * 0 when they do not. */
static size_t spelt(const char *text, size_t length, ml_text secret) {
    size_t at = 0;
    for (size_t i = 0; i < secret.length; i++) {
        char value = 0;
        size_t step = escaped_ascii(text + at, length - at, &value);
        if (step > 0 && value == secret.data[i])
            at += step;
        else if (at < length && text[at] == secret.data[i])
            at++;
        else if (at >= length || is_cut_escape(text + at, length - at))
            return i >= SHORTEST_MASKED ? length : 0;
        else
            return 0;
    }
    return at;
}

/* The same where backslashes are just that. */
static size_t stands(const char *text, size_t length, ml_text secret) {
    size_t size = length < secret.length ? length : secret.length;
    bool is_enough = size == secret.length || size >= SHORTEST_MASKED;
    return is_enough && memcmp(text, secret.data, size) == 0 ? size : 0;
}

/* How many bytes at text must go, because the secret starts in the unit there; 0: none. */
static size_t secret_at(const char *text, size_t length, ml_text secret) {
    size_t unit = unit_length(text, length);
    size_t found = spelt(text, length, secret);
    for (size_t i = 0; found == 0 && i < unit; i++) {
        size_t size = stands(text + i, length - i, secret);
        if (size > 0) found = i + size;
    }
    size_t whole = 0;
    while (whole < found)
        whole += unit_length(text + whole, length - whole);
    return whole;
}

/* Without a backslash, a secret starts with its own first bytes, and most texts have neither. */
static bool is_clean(const char *text, size_t length, ml_text secret) {
    return length < SHORTEST_MASKED || (memchr(text, '\\', length) == NULL &&
                                        memmem(text, length, secret.data, SHORTEST_MASKED) == NULL);
}

void ml_mask(char *text, size_t length, ml_text secret) {
    if (secret.data == NULL || secret.length < SHORTEST_MASKED) return;
    if (is_clean(text, length, secret)) return;
    size_t at = 0;
    while (at < length) {
        if (text[at] != '\\' && text[at] != secret.data[0]) {
            at++;
            continue;
        }
        size_t found = secret_at(text + at, length - at, secret);
        if (found > 0) memset(text + at, '*', found);
        at += found > 0 ? found : unit_length(text + at, length - at);
    }
}
