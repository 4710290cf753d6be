#include "binding.h"

#include <string.h>

/* Keywords of every call beside the operation's fields. */
static const char *const call_names[] = {"timeout", "max_retries", "api_key", "extra_headers",
                                         NULL};
/* And of those with a body of fields. */
static const char *const body_names[] = {"extra_body", NULL};
/* And of those that are about a linked account. */
static const char *const account_names[] = {"account_token", NULL};

const ml_operation *ml_operation_named(PyObject *name) {
    const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
    const ml_operation *operation = text == NULL ? NULL : ml_operation_find(text);
    if (text != NULL && operation == NULL) PyErr_Format(PyExc_KeyError, "no operation %R", name);
    return operation;
}

int ml_refuse_positional(const char *function, Py_ssize_t count) {
    if (count == 0) return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes keyword arguments only (%zd positional given)",
                 function, count);
    return -1;
}

static int refuse_more(const ml_operation *operation, Py_ssize_t count) {
    size_t most = operation->positional;
    if (most == 0) return ml_refuse_positional(operation->name, count);
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zu positional argument%s (%zd given)",
                 operation->name, most, most == 1 ? "" : "s", count);
    return -1;
}

/* ---- unknown keywords ---- */

enum { MOST_NAMES = 96 };

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* Some options of a client are keywords of a call, too. */
static void append(const char **names, size_t *count, const char *const *more) {
    for (; *more != NULL && *count < MOST_NAMES; more++)
        if (!is_among(*more, names, *count)) names[(*count)++] = *more;
}

bool ml_takes_extra_body(const ml_operation *operation) {
    static const unsigned elsewhere =
        ML_FIELD_IN_PATH | ML_FIELD_IN_QUERY | ML_FIELD_IN_HEADER | ML_FIELD_IS_BODY;
    if (strcmp(operation->method, "GET") == 0) return false;
    for (const ml_field *row = operation->fields; row->name != NULL; row++)
        if ((row->flags & elsewhere) == 0) return true;
    return false;
}

static int refuse_unknown(const ml_operation *operation, const char *name, int with_client) {
    const char *names[MOST_NAMES + 1];
    size_t count = 0;
    if (strcmp(name, "account_token") == 0)
        return ml_raise_unknown_keyword(operation->name, name, (const char *[]){NULL},
                                        ": this endpoint takes no account token");
    if (ml_is_client_option(name))
        return ml_raise_unknown_keyword(operation->name, name, (const char *[]){NULL},
                                        ": it is an option of Client(), not of a call");
    for (const ml_field *row = operation->fields; row->name != NULL; row++)
        names[count++] = row->name;
    append(names, &count, call_names);
    if (ml_takes_extra_body(operation)) append(names, &count, body_names);
    if (operation->account != ML_ACCOUNT_NONE) append(names, &count, account_names);
    if (with_client) append(names, &count, ml_client_option_names());
    names[count] = NULL;
    return ml_raise_unknown_keyword(
        operation->name, name, names,
        ml_takes_extra_body(operation)
            ? " (a field that is newer than this package goes into extra_body)"
            : "");
}

/* ---- the call's own keywords ---- */

static int take_extra_body(ml_state *state, ml_arguments *arguments, PyObject *value) {
    static const ml_field anything = {.name = "", .type = ML_TYPE_JSON};
    if (!PyDict_Check(value)) return ml_raise_problem(state, "extra_body", "must be a dict");
    ml_value *extra = ml_request_extra(arguments->request);
    PyObject *items = PyDict_Items(value);
    if (items == NULL) return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PyList_Size(items); i++) {
        PyObject *pair = PyList_GetItem(items, i);
        const char *name = NULL;
        failed = ml_convert_key(extra, PyTuple_GetItem(pair, 0), &name);
        if (name != NULL)
            failed = ml_convert(state, extra, name, PyTuple_GetItem(pair, 1), &anything);
    }
    Py_DECREF(items);
    return failed;
}

static int refuse_headers(ml_state *state) {
    return ml_raise_problem(state, "extra_headers", "must be a dict of strings");
}

static int take_header(ml_state *state, ml_arguments *arguments, PyObject *name, PyObject *value) {
    ml_text name_text, value_text;
    PyObject *keep_name = NULL, *keep_value = NULL;
    if (!PyUnicode_Check(name) || !PyUnicode_Check(value)) return refuse_headers(state);
    int failed = ml_text_from(name, &name_text, &keep_name);
    if (failed == 0) failed = ml_text_from(value, &value_text, &keep_value);
    if (failed == 0) ml_request_add_header(arguments->request, name_text, value_text);
    Py_XDECREF(keep_name);
    Py_XDECREF(keep_value);
    return failed;
}

static int take_extra_headers(ml_state *state, ml_arguments *arguments, PyObject *value) {
    if (!PyDict_Check(value)) return refuse_headers(state);
    PyObject *items = PyDict_Items(value);
    if (items == NULL) return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PyList_Size(items); i++) {
        PyObject *pair = PyList_GetItem(items, i);
        failed = take_header(state, arguments, PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1));
    }
    Py_DECREF(items);
    return failed;
}

static int take_api_key(ml_state *state, ml_arguments *arguments, PyObject *value) {
    ml_text text = {0};
    PyObject *keep = NULL;
    if (ml_key_take(state, value, &text, &keep, &arguments->key_source) != 0) return -1;
    ml_request_set_api_key(arguments->request, text);
    Py_XDECREF(keep);
    Py_XINCREF(arguments->key_source);
    return 0;
}

static int take_account_token(ml_state *state, ml_arguments *arguments, PyObject *value) {
    ml_text text = {0};
    PyObject *keep = NULL;
    if (!PyUnicode_Check(value)) return ml_refuse_type(state, "account_token", "a string", value);
    if (ml_text_from(value, &text, &keep) != 0) return -1;
    ml_request_set_account_token(arguments->request, text);
    Py_XDECREF(keep);
    return 0;
}

static int take_max_retries(ml_state *state, ml_arguments *arguments, PyObject *value) {
    long long count = 0;
    if (ml_count_from(state, "max_retries", value, &count) != 0) return -1;
    if (count < 0 || count > 100)
        return ml_raise_configuration(state, "max_retries", "must be 0 to 100");
    arguments->options.max_retries = (int)count;
    return 0;
}

static int take_own(ml_state *state, ml_arguments *arguments, const char *name, PyObject *value) {
    if (strcmp(name, "timeout") == 0)
        return ml_seconds_from(state, name, value, &arguments->options.timeout);
    if (strcmp(name, "max_retries") == 0) return take_max_retries(state, arguments, value);
    if (strcmp(name, "api_key") == 0) return take_api_key(state, arguments, value);
    if (strcmp(name, "extra_headers") == 0) return take_extra_headers(state, arguments, value);
    if (strcmp(name, "account_token") == 0) return take_account_token(state, arguments, value);
    return take_extra_body(state, arguments, value);
}

static bool is_own(const ml_operation *operation, const char *name) {
    if (strcmp(name, *body_names) == 0) return 1;
    for (const char *const *own = call_names; *own != NULL; own++)
        if (strcmp(*own, name) == 0) return true;
    return operation->account != ML_ACCOUNT_NONE && strcmp(name, *account_names) == 0;
}

/* ---- all of them ---- */

static const ml_words words = {.null = "None", .boolean = "True or False", .object = "a dict"};

/* None means "not given", but where it is an option's own word for "off". */
static int take(ml_state *state, const ml_operation *operation, ml_options_reader *client,
                ml_arguments *arguments, const char *name, PyObject *value) {
    const ml_field *row = ml_field_find(operation->fields, name);
    bool known = row != NULL || is_own(operation, name);
    if (!known && (client == NULL || !ml_is_client_option(name)))
        return refuse_unknown(operation, name, client != NULL);
    if (!known) return ml_options_take(state, client, name, value);
    if (value == Py_None) return 0;
    if (row == NULL) return take_own(state, arguments, name, value);
    return ml_convert(state, ml_request_fields(arguments->request), name, value, row);
}

static int begin(const ml_operation *operation, ml_arguments *arguments) {
    ml_call_options_init(&arguments->options);
    arguments->key_source = NULL;
    arguments->request = ml_request_new(operation);
    if (arguments->request == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    ml_request_set_words(arguments->request, &words);
    return 0;
}

static int take_positional(ml_state *state, const ml_operation *operation, const ml_given *given,
                           ml_arguments *arguments) {
    if ((size_t)given->count > operation->positional) return refuse_more(operation, given->count);
    for (Py_ssize_t i = 0; i < given->count; i++)
        if (take(state, operation, NULL, arguments, operation->fields[i].name, given->values[i]))
            return -1;
    return 0;
}

static int refuse_twice(const ml_operation *operation, const char *name, Py_ssize_t positional) {
    for (Py_ssize_t i = 0; i < positional; i++)
        if (strcmp(operation->fields[i].name, name) == 0) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'",
                         operation->name, name);
            return -1;
        }
    return 0;
}

static int take_keywords(ml_state *state, const ml_operation *operation, const ml_given *given,
                         ml_options_reader *client, ml_arguments *arguments) {
    PyObject *const *values = given->values + given->count;
    Py_ssize_t count = given->names == NULL ? 0 : PyTuple_Size(given->names);
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(given->names, i), NULL);
        if (name == NULL || refuse_twice(operation, name, given->count) != 0 ||
            take(state, operation, client, arguments, name, values[i]) != 0)
            return -1;
    }
    return 0;
}

int ml_arguments_read(ml_state *state, const ml_operation *operation, const ml_given *given,
                      ml_options_reader *client, ml_arguments *arguments) {
    if (begin(operation, arguments) != 0) return -1;
    if (take_positional(state, operation, given, arguments) == 0 &&
        take_keywords(state, operation, given, client, arguments) == 0)
        return 0;
    ml_arguments_free(arguments);
    return -1;
}

/* The values may run code of theirs, which may change the dict: they are kept meanwhile. */
static int take_item(ml_state *state, const ml_operation *operation, ml_arguments *arguments,
                     PyObject *name, PyObject *value) {
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    if (!PyUnicode_Check(name)) PyErr_SetString(PyExc_TypeError, "keywords must be strings");
    if (text == NULL) return -1;
    Py_INCREF(name);
    Py_INCREF(value);
    int failed = take(state, operation, NULL, arguments, text, value);
    Py_DECREF(value);
    Py_DECREF(name);
    return failed;
}

int ml_arguments_read_dict(ml_state *state, const ml_operation *operation, PyObject *fields,
                           ml_arguments *arguments) {
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (begin(operation, arguments) != 0) return -1;
    while (PyDict_Next(fields, &position, &name, &value))
        if (take_item(state, operation, arguments, name, value) != 0) {
            ml_arguments_free(arguments);
            return -1;
        }
    return 0;
}

void ml_arguments_free(ml_arguments *arguments) {
    ml_request_free(arguments->request);
    arguments->request = NULL;
    Py_CLEAR(arguments->key_source);
}
