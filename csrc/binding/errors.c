/*
 * errors - a failure as an exception. The classes are Python's own (merge_link/errors.py): one
 * definition for type checkers, pickle and help(). Imported when the first error is raised.
 */
#include "binding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A body is shown up to this size; one byte more says that it was cut. */
enum { MOST_BODY_SHOWN = 64 * 1024 + 1 };

static const char *kind_of(ml_status status) {
    switch (status) {
    case ML_OK: break;
    case ML_ERR_MEMORY: return "memory";
    case ML_ERR_CONFIGURATION: return "configuration";
    case ML_ERR_VALIDATION: return "validation";
    case ML_ERR_TRANSPORT: return "transport";
    case ML_ERR_TLS: return "tls";
    case ML_ERR_TIMEOUT: return "timeout";
    case ML_ERR_API: return "api";
    case ML_ERR_BUDGET: return "budget";
    case ML_ERR_RESPONSE: return "response";
    case ML_ERR_CLOSED: return "closed";
    case ML_ERR_INTERRUPTED: return "interrupted";
    }
    return "";
}

static PyObject *text_object(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* What is wrong, and in a second line what to do. */
static PyObject *message_of(const ml_error *error) {
    char message[ML_ERROR_TEXT_SIZE + ML_ERROR_HINT_SIZE];
    bool has_hint = error->hint[0] != '\0';
    snprintf(message, sizeof message, "%s%s%s", error->text, has_hint ? "\n" : "", error->hint);
    return text_object(message);
}

static PyObject *problem_list(const ml_error *error) {
    PyObject *list = PyList_New((Py_ssize_t)error->problem_count);
    if (list == NULL) return NULL;
    for (size_t i = 0; i < error->problem_count; i++) {
        PyObject *pair = Py_BuildValue("(NN)", text_object(error->problems[i].field),
                                       text_object(error->problems[i].message));
        if (pair == NULL || PyList_SetItem(list, (Py_ssize_t)i, pair) != 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

static PyObject *bytes_object(ml_text text, size_t most) {
    size_t length = text.length < most ? text.length : most;
    return PyBytes_FromStringAndSize(text.data, (Py_ssize_t)length);
}

/* The keyword arguments of from_core(). */
static PyObject *error_facts(const ml_error *error) {
    return Py_BuildValue("{sssNsssisdsIsOsNsN}", "kind", kind_of(error->status), "message",
                         message_of(error), "code", error->code, "status_code", error->http_status,
                         "retry_after", error->retry_after, "attempts", error->attempts,
                         "may_have_arrived", error->may_have_arrived ? Py_True : Py_False,
                         "problems", problem_list(error), "request",
                         text_object(error->request != NULL ? error->request : ""));
}

static PyObject *answer_facts(const ml_response *response) {
    if (response == NULL) return PyDict_New();
    return Py_BuildValue("{sNsNsOsz}", "headers",
                         bytes_object(ml_response_headers(response), SIZE_MAX), "body",
                         bytes_object(ml_response_body(response), MOST_BODY_SHOWN), "is_json",
                         ml_response_body_is_json(response) ? Py_True : Py_False, "detail",
                         ml_response_detail(response));
}

PyObject *ml_exception_new(ml_state *state, const ml_error *error, const ml_response *response) {
    if (error->status == ML_ERR_MEMORY) return PyObject_CallNoArgs(PyExc_MemoryError);
    PyObject *make = ml_state_import(&state->make_error, "merge_link.errors", "from_core");
    if (make == NULL) return NULL;
    PyObject *exception = NULL;
    PyObject *facts = error_facts(error);
    PyObject *answer = answer_facts(response);
    if (facts != NULL && answer != NULL && PyDict_Update(facts, answer) == 0)
        exception = PyObject_Call(make, state->empty_tuple, facts);
    Py_XDECREF(answer);
    Py_XDECREF(facts);
    return exception;
}

PyObject *ml_raise(ml_state *state, const ml_error *error, const ml_response *response) {
    if (PyErr_Occurred()) return NULL;
    PyObject *exception = ml_exception_new(state, error, response);
    if (exception == NULL) return NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return NULL;
}

int ml_raise_configuration(ml_state *state, const char *format, ...) {
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_CONFIGURATION;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text, sizeof error.text, format, arguments);
    va_end(arguments);
    ml_raise(state, &error, NULL);
    return -1;
}

int ml_refuse_type(ml_state *state, const char *name, const char *wanted, PyObject *value) {
    PyObject *type = PyType_GetQualName(Py_TYPE(value));
    const char *text = type == NULL ? NULL : PyUnicode_AsUTF8AndSize(type, NULL);
    if (text == NULL) PyErr_Clear();
    ml_raise_configuration(state, "%s must be %s, not %s", name, wanted,
                           text == NULL ? "another type" : text);
    Py_XDECREF(type);
    return -1;
}

int ml_raise_closed(ml_state *state) {
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_CLOSED;
    strcpy(error.text, "the client is closed: make a new one");
    ml_raise(state, &error, NULL);
    return -1;
}

int ml_raise_no_key(ml_state *state) {
    return ml_raise_configuration(
        state, "no API key: set MERGE_API_KEY in the environment or pass api_key=");
}

int ml_raise_unknown_keyword(const char *function, const char *name, const char *const *names,
                             const char *hint) {
    enum { MOST_MEANT = 3 };
    const char *meant[MOST_MEANT];
    char question[256] = "";
    size_t count = ml_likely_names(name, names, meant, MOST_MEANT), used = 0;
    for (size_t i = 0; i < count && used < sizeof question; i++) {
        const char *joint = i == 0 ? ". Did you mean " : i + 1 == count ? " or " : ", ";
        used += (size_t)snprintf(question + used, sizeof question - used, "%s'%s'%s", joint,
                                 meant[i], i + 1 == count ? "?" : "");
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%.80s'%s", function,
                 name, count > 0 ? question : hint);
    return -1;
}
