/*
 * JSON text: whatever the strict check accepts, cJSON reads too, and the walk over members finds
 * what cJSON finds. Input: the text.
 */
#include "fuzz.h"
#include "json.h"

#include <cJSON.h>
#include <string.h>

/* cJSON refuses numbers of more characters than these. */
enum { LONGEST_NUMBER = 63 };

static bool has_long_number(ml_text text) {
    size_t run = 0;
    for (size_t i = 0; i < text.length; i++) {
        bool counts = text.data[i] != '\0' && strchr("0123456789+-.eE", text.data[i]) != NULL;
        run = counts ? run + 1 : 0;
        if (run > LONGEST_NUMBER) return true;
    }
    return false;
}

static ml_kind kind_of(const cJSON *item) {
    if (cJSON_IsNull(item)) return ML_KIND_NULL;
    if (cJSON_IsBool(item)) return ML_KIND_BOOL;
    if (cJSON_IsNumber(item)) return ML_KIND_NUMBER;
    if (cJSON_IsString(item)) return ML_KIND_STRING;
    return cJSON_IsArray(item) ? ML_KIND_ARRAY : ML_KIND_OBJECT;
}

static void require_same_string(ml_text literal, const char *expected) {
    ml_buffer decoded = {0};
    if (ml_json_has_nul(literal)) return;
    REQUIRE(ml_json_decode_string(literal, &decoded));
    REQUIRE(strcmp(ml_buffer_view(&decoded).data, expected) == 0);
    ml_buffer_free(&decoded);
}

static void require_same_members(ml_text object, const cJSON *expected) {
    ml_text name, value;
    ml_json_fault fault;
    const cJSON *item = expected->child;
    for (size_t at = 0; ml_json_next_member(object, &at, &name, &value); item = item->next) {
        REQUIRE(item != NULL);
        REQUIRE(ml_json_check(name, &fault) == ML_JSON_VALID);
        REQUIRE(ml_json_check(value, &fault) == ML_JSON_VALID);
        REQUIRE(ml_json_kind(value) == kind_of(item));
        require_same_string(name, item->string);
        if (cJSON_IsString(item)) require_same_string(value, item->valuestring);
    }
    REQUIRE(item == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ml_text text = {(const char *)data, size};
    ml_json_fault fault = {SIZE_MAX, NULL};
    ml_json_verdict verdict = ml_json_check(text, &fault);
    REQUIRE(verdict != ML_JSON_NO_MEMORY);
    if (verdict == ML_JSON_INVALID) {
        REQUIRE(fault.offset <= size && fault.what != NULL);
        return 0;
    }
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text.data, text.length, &end, false);
    REQUIRE(root != NULL || has_long_number(text));
    if (root == NULL) return 0;
    /* cJSON stops where the value ends: nothing but white space is left. */
    REQUIRE(ml_json_trim((ml_text){end, (size_t)(text.data + size - end)}).length == 0);
    ml_text trimmed = ml_json_trim(text);
    REQUIRE(ml_json_kind(trimmed) == kind_of(root));
    if (cJSON_IsObject(root)) require_same_members(trimmed, root);
    cJSON_Delete(root);
    return 0;
}
