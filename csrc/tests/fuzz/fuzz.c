#include "fuzz.h"
#include "text.h"

#include <string.h>

bool fuzz_line(ml_text *rest, ml_text *line) {
    if (rest->length == 0) return false;
    const char *end = memchr(rest->data, '\n', rest->length);
    size_t length = end == NULL ? rest->length : (size_t)(end - rest->data);
    size_t used = end == NULL ? length : length + 1;
    *line = (ml_text){rest->data, length};
    *rest = (ml_text){rest->data + used, rest->length - used};
    return true;
}

static char *copy(ml_text text, size_t room) {
    char *made = malloc(room > 0 ? room : 1);
    REQUIRE(made != NULL);
    if (text.length > 0) memcpy(made, text.data, text.length);
    return made;
}

char *fuzz_exact(ml_text text) {
    return copy(text, text.length);
}

char *fuzz_string(ml_text text) {
    char *made = copy(text, text.length + 1);
    made[text.length] = '\0';
    return made;
}

bool fuzz_holds(ml_text text, const char *part) {
    return text.length > 0 && memmem(text.data, text.length, part, strlen(part)) != NULL;
}

bool fuzz_is_utf8(const char *text) {
    ml_text whole = ml_text_of(text);
    for (size_t at = 0; at < whole.length;)
        if (ml_utf8_next(whole, &at) < 0) return false;
    return true;
}
