/*
 * The strict check of JSON text, and the walk over what passed it.
 */
#include "json.h"
#include "support/expect.h"

/* Text of exactly this length, so that the sanitizers see every byte read past its end. */
static ml_text exact(ml_text text) {
    char *copy = malloc(text.length > 0 ? text.length : 1);
    if (text.length > 0) memcpy(copy, text.data, text.length);
    return (ml_text){copy, text.length};
}

static void forget(ml_text text) {
    free(unconst(text.data));
}

static ml_json_verdict check(ml_text text, ml_json_fault *fault) {
    ml_text copy = exact(text);
    *fault = (ml_json_fault){0, ""};
    ml_json_verdict verdict = ml_json_check(copy, fault);
    forget(copy);
    return verdict;
}

static void expect_valid(ml_text text) {
    ml_json_fault fault;
    if (check(text, &fault) != ML_JSON_VALID) fail_msg("at %zu: %s", fault.offset, fault.what);
}

static void expect_invalid(ml_text text, size_t offset, const char *what) {
    ml_json_fault fault;
    assert_int_equal(check(text, &fault), ML_JSON_INVALID);
    if (fault.offset != offset || strstr(fault.what, what) == NULL)
        fail_msg("at %zu: %s; not at %zu: %s", fault.offset, fault.what, offset, what);
}

/* ---- valid ---- */

typedef struct valid_row {
    const char *name;
    ml_text text;
} valid_row;

static const valid_row valid_rows[] = {
    {"null", TEXT_OF("null")},
    {"true", TEXT_OF("true")},
    {"false", TEXT_OF("false")},
    {"zero", TEXT_OF("0")},
    {"minus_zero", TEXT_OF("-0")},
    {"integer", TEXT_OF("1234567890")},
    {"fraction", TEXT_OF("-0.5")},
    {"exponents", TEXT_OF("[1e5,1E5,1e+5,1E-5,0e0,1.5e00]")},
    {"very_long_number",
     TEXT_OF("123456789012345678901234567890123456789012345678901234567890123456789")},
    {"number_beyond_doubles", TEXT_OF("1e999999")},
    {"empty_string", TEXT_OF("\"\"")},
    {"string", TEXT_OF("\"abc\"")},
    {"each_escape", TEXT_OF("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u00E9\"")},
    {"escaped_nul", TEXT_OF("\"\\u0000\"")},
    {"escaped_pair", TEXT_OF("\"\\ud83d\\uDE00\"")},
    {"first_and_last_escaped_pair", TEXT_OF("\"\\ud800\\udc00\\udbff\\udfff\"")},
    {"escaped_characters_beside_the_surrogates", TEXT_OF("\"\\ud7ff\\ue000\\uffff\"")},
    {"utf8_of_each_length",
     TEXT_OF("\"\x7F\xC2\x80\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80"
             "\xF4\x8F\xBF\xBF\"")},
    {"noncharacters", TEXT_OF("\"\xEF\xBF\xBE\xEF\xBF\xBF\"")},
    {"delete_is_no_control_character", TEXT_OF("\"\x7F\"")},
    {"line_separator_in_a_string", TEXT_OF("\"\xE2\x80\xA8\"")},
    {"empty_array", TEXT_OF("[]")},
    {"empty_object", TEXT_OF("{}")},
    {"white_space_everywhere",
     TEXT_OF(" \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 "
             "\t\r\n] \t\r\n} \t\r\n")},
    {"members", TEXT_OF("{\"a\":1,\"b\":{\"a\":1},\"c\":[{\"a\":1},{\"a\":1}]}")},
    {"member_with_an_empty_name", TEXT_OF("{\"\":1}")},
    {"names_that_differ_by_case", TEXT_OF("{\"a\":1,\"A\":2}")},
    {"names_that_are_prefixes", TEXT_OF("{\"a\":1,\"aa\":2,\"\":3}")},
    {"names_that_differ_after_nul", TEXT_OF("{\"a\\u0000b\":1,\"a\\u0000c\":2,\"a\":3}")},
    {"names_of_other_normal_forms", TEXT_OF("{\"\xC3\xA9\":1,\"e\xCC\x81\":2}")},
    {"same_name_at_other_depths",
     TEXT_OF("{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"b\":{\"a\":1}}")},
};

static void text_is_valid(void **state) {
    const valid_row *row = *state;
    expect_valid(row->text);
}

/* Each proper beginning of these is unfinished. (Not of numbers: "12" is one too.) */
static void beginning_of_valid_text_is_invalid(void **state) {
    const valid_row *row = *state;
    ml_json_fault fault;
    ml_text text = ml_json_trim(row->text);
    for (size_t length = 0; length < text.length; length++) {
        assert_int_equal(check((ml_text){text.data, length}, &fault), ML_JSON_INVALID);
        assert_true(fault.offset <= length);
    }
}

static bool is_bracketed(ml_text text) {
    text = ml_json_trim(text);
    return strchr("[{\"tfn", text.data[0]) != NULL;
}

/* ---- invalid ---- */

typedef struct invalid_row {
    const char *name;
    ml_text text;
    size_t offset;
    const char *what;
} invalid_row;

#define VALUE "expected a value"
#define DIGIT "expected a digit"
#define CLOSE "expected ',' or a closing bracket"
#define NAME  "expected a member name"
#define LONE  "lone surrogate"
#define TWICE "a member is given twice"

static const invalid_row invalid_rows[] = {
    {"nothing", TEXT_OF(""), 0, VALUE ", found the end"},
    {"white_space_alone", TEXT_OF(" \n"), 2, VALUE ", found the end"},
    {"byte_order_mark", TEXT_OF("\xEF\xBB\xBF{}"), 0, VALUE},
    {"nul_alone", TEXT_OF("\0"), 0, VALUE},
    {"nul_after_the_end", TEXT_OF("{}\0"), 2, "text after the end"},
    {"nul_between_tokens", TEXT_OF("[1\0]"), 2, CLOSE},
    {"text_after_an_array", TEXT_OF("[1]x"), 3, "text after the end"},
    {"second_value", TEXT_OF("{} {}"), 3, "text after the end"},
    {"closing_bracket_too_many", TEXT_OF("[]]"), 2, "text after the end"},
    {"vertical_tab_is_no_white_space", TEXT_OF("\v1"), 0, VALUE},
    {"form_feed_is_no_white_space", TEXT_OF("[1\f]"), 2, CLOSE},
    {"no_break_space_is_no_white_space",
     TEXT_OF("\xC2\xA0"
             "1"),
     0, VALUE},
    {"comment", TEXT_OF("/* */1"), 0, VALUE},
    {"bare_word", TEXT_OF("abc"), 0, VALUE},
    {"word_in_upper_case", TEXT_OF("[True]"), 1, VALUE},
    {"word_cut", TEXT_OF("[nul]"), 1, VALUE},
    {"word_too_long", TEXT_OF("truee"), 4, "text after the end"},
    {"nan", TEXT_OF("NaN"), 0, VALUE},
    {"infinity", TEXT_OF("-Infinity"), 1, DIGIT},
    {"leading_zero", TEXT_OF("[01]"), 2, CLOSE},
    {"leading_zero_of_a_negative", TEXT_OF("-01"), 2, "text after the end"},
    {"plus", TEXT_OF("+1"), 0, VALUE},
    {"minus_alone", TEXT_OF("-"), 1, DIGIT},
    {"minus_twice", TEXT_OF("--1"), 1, DIGIT},
    {"fraction_without_digits", TEXT_OF("[1.]"), 3, DIGIT},
    {"fraction_without_integer", TEXT_OF(".5"), 0, VALUE},
    {"exponent_without_digits", TEXT_OF("1e"), 2, DIGIT},
    {"exponent_of_a_sign", TEXT_OF("1e+"), 3, DIGIT},
    {"hexadecimal", TEXT_OF("0x10"), 1, "text after the end"},
    {"number_with_underscore", TEXT_OF("1_000"), 1, "text after the end"},
    {"digits_of_another_script", TEXT_OF("\xD9\xA1"), 0, VALUE},
    {"string_in_single_quotes", TEXT_OF("'a'"), 0, VALUE},
    {"string_without_end", TEXT_OF("\"abc"), 4, "string without end"},
    {"string_that_ends_in_a_backslash", TEXT_OF("\"abc\\"), 5, "string without end"},
    {"string_that_ends_in_an_escaped_quote", TEXT_OF("\"abc\\\""), 6, "string without end"},
    {"raw_line_feed", TEXT_OF("\"a\nb\""), 2, "control character"},
    {"raw_tab", TEXT_OF("\"\t\""), 1, "control character"},
    {"raw_nul", TEXT_OF("\"a\0b\""), 2, "control character"},
    {"raw_unit_separator", TEXT_OF("\"\x1F\""), 1, "control character"},
    {"raw_control_in_a_name", TEXT_OF("{\"a\x01\":1}"), 3, "control character"},
    {"unknown_escape", TEXT_OF("\"\\x41\""), 2, "unknown escape"},
    {"escaped_nul_byte", TEXT_OF("\"\\\0\""), 2, "unknown escape"},
    {"escape_in_upper_case", TEXT_OF("\"\\N\""), 2, "unknown escape"},
    {"unicode_escape_cut", TEXT_OF("\"\\u00e\""), 3, "four hexadecimal digits"},
    {"unicode_escape_at_the_end", TEXT_OF("\"\\u00"), 3, "four hexadecimal digits"},
    {"unicode_escape_with_a_letter", TEXT_OF("\"\\u00g0\""), 3, "four hexadecimal digits"},
    {"unicode_escape_with_a_sign", TEXT_OF("\"\\u+041\""), 3, "four hexadecimal digits"},
    {"escaped_high_surrogate_alone", TEXT_OF("\"\\ud800\""), 7, LONE},
    {"escaped_high_surrogate_before_text", TEXT_OF("\"\\ud800abcdef\""), 7, LONE},
    {"escaped_high_surrogate_before_another_escape", TEXT_OF("\"\\ud800\\n12345\""), 7, LONE},
    {"escaped_high_surrogate_twice", TEXT_OF("\"\\ud800\\ud800\""), 7, LONE},
    {"escaped_high_surrogate_at_the_end", TEXT_OF("\"\\ud800\\u"), 7, LONE},
    {"escaped_low_surrogate_alone", TEXT_OF("\"\\udc00\""), 7, LONE},
    {"escaped_surrogates_in_the_wrong_order", TEXT_OF("\"\\udc00\\ud800\""), 7, LONE},
    {"raw_surrogate", TEXT_OF("\"\xED\xA0\x80\""), 1, "invalid UTF-8"},
    {"raw_surrogates_in_a_pair", TEXT_OF("\"\xED\xA0\xBD\xED\xB8\x80\""), 1, "invalid UTF-8"},
    {"continuation_alone", TEXT_OF("\"a\x80\""), 2, "invalid UTF-8"},
    {"byte_fe", TEXT_OF("\"\xFE\""), 1, "invalid UTF-8"},
    {"overlong", TEXT_OF("\"\xC0\x80\""), 1, "invalid UTF-8"},
    {"overlong_of_three", TEXT_OF("\"\xE0\x9F\xBF\""), 1, "invalid UTF-8"},
    {"beyond_unicode", TEXT_OF("\"\xF4\x90\x80\x80\""), 1, "invalid UTF-8"},
    {"sequence_cut_by_the_quote", TEXT_OF("\"\xE2\x82\""), 1, "invalid UTF-8"},
    {"sequence_cut_by_the_end", TEXT_OF("\"\xF0\x9F"), 1, "invalid UTF-8"},
    {"utf8_outside_of_strings", TEXT_OF("[\xC3\xA9]"), 1, VALUE},
    {"bad_utf8_in_a_name", TEXT_OF("{\"\xFF\":1}"), 2, "invalid UTF-8"},
    {"array_without_end", TEXT_OF("[1"), 2, CLOSE},
    {"array_with_a_comma_at_the_end", TEXT_OF("[1,]"), 3, VALUE},
    {"array_with_a_comma_first", TEXT_OF("[,1]"), 1, VALUE},
    {"array_with_two_commas", TEXT_OF("[1,,2]"), 3, VALUE},
    {"array_without_commas", TEXT_OF("[1 2]"), 3, CLOSE},
    {"array_closed_as_an_object", TEXT_OF("[1}"), 2, CLOSE},
    {"object_without_end", TEXT_OF("{\"a\":1"), 6, CLOSE},
    {"object_with_a_comma_at_the_end", TEXT_OF("{\"a\":1,}"), 7, NAME},
    {"object_with_a_bare_name", TEXT_OF("{a:1}"), 1, NAME},
    {"object_with_a_number_as_name", TEXT_OF("{1:1}"), 1, NAME},
    {"object_without_colon", TEXT_OF("{\"a\" 1}"), 5, "expected ':'"},
    {"object_without_value", TEXT_OF("{\"a\":}"), 5, VALUE},
    {"object_closed_as_an_array", TEXT_OF("{\"a\":1]"), 6, CLOSE},
    {"member_twice", TEXT_OF("{\"a\":1,\"a\":2}"), 0, TWICE},
    {"member_twice_with_white_space", TEXT_OF(" {\"a\":1, \"a\" :2}"), 1, TWICE},
    {"member_twice_by_an_escape", TEXT_OF("{\"a\":1,\"\\u0061\":2}"), 0, TWICE},
    {"member_twice_by_another_escape", TEXT_OF("{\"a\\/\":1,\"a/\":2}"), 0, TWICE},
    {"member_twice_by_escapes_in_another_case", TEXT_OF("{\"\\u00e9\":1,\"\\u00E9\":2}"), 0, TWICE},
    {"member_twice_by_utf8", TEXT_OF("{\"\xC3\xA9\":1,\"\\u00e9\":2}"), 0, TWICE},
    {"member_twice_by_a_pair", TEXT_OF("{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\ude00\":2}"), 0, TWICE},
    {"member_twice_by_short_and_long_escape", TEXT_OF("{\"\\n\":1,\"\\u000a\":2}"), 0, TWICE},
    {"member_twice_with_nul", TEXT_OF("{\"\\u0000\":1,\"\\u0000\":2}"), 0, TWICE},
    {"member_twice_with_an_empty_name", TEXT_OF("{\"\":1,\"\":2}"), 0, TWICE},
    {"member_twice_deep_inside", TEXT_OF("{\"a\":[0,{\"b\":1,\"b\":2}]}"), 8, TWICE},
    {"member_twice_among_nine",
     TEXT_OF("{\"i\":1,\"h\":1,\"g\":1,\"f\":1,\"e\":1,\"d\":1,\"c\":1,\"b\":1,\"\\u0065\":1}"), 0,
     TWICE},
};

static void text_is_invalid(void **state) {
    const invalid_row *row = *state;
    expect_invalid(row->text, row->offset, row->what);
}

/* ---- depth and size ---- */

static ml_buffer nested(const char *open, const char *inner, const char *close, int depth) {
    ml_buffer text = {0};
    for (int i = 0; i < depth; i++)
        ml_buffer_text(&text, open);
    ml_buffer_text(&text, inner);
    for (int i = 0; i < depth; i++)
        ml_buffer_text(&text, close);
    return text;
}

static void depth_of_256_is_valid(void **state) {
    (void)state;
    ml_buffer arrays = nested("[", "", "]", 256), objects = nested("{\"a\":", "1", "}", 256);
    expect_valid(ml_buffer_view(&arrays));
    expect_valid(ml_buffer_view(&objects));
    ml_buffer_free(&arrays);
    ml_buffer_free(&objects);
}

static void depth_of_257_is_invalid(void **state) {
    (void)state;
    ml_buffer arrays = nested("[", "", "]", 257), objects = nested("{\"a\":", "1", "}", 257);
    expect_invalid(ml_buffer_view(&arrays), 256, "nested too deeply");
    expect_invalid(ml_buffer_view(&objects), 1280, "nested too deeply");
    ml_buffer_free(&arrays);
    ml_buffer_free(&objects);
}

static void depth_counts_what_is_open_only(void **state) {
    (void)state;
    ml_buffer text = nested("[[],", "1", "]", 255);
    expect_valid(ml_buffer_view(&text));
    ml_buffer_free(&text);
}

static void million_open_brackets_end_quickly(void **state) {
    (void)state;
    ml_buffer text = nested("[", "", "", 1000000);
    expect_invalid(ml_buffer_view(&text), 256, "nested too deeply");
    ml_buffer_free(&text);
}

/* {"m0":0,"m1":1,...} with the last name as given. */
static ml_buffer many_members(int count, const char *last) {
    char member[32];
    ml_buffer text = {0};
    ml_buffer_char(&text, '{');
    for (int i = 0; i < count; i++) {
        snprintf(member, sizeof member, "\"m%d\":%d,", i, i);
        ml_buffer_text(&text, member);
    }
    ml_buffer_text(&text, last);
    ml_buffer_text(&text, ":0}");
    return text;
}

static void twins_are_found_among_5000_members(void **state) {
    (void)state;
    ml_buffer single = many_members(5000, "\"m5000\""), twins = many_members(5000, "\"m17\""),
              hidden = many_members(5000, "\"\\u006D2500\"");
    expect_valid(ml_buffer_view(&single));
    expect_invalid(ml_buffer_view(&twins), 0, TWICE);
    expect_invalid(ml_buffer_view(&hidden), 0, TWICE);
    ml_buffer_free(&single);
    ml_buffer_free(&twins);
    ml_buffer_free(&hidden);
}

/* ---- walking ---- */

static void members_come_in_their_order_exactly_as_sent(void **state) {
    (void)state;
    static const char object[] =
        " { \"a\" : 1.50 ,\"b}\\\",\" :\"x,}]\\\"y\", \"\\u0063\":{\"d\":[1,{\"e\":\"]\"}],\"f\":{}}"
        "\n,\"g\":[ ] , \"h\": null}";
    static const struct {
        const char *member, *value;
        ml_kind kind;
    } expected[] = {
        {"\"a\"", "1.50", ML_KIND_NUMBER},
        {"\"b}\\\",\"", "\"x,}]\\\"y\"", ML_KIND_STRING},
        {"\"\\u0063\"", "{\"d\":[1,{\"e\":\"]\"}],\"f\":{}}", ML_KIND_OBJECT},
        {"\"g\"", "[ ]", ML_KIND_ARRAY},
        {"\"h\"", "null", ML_KIND_NULL},
    };
    expect_valid(ml_text_of(object));
    ml_text text = ml_json_trim(ml_text_of(object)), name, value;
    size_t at = 0;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(ml_json_next_member(text, &at, &name, &value));
        expect_text(name, ml_text_of(expected[i].member));
        expect_text(value, ml_text_of(expected[i].value));
        assert_int_equal(ml_json_kind(value), expected[i].kind);
    }
    assert_false(ml_json_next_member(text, &at, &name, &value));
}

static void empty_object_has_no_members(void **state) {
    const valid_row *row = *state;
    ml_text name, value;
    size_t at = 0;
    ml_text object = exact(row->text);
    assert_false(ml_json_next_member(object, &at, &name, &value));
    forget(object);
}

static const valid_row empty_rows[] = {
    {"empty_object", TEXT_OF("{}")},
    {"empty_object_with_white_space", TEXT_OF("{ \n }")},
};

static void kinds_are_told_by_the_first_byte(void **state) {
    (void)state;
    assert_int_equal(ml_json_kind(TEXT("true")), ML_KIND_BOOL);
    assert_int_equal(ml_json_kind(TEXT("false")), ML_KIND_BOOL);
    assert_int_equal(ml_json_kind(TEXT("-1")), ML_KIND_NUMBER);
    assert_int_equal(ml_json_kind(TEXT("\"1\"")), ML_KIND_STRING);
}

typedef struct string_row {
    const char *name;
    ml_text literal;
    const char *meaning; /* NULL: holds U+0000 */
} string_row;

static const string_row string_rows[] = {
    {"string_empty", TEXT_OF("\"\""), ""},
    {"string_plain", TEXT_OF("\"abc\""), "abc"},
    {"string_each_escape", TEXT_OF("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t"},
    {"string_escaped_utf8", TEXT_OF("\"\\u00e9\\u20AC\\ud83d\\ude00\""),
     "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"string_raw_utf8", TEXT_OF("\"\xC3\xA9\xF0\x9F\x98\x80\""), "\xC3\xA9\xF0\x9F\x98\x80"},
    {"string_with_nul", TEXT_OF("\"a\\u0000b\""), NULL},
    {"string_of_nul", TEXT_OF("\"\\u0000\""), NULL},
    {"string_with_an_escaped_backslash_before_u0000", TEXT_OF("\"\\\\u0000\""), "\\u0000"},
    {"string_with_a_control_escape", TEXT_OF("\"\\u0001\""), "\x01"},
    {"string_with_zeros", TEXT_OF("\"0\\u0030\""), "00"},
};

static void string_is_decoded(void **state) {
    const string_row *row = *state;
    ml_buffer out = {0};
    ml_text literal = exact(row->literal);
    assert_int_equal(ml_json_has_nul(literal), row->meaning == NULL);
    if (row->meaning != NULL) {
        assert_true(ml_json_decode_string(literal, &out));
        expect_text(ml_buffer_view(&out), ml_text_of(row->meaning));
    }
    ml_buffer_free(&out);
    forget(literal);
}

/* ---- everything near a valid text ---- */

/* Whatever byte is changed, dropped or doubled: no crash, and the walk stays inside of the text. */
static void mutate(ml_text text, size_t at, int change) {
    ml_json_fault fault;
    char copy[600];
    size_t length = text.length;
    memcpy(copy, text.data, length);
    if (change < 256) {
        copy[at] = (char)change;
    } else if (change == 256) {
        memmove(copy + at, copy + at + 1, length - at - 1);
        length--;
    } else {
        memmove(copy + at + 1, copy + at, length - at);
        length++;
    }
    ml_text mutant = exact((ml_text){copy, length});
    if (ml_json_check(mutant, &fault) == ML_JSON_VALID) {
        ml_text object = ml_json_trim(mutant), name, value;
        if (ml_json_kind(object) == ML_KIND_OBJECT)
            for (size_t next = 0; ml_json_next_member(object, &next, &name, &value);)
                assert_true(name.length >= 2 && value.length >= 1 &&
                            value.data + value.length < object.data + object.length);
    } else {
        assert_true(fault.offset <= length);
    }
    forget(mutant);
}

static void no_change_of_a_byte_breaks_the_walk(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\\u0041\\n\":[1.5e-3,\"\xC3\xA9\\ud83d\\ude00\",{}],\"b\":{\"c\":"
        "true,\"d\":null} ,\"link_token\":\"x\\\"y\"}";
    for (size_t at = 0; at < sizeof text - 1; at++)
        for (int change = 0; change <= 257; change++)
            mutate(ml_text_of(text), at, change);
}

int main(void) {
    SUITE_ROWS(text_is_valid, valid_rows);
    for (size_t i = 0; i < COUNT(valid_rows); i++)
        if (is_bracketed(valid_rows[i].text))
            suite_row(valid_rows[i].name, beginning_of_valid_text_is_invalid, &valid_rows[i]);
    SUITE_ROWS(text_is_invalid, invalid_rows);
    SUITE_TEST(depth_of_256_is_valid);
    SUITE_TEST(depth_of_257_is_invalid);
    SUITE_TEST(depth_counts_what_is_open_only);
    SUITE_TEST(million_open_brackets_end_quickly);
    SUITE_TEST(twins_are_found_among_5000_members);
    SUITE_TEST(members_come_in_their_order_exactly_as_sent);
    SUITE_ROWS(empty_object_has_no_members, empty_rows);
    SUITE_TEST(kinds_are_told_by_the_first_byte);
    SUITE_ROWS(string_is_decoded, string_rows);
    SUITE_TEST(no_change_of_a_byte_breaks_the_walk);
    return suite_run("json");
}
