/*
 * Each rule of each field, on both sides of each limit.
 */
#include "support/build.h"
#include "support/expect.h"

/* In every value that is refused; no problem may repeat it. */
#define MARK "Zq7"

/* Checks the request and frees it; the part of NULL: it passes. */
static void expect_verdict(ml_request *request, const char *field, const char *part) {
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_request_check(request, &error);
    ml_request_free(request);
    if (part == NULL) {
        if (status != ML_OK) print_error("%s\n", error.text);
        assert_int_equal(status, ML_OK);
        assert_int_equal(error.problem_count, 0);
    } else {
        expect_problems(&error, &(expected_problem){field, part}, 1);
        expect_failure(&error, ML_ERR_VALIDATION, part);
        expect_contains(error.text, field);
        expect_unquoted(&error, MARK);
    }
    ml_error_clear(&error);
}

/* A request that lacks nothing but, perhaps, the field that a test adds. */
static ml_request *request_without(const char *field) {
    static const char *const texts[] = {"end_user_email_address", "end_user_organization_name",
                                        "end_user_origin_id"};
    ml_request *request = empty_request();
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(texts[i], field) != 0) add_text(request, texts[i], "x");
    if (strcmp(field, "categories") != 0)
        add_categories(request, (const char *const[]){"ats", NULL});
    return request;
}

/* ---- strings ---- */

typedef struct string_row {
    const char *name;
    const char *field;
    ml_text value;
    const char *part; /* of the message; NULL: accepted */
} string_row;

#define TEN(s)    s s s s s s s s s s
#define NOT_KNOWN "is not a known value; did you mean"

static const string_row string_rows[] = {
    /* length, in characters */
    {"email_of_1_character", "end_user_email_address", TEXT_OF("x"), NULL},
    {"email_of_100_characters", "end_user_email_address", TEXT_OF(TEN(TEN("x"))), NULL},
    {"email_of_101_characters", "end_user_email_address", TEXT_OF(TEN(TEN("x")) "x"),
     "must have 1 to 100 characters, has 101"},
    {"email_empty", "end_user_email_address", TEXT_OF(""), "must have 1 to 100 characters, has 0"},
    {"organization_of_100_two_byte_characters", "end_user_organization_name",
     TEXT_OF(TEN(TEN("\xC3\xA9"))), NULL},
    {"organization_of_101_two_byte_characters", "end_user_organization_name",
     TEXT_OF(TEN(TEN("\xC3\xA9")) "\xC3\xA9"), "has 101"},
    {"organization_empty", "end_user_organization_name", TEXT_OF(""), "has 0"},
    {"origin_id_of_100_four_byte_characters", "end_user_origin_id",
     TEXT_OF(TEN(TEN("\xF0\x9F\x98\x80"))), NULL},
    {"origin_id_of_101_four_byte_characters", "end_user_origin_id",
     TEXT_OF(TEN(TEN("\xF0\x9F\x98\x80")) "a"), "has 101"},
    {"origin_id_of_101_combining_characters", "end_user_origin_id",
     TEXT_OF(TEN(TEN("\xCC\x81")) "a"), "has 101"},
    {"origin_id_empty", "end_user_origin_id", TEXT_OF(""), "has 0"},

    /* white space */
    {"spaces_inside_are_text", "end_user_organization_name", TEXT_OF(" a b "), NULL},
    {"spaces_alone", "end_user_organization_name", TEXT_OF("   "), "only white space"},
    {"no_break_space_alone", "end_user_organization_name", TEXT_OF("\xC2\xA0"), "only white space"},
    {"ogham_space_alone", "end_user_organization_name", TEXT_OF("\xE1\x9A\x80"),
     "only white space"},
    {"en_quad_alone", "end_user_organization_name", TEXT_OF("\xE2\x80\x80"), "only white space"},
    {"hair_space_alone", "end_user_organization_name", TEXT_OF("\xE2\x80\x8A"), "only white space"},
    {"line_separator_alone", "end_user_organization_name", TEXT_OF("\xE2\x80\xA8"),
     "only white space"},
    {"paragraph_separator_alone", "end_user_organization_name", TEXT_OF("\xE2\x80\xA9"),
     "only white space"},
    {"narrow_no_break_space_alone", "end_user_organization_name", TEXT_OF("\xE2\x80\xAF"),
     "only white space"},
    {"mathematical_space_alone", "end_user_organization_name", TEXT_OF("\xE2\x81\x9F"),
     "only white space"},
    {"ideographic_spaces_alone", "end_user_email_address", TEXT_OF("\xE3\x80\x80 \xE3\x80\x80"),
     "only white space"},
    {"ideographic_space_and_a_letter", "end_user_email_address", TEXT_OF("\xE3\x80\x80x"), NULL},
    {"zero_width_space_is_no_white_space", "end_user_organization_name", TEXT_OF("\xE2\x80\x8B"),
     NULL},

    /* control characters */
    {"tab", "end_user_origin_id", TEXT_OF(MARK "\t"), "control characters"},
    {"line_feed", "end_user_origin_id", TEXT_OF(MARK "\n"), "control characters"},
    {"carriage_return", "end_user_email_address", TEXT_OF(MARK "\r"), "control characters"},
    {"nul_inside", "end_user_organization_name", TEXT_OF(MARK "\0x"), "control characters"},
    {"nul_alone", "end_user_organization_name", TEXT_OF("\0"), "control characters"},
    {"unit_separator", "end_user_organization_name", TEXT_OF(MARK "\x1F"), "control characters"},
    {"delete", "end_user_organization_name", TEXT_OF(MARK "\x7F"), "control characters"},
    {"first_c1_control", "end_user_organization_name", TEXT_OF(MARK "\xC2\x80"),
     "control characters"},
    {"next_line", "end_user_organization_name", TEXT_OF(MARK "\xC2\x85"), "control characters"},
    {"last_c1_control", "end_user_organization_name", TEXT_OF(MARK "\xC2\x9F"),
     "control characters"},
    {"tilde_is_no_control", "end_user_organization_name", TEXT_OF("~"), NULL},

    /* UTF-8 */
    {"lone_high_surrogate", "end_user_organization_name", TEXT_OF(MARK "\xED\xA0\x80"),
     "lone surrogate"},
    {"lone_low_surrogate", "end_user_organization_name", TEXT_OF(MARK "\xED\xBF\xBF"),
     "lone surrogate"},
    {"surrogates_in_pairs_are_no_utf8", "end_user_organization_name",
     TEXT_OF(MARK "\xED\xA0\xBD\xED\xB8\x80"), "lone surrogate"},
    {"just_below_the_surrogates", "end_user_organization_name", TEXT_OF("\xED\x9F\xBF"), NULL},
    {"just_above_the_surrogates", "end_user_organization_name", TEXT_OF("\xEE\x80\x80"), NULL},
    {"continuation_without_a_lead", "end_user_organization_name", TEXT_OF(MARK "\x80"),
     "valid UTF-8"},
    {"overlong_of_two", "end_user_organization_name", TEXT_OF(MARK "\xC0\xAF"), "valid UTF-8"},
    {"overlong_of_three", "end_user_organization_name", TEXT_OF(MARK "\xE0\x80\xAF"),
     "valid UTF-8"},
    {"overlong_of_four", "end_user_organization_name", TEXT_OF(MARK "\xF0\x80\x80\xAF"),
     "valid UTF-8"},
    {"beyond_unicode", "end_user_organization_name", TEXT_OF(MARK "\xF4\x90\x80\x80"),
     "valid UTF-8"},
    {"last_character_of_unicode", "end_user_organization_name", TEXT_OF("\xF4\x8F\xBF\xBF"), NULL},
    {"byte_ff", "end_user_organization_name", TEXT_OF(MARK "\xFF"), "valid UTF-8"},
    {"cut_sequence", "end_user_organization_name", TEXT_OF(MARK "\xE2\x82"), "valid UTF-8"},
    {"interrupted_sequence", "end_user_organization_name", TEXT_OF(MARK "\xE2\x82z"),
     "valid UTF-8"},

    /* slugs */
    {"integration", "integration", TEXT_OF("greenhouse"), NULL},
    {"integration_with_digits_dashes_and_underscores", "integration", TEXT_OF("7geese-v2_eu"),
     NULL},
    {"integration_empty", "integration", TEXT_OF(""), "must be a slug"},
    {"integration_example", "integration", TEXT_OF("a,b"), "such as \"greenhouse\" or"},
    {"integration_upper_case", "integration", TEXT_OF("Green" MARK), "must be a slug"},
    {"integration_with_space", "integration", TEXT_OF("green house" MARK), "must be a slug"},
    {"integration_that_begins_with_a_dash", "integration",
     TEXT_OF("-"
             "zq"),
     "must be a slug"},
    {"integration_not_ascii", "integration", TEXT_OF("gr\xC3\xBCn"), "must be a slug"},

    /* language tags */
    {"language_en", "language", TEXT_OF("en"), NULL},
    {"language_fr", "language", TEXT_OF("fr"), NULL},
    {"language_with_region", "language", TEXT_OF("pt-BR"), NULL},
    {"language_with_script_and_digits", "language", TEXT_OF("zh-Hant-419"), NULL},
    {"language_of_eight_letters", "language", TEXT_OF("abcdefgh"), NULL},
    {"language_of_nine_letters", "language", TEXT_OF("abcdefghi"), "must be a language tag"},
    {"language_of_one_letter", "language", TEXT_OF("e"), "must be a language tag"},
    {"language_empty", "language", TEXT_OF(""), "must be a language tag"},
    {"language_with_underscore", "language", TEXT_OF("en_US" MARK), "must be a language tag"},
    {"language_that_ends_with_a_dash", "language", TEXT_OF("en-"), "must be a language tag"},
    {"language_with_an_empty_part", "language", TEXT_OF("en--US"), "must be a language tag"},
    {"language_that_begins_with_digits", "language", TEXT_OF("419"), "must be a language tag"},

    /* choices */
    {"initial_screen", "completed_account_initial_screen", TEXT_OF("SELECTIVE_SYNC"), NULL},
    {"initial_screen_in_lower_case", "completed_account_initial_screen", TEXT_OF("selective_sync"),
     NOT_KNOWN " \"SELECTIVE_SYNC\"?"},
    {"initial_screen_other", "completed_account_initial_screen", TEXT_OF(MARK "_OTHER"),
     "must be one of \"SELECTIVE_SYNC\""},
    {"initial_screen_empty", "completed_account_initial_screen", TEXT_OF(""), "must be one of"},

    /* UUIDs */
    {"uuid_in_lower_case", "credential_id", TEXT_OF("3fa85f64-5717-4562-b3fc-2c963f66afa6"), NULL},
    {"uuid_in_upper_case", "linked_destination_id", TEXT_OF("3FA85F64-5717-4562-B3FC-2C963F66AFA6"),
     NULL},
    {"uuid_without_dashes", "credential_id", TEXT_OF("3fa85f6457174562b3fc2c963f66afa6"),
     "must be a UUID"},
    {"uuid_cut", "credential_id", TEXT_OF("3fa85f64-5717-4562-b3fc-2c963f66afa"), "must be a UUID"},
    {"uuid_too_long", "credential_id", TEXT_OF("3fa85f64-5717-4562-b3fc-2c963f66afa60"),
     "must be a UUID"},
    {"uuid_with_a_g", "linked_destination_id", TEXT_OF("gfa85f64-5717-4562-b3fc-2c963f66afa6"),
     "must be a UUID"},
    {"uuid_with_a_misplaced_dash", "linked_destination_id",
     TEXT_OF("3fa85f6-45717-4562-b3fc-2c963f66afa6"), "must be a UUID"},
    {"uuid_in_braces", "credential_id", TEXT_OF("{3fa85f64-5717-4562-b3fc-2c963f66af}"),
     "must be a UUID"},
    {"uuid_empty", "credential_id", TEXT_OF(""), "must be a UUID"},

    /* the path's category */
    {"category_known", "category", TEXT_OF("chat"), NULL},
    {"category_new", "category", TEXT_OF("payroll"), NULL},
    {"category_misspelt", "category", TEXT_OF("chatt"), NOT_KNOWN " \"chat\"?"},
    {"category_empty", "category", TEXT_OF(""), "must be a slug"},
    {"category_with_slash", "category", TEXT_OF("ats/" MARK), "must be a slug"},
    {"category_of_dots", "category", TEXT_OF(".."), "must be a slug"},
};

static void string_rule(void **state) {
    const string_row *row = *state;
    ml_request *request = request_without(row->field);
    ml_add_string(ml_request_fields(request), row->field, row->value);
    expect_verdict(request, row->field, row->part);
}

/* ---- integers ---- */

typedef struct expiry_row {
    const char *name;
    int64_t minutes;
    bool magic_given, magic;
    const char *part;
} expiry_row;

#define BARE  "must be 30 to 720 (to 10080 with should_create_magic_link_url)"
#define MAGIC "must be 30 to 10080"

static const expiry_row expiry_rows[] = {
    {"expiry_29", 29, false, false, BARE},
    {"expiry_30", 30, false, false, NULL},
    {"expiry_720", 720, false, false, NULL},
    {"expiry_721", 721, false, false, BARE},
    {"expiry_0", 0, false, false, BARE},
    {"expiry_negative", -30, false, false, BARE},
    {"expiry_least", INT64_MIN, false, false, BARE},
    {"expiry_most", INT64_MAX, false, false, BARE},
    {"expiry_29_with_magic_link", 29, true, true, MAGIC},
    {"expiry_30_with_magic_link", 30, true, true, NULL},
    {"expiry_721_with_magic_link", 721, true, true, NULL},
    {"expiry_10080_with_magic_link", 10080, true, true, NULL},
    {"expiry_10081_with_magic_link", 10081, true, true, MAGIC},
    {"expiry_721_with_magic_link_false", 721, true, false, BARE},
};

static void expiry_rule(void **state) {
    const expiry_row *row = *state;
    ml_request *request = small_request();
    ml_add_integer(ml_request_fields(request), "link_expiry_mins", row->minutes);
    if (row->magic_given)
        ml_add_bool(ml_request_fields(request), "should_create_magic_link_url", row->magic);
    expect_verdict(request, "link_expiry_mins", row->part);
}

/* ---- types: each field with each kind of value ---- */

typedef enum kind { NUL, BOOL, INTEGER, STRING, JSON_OBJECT, JSON_NUMBER, ARRAY, OBJECT } kind;

static void add_kind(ml_value *parent, const char *field, kind which) {
    switch (which) {
    case NUL: ml_add_null(parent, field); return;
    case BOOL: ml_add_bool(parent, field, true); return;
    case INTEGER: ml_add_integer(parent, field, 40); return;
    case STRING: ml_add_string(parent, field, TEXT(MARK)); return;
    case JSON_OBJECT: ml_add_json(parent, field, TEXT("{\"" MARK "\":1}")); return;
    case JSON_NUMBER: ml_add_json(parent, field, TEXT("1.5")); return;
    case ARRAY: ml_add_array(parent, field); return;
    case OBJECT: ml_add_object(parent, field); return;
    }
}

static const struct {
    ml_type type;
    unsigned kinds; /* that fit */
    const char *part;
} fitting[] = {
    {ML_TYPE_STRING, 1u << STRING, "must be a string, not "},
    {ML_TYPE_INTEGER, 1u << INTEGER, "must be an integer, not "},
    {ML_TYPE_BOOL, 1u << BOOL, "must be true or false, not "},
    {ML_TYPE_ARRAY, 1u << ARRAY, "must be a list, not "},
    {ML_TYPE_OBJECT, 1u << OBJECT, "must be an object, not "},
    {ML_TYPE_MAP, 1u << OBJECT, "must be an object, not "},
    {ML_TYPE_JSON, 1u << JSON_OBJECT, "must be an object, not "},
};

/* Did the check find the wrong type, and only then? */
static void check_type(const ml_field *row, kind which) {
    ml_error error;
    ml_error_init(&error);
    ml_request *request = request_without(row->name);
    add_kind(ml_request_fields(request), row->name, which);
    ml_request_check(request, &error);
    bool found = error.problem_count > 0 && strstr(error.problems[0].message, ", not ") != NULL;
    bool expected = which != NUL && (fitting[row->type].kinds & (1u << which)) == 0;
    if (found != expected) fail_msg("%s with kind %d: %s", row->name, (int)which, error.text);
    if (found) {
        assert_int_equal(error.problem_count, 1);
        assert_string_equal(error.problems[0].field, row->name);
        expect_contains(error.problems[0].message, fitting[row->type].part);
    }
    expect_unquoted(&error, MARK);
    ml_error_clear(&error);
    ml_request_free(request);
}

static void field_takes_only_its_own_type(void **state) {
    const ml_field *row = *state;
    for (kind which = NUL; which <= OBJECT; which++)
        check_type(row, which);
}

static void bool_is_no_integer(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_bool(ml_request_fields(request), "link_expiry_mins", true);
    expect_verdict(request, "link_expiry_mins", "must be an integer, not a bool");
}

static void unusable_value_says_why(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_unusable(ml_request_fields(request), "language", "must be a string, not float");
    expect_verdict(request, "language", "must be a string, not float");
}

static void foreign_value_names_its_type(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_foreign(ml_request_fields(request), "language", "datetime");
    expect_verdict(request, "language", "must be a string, not datetime");
}

static void unusable_value_has_no_say_in_formats(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_unusable(ml_request_fields(request), "language", "must not be %s%n");
    expect_verdict(request, "language", "must not be %s%n");
}

/* ---- required fields ---- */

static void field_that_is_missing_is_named(void **state) {
    const ml_field *row = *state;
    expect_verdict(request_without(row->name), row->name, "is required: give ");
}

static void null_in_a_required_field_is_missing(void **state) {
    const ml_field *row = *state;
    ml_request *request = request_without(row->name);
    ml_add_null(ml_request_fields(request), row->name);
    expect_verdict(request, row->name, "is required: give ");
}

/* ---- categories ---- */

typedef struct list_row {
    const char *name;
    const char *items[6];
    const char *field;
    const char *part;
} list_row;

static const list_row category_rows[] = {
    {"categories_one", {"ats"}, NULL, NULL},
    {"categories_several", {"hris", "ats", "accounting", "ticketing", "crm"}, NULL, NULL},
    {"categories_rest", {"mktg", "filestorage", "knowledgebase"}, NULL, NULL},
    {"categories_new", {"payroll"}, NULL, NULL},
    {"categories_new_with_dash_and_digit", {"file-share_2"}, NULL, NULL},
    {"categories_empty", {NULL}, "categories", "must have at least 1 item, has 0"},
    {"categories_duplicate", {"ats", "crm", "ats"}, "categories[2]", "already in the list"},
    {"categories_duplicate_of_a_new_one", {"zq7", "zq7"}, "categories[1]", "already in the list"},
    {"categories_one_letter_more", {"atss"}, "categories[0]", NOT_KNOWN " \"ats\"?"},
    {"categories_two_letters_swapped", {"hrsi"}, "categories[0]", NOT_KNOWN " \"hris\"?"},
    {"categories_first_letters_swapped", {"rcm"}, "categories[0]", NOT_KNOWN " \"crm\"?"},
    {"categories_last_letters_swapped",
     {"accountign"},
     "categories[0]",
     NOT_KNOWN " \"accounting\"?"},
    {"categories_one_letter_less", {"accountng"}, "categories[0]", NOT_KNOWN " \"accounting\"?"},
    {"categories_one_letter_other", {"hrys"}, "categories[0]", NOT_KNOWN " \"hris\"?"},
    {"categories_two_letters_other", {"hrus-"}, NULL, NULL},
    {"categories_upper_case", {"crm", "ATS"}, "categories[1]", NOT_KNOWN " \"ats\"?"},
    {"categories_mixed_case", {"TicketIng"}, "categories[0]", NOT_KNOWN " \"ticketing\"?"},
    {"categories_dash", {"file-storage"}, "categories[0]", NOT_KNOWN " \"filestorage\"?"},
    {"categories_underscore", {"knowledge_base"}, "categories[0]", NOT_KNOWN " \"knowledgebase\"?"},
    {"categories_case_and_dash", {"File-Storage"}, "categories[0]", NOT_KNOWN " \"filestorage\"?"},
    {"categories_ill_formed", {"crm", "a b" MARK}, "categories[1]", "must be a slug"},
    {"categories_item_empty", {""}, "categories[0]", "must be a slug"},
    {"categories_example", {"a b"}, "categories[0]", "such as \"hris\" or \"ats\""},
    {"categories_in_one_item", {"ats,hris"}, "categories[0]", "each as an item of its own"},
    {"categories_item_blank", {" "}, "categories[0]", "only white space"},
    {"categories_item_with_line_end", {"ats\n"}, "categories[0]", "control characters"},
};

static void categories_rule(void **state) {
    const list_row *row = *state;
    ml_request *request = request_without("categories");
    add_categories(request, row->items);
    expect_verdict(request, row->field, row->part);
}

static void category_that_is_no_string_is_refused(void **state) {
    (void)state;
    ml_request *request = request_without("categories");
    ml_value *list = ml_add_array(ml_request_fields(request), "categories");
    ml_add_string(list, NULL, TEXT("ats"));
    ml_add_null(list, NULL);
    expect_verdict(request, "categories[1]", "must be a string, not null");
}

/* ---- nested values ---- */

/* Each builds a request with one nested mistake (or none). */
typedef void nested_builder(ml_value *fields);

static ml_value *a_model(ml_value *fields) {
    ml_value *model = ml_add_object(ml_add_array(fields, "common_models"), NULL);
    ml_add_string(model, "model_id", TEXT("hris.Employee"));
    return model;
}

static ml_value *a_scope(ml_value *fields, const char *key) {
    ml_value *map = ml_add_object(fields, "category_common_model_scopes");
    ml_value *scope = ml_add_object(ml_add_array(map, key), NULL);
    ml_add_string(scope, "model_name", TEXT("Job"));
    return scope;
}

static void third_action_bad(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_value *actions = ml_add_array(model, "enabled_actions");
    ml_add_string(actions, NULL, TEXT("READ"));
    ml_add_string(actions, NULL, TEXT("WRITE"));
    ml_add_string(actions, NULL, TEXT(MARK));
    ml_add_array(model, "disabled_fields");
}

static void action_in_lower_case(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_string(ml_add_array(model, "enabled_actions"), NULL, TEXT("read"));
    ml_add_array(model, "disabled_fields");
}

static void disabled_field_empty(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_array(model, "enabled_actions");
    ml_value *disabled = ml_add_array(model, "disabled_fields");
    ml_add_string(disabled, NULL, TEXT("ssn"));
    ml_add_string(disabled, NULL, TEXT(""));
}

static void model_without_actions(ml_value *fields) {
    ml_add_array(a_model(fields), "disabled_fields");
}

static void model_with_null_actions(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_array(model, "disabled_fields");
    ml_add_null(model, "enabled_actions");
}

static void model_that_is_a_string(ml_value *fields) {
    ml_add_string(ml_add_array(fields, "common_models"), NULL, TEXT(MARK));
}

static void model_with_misspelt_member(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_array(model, "enabled_actions");
    ml_add_array(model, "disabled_fields");
    ml_add_string(model, "modelId", TEXT(MARK));
}

static void model_with_new_member(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_array(model, "enabled_actions");
    ml_add_array(model, "disabled_fields");
    ml_add_string(model, "brand_new", TEXT(MARK));
}

/* Nothing is missing: it may be newer than this library. */
static void model_with_new_member_like_another(ml_value *fields) {
    ml_value *model = a_model(fields);
    ml_add_array(model, "enabled_actions");
    ml_add_array(model, "disabled_fields");
    ml_add_string(model, "model", TEXT(MARK));
}

static void scope_without_name(ml_value *fields) {
    ml_value *map = ml_add_object(fields, "category_common_model_scopes");
    ml_add_object(ml_add_array(map, "ats"), NULL);
}

static void scope_with_empty_name(ml_value *fields) {
    ml_value *map = ml_add_object(fields, "category_common_model_scopes");
    ml_value *scope = ml_add_object(ml_add_array(map, "ats"), NULL);
    ml_add_string(scope, "model_name", TEXT(""));
}

static void scope_under_misspelt_category(ml_value *fields) {
    a_scope(fields, "atss");
}

static void scope_under_new_category(ml_value *fields) {
    a_scope(fields, "payroll");
}

static void scope_under_odd_key(ml_value *fields) {
    a_scope(fields, "sk " MARK "\n");
}

static void scope_under_long_key(ml_value *fields) {
    a_scope(fields, MARK TEN("abcde"));
}

static void scope_under_empty_key(ml_value *fields) {
    a_scope(fields, "");
}

static void permission_that_is_no_bool(ml_value *fields) {
    ml_value *permissions = ml_add_object(a_scope(fields, "ats"), "model_permissions");
    ml_add_integer(ml_add_object(permissions, "READ"), "is_enabled", 1);
}

static void permission_under_odd_key(ml_value *fields) {
    ml_value *permissions = ml_add_object(a_scope(fields, "ats"), "model_permissions");
    ml_add_bool(ml_add_object(permissions, MARK " \xC2\x85"), "is_enabled", true);
}

static void permitted_field_blank(ml_value *fields) {
    ml_value *permissions = ml_add_object(a_scope(fields, "ats"), "field_permissions");
    ml_add_string(ml_add_array(permissions, "enabled_fields"), NULL, TEXT("\xE3\x80\x80"));
}

static void scope_under_a_key_that_is_no_text(ml_value *fields) {
    ml_value *map = ml_add_object(fields, "category_common_model_scopes");
    ml_add_unusable(map, "", "has a key that is not a string");
}

static void foreign_deep_inside_a_new_member(ml_value *fields) {
    ml_add_foreign(ml_add_array(a_scope(fields, "ats"), "brand_new"), NULL, "set");
}

static void unusable_deep_inside_a_new_member(ml_value *fields) {
    ml_value *list = ml_add_array(a_scope(fields, "ats"), "brand_new");
    ml_add_bool(list, NULL, true);
    ml_add_unusable(ml_add_object(list, NULL), "x", "must be JSON, not set");
}

static void surrogate_deep_inside_a_new_member(ml_value *fields) {
    ml_value *list = ml_add_array(a_scope(fields, "ats"), "brand_new");
    ml_add_string(list, NULL, TEXT(MARK "\xED\xA0\x80"));
}

static void bad_name_deep_inside_a_new_member(ml_value *fields) {
    ml_value *object = ml_add_object(a_scope(fields, "ats"), "brand_new");
    ml_add_bool(object, MARK "\xFF", true);
}

typedef struct nested_row {
    const char *name;
    nested_builder *build;
    const char *field;
    const char *part;
} nested_row;

#define N(function) #function, function
static const nested_row nested_rows[] = {
    {N(third_action_bad), "common_models[0].enabled_actions[2]",
     "must be one of \"READ\", \"WRITE\""},
    {N(action_in_lower_case), "common_models[0].enabled_actions[0]", NOT_KNOWN " \"READ\"?"},
    {N(disabled_field_empty), "common_models[0].disabled_fields[1]",
     "must have at least 1 character, has 0"},
    {N(model_without_actions), "common_models[0].enabled_actions", "is required: give a list"},
    {N(model_with_null_actions), "common_models[0].enabled_actions", "must be a list, not null"},
    {N(model_that_is_a_string), "common_models[0]", "must be an object, not a string"},
    {N(model_with_misspelt_member), "common_models[0].modelId", "did you mean \"model_id\"?"},
    {N(model_with_new_member_like_another), NULL, NULL},
    {N(model_with_new_member), NULL, NULL},
    {N(scope_without_name), "category_common_model_scopes.ats[0].model_name",
     "is required: give a string"},
    {N(scope_with_empty_name), "category_common_model_scopes.ats[0].model_name",
     "at least 1 character, has 0"},
    {N(scope_under_misspelt_category), "category_common_model_scopes.atss", NOT_KNOWN " \"ats\"?"},
    {N(scope_under_new_category), NULL, NULL},
    {N(scope_under_odd_key), "category_common_model_scopes[0]", "control characters"},
    {N(scope_under_long_key), "category_common_model_scopes[0]", "must be a slug"},
    {N(scope_under_empty_key), "category_common_model_scopes[0]", "at least 1 character, has 0"},
    {N(permission_that_is_no_bool),
     "category_common_model_scopes.ats[0].model_permissions.READ.is_enabled",
     "must be true or false, not an integer"},
    {N(permission_under_odd_key), "category_common_model_scopes.ats[0].model_permissions[0]",
     "control characters"},
    {N(permitted_field_blank),
     "category_common_model_scopes.ats[0].field_permissions.enabled_fields[0]", "only white space"},
    {N(scope_under_a_key_that_is_no_text), "category_common_model_scopes[0]",
     "has a key that is not a string"},
    {N(foreign_deep_inside_a_new_member), "category_common_model_scopes.ats[0].brand_new[0]",
     "must be JSON, not set"},
    {N(unusable_deep_inside_a_new_member), "category_common_model_scopes.ats[0].brand_new[1].x",
     "must be JSON, not set"},
    {N(surrogate_deep_inside_a_new_member), "category_common_model_scopes.ats[0].brand_new[0]",
     "lone surrogate"},
    {N(bad_name_deep_inside_a_new_member), "category_common_model_scopes.ats[0].brand_new[0]",
     "valid UTF-8"},
};

static void nested_rule(void **state) {
    const nested_row *row = *state;
    ml_request *request = small_request();
    row->build(ml_request_fields(request));
    expect_verdict(request, row->field, row->part);
}

/* ---- a member that is called otherwise ---- */

static void required_member_under_another_name_is_pointed_out(void **state) {
    (void)state;
    static const expected_problem expected[] = {
        {"common_models[0].model_id", "is required: give a string"},
        {"common_models[0].disabled_fields", "is required: give a list"},
        {"common_models[0].model", "did you mean \"model_id\"?"},
        {"common_models[0].disabled", "did you mean \"disabled_fields\"?"},
    };
    ml_error error;
    ml_error_init(&error);
    ml_request *request = small_request();
    ml_value *model =
        ml_add_object(ml_add_array(ml_request_fields(request), "common_models"), NULL);
    ml_add_string(model, "model", TEXT(MARK));
    ml_add_array(model, "enabled_actions");
    ml_add_array(model, "disabled");
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    expect_problems(&error, expected, COUNT(expected));
    ml_error_clear(&error);
    ml_request_free(request);
}

/* ---- whose words ---- */

static void words_are_the_callers(void **state) {
    (void)state;
    static const ml_words words = {.null = "nil", .boolean = "yes or no", .object = "a table"};
    static const expected_problem expected[] = {{"common_models[0]", "must be a table, not nil"},
                                                {"ekm_enabled", "must be yes or no, not a table"}};
    ml_error error;
    ml_error_init(&error);
    ml_request *request = small_request();
    ml_request_set_words(request, &words);
    ml_add_null(ml_add_array(ml_request_fields(request), "common_models"), NULL);
    ml_add_object(ml_request_fields(request), "ekm_enabled");
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    expect_problems(&error, expected, COUNT(expected));
    ml_error_clear(&error);
    ml_request_free(request);
}

static void lone_string_for_a_list_gets_the_fix(void **state) {
    (void)state;
    ml_request *request = request_without("categories");
    add_text(request, "categories", "ats");
    expect_verdict(request, "categories",
                   "must be a list, not a string: put it into square brackets");
}

/* ---- names that no row knows ---- */

static void unknown_field_goes_into_extra_body(void **state) {
    (void)state;
    ml_request *request = small_request();
    add_text(request, "brand_new", MARK);
    expect_verdict(request, "brand_new", "is not a known field: a new one goes into extra_body");
}

static void misspelt_field_gets_a_suggestion(void **state) {
    (void)state;
    ml_request *request = small_request();
    add_text(request, "languages", MARK);
    expect_verdict(request, "languages", "did you mean \"language\"?");
}

typedef struct extra_row {
    const char *name;
    const char *member;
    ml_text value;
    const char *field;
    const char *part;
} extra_row;

static const extra_row extra_rows[] = {
    {"extra_new_member", "brand_new", TEXT_OF(MARK), NULL, NULL},
    {"extra_member_with_odd_name", "a b.c", TEXT_OF(MARK), NULL, NULL},
    {"extra_empty_text_is_fine", "brand_new", TEXT_OF(""), NULL, NULL},
    {"extra_text_may_hold_line_ends", "brand_new", TEXT_OF(MARK "\n\t"), NULL, NULL},
    {"extra_optional_field", "language", TEXT_OF(MARK), "extra_body.language", "is a known field"},
    {"extra_required_field", "categories", TEXT_OF(MARK), "extra_body.categories",
     "is a known field"},
    {"extra_field_of_the_path", "category", TEXT_OF(MARK), "extra_body.category",
     "is a known field"},
    {"extra_name_empty", "", TEXT_OF(MARK), "extra_body[0]", "at least 1 character"},
    {"extra_name_with_control", MARK "\x01", TEXT_OF(""), "extra_body[0]", "control characters"},
    {"extra_name_not_utf8", MARK "\xC3", TEXT_OF(""), "extra_body[0]", "valid UTF-8"},
    {"extra_text_not_utf8", "brand_new", TEXT_OF(MARK "\xC3"), "extra_body.brand_new",
     "valid UTF-8"},
    {"extra_text_with_surrogate", "brand_new", TEXT_OF(MARK "\xED\xA0\x80"), "extra_body.brand_new",
     "lone surrogate"},
    {"extra_text_with_nul", "brand_new", TEXT_OF(MARK "\0x"), "extra_body.brand_new", "NUL"},
};

static void extra_body_rule(void **state) {
    const extra_row *row = *state;
    ml_request *request = small_request();
    ml_add_string(ml_request_extra(request), row->member, row->value);
    expect_verdict(request, row->field, row->part);
}

static void unusable_extra_value_says_why(void **state) {
    (void)state;
    ml_request *request = small_request();
    ml_add_unusable(ml_request_extra(request), "brand_new", "must be JSON, not set");
    expect_verdict(request, "extra_body.brand_new", "must be JSON, not set");
}

/* ---- further headers ---- */

typedef struct header_row {
    const char *name;
    ml_text header, value;
    const char *field;
    const char *part;
} header_row;

#define RESERVED    "is set by this library"
#define UNPRINTABLE "must be printable ASCII"
#define UNNAMED     "must be named by letters, digits"

static const header_row header_rows[] = {
    {"header_fine", TEXT_OF("X-Request-Id"), TEXT_OF("a b"), NULL, NULL},
    {"header_name_of_all_token_characters", TEXT_OF("!#$%&'*+-.^_`|~09azAZ"), TEXT_OF("v"), NULL,
     NULL},
    {"header_value_with_tab_and_tilde", TEXT_OF("X-A"), TEXT_OF("a\tb~ \""), NULL, NULL},
    {"header_accept", TEXT_OF("Accept"), TEXT_OF("text/plain"), NULL, NULL},
    {"header_authorization", TEXT_OF("authorization"), TEXT_OF(MARK), "extra_headers[0]", RESERVED},
    {"header_account_token", TEXT_OF("X-ACCOUNT-TOKEN"), TEXT_OF(MARK), "extra_headers[0]",
     RESERVED},
    {"header_host", TEXT_OF("Host"), TEXT_OF(MARK), "extra_headers[0]", RESERVED},
    {"header_content_type", TEXT_OF("Content-Type"), TEXT_OF(MARK), "extra_headers[0]", RESERVED},
    {"header_content_length", TEXT_OF("content-length"), TEXT_OF("1"), "extra_headers[0]",
     RESERVED},
    {"header_content_anything", TEXT_OF("Content-X"), TEXT_OF("1"), "extra_headers[0]", RESERVED},
    {"header_transfer_encoding", TEXT_OF("Transfer-Encoding"), TEXT_OF("chunked"),
     "extra_headers[0]", RESERVED},
    {"header_connection", TEXT_OF("Connection"), TEXT_OF("close"), "extra_headers[0]", RESERVED},
    {"header_expect", TEXT_OF("Expect"), TEXT_OF("100-continue"), "extra_headers[0]", RESERVED},
    {"header_proxy_authorization", TEXT_OF("Proxy-Authorization"), TEXT_OF(MARK),
     "extra_headers[0]", RESERVED},
    {"header_accept_encoding", TEXT_OF("accept-Encoding"), TEXT_OF("br"), "extra_headers[0]",
     RESERVED},
    {"header_upgrade", TEXT_OF("Upgrade"), TEXT_OF("h2c"), "extra_headers[0]", RESERVED},
    {"header_te", TEXT_OF("TE"), TEXT_OF("trailers"), "extra_headers[0]", RESERVED},
    {"header_name_empty", TEXT_OF(""), TEXT_OF(MARK), "extra_headers[0]", UNNAMED},
    {"header_name_with_colon", TEXT_OF("X" MARK ":"), TEXT_OF("v"), "extra_headers[0]", UNNAMED},
    {"header_name_with_space", TEXT_OF("X " MARK), TEXT_OF("v"), "extra_headers[0]", UNNAMED},
    {"header_name_with_line_end", TEXT_OF("X\r\n" MARK), TEXT_OF("v"), "extra_headers[0]", UNNAMED},
    {"header_name_with_nul", TEXT_OF("X\0" MARK), TEXT_OF("v"), "extra_headers[0]", UNNAMED},
    {"header_name_not_ascii", TEXT_OF(MARK "\xC3\xA9"), TEXT_OF("v"), "extra_headers[0]", UNNAMED},
    {"header_value_with_cr", TEXT_OF("X-A"), TEXT_OF(MARK "\r"), "extra_headers.X-A", UNPRINTABLE},
    {"header_value_with_lf", TEXT_OF("X-A"), TEXT_OF(MARK "\nX-B: c"), "extra_headers.X-A",
     UNPRINTABLE},
    {"header_value_with_nul", TEXT_OF("X-A"), TEXT_OF(MARK "\0"), "extra_headers.X-A", UNPRINTABLE},
    {"header_value_with_del", TEXT_OF("X-A"), TEXT_OF(MARK "\x7F"), "extra_headers.X-A",
     UNPRINTABLE},
    {"header_value_not_ascii", TEXT_OF("X-A"), TEXT_OF(MARK "\xC3\xA9"), "extra_headers.X-A",
     UNPRINTABLE},
    {"header_value_empty", TEXT_OF("X-A"), TEXT_OF(""), "extra_headers.X-A", UNPRINTABLE},
    {"header_value_blank", TEXT_OF("X-A"), TEXT_OF(" \t "), "extra_headers.X-A", UNPRINTABLE},
};

/* A reserved name is repeated as it was given; any other mistake leaves it out. */
static void header_rule(void **state) {
    const header_row *row = *state;
    char named[64];
    const char *field = row->field;
    ml_request *request = small_request();
    ml_request_add_header(request, row->header, row->value);
    if (row->part != NULL && strcmp(row->part, RESERVED) == 0) {
        snprintf(named, sizeof named, "extra_headers.%s", row->header.data);
        field = named;
    }
    expect_verdict(request, field, row->part);
}

/* ---- all at once ---- */

static void all_problems_come_at_once_in_the_order_of_the_rows(void **state) {
    (void)state;
    static const expected_problem expected[] = {
        {"end_user_email_address", "1 to 100"},
        {"end_user_organization_name", "has 101"},
        {"categories[0]", "\"ats\""},
        {"categories[1]", "must be a slug"},
        {"link_expiry_mins", "30 to 720"},
        {"common_models[0].model_id", "is required"},
        {"common_models[0].enabled_actions", "is required"},
        {"common_models[0].disabled_fields", "is required"},
        {"ekm_enabled", "must be true or false"},
        {"brand_new", "is not a known field"},
        {"extra_body.language", "is a known field"},
        {"extra_headers.Host", RESERVED},
    };
    ml_request *request = request_without("categories");
    ml_value *fields = ml_request_fields(request);
    ml_request_add_header(request, TEXT("Host"), TEXT(MARK));
    ml_add_null(ml_request_extra(request), "language");
    add_text(request, "brand_new", MARK);
    add_text(request, "ekm_enabled", MARK);
    ml_add_object(ml_add_array(fields, "common_models"), NULL);
    ml_add_integer(fields, "link_expiry_mins", 721);
    add_categories(request, (const char *const[]){"atss", MARK, NULL});
    add_text(request, "end_user_organization_name", TEN(TEN("x")) "x");
    add_text(request, "end_user_email_address", "");
    ml_error error;
    ml_error_init(&error);
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    expect_problems(&error, expected, COUNT(expected));
    expect_unquoted(&error, MARK);
    ml_error_clear(&error);
    ml_request_free(request);
}

static void nothing_given_names_the_four_required_fields(void **state) {
    (void)state;
    static const expected_problem expected[] = {{"end_user_email_address", "is required"},
                                                {"end_user_organization_name", "is required"},
                                                {"end_user_origin_id", "is required"},
                                                {"categories", "is required"}};
    ml_error error;
    ml_error_init(&error);
    ml_request *request = empty_request();
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    expect_problems(&error, expected, COUNT(expected));
    expect_contains(error.text, "end_user_email_address is required: give a string; ");
    ml_error_clear(&error);
    ml_request_free(request);
}

static void many_problems_are_counted_in_the_text_and_whole_in_the_list(void **state) {
    (void)state;
    enum { MANY = 500 };
    ml_error error;
    ml_error_init(&error);
    ml_request *request = request_without("categories");
    ml_value *list = ml_add_array(ml_request_fields(request), "categories");
    for (int i = 0; i < MANY; i++)
        ml_add_integer(list, NULL, i);
    assert_int_equal(ml_request_check(request, &error), ML_ERR_VALIDATION);
    assert_int_equal(error.problem_count, MANY);
    assert_string_equal(error.problems[MANY - 1].field, "categories[499]");
    assert_true(strlen(error.text) > ML_ERROR_TEXT_SIZE - 100);
    expect_contains(error.text, "categories[9] must be a string, not an integer; and 490 more");
    ml_error_clear(&error);
    ml_request_free(request);
}

static void endless_list_of_categories_is_refused_as_a_whole(void **state) {
    (void)state;
    char slug[32];
    ml_request *request = request_without("categories");
    ml_value *list = ml_add_array(ml_request_fields(request), "categories");
    for (int i = 0; i < 1001; i++) {
        snprintf(slug, sizeof slug, "category%d", i);
        ml_add_string(list, NULL, ml_text_of(slug));
    }
    expect_verdict(request, "categories", "must have at most 1000 items");
}

static void check_begins_with_a_clear_error(void **state) {
    (void)state;
    ml_error error;
    ml_error_init(&error);
    ml_request *bad = empty_request(), *good = small_request();
    assert_int_equal(ml_request_check(bad, &error), ML_ERR_VALIDATION);
    assert_int_equal(ml_request_check(bad, &error), ML_ERR_VALIDATION);
    assert_int_equal(error.problem_count, 4);
    assert_int_equal(ml_request_check(good, &error), ML_OK);
    assert_int_equal(error.problem_count, 0);
    assert_int_equal(error.status, ML_OK);
    ml_error_clear(&error);
    ml_request_free(bad);
    ml_request_free(good);
}

/* ---- names ---- */

typedef struct likely_row {
    const char *name;
    const char *typed;
    const char *meant[4]; /* in this order */
} likely_row;

static const likely_row likely_rows[] = {
    {"likely_exact", "timeout", {"timeout"}},
    {"likely_one_letter", "timeut", {"timeout"}},
    {"likely_two_letters", "timeuot", {"timeout"}},
    {"likely_case", "TimeOut", {"timeout"}},
    {"likely_dash", "max-retries", {"max_retries"}},
    {"likely_cut", "max_retrie", {"max_retries"}},
    {"likely_one_word", "retries", {"max_retries"}},
    {"likely_abbreviation", "org", {"end_user_organization_name"}},
    {"likely_spelling", "organisation", {"end_user_organization_name"}},
    {"likely_camel_case", "endUserEmail", {"end_user_email_address"}},
    {"likely_capitals", "EMAIL", {"end_user_email_address"}},
    {"likely_other_order", "email_user", {"end_user_email_address"}},
    {"likely_plural", "emails", {"end_user_email_address"}},
    {"likely_form", "expires_in", {"link_expiry_mins"}},
    {"likely_whole_word", "expiry_minutes", {"link_expiry_mins"}},
    {"likely_short_word_counts", "user_id", {"end_user_origin_id"}},
    {"likely_two", "magic_link", {"should_create_magic_link_url", "hide_admin_magic_link"}},
    {"likely_at_most_three",
     "user",
     {"end_user_email_address", "end_user_organization_name", "end_user_origin_id"}},
    {"likely_token", "token", {"api_key", "account_token"}},
    {"likely_key", "key", {"api_key"}},
    {"likely_secret_of_another_kind", "link_token", {NULL}},
    {"likely_only_short_words", "in", {NULL}},
    {"likely_one_word_of_two", "brand_user", {NULL}},
    {"likely_nothing_like_it", "frobnicate", {NULL}},
    {"likely_empty", "", {NULL}},
    {"likely_joints", "__", {NULL}},
    {"likely_not_ascii", "\xC3\xA9mail", {NULL}},
};

static void likely_names_are_found(void **state) {
    static const char *const names[] = {"end_user_email_address",
                                        "end_user_organization_name",
                                        "end_user_origin_id",
                                        "link_expiry_mins",
                                        "should_create_magic_link_url",
                                        "hide_admin_magic_link",
                                        "user_agent",
                                        "timeout",
                                        "max_retries",
                                        "api_key",
                                        "account_token",
                                        NULL};
    const likely_row *row = *state;
    const char *found[3];
    size_t count = ml_likely_names(row->typed, names, found, COUNT(found));
    size_t expected = 0;
    for (; row->meant[expected] != NULL; expected++)
        if (expected < count) assert_string_equal(found[expected], row->meant[expected]);
    assert_int_equal(count, expected);
}

static void rows_are_found_by_their_names(void **state) {
    (void)state;
    const ml_operation *operation = ml_operation_find("create_link_token");
    assert_non_null(operation);
    assert_null(ml_operation_find("create_link_tokens"));
    assert_non_null(ml_field_find(operation->fields, "ekm_enabled"));
    assert_null(ml_field_find(operation->fields, "link_token"));
}

int main(void) {
    SUITE_ROWS(string_rule, string_rows);
    SUITE_ROWS(expiry_rule, expiry_rows);
    for (const ml_field *row = link_token_operation()->fields; row->name != NULL; row++) {
        suite_row(row->name, field_takes_only_its_own_type, row);
        if ((row->flags & ML_FIELD_REQUIRED) == 0) continue;
        suite_row(row->name, field_that_is_missing_is_named, row);
        suite_row(row->name, null_in_a_required_field_is_missing, row);
    }
    SUITE_TEST(bool_is_no_integer);
    SUITE_TEST(unusable_value_says_why);
    SUITE_TEST(foreign_value_names_its_type);
    SUITE_TEST(unusable_value_has_no_say_in_formats);
    SUITE_ROWS(categories_rule, category_rows);
    SUITE_TEST(category_that_is_no_string_is_refused);
    SUITE_ROWS(nested_rule, nested_rows);
    SUITE_TEST(required_member_under_another_name_is_pointed_out);
    SUITE_TEST(words_are_the_callers);
    SUITE_TEST(lone_string_for_a_list_gets_the_fix);
    SUITE_TEST(unknown_field_goes_into_extra_body);
    SUITE_TEST(misspelt_field_gets_a_suggestion);
    SUITE_ROWS(extra_body_rule, extra_rows);
    SUITE_TEST(unusable_extra_value_says_why);
    SUITE_ROWS(header_rule, header_rows);
    SUITE_TEST(all_problems_come_at_once_in_the_order_of_the_rows);
    SUITE_TEST(nothing_given_names_the_four_required_fields);
    SUITE_TEST(many_problems_are_counted_in_the_text_and_whole_in_the_list);
    SUITE_TEST(endless_list_of_categories_is_refused_as_a_whole);
    SUITE_TEST(check_begins_with_a_clear_error);
    SUITE_ROWS(likely_names_are_found, likely_rows);
    SUITE_TEST(rows_are_found_by_their_names);
    return suite_run("validate");
}
