/*
 * The certificate that a server shows: whatever it sends is read within its bounds, and what is
 * told of it is text. Input: a Certificate message of the TLS handshake, in hexadecimal digits;
 * all else is skipped.
 */
#include "certificate.h"
#include "fuzz.h"

#include <string.h>

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes, in a block of exactly that size. */
static char *bytes_of(ml_text text, size_t *length) {
    char *bytes = malloc(text.length + 1);
    size_t digits = 0;
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < text.length; i++) {
        int value = digit(text.data[i]);
        if (value < 0) continue;
        if (digits % 2 == 0)
            bytes[digits / 2] = (char)(value << 4);
        else
            bytes[digits / 2] = (char)(bytes[digits / 2] | value);
        digits++;
    }
    *length = digits / 2;
    char *exact = fuzz_exact((ml_text){bytes, *length});
    free(bytes);
    return exact;
}

static void require_text(const char *text, size_t size) {
    REQUIRE(memchr(text, '\0', size) != NULL);
    REQUIRE(fuzz_is_utf8(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t length = 0;
    char *bytes = bytes_of((ml_text){(const char *)data, size}, &length);
    ml_certificate it;
    ml_text der = ml_certificate_of_message((ml_text){bytes, length});
    if (der.data != NULL) {
        REQUIRE(der.data >= bytes && der.data + der.length <= bytes + length);
        REQUIRE(ml_certificate_read(der, &it) == it.is_known);
        require_text(it.issuer, sizeof it.issuer);
        require_text(it.subject, sizeof it.subject);
        require_text(it.names, sizeof it.names);
    }
    free(bytes);
    return 0;
}
