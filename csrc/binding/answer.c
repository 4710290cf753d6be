/*
 * answer - an answer whose type is described in Python: merge_link/results.py makes the result of
 * it. What that says is wrong with an answer becomes a ResponseError; and because its frames hold
 * the answer, nothing that it raises keeps a traceback of them.
 */
#include "binding.h"

#include <stdio.h>
#include <string.h>

const char *ml_answer_name(ml_answer answer) {
    switch (answer) {
    case ML_ANSWER_OBJECT: return "object";
    case ML_ANSWER_LIST: return "list";
    case ML_ANSWER_PAGE: return "page";
    case ML_ANSWER_NOTHING: return "nothing";
    case ML_ANSWER_ANY: return "any";
    }
    return "";
}

/* The arguments of from_core(). */
static PyObject *arguments_of(ml_state *state, const ml_again *again, const ml_request *request,
                              const ml_response *response) {
    const ml_operation *operation = ml_request_operation(request);
    ml_text body = ml_response_body(response);
    bool is_page = operation->answer == ML_ANSWER_PAGE && again != NULL;
    PyObject *query = is_page ? ml_query_new(state, again, request) : Py_NewRef(Py_None);
    PyObject *facts = query == NULL ? NULL : ml_facts_new(request, response);
    if (facts == NULL) {
        Py_XDECREF(query);
        return NULL;
    }
    return Py_BuildValue("(szy#NNN)", ml_answer_name(operation->answer), operation->result,
                         body.data != NULL ? body.data : "", (Py_ssize_t)body.length, facts, query,
                         PyBool_FromLong(ml_response_body_is_json(response)));
}

/* ---- what goes wrong ---- */

/* 1: yes, 0: no, -1: exception. Looks at the exception, and leaves it alone. */
static int is_unexpected(ml_state *state, PyObject *exception) {
    PyObject *type = ml_state_import(&state->unexpected, "merge_link.results", "UnexpectedAnswer");
    return type == NULL ? -1 : PyObject_IsInstance(exception, type);
}

/* What json.loads refuses after our own check: integers of thousands of digits. */
static bool is_of_json(PyObject *exception) {
    return PyErr_GivenExceptionMatches(exception, PyExc_ValueError) != 0 ||
           PyErr_GivenExceptionMatches(exception, PyExc_RecursionError) != 0;
}

static int say(ml_state *state, PyObject *exception, char *text, size_t size) {
    int unexpected = is_unexpected(state, exception);
    if (unexpected < 0) return -1;
    if (!unexpected) {
        snprintf(text, size, "the answer holds a value that Python's json module refuses");
        return 0;
    }
    PyObject *said = PyObject_Str(exception);
    const char *data = said == NULL ? NULL : PyUnicode_AsUTF8AndSize(said, NULL);
    if (data != NULL) snprintf(text, size, "%s", data);
    Py_XDECREF(said);
    return data == NULL ? -1 : 0;
}

static void raise_unexpected(ml_state *state, PyObject *exception, const ml_response *response) {
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_RESPONSE;
    error.http_status = ml_response_status(response);
    error.attempts = ml_response_attempts(response);
    if (say(state, exception, error.text, sizeof error.text) == 0)
        ml_raise(state, &error, response);
}

void ml_raise_from_answer(ml_state *state, const ml_response *response) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    Py_CLEAR(traceback);
    if (exception != NULL && is_of_json(exception)) {
        raise_unexpected(state, exception, response);
        Py_XDECREF(type);
        Py_DECREF(exception);
        return;
    }
    if (exception != NULL) PyException_SetContext(exception, NULL);
    PyErr_Restore(type, exception, NULL);
}

PyObject *ml_answer_new(ml_state *state, const ml_again *again, const ml_request *request,
                        const ml_response *response) {
    PyObject *make = ml_state_import(&state->make_result, "merge_link.results", "from_core");
    if (make == NULL) return NULL;
    PyObject *arguments = arguments_of(state, again, request, response);
    if (arguments == NULL) return NULL;
    PyObject *result = PyObject_Call(make, arguments, NULL);
    Py_DECREF(arguments);
    if (result == NULL) ml_raise_from_answer(state, response);
    return result;
}
