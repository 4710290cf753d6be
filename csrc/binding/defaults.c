/*
 * defaults - the clients behind merge_link.create_link_token() and its like: one for each distinct
 * set of options, the API key aside, so that callers with many keys share connections.
 */
#include "binding.h"

#include <string.h>

/* Moves the client at `index` to the front. */
static PyObject *to_front(ml_state *state, int index) {
    PyObject *client = state->defaults[index];
    memmove(&state->defaults[1], &state->defaults[0], (size_t)index * sizeof(PyObject *));
    state->defaults[0] = client;
    return Py_NewRef(client);
}

static PyObject *find(ml_state *state, const ml_client_options *options) {
    for (int i = 0; i < ML_DEFAULT_CLIENTS && state->defaults[i] != NULL; i++)
        if (ml_client_matches(ml_client_inside(state->defaults[i]), options))
            return to_front(state, i);
    return NULL;
}

/* The one used longest ago leaves; calls that still use it keep it alive until they end. */
static void put_first(ml_state *state, PyObject *client) {
    enum { LAST = ML_DEFAULT_CLIENTS - 1 };
    PyObject *leaving = state->defaults[LAST];
    memmove(&state->defaults[1], &state->defaults[0], LAST * sizeof(PyObject *));
    state->defaults[0] = Py_NewRef(client);
    Py_XDECREF(leaving);
}

static PyObject *find_or_make(ml_state *state, ml_options_reader *reader) {
    ml_client_options options = reader->options;
    options.api_key = (ml_text){0};
    PyObject *client = find(state, &options);
    if (client != NULL) return client;
    client = ml_client_object_new(state, &options);
    if (client != NULL) put_first(state, client);
    return client;
}

static int choose_key(ml_state *state, const ml_options_reader *reader, ml_arguments *arguments) {
    if (ml_request_has_api_key(arguments->request) || arguments->key_source != NULL) return 0;
    if (reader->options.api_key.data == NULL) return ml_raise_no_key(state);
    ml_request_set_api_key(arguments->request, reader->options.api_key);
    return 0;
}

static PyObject *call(ml_state *state, ml_options_reader *reader, ml_arguments *arguments) {
    if (ml_options_complete(state, reader) != 0) return NULL;
    if (choose_key(state, reader, arguments) != 0) return NULL;
    PyObject *client = find_or_make(state, reader);
    if (client == NULL) return NULL;
    ml_caller caller = {client, ml_client_inside(client), reader->on_attempt, NULL};
    PyObject *result = ml_make_call(state, &caller, arguments, false);
    Py_DECREF(client);
    return result;
}

PyObject *ml_call_default(ml_state *state, const ml_operation *operation, const ml_given *given) {
    ml_options_reader reader;
    ml_arguments arguments;
    PyObject *result = NULL;
    if (ml_options_begin(&reader) != 0) return NULL;
    if (ml_arguments_read(state, operation, given, &reader, &arguments) == 0) {
        result = call(state, &reader, &arguments);
        ml_arguments_free(&arguments);
    }
    ml_options_end(&reader);
    return result;
}
