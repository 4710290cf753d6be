#include "path.h"
#include "text.h"

#include <string.h>

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_encoded(ml_buffer *url, char c) {
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    ml_buffer_append(url, encoded, sizeof encoded);
}

void ml_path_append_segment(ml_buffer *url, ml_text text) {
    for (size_t i = 0; i < text.length; i++) {
        if (is_unreserved(text.data[i]))
            ml_buffer_char(url, text.data[i]);
        else
            append_encoded(url, text.data[i]);
    }
}

/* ---- whole paths ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* What stands at *at, which moves past it: a character, or what "%XX" means. Negative: a "%"
 * without two digits. */
static int next_byte(ml_text text, size_t *at) {
    char c = text.data[(*at)++];
    if (c != '%') return (unsigned char)c;
    if (text.length - *at < 2) return -1;
    int high = hex_digit(text.data[*at]), low = hex_digit(text.data[*at + 1]);
    if (high < 0 || low < 0) return -1;
    *at += 2;
    return high * 16 + low;
}

static bool has_bad_escape(ml_text path) {
    for (size_t at = 0; at < path.length;)
        if (next_byte(path, &at) < 0) return true;
    return false;
}

/* Whoever decodes "%2F" and "%5C" before looking at segments sees more of them. */
static bool has_dot_segment(ml_text path) {
    size_t dots = 0, others = 0;
    for (size_t at = 0; at < path.length;) {
        int byte = next_byte(path, &at);
        bool is_end = byte == '/' || byte == '\\';
        if (byte == '.') dots++;
        if (byte != '.' && !is_end) others++;
        if (!is_end && at < path.length) continue;
        if (others == 0 && (dots == 1 || dots == 2)) return true;
        dots = others = 0;
    }
    return false;
}

const char *ml_path_fault(ml_text path) {
    if (path.length == 0 || path.data[0] != '/')
        return "must start with \"/\": it is what follows the base URL, such as "
               "\"/ats/v1/candidates\"";
    if (memmem(path.data, path.length, "//", 2) != NULL) return "must not hold \"//\"";
    if (memchr(path.data, '?', path.length) != NULL)
        return "must not hold \"?\": what follows it goes into params";
    if (memchr(path.data, '#', path.length) != NULL) return "must not hold \"#\"";
    if (memchr(path.data, '\\', path.length) != NULL) return "must not hold a backslash";
    if (has_bad_escape(path))
        return "must not hold \"%\" without two hexadecimal digits: write \"%25\" for the character "
               "itself";
    if (has_dot_segment(path)) return "must not hold \".\" or \"..\" as a segment, encoded or not";
    return NULL;
}

static bool may_stand(char c) {
    return is_unreserved(c) || (c != '\0' && strchr("/%!$&'()*+,;=:@", c) != NULL);
}

void ml_path_append(ml_buffer *url, ml_text path) {
    for (size_t i = 0; i < path.length; i++) {
        if (may_stand(path.data[i]))
            ml_buffer_char(url, path.data[i]);
        else
            append_encoded(url, path.data[i]);
    }
}

void ml_path_decode(ml_buffer *out, ml_text text) {
    for (size_t at = 0; at < text.length;) {
        int byte = next_byte(text, &at);
        ml_buffer_char(out, byte < 0 ? '%' : (char)byte);
    }
}

/* Does a segment mean the word, whatever its case and however it is encoded? */
static bool means(ml_text segment, const char *word) {
    size_t at = 0;
    for (; at < segment.length && *word != '\0'; word++) {
        int byte = next_byte(segment, &at);
        if (byte >= 'A' && byte <= 'Z') byte += 'a' - 'A';
        if (byte != *word) return false;
    }
    return at == segment.length && *word == '\0';
}

ml_text ml_path_secret(ml_text path) {
    for (size_t start = 0; start < path.length;) {
        const char *segment = path.data + start;
        const char *slash = memchr(segment, '/', path.length - start);
        if (slash == NULL) return (ml_text){0};
        size_t length = (size_t)(slash - segment);
        start += length + 1;
        ml_text rest = {path.data + start, path.length - start};
        if (means((ml_text){segment, length}, "account-token"))
            return rest.length == 0 || means(rest, "regenerate") ? (ml_text){0} : rest;
    }
    return (ml_text){0};
}
