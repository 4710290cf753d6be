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
    return Py_BuildValue(
        "{sssNsssssisdsIsOsNsN}", "kind", kind_of(error->status), "message", message_of(error),
        "code", error->code, "cause", error->cause, "status_code", error->http_status,
        "retry_after", error->retry_after, "attempts", error->attempts, "may_have_arrived",
        error->may_have_arrived ? Py_True : Py_False, "problems", problem_list(error), "request",
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

PyObject *ml_exception_caught(void) {
    PyObject *type, *value, *traceback;
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

int ml_raise_configuration(ml_state *state, const char *option, const char *format, ...) {
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_CONFIGURATION;
    /* "error_budget[0]" is of error_budget; what has a space is no option's name. */
    if (strchr(option, ' ') == NULL)
        snprintf(error.code, sizeof error.code, "%.*s", (int)strcspn(option, "["), option);
    int used = snprintf(error.text, sizeof error.text, "%s ", option);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.text + used, sizeof error.text - (size_t)used, format, arguments);
    va_end(arguments);
    ml_raise(state, &error, NULL);
    return -1;
}

/* Closes a coroutine, of which Python would warn that it was never awaited. */
static bool close_coroutine(const char *type, PyObject *value) {
    if (strcmp(type, "coroutine") != 0) return false;
    PyObject *closed = PyObject_CallMethod(value, "close", NULL);
    if (closed == NULL) PyErr_Clear();
    Py_XDECREF(closed);
    return true;
}

int ml_refuse_type(ml_state *state, const char *name, const char *wanted, PyObject *value) {
    PyObject *name_object = PyType_GetQualName(Py_TYPE(value));
    const char *type = name_object == NULL ? NULL : PyUnicode_AsUTF8AndSize(name_object, NULL);
    if (type == NULL) {
        PyErr_Clear();
        type = "another type";
    }
    const char *why = close_coroutine(type, value) ? ": async functions are for AsyncClient" : "";
    ml_raise_configuration(state, name, "must be %s, not %s%s", wanted, type, why);
    Py_XDECREF(name_object);
    return -1;
}

int ml_raise_problem(ml_state *state, const char *field, const char *message) {
    ml_problem problem = {.field = (char *)field, .message = (char *)message};
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_VALIDATION;
    error.problems = &problem; /* borrowed: the error is not cleared */
    error.problem_count = 1;
    snprintf(error.text, sizeof error.text, "%s %s", field, message);
    ml_raise(state, &error, NULL);
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
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_CONFIGURATION;
    error.cause = "no_key";
    strcpy(error.code, "api_key");
    strcpy(error.text, "no API key: set MERGE_API_KEY in the environment or pass api_key=");
    ml_raise(state, &error, NULL);
    return -1;
}

/* What options are called in requests, httpx and Merge's own package, and here; where the names
 * themselves are not alike. */
static const struct {
    const char *theirs, *ours[2];
} translations[] = {
    {"additional_body_parameters", {"extra_body"}},
    {"additional_headers", {"extra_headers"}},
    {"additional_query_parameters", {"params"}},
    {"api_base", {"base_url"}},
    {"api_token", {"api_key"}},
    {"auth", {"api_key"}},
    {"body", {"json", "extra_body"}},
    {"bearer_token", {"api_key"}},
    {"cert", {"client_cert"}},
    {"data", {"json", "extra_body"}},
    {"endpoint", {"base_url"}},
    {"environment", {"region", "base_url"}},
    {"filters", {"params"}},
    {"headers", {"extra_headers"}},
    {"host", {"base_url"}},
    {"json", {"extra_body"}},
    {"limits", {"max_connections"}},
    {"payload", {"json", "extra_body"}},
    {"pool_size", {"max_connections"}},
    {"query", {"params"}},
    {"read_timeout", {"timeout"}},
    {"request_timeout", {"timeout"}},
    {"server", {"base_url", "region"}},
    {"ssl_context", {"ca_bundle", "client_cert"}},
    {"timeout_in_seconds", {"timeout"}},
    {"verify", {"ca_bundle"}},
    {"verify_ssl", {"ca_bundle"}},
};

static bool is_among(const char *name, const char *const *names) {
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Those of our words for a name from elsewhere that can be given here. */
static size_t translate(const char *name, const char *const *names, const char **meant) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof translations / sizeof *translations; i++) {
        if (strcmp(translations[i].theirs, name) != 0) continue;
        for (size_t j = 0; j < 2; j++) {
            const char *own = translations[i].ours[j];
            if (own != NULL && is_among(own, names)) meant[count++] = own;
        }
    }
    return count;
}

int ml_raise_unknown_keyword(const char *function, const char *name, const char *const *names,
                             const char *hint) {
    enum { MOST_MEANT = 3 };
    const char *meant[MOST_MEANT];
    char question[256] = "";
    size_t count = translate(name, names, meant), used = 0;
    if (count == 0) count = ml_likely_names(name, names, meant, MOST_MEANT);
    for (size_t i = 0; i < count && used < sizeof question; i++) {
        const char *joint = i == 0 ? ". Did you mean " : i + 1 == count ? " or " : ", ";
        used += (size_t)snprintf(question + used, sizeof question - used, "%s'%s'%s", joint,
                                 meant[i], i + 1 == count ? "?" : "");
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%.80s'%s", function,
                 name, count > 0 ? question : hint);
    return -1;
}
