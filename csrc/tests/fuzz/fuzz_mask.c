/*
 * Masking: the text keeps its length, every byte is what it was or '*', the secret is gone, also
 * where JSON's escapes spelt it, and JSON stays JSON. Input: the secret in the first line, the text
 * after it.
 */
#include "fuzz.h"
#include "json.h"
#include "secret.h"

#include <cJSON.h>
#include <string.h>

/* A credential is printable ASCII; with '*' in it, masking would not show. */
static bool is_secret(ml_text text) {
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < 0x21 || text.data[i] > 0x7E || text.data[i] == '*') return false;
    return text.length >= 6;
}

static void require_absent(const char *text, const char *secret) {
    REQUIRE(text == NULL || strstr(text, secret) == NULL);
}

/* No string or name anywhere in it means the secret. */
static void require_absent_inside(const cJSON *item, const char *secret) {
    for (; item != NULL; item = item->next) {
        require_absent(item->string, secret);
        require_absent(item->valuestring, secret);
        require_absent_inside(item->child, secret);
    }
}

/* Are all masked bytes inside of strings? Secrets like "123456" may stand where numbers do. */
static bool only_strings_changed(ml_text before, const char *after) {
    bool inside = false;
    for (size_t i = 0; i < before.length; i++) {
        if (!inside && before.data[i] != after[i]) return false;
        if (inside && before.data[i] == '"' && before.data[i] != after[i]) return false;
        if (before.data[i] == '"') inside = !inside;
        /* The escaped character cannot end the string. */
        if (inside && before.data[i] == '\\') i++;
    }
    return true;
}

static void require_masked_json(ml_text before, ml_text after, const char *secret) {
    ml_json_fault fault = {0, ""};
    if (ml_json_check(before, &fault) != ML_JSON_VALID) return;
    if (!only_strings_changed(before, after.data)) return;
    /* "secret" and "******" are two names before, and one after. */
    bool valid = ml_json_check(after, &fault) == ML_JSON_VALID;
    REQUIRE(valid || strstr(fault.what, "given twice") != NULL);
    cJSON *root = cJSON_ParseWithLength(after.data, after.length);
    require_absent_inside(root, secret);
    cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ml_text rest = {(const char *)data, size}, secret;
    if (!fuzz_line(&rest, &secret) || !is_secret(secret)) return 0;
    char *masked = fuzz_exact(rest), *hidden = fuzz_string(secret);
    ml_mask(masked, rest.length, secret);
    for (size_t i = 0; i < rest.length; i++)
        REQUIRE(masked[i] == rest.data[i] || masked[i] == '*');
    REQUIRE(!fuzz_holds((ml_text){masked, rest.length}, hidden));
    require_masked_json(rest, (ml_text){masked, rest.length}, hidden);
    free(masked);
    free(hidden);
    return 0;
}
