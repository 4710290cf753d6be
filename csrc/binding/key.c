/*
 * key - an API key: a string, or a callable that is asked for it at each call.
 */
#include "binding.h"

int ml_key_take(ml_state *state, PyObject *value, ml_text *text, PyObject **keep,
                PyObject **source) {
    static const char wanted[] = "a string, or a callable that returns one";
    *source = NULL;
    if (PyUnicode_Check(value)) return ml_text_from(value, text, keep);
    if (!PyCallable_Check(value)) return ml_refuse_type(state, "api_key", wanted, value);
    *source = value;
    return 0;
}

int ml_key_set(ml_state *state, PyObject *key, ml_request *request) {
    PyObject *keep = NULL;
    ml_text text = {0};
    int failed = PyUnicode_Check(key)
                     ? ml_text_from(key, &text, &keep)
                     : ml_refuse_type(state, "what the api_key callable returns", "a string", key);
    if (failed == 0) ml_request_set_api_key(request, text);
    Py_XDECREF(keep);
    return failed;
}

/* What the callable raises comes out as it is. */
int ml_key_ask(ml_state *state, PyObject *source, ml_request *request) {
    PyObject *key = PyObject_CallNoArgs(source);
    if (key == NULL) return -1;
    int failed = ml_key_set(state, key, request);
    Py_DECREF(key);
    return failed;
}
