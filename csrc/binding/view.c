/*
 * view - for_account() and with_options(): another client of the same class over the same
 * connections. Made here, so that no Python frame holds an account token.
 */
#include "binding.h"

#include <limits.h>
#include <string.h>

/* What a view may change; the rest belongs to the connections. */
static const char *const names_of_options[] = {"account_token", "category",    "region", "base_url",
                                               "timeout",       "max_retries", NULL};
static const char *const names_of_account[] = {"account_token", "category", NULL};

/* No value that the reader takes, so that what was not given can be told. */
enum { NO_RETRIES_GIVEN = -2 };

static bool is_among(const char *name, const char *const *names) {
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static int refuse(const char *function, const char *name, const char *const *names) {
    static const char key_hint[] = ": give it to a call, or make a new Client with it";
    static const char hint[] = ": it belongs to the connections, which are shared: make a new "
                               "Client with it";
    if (is_among(name, names_of_account)) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", function, name);
        return -1;
    }
    if (is_among(name, names_of_options))
        return ml_raise_unknown_keyword(function, name, (const char *[]){NULL},
                                        ": with_options() takes it");
    if (ml_is_client_option(name))
        return ml_raise_unknown_keyword(function, name, (const char *[]){NULL},
                                        strcmp(name, "api_key") == 0 ? key_hint : hint);
    return ml_raise_unknown_keyword(function, name, names, "");
}

static int read_keywords(ml_state *state, const char *function, const char *const *names,
                         const ml_given *given, ml_options_reader *reader) {
    Py_ssize_t count = given->names == NULL ? 0 : PyTuple_Size(given->names);
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(given->names, i), NULL);
        if (name == NULL) return -1;
        if (!is_among(name, names)) return refuse(function, name, names);
        if (ml_options_take(state, reader, name, given->values[given->count + i]) != 0) return -1;
    }
    return 0;
}

static int check(ml_state *state, const ml_client_options *options) {
    if (options->max_retries == -1)
        return ml_raise_configuration(state, "max_retries", "must be 0 to 100");
    return 0;
}

static ml_view_options changes_of(const ml_client_options *options) {
    ml_view_options changes;
    ml_view_options_init(&changes);
    changes.account_token = options->account_token;
    changes.category = options->category;
    changes.region = options->region;
    changes.base_url = options->base_url;
    changes.proxy = options->proxy;
    if (options->timeout > 0.0) changes.timeout = options->timeout;
    if (options->max_retries >= 0) changes.max_retries = options->max_retries;
    return changes;
}

/* The environment may give another proxy for another base URL, and gives none for loopback. */
static int choose_proxy(ml_state *state, PyObject *self, ml_options_reader *reader) {
    bool leads_elsewhere =
        reader->options.base_url.data != NULL || reader->options.region.data != NULL;
    if (!leads_elsewhere || !ml_client_object_chooses_proxy(self)) return 0;
    return ml_options_choose_proxy(state, reader);
}

static PyObject *make_view(ml_state *state, PyObject *self, ml_options_reader *reader) {
    if (check(state, &reader->options) != 0 || choose_proxy(state, self, reader) != 0) return NULL;
    ml_view_options changes = changes_of(&reader->options);
    return ml_client_object_view(state, self, &changes);
}

/* Neither timeout nor retries are given. */
static int begin(ml_options_reader *reader) {
    if (ml_options_begin(reader) != 0) return -1;
    reader->options.timeout = -1.0;
    reader->options.max_retries = NO_RETRIES_GIVEN;
    return 0;
}

PyObject *ml_view_with_options(PyObject *self, PyTypeObject *type, PyObject *const *values,
                               Py_ssize_t count, PyObject *names) {
    static const char function[] = "with_options";
    ml_state *state = PyType_GetModuleState(type);
    ml_given given = {values, count, names};
    ml_options_reader reader;
    PyObject *view = NULL;
    if (state == NULL || ml_client_ready(self) == NULL ||
        ml_refuse_positional(function, count) != 0 || begin(&reader) != 0)
        return NULL;
    if (read_keywords(state, function, names_of_options, &given, &reader) == 0)
        view = make_view(state, self, &reader);
    ml_options_end(&reader);
    return view;
}

/* The token may come by position, and None is no token: whoever has none means another call. */
static int read_account(ml_state *state, const ml_given *given, ml_options_reader *reader) {
    static const char function[] = "for_account";
    if (given->count > 1) {
        PyErr_SetString(PyExc_TypeError, "for_account() takes at most 1 positional argument");
        return -1;
    }
    if (given->count == 1 && ml_options_take(state, reader, "account_token", *given->values) != 0)
        return -1;
    bool is_given = reader->options.account_token.data != NULL;
    if (read_keywords(state, function, is_given ? names_of_account + 1 : names_of_account, given,
                      reader) != 0)
        return -1;
    if (reader->options.account_token.data != NULL) return 0;
    return ml_raise_configuration(state, "account_token", "is missing: for_account() needs one");
}

PyObject *ml_view_for_account(PyObject *self, PyTypeObject *type, PyObject *const *values,
                              Py_ssize_t count, PyObject *names) {
    ml_state *state = PyType_GetModuleState(type);
    ml_given given = {values, count, names};
    ml_options_reader reader;
    PyObject *view = NULL;
    if (state == NULL || ml_client_ready(self) == NULL || begin(&reader) != 0) return NULL;
    if (read_account(state, &given, &reader) == 0) view = make_view(state, self, &reader);
    ml_options_end(&reader);
    return view;
}
