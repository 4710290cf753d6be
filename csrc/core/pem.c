#include "pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer than any line that is looked for. */
enum { LINE = 64, CHUNK = 4096 };

static bool ends_with(const char *line, const char *end) {
    size_t length = strlen(line), size = strlen(end);
    return length >= size && strcmp(line + length - size, end) == 0;
}

static void look_at_line(const char *line, ml_pem *found) {
    static const char begin[] = "-----BEGIN ";
    bool begins = strncmp(line, begin, sizeof begin - 1) == 0;
    if (begins && ends_with(line, "CERTIFICATE-----")) found->has_certificate = true;
    if (begins && ends_with(line, "PRIVATE KEY-----")) found->has_key = true;
    if ((begins && ends_with(line, " ENCRYPTED PRIVATE KEY-----")) ||
        strcmp(line, "Proc-Type: 4,ENCRYPTED") == 0)
        found->is_key_encrypted = true;
}

/* A line as it comes in pieces; what is longer than any that matters is cut. */
typedef struct reader {
    char line[LINE];
    size_t length;
} reader;

static void end_line(reader *r, ml_pem *found) {
    while (r->length > 0 && (r->line[r->length - 1] == ' ' || r->line[r->length - 1] == '\r'))
        r->length--;
    r->line[r->length] = '\0';
    look_at_line(r->line, found);
    r->length = 0;
}

static void keep(reader *r, const char *data, size_t length) {
    size_t room = sizeof r->line - 1 - r->length;
    if (length > room) length = room;
    memcpy(r->line + r->length, data, length);
    r->length += length;
}

static void take(reader *r, ml_text text, ml_pem *found) {
    const char *end = text.data + text.length;
    for (const char *at = text.data; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        keep(r, at, (size_t)((line_end == NULL ? end : line_end) - at));
        if (line_end == NULL) return;
        end_line(r, found);
        at = line_end + 1;
    }
}

ml_pem ml_pem_of(ml_text text) {
    ml_pem found = {0};
    reader r = {.length = 0};
    take(&r, text, &found);
    end_line(&r, &found);
    return found;
}

/* A private key comes by here, so all is wiped. */
static int read_all(int file, ml_pem *found) {
    char chunk[CHUNK];
    reader r = {.length = 0};
    ssize_t size;
    while ((size = read(file, chunk, sizeof chunk)) > 0)
        take(&r, (ml_text){chunk, (size_t)size}, found);
    int failed = size < 0 ? errno : 0;
    end_line(&r, found);
    explicit_bzero(chunk, sizeof chunk);
    explicit_bzero(&r, sizeof r);
    return failed;
}

/* Without waiting: a pipe has no end, and could be read only once. */
int ml_pem_read(const char *path, ml_pem *found) {
    struct stat facts;
    *found = (ml_pem){0};
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return errno;
    int failed = fstat(file, &facts) != 0 ? errno : 0;
    if (failed == 0 && S_ISDIR(facts.st_mode)) failed = EISDIR;
    if (failed == 0 && !S_ISREG(facts.st_mode)) failed = EINVAL;
    if (failed == 0) failed = read_all(file, found);
    close(file);
    return failed;
}
