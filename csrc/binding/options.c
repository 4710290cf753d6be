/*
 * options - keyword arguments and environment as options of a client. One row an option.
 */
#include "binding.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

typedef enum option_kind {
    OPTION_KEY,
    OPTION_TEXT,
    OPTION_CA,
    OPTION_CERT,
    OPTION_SECONDS,
    OPTION_COUNT,
    OPTION_BYTES,
    OPTION_BOOL,
    OPTION_BUDGET,
    OPTION_CALLABLE
} option_kind;

/* name, kind, field of ml_client_options (any, where the kind knows its own) */
#define OPTIONS(X)                                                                                 \
    X(api_key, KEY, api_key)                                                                       \
    X(account_token, TEXT, account_token)                                                          \
    X(region, TEXT, region)                                                                        \
    X(base_url, TEXT, base_url)                                                                    \
    X(category, TEXT, category)                                                                    \
    X(timeout, SECONDS, timeout)                                                                   \
    X(connect_timeout, SECONDS, connect_timeout)                                                   \
    X(max_retries, COUNT, max_retries)                                                             \
    X(max_connections, COUNT, max_connections)                                                     \
    X(idle_timeout, SECONDS, idle_timeout)                                                         \
    X(max_response_bytes, BYTES, max_response_bytes)                                               \
    X(error_budget, BUDGET, budget_failures)                                                       \
    X(ca_bundle, CA, ca_bundle)                                                                    \
    X(client_cert, CERT, client_cert)                                                              \
    X(proxy, TEXT, proxy)                                                                          \
    X(allow_http, BOOL, allow_http)                                                                \
    X(user_agent, TEXT, user_agent)                                                                \
    X(on_attempt, CALLABLE, user_agent)

static const struct option_row {
    const char *name;
    option_kind kind;
    size_t at; /* in ml_client_options */
} rows[] = {
#define X(name, kind, field) {#name, OPTION_##kind, offsetof(ml_client_options, field)},
    OPTIONS(X)
#undef X
};

static const struct option_row *find_row(const char *name) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    return NULL;
}

int ml_is_client_option(const char *name) {
    return find_row(name) != NULL;
}

const char *const *ml_client_option_names(void) {
    static const char *const names[] = {
#define X(name, kind, field) #name,
        OPTIONS(X)
#undef X
            NULL,
    };
    return names;
}

static void *slot(ml_options_reader *reader, const struct option_row *row) {
    return (char *)&reader->options + row->at;
}

/* ---- one value ---- */

int ml_seconds_from(ml_state *state, const char *name, PyObject *value, double *seconds) {
    static const char wanted[] = "a number of seconds (int or float)";
    if (PyBool_Check(value) || PyUnicode_Check(value))
        return ml_refuse_type(state, name, wanted, value);
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError) &&
            !PyErr_ExceptionMatches(PyExc_OverflowError))
            return -1;
        PyErr_Clear();
        return ml_refuse_type(state, name, wanted, value);
    }
    /* Those that the C library reads as "not given" are refused here, where they were given. */
    if (!(number > 0.0)) return ml_raise_configuration(state, name, "must be more than 0 seconds");
    *seconds = number;
    return 0;
}

int ml_count_from(ml_state *state, const char *name, PyObject *value, long long *count) {
    if (PyBool_Check(value) || !PyIndex_Check(value))
        return ml_refuse_type(state, name, "an integer", value);
    PyObject *integer = PyNumber_Index(value);
    if (integer == NULL) return -1;
    int overflow = 0;
    *count = PyLong_AsLongLongAndOverflow(integer, &overflow);
    Py_DECREF(integer);
    /* As far out of range as can be said: the core knows the ranges. */
    if (overflow != 0) *count = overflow > 0 ? INT64_MAX : INT64_MIN;
    return 0;
}

static int keep_object(ml_options_reader *reader, PyObject *object) {
    int failed = PyList_Append(reader->keep, object);
    Py_DECREF(object);
    return failed;
}

static int take_key(ml_state *state, ml_options_reader *reader, PyObject *value) {
    PyObject *keep = NULL;
    if (ml_key_take(state, value, &reader->options.api_key, &keep, &reader->key_source) != 0)
        return -1;
    return keep == NULL ? 0 : keep_object(reader, keep);
}

static int take_string(ml_options_reader *reader, PyObject *value, ml_text *text) {
    PyObject *keep = NULL;
    if (ml_text_from(value, text, &keep) != 0) return -1;
    return keep == NULL ? 0 : keep_object(reader, keep);
}

static int take_text(ml_state *state, ml_options_reader *reader, const struct option_row *row,
                     PyObject *value) {
    if (!PyUnicode_Check(value)) return ml_refuse_type(state, row->name, "a string", value);
    return take_string(reader, value, slot(reader, row));
}

/* 1: taken, 0: it is no path, -1: exception. */
static int take_path(ml_options_reader *reader, PyObject *value, ml_text *text) {
    PyObject *path = PyOS_FSPath(value);
    if (path == NULL && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    if (path == NULL || !PyUnicode_Check(path)) {
        PyErr_Clear();
        Py_XDECREF(path);
        return 0;
    }
    if (keep_object(reader, path) != 0) return -1;
    return take_string(reader, path, text) == 0 ? 1 : -1;
}

/* A path, or the certificates themselves. */
static int take_ca(ml_state *state, ml_options_reader *reader, const struct option_row *row,
                   PyObject *value) {
    if (PyBytes_Check(value)) {
        reader->options.ca_pem = (ml_text){PyBytes_AsString(value), (size_t)PyBytes_Size(value)};
        return 0;
    }
    int taken = take_path(reader, value, slot(reader, row));
    if (taken != 0) return taken < 0 ? -1 : 0;
    return ml_refuse_type(state, row->name, "a path (str or os.PathLike) or PEM text (bytes)",
                          value);
}

/* (certificate, key) or (certificate, key, password). A key of None is in the certificate's file.
 * 1: taken, 0: it is no such tuple, -1: exception. */
static int take_cert_tuple(ml_options_reader *reader, PyObject *tuple) {
    ml_client_options *options = &reader->options;
    Py_ssize_t size = PyTuple_Size(tuple);
    if (size != 2 && size != 3) return 0;
    PyObject *key = PyTuple_GetItem(tuple, 1);
    int taken = take_path(reader, PyTuple_GetItem(tuple, 0), &options->client_cert);
    if (taken == 1 && key != Py_None) taken = take_path(reader, key, &options->client_key);
    if (taken != 1 || size == 2) return taken;
    PyObject *password = PyTuple_GetItem(tuple, 2);
    if (password == Py_None) return 1;
    if (!PyUnicode_Check(password)) return 0;
    return take_string(reader, password, &options->client_key_password) == 0 ? 1 : -1;
}

static int take_cert(ml_state *state, ml_options_reader *reader, const struct option_row *row,
                     PyObject *value) {
    int taken = PyTuple_Check(value) ? take_cert_tuple(reader, value)
                                     : take_path(reader, value, slot(reader, row));
    if (taken != 0) return taken < 0 ? -1 : 0;
    return ml_refuse_type(
        state, row->name,
        "a path (str or os.PathLike), or a tuple of strings or paths (certificate, "
        "key) or (certificate, key, password)",
        value);
}

static int take_budget(ml_state *state, ml_options_reader *reader, PyObject *value) {
    static const char wanted[] = "None or (failures, seconds)";
    reader->options.budget_failures = 0;
    if (value == Py_None) return 0;
    long long failures = 0;
    if (!PyTuple_Check(value) || PyTuple_Size(value) != 2)
        return ml_refuse_type(state, "error_budget", wanted, value);
    if (ml_count_from(state, "error_budget[0]", PyTuple_GetItem(value, 0), &failures) != 0)
        return -1;
    if (failures < 1 || failures > 100000)
        return ml_raise_configuration(state, "error_budget[0]",
                                      "must be 1 to 100000; None means off");
    reader->options.budget_failures = (int)failures;
    return ml_seconds_from(state, "error_budget[1]", PyTuple_GetItem(value, 1),
                           &reader->options.budget_window);
}

static int take_number(ml_state *state, ml_options_reader *reader, const struct option_row *row,
                       PyObject *value) {
    long long count = 0;
    if (ml_count_from(state, row->name, value, &count) != 0) return -1;
    if (row->kind == OPTION_COUNT) {
        if (count < -1) count = -1;
        *(int *)slot(reader, row) = count < INT_MAX ? (int)count : INT_MAX;
        return 0;
    }
    if (count < 1 || count > INT_MAX)
        return ml_raise_configuration(state, row->name, "must be 1 to %d", INT_MAX);
    *(size_t *)slot(reader, row) = (size_t)count;
    return 0;
}

static int take_value(ml_state *state, ml_options_reader *reader, const struct option_row *row,
                      PyObject *value) {
    switch (row->kind) {
    case OPTION_KEY: return take_key(state, reader, value);
    case OPTION_TEXT: return take_text(state, reader, row, value);
    case OPTION_CA: return take_ca(state, reader, row, value);
    case OPTION_CERT: return take_cert(state, reader, row, value);
    case OPTION_SECONDS: return ml_seconds_from(state, row->name, value, slot(reader, row));
    case OPTION_COUNT:
    case OPTION_BYTES: return take_number(state, reader, row, value);
    case OPTION_BOOL:
        if (!PyBool_Check(value)) return ml_refuse_type(state, row->name, "True or False", value);
        *(bool *)slot(reader, row) = value == Py_True;
        reader->has_allow_http = true;
        return 0;
    case OPTION_BUDGET: return take_budget(state, reader, value);
    case OPTION_CALLABLE:
        if (!PyCallable_Check(value)) return ml_refuse_type(state, row->name, "callable", value);
        reader->on_attempt = value;
        return 0;
    }
    return 0;
}

int ml_options_take(ml_state *state, ml_options_reader *reader, const char *name, PyObject *value) {
    const struct option_row *row = find_row(name);
    if (value == Py_None && row->kind != OPTION_BUDGET) return 0;
    return take_value(state, reader, row, value);
}

/* ---- what was not given ---- */

/* The environment as a dict of options, read by Python (merge_link/_environment.py). */
static PyObject *read_environment(ml_state *state, const ml_options_reader *reader) {
    PyObject *read = ml_state_import(&state->read_environment, "merge_link._environment", "read");
    PyObject *found = read == NULL ? NULL : PyObject_CallNoArgs(read);
    if (found == NULL || PyList_Append(reader->keep, found) != 0) {
        Py_XDECREF(found);
        return NULL;
    }
    Py_DECREF(found); /* the list keeps it */
    return found;
}

static int fill_text(PyObject *environment, const char *name, ml_text *text) {
    PyObject *value = PyDict_GetItemString(environment, name);
    PyObject *keep = NULL;
    if (text->data != NULL || value == NULL) return 0;
    int failed = ml_text_from(value, text, &keep);
    /* What the environment holds is bytes; those that are no text are refused by the core. */
    if (keep != NULL && failed == 0) failed = PyDict_SetItemString(environment, name, keep);
    Py_XDECREF(keep);
    return failed;
}

/* The order is base_url=, MERGE_BASE_URL, region=, MERGE_REGION. */
static int fill_from(PyObject *environment, ml_options_reader *reader) {
    ml_client_options *options = &reader->options;
    if (!reader->has_allow_http)
        options->allow_http = PyDict_GetItemString(environment, "allow_http") == Py_True;
    bool has_ca = options->ca_pem.data != NULL;
    if (reader->key_source == NULL && fill_text(environment, "api_key", &options->api_key) != 0)
        return -1;
    if (fill_text(environment, "base_url", &options->base_url) != 0 ||
        fill_text(environment, "region", &options->region) != 0 ||
        (!has_ca && fill_text(environment, "ca_bundle", &options->ca_bundle) != 0) ||
        fill_text(environment, "user_agent", &options->user_agent) != 0)
        return -1;
    return 0;
}

/* The URL of the proxy that the environment gives for the base URL, or None. */
static PyObject *choose_proxy(ml_state *state, ml_text base_url) {
    PyObject *choose =
        ml_state_import(&state->proxy_choice, "merge_link._environment", "proxy_choice");
    PyObject *text = PyUnicode_DecodeUTF8(base_url.data, (Py_ssize_t)base_url.length, "replace");
    PyObject *choice = NULL, *url = NULL;
    if (choose != NULL && text != NULL) choice = PyObject_CallFunctionObjArgs(choose, text, NULL);
    if (choice != NULL) url = PyObject_GetAttrString(choice, "url");
    Py_XDECREF(choice);
    Py_XDECREF(text);
    return url;
}

/* A proxy= of the caller's own wins over all that the environment says. */
int ml_options_choose_proxy(ml_state *state, ml_options_reader *reader) {
    ml_text base_url = ml_base_url_of(&reader->options);
    reader->chooses_proxy = reader->options.proxy.data == NULL;
    if (!reader->chooses_proxy || base_url.data == NULL) return 0;
    reader->options.proxy = ml_text_of("");
    PyObject *url = choose_proxy(state, base_url);
    if (url == NULL || keep_object(reader, url) != 0) return -1;
    return url == Py_None ? 0 : take_string(reader, url, &reader->options.proxy);
}

/* The system's certificates, else those of certifi if it is installed. */
static int fill_ca(ml_options_reader *reader) {
    if (reader->options.ca_bundle.data != NULL || reader->options.ca_pem.data != NULL) return 0;
    reader->options.ca_bundle = ml_text_of(ml_system_ca());
    if (reader->options.ca_bundle.data != NULL) return 0;
    PyObject *find = NULL, *path = NULL;
    if (ml_state_import(&find, "merge_link._environment", "certifi_bundle") == NULL) return -1;
    path = PyObject_CallFunctionObjArgs(find, NULL);
    Py_DECREF(find);
    if (path == NULL) return -1;
    if (keep_object(reader, path) != 0) return -1;
    return path == Py_None ? 0 : take_string(reader, path, &reader->options.ca_bundle);
}

int ml_options_begin(ml_options_reader *reader) {
    ml_client_options_init(&reader->options);
    reader->on_attempt = reader->key_source = NULL;
    reader->has_allow_http = reader->chooses_proxy = false;
    reader->keep = PyList_New(0);
    return reader->keep == NULL ? -1 : 0;
}

int ml_options_complete(ml_state *state, ml_options_reader *reader) {
    PyObject *environment = read_environment(state, reader);
    if (environment == NULL) return -1;
    if (fill_from(environment, reader) != 0 || ml_options_choose_proxy(state, reader) != 0)
        return -1;
    return fill_ca(reader);
}

void ml_options_end(ml_options_reader *reader) {
    Py_CLEAR(reader->keep);
}
