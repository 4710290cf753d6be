#include "certificate.h"
#include "text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Tags of DER that a certificate has at the places which are looked at. */
enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_UTC_TIME = 0x17,
    TAG_GENERALIZED_TIME = 0x18,
    TAG_UTF16_STRING = 0x1E,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_VERSION = 0xA0,
    TAG_EXTENSIONS = 0xA3,
    TAG_DNS_NAME = 0x82,
    TAG_IP_ADDRESS = 0x87
};

/* ---- DER: tag, length, value ---- */

typedef struct item {
    int tag;
    ml_text value;
} item;

static unsigned byte_at(ml_text text, size_t at) {
    return (unsigned char)text.data[at];
}

static void skip(ml_text *text, size_t count) {
    text->data += count;
    text->length -= count;
}

/* The number of that many bytes, big end first. */
static size_t number_of(ml_text text, size_t at, size_t bytes) {
    size_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | byte_at(text, at + i);
    return number;
}

/* Takes the item at the front of the rest. */
static bool take(ml_text *rest, item *found) {
    if (rest->length < 2) return false;
    size_t length = byte_at(*rest, 1), head = 2;
    found->tag = (int)byte_at(*rest, 0);
    if (length >= 0x80) {
        size_t bytes = length - 0x80;
        if (bytes < 1 || bytes > 3 || rest->length < head + bytes) return false;
        length = number_of(*rest, head, bytes);
        head += bytes;
    }
    skip(rest, head);
    if (rest->length < length) return false;
    found->value = (ml_text){rest->data, length};
    skip(rest, length);
    return true;
}

/* The same of one that must have that tag; its value. */
static bool take_only(ml_text *rest, int tag, ml_text *value) {
    item found;
    if (!take(rest, &found) || found.tag != tag) return false;
    *value = found.value;
    return true;
}

static bool is(ml_text value, const char *bytes, size_t count) {
    return value.length == count && memcmp(value.data, bytes, count) == 0;
}

/* ---- lists of words ---- */

/* Appends a word, ", " before it. When it does not fit, "..." stands for it and all after it. */
static void append(char *list, size_t size, const char *word) {
    static const char more[] = ", ...";
    size_t used = strlen(list), needed = strlen(word) + (used > 0 ? 2 : 0);
    if (used >= sizeof more - 1 && strcmp(list + used - (sizeof more - 1), more) == 0) return;
    if (used + needed + sizeof more <= size)
        snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", word);
    else
        snprintf(list + used, size - used, "%s", used > 0 ? more : more + 2);
}

/* What is no UTF-8 becomes question marks. */
static void make_utf8(char *string) {
    ml_text text = ml_text_of(string);
    for (size_t at = 0, start = 0; at < text.length; start = at)
        if (ml_utf8_next(text, &at) < 0) memset(string + start, '?', at - start);
}

/* Text of a certificate, cut to the size; of UTF-16, what ASCII has. */
static void copy_string(const item *string, char *to, size_t size) {
    size_t step = string->tag == TAG_UTF16_STRING ? 2 : 1, used = 0;
    ml_text value = string->value;
    for (size_t i = step - 1; i < value.length && used + 1 < size; i += step) {
        bool wide = step == 2 && value.data[i - 1] != '\0';
        to[used++] = (char)(wide || value.data[i] == '\0' ? '?' : value.data[i]);
    }
    to[used] = '\0';
    make_utf8(to);
}

/* ---- parts of a certificate ---- */

/* Organization, unit and common name, in the certificate's order. */
static bool is_shown_attribute(ml_text oid) {
    return is(oid, "\x55\x04\x0A", 3) || is(oid, "\x55\x04\x0B", 3) || is(oid, "\x55\x04\x03", 3);
}

static void read_name(ml_text name, char *to, size_t size) {
    ml_text set, pair, oid;
    item string;
    char word[64];
    while (take_only(&name, TAG_SET, &set)) {
        bool sound = take_only(&set, TAG_SEQUENCE, &pair) && take_only(&pair, TAG_OID, &oid) &&
                     take(&pair, &string);
        if (!sound || !is_shown_attribute(oid)) continue;
        copy_string(&string, word, sizeof word);
        append(to, size, word);
    }
}

static bool two_digits(const char *text, int *number) {
    for (int i = 0; i < 2; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    *number = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* YYMMDDhhmmssZ until 2049, and YYYYMMDDhhmmssZ. */
static bool read_time(ml_text *rest, double *seconds) {
    item found;
    int parts[7] = {0};
    if (!take(rest, &found)) return false;
    bool full = found.tag == TAG_GENERALIZED_TIME;
    size_t count = full ? 7 : 6;
    if ((!full && found.tag != TAG_UTC_TIME) || found.value.length < count * 2) return false;
    for (size_t i = 0; i < count; i++)
        if (!two_digits(found.value.data + i * 2, &parts[i])) return false;
    const int *day = full ? parts + 1 : parts;
    int century = full ? parts[0] * 100 : (parts[0] < 50 ? 2000 : 1900);
    struct tm at = {.tm_year = century + day[0] - 1900,
                    .tm_mon = day[1] - 1,
                    .tm_mday = day[2],
                    .tm_hour = day[3],
                    .tm_min = day[4],
                    .tm_sec = day[5]};
    *seconds = (double)timegm(&at);
    return true;
}

static void append_host(const item *name, char *to, size_t size) {
    char word[128] = "";
    ml_text value = name->value;
    int family = value.length == 4 ? AF_INET : AF_INET6;
    if (name->tag == TAG_DNS_NAME) copy_string(name, word, sizeof word);
    if (name->tag == TAG_IP_ADDRESS && (value.length == 4 || value.length == 16))
        inet_ntop(family, value.data, word, sizeof word);
    if (word[0] != '\0') append(to, size, word);
}

/* The alternative names of the subject, among the extensions. */
static void read_hosts(ml_text extensions, char *to, size_t size) {
    ml_text extension, oid, octets, names;
    item part;
    while (take_only(&extensions, TAG_SEQUENCE, &extension)) {
        if (!take_only(&extension, TAG_OID, &oid) || !is(oid, "\x55\x1D\x11", 3)) continue;
        while (take(&extension, &part)) {
            octets = part.value;
            if (part.tag != TAG_OCTETS || !take_only(&octets, TAG_SEQUENCE, &names)) continue;
            for (item name; take(&names, &name);)
                append_host(&name, to, size);
        }
    }
}

/* What comes behind the subject: only the extensions matter. */
static void read_rest(ml_text rest, ml_certificate *certificate) {
    item part;
    ml_text extensions;
    while (take(&rest, &part))
        if (part.tag == TAG_EXTENSIONS && take_only(&part.value, TAG_SEQUENCE, &extensions))
            read_hosts(extensions, certificate->names, sizeof certificate->names);
}

bool ml_certificate_read(ml_text der, ml_certificate *certificate) {
    ml_text whole, inner, ignored, issuer, validity, subject;
    *certificate = (ml_certificate){0};
    if (!take_only(&der, TAG_SEQUENCE, &whole) || !take_only(&whole, TAG_SEQUENCE, &inner))
        return false;
    if (inner.length > 0 && byte_at(inner, 0) == TAG_VERSION &&
        !take_only(&inner, TAG_VERSION, &ignored))
        return false;
    bool sound = take_only(&inner, TAG_INTEGER, &ignored) &&  /* serial number */
                 take_only(&inner, TAG_SEQUENCE, &ignored) && /* algorithm */
                 take_only(&inner, TAG_SEQUENCE, &issuer) &&
                 take_only(&inner, TAG_SEQUENCE, &validity) &&
                 take_only(&inner, TAG_SEQUENCE, &subject) &&
                 read_time(&validity, &certificate->not_before) &&
                 read_time(&validity, &certificate->not_after);
    if (!sound) return false;
    read_name(issuer, certificate->issuer, sizeof certificate->issuer);
    read_name(subject, certificate->subject, sizeof certificate->subject);
    read_rest(inner, certificate);
    certificate->is_known = true;
    return true;
}

/* ---- the message that it comes in ---- */

enum { CERTIFICATE_MESSAGE = 11, MESSAGE_HEAD = 4 };

/* TLS 1.3 puts a context before the list, which is empty when a server sends it. */
ml_text ml_certificate_of_message(ml_text message) {
    static const ml_text none = {NULL, 0};
    if (message.length < MESSAGE_HEAD + 7 || byte_at(message, 0) != CERTIFICATE_MESSAGE)
        return none;
    if (number_of(message, 1, 3) != message.length - MESSAGE_HEAD) return none;
    skip(&message, MESSAGE_HEAD);
    if (number_of(message, 0, 3) != message.length - 3) skip(&message, 1);
    if (number_of(message, 0, 3) != message.length - 3) return none;
    skip(&message, 3);
    size_t length = number_of(message, 0, 3);
    skip(&message, 3);
    return length <= message.length ? (ml_text){message.data, length} : none;
}
