/*
 * Validator and encoder: whatever passes validation becomes a message whose body is JSON and whose
 * lines and URL hold nothing that could end them. Input: a letter and an argument in each line.
 *
 *     s name=text      a string         { name   an object, which the next lines fill
 *     i name=42        an integer       [ name   an array, likewise
 *     b name           true             )        back to what is around it
 *     n name           null             x        on to the members of extra_body
 *     j name={"a":1}   JSON text        h Name=value   a header
 *     f name=float     another type     u name=why     an unusable value
 */
#include "fuzz.h"
#include "json.h"
#include "message.h"
#include "support/build.h"

#include <string.h>

enum { DEEPEST = 64 };

typedef struct builder {
    ml_request *request;
    ml_value *open[DEEPEST];
    size_t depth;
} builder;

static void split(ml_text argument, char **name, ml_text *value) {
    const char *sign = memchr(argument.data, '=', argument.length);
    size_t length = sign == NULL ? argument.length : (size_t)(sign - argument.data);
    *name = fuzz_string((ml_text){argument.data, length});
    *value = sign == NULL ? (ml_text){"", 0} : (ml_text){sign + 1, argument.length - length - 1};
}

static void open_container(builder *b, ml_value *made) {
    if (b->depth + 1 < DEEPEST) b->open[++b->depth] = made;
}

/* Only text that is JSON may be given as such. */
static void add_json(ml_value *parent, const char *name, ml_text value) {
    ml_json_fault fault;
    if (ml_json_check(value, &fault) == ML_JSON_VALID) ml_add_json(parent, name, value);
}

static void add_text_of(ml_value *parent, char letter, const char *name, ml_text value) {
    char *text = fuzz_string(value);
    if (letter == 'i') ml_add_integer(parent, name, strtoll(text, NULL, 10));
    bool is_said = text[0] != '\0' && fuzz_is_utf8(text);
    if (letter == 'f' && is_said) ml_add_foreign(parent, name, text);
    if (letter == 'u' && is_said) ml_add_unusable(parent, name, text);
    free(text);
}

static void add(builder *b, char letter, const char *name, ml_text value) {
    ml_value *parent = b->open[b->depth];
    /* The names in an object must differ. */
    if (parent->kind == ML_VALUE_OBJECT && ml_value_member(parent, name) != NULL) return;
    switch (letter) {
    case 's': ml_add_string(parent, name, value); break;
    case 'b': ml_add_bool(parent, name, true); break;
    case 'n': ml_add_null(parent, name); break;
    case 'j': add_json(parent, name, value); break;
    case '{': open_container(b, ml_add_object(parent, name)); break;
    case '[': open_container(b, ml_add_array(parent, name)); break;
    default: add_text_of(parent, letter, name, value); break;
    }
}

static void add_header(builder *b, const char *name, ml_text value) {
    ml_request_add_header(b->request, ml_text_of(name), value);
}

static void take_line(builder *b, ml_text line) {
    ml_text argument = {line.data + 2, line.length < 2 ? 0 : line.length - 2}, value;
    char letter = line.length > 0 ? line.data[0] : ')', *name;
    if (letter == ')' && b->depth > 0) b->depth--;
    if (letter == 'x') b->depth = 0;
    if (letter == 'x') b->open[0] = ml_request_extra(b->request);
    if (letter == ')' || letter == 'x') return;
    if (argument.length == 0) argument.data = "";
    split(argument, &name, &value);
    if (letter == 'h')
        add_header(b, name, value);
    else
        add(b, letter, name, value);
    free(name);
}

static void require_plain(ml_text text) {
    for (size_t i = 0; i < text.length; i++)
        REQUIRE((text.data[i] >= 0x20 && text.data[i] <= 0x7E) || text.data[i] == '\t');
}

static void require_sound_message(const ml_message *message) {
    ml_json_fault fault = {0, ""};
    require_plain(ml_buffer_view(&message->url));
    REQUIRE(strchr(message->url.data, ' ') == NULL && strchr(message->url.data, '\t') == NULL);
    REQUIRE(strchr(message->url.data, '#') == NULL && strstr(message->url.data, "/../") == NULL);
    require_plain(ml_buffer_view(&message->shown_url));
    REQUIRE(strchr(message->shown_url.data, '?') == NULL);
    for (size_t i = 0; i < message->line_count; i++) {
        require_plain(ml_text_of(message->lines[i]));
        REQUIRE(strstr(message->lines[i], ": ") != NULL);
    }
    if (!message->has_body) return;
    /* JSON text may be as deep as the check allows, and what holds it is deeper. */
    bool valid = ml_json_check(ml_buffer_view(&message->body), &fault) == ML_JSON_VALID;
    REQUIRE(valid || strstr(fault.what, "too deeply") != NULL);
}

static void require_sound_refusal(const ml_error *error) {
    REQUIRE(error->status == ML_ERR_VALIDATION && error->problem_count > 0);
    REQUIRE(fuzz_is_utf8(error->text));
    for (size_t i = 0; i < error->problem_count; i++)
        REQUIRE(error->problems[i].message[0] != '\0' && fuzz_is_utf8(error->problems[i].message));
}

static void send(ml_request *request, const ml_config *config) {
    ml_message message;
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_request_check(request, &error);
    if (status == ML_OK) {
        status = ml_message_build(&message, request, config, ml_text_of(TEST_KEY), &error);
        if (status == ML_OK) {
            require_sound_message(&message);
            ml_message_free(&message);
        }
    }
    if (status != ML_OK) require_sound_refusal(&error);
    ml_error_clear(&error);
}

static void try_operation(const ml_operation *operation, const ml_config *config, ml_text input) {
    builder b = {.request = ml_request_new(operation)};
    REQUIRE(b.request != NULL);
    b.open[0] = ml_request_fields(b.request);
    for (ml_text line; fuzz_line(&input, &line);)
        take_line(&b, line);
    send(b.request, config);
    ml_request_free(b.request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static ml_config config; /* made once, for speed */
    ml_text input = {(const char *)data, size};
    ml_client_options options = test_options();
    ml_error error;
    ml_error_init(&error);
    if (config.texts == NULL) REQUIRE(ml_config_set(&config, &options, &error) == ML_OK);
    try_operation(link_token_operation(), &config, input);
    try_operation(&fetch_thing, &config, input);
    try_operation(ml_operation_find("request"), &config, input);
    try_operation(ml_operation_find("linked_accounts"), &config, input);
    return 0;
}
