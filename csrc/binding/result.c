/*
 * result - an answer as a result object. The classes are Python's own (merge_link/models.py). What
 * few callers look at (times, headers) stays a tuple of raw facts until they do.
 */
#include "binding.h"

#include <string.h>

static PyObject *result_type(ml_state *state, const char *name) {
    PyObject *type = PyDict_GetItemString(state->result_types, name);
    if (type != NULL) return type;
    PyObject *found = NULL;
    if (ml_state_import(&found, "merge_link.models", name) == NULL) return NULL;
    int failed = PyDict_SetItemString(state->result_types, name, found);
    Py_DECREF(found);
    return failed ? NULL : PyDict_GetItemString(state->result_types, name);
}

/* Any JSON value, exactly: integers of any size, floats to the last bit. */
static PyObject *load_json(ml_state *state, ml_text json) {
    PyObject *loads = ml_state_import(&state->json_loads, "json", "loads");
    if (loads == NULL) return NULL;
    PyObject *text = PyUnicode_DecodeUTF8(json.data, (Py_ssize_t)json.length, "strict");
    if (text == NULL) return NULL;
    PyObject *value = PyObject_CallFunctionObjArgs(loads, text, NULL);
    Py_DECREF(text);
    return value;
}

static PyObject *member_value(ml_state *state, const ml_member *member) {
    switch (member->kind) {
    case ML_KIND_NULL: return Py_NewRef(Py_None);
    case ML_KIND_BOOL: return PyBool_FromLong(member->json.data[0] == 't');
    case ML_KIND_STRING:
        if (member->text != NULL) return PyUnicode_FromString(member->text);
        break;
    case ML_KIND_NUMBER:
    case ML_KIND_ARRAY:
    case ML_KIND_OBJECT: break;
    }
    return load_json(state, member->json);
}

static PyObject *member_name(ml_state *state, const ml_member *member) {
    return member->name != NULL ? PyUnicode_FromString(member->name)
                                : load_json(state, member->name_json);
}

/* The dict that members unknown to this library go to, made when there is one. */
static PyObject *extra_of(PyObject *values) {
    PyObject *extra = PyDict_GetItemString(values, "extra");
    if (extra != NULL) return extra;
    extra = PyDict_New();
    if (extra == NULL) return NULL;
    int failed = PyDict_SetItemString(values, "extra", extra);
    Py_DECREF(extra);
    return failed ? NULL : extra;
}

static int put_member(ml_state *state, PyObject *values, const ml_member *member) {
    PyObject *to = member->field != NULL ? values : extra_of(values);
    if (to == NULL) return -1;
    PyObject *name = member_name(state, member);
    PyObject *value = name == NULL ? NULL : member_value(state, member);
    int failed = value == NULL ? -1 : PyDict_SetItem(to, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return failed;
}

/* Optional members that the answer left out are None. */
static int put_absent(PyObject *values, const ml_field *rows) {
    for (; rows->name != NULL; rows++) {
        PyObject *name = PyUnicode_InternFromString(rows->name);
        if (name == NULL) return -1;
        int failed = PyDict_Contains(values, name);
        if (failed == 0) failed = PyDict_SetItem(values, name, Py_None);
        Py_DECREF(name);
        if (failed < 0) return -1;
    }
    return 0;
}

static PyObject *facts_of(const ml_request *request, const ml_response *response) {
    ml_timing timing = ml_response_timing(response);
    ml_text headers = ml_response_headers(response);
    return Py_BuildValue("(iIdLy#(ddddd))", ml_response_status(response),
                         ml_response_attempts(response), ml_response_began(response),
                         (long long)ml_request_integer(request, "link_expiry_mins"), headers.data,
                         (Py_ssize_t)headers.length, timing.name_lookup, timing.connect, timing.tls,
                         timing.first_byte, timing.total);
}

static PyObject *values_of(ml_state *state, const ml_operation *operation,
                           const ml_request *request, const ml_response *response) {
    PyObject *values = PyDict_New();
    PyObject *facts = facts_of(request, response);
    if (values == NULL || facts == NULL) goto fail;
    for (size_t i = 0; i < ml_response_member_count(response); i++)
        if (put_member(state, values, ml_response_member(response, i)) != 0) goto fail;
    if (put_absent(values, operation->response) != 0) goto fail;
    if (PyDict_SetItem(values, state->facts_name, facts) != 0) goto fail;
    Py_DECREF(facts);
    return values;
fail:
    Py_XDECREF(facts);
    Py_XDECREF(values);
    return NULL;
}

/* What json.loads refuses after our own check: integers of thousands of digits. */
static PyObject *raise_unreadable(ml_state *state, const ml_response *response) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_RecursionError))
        return NULL;
    PyErr_Clear();
    ml_error error;
    ml_error_init(&error);
    error.status = ML_ERR_RESPONSE;
    error.http_status = ml_response_status(response);
    error.attempts = ml_response_attempts(response);
    strcpy(error.text, "the answer holds a value that Python's json module refuses");
    return ml_raise(state, &error, response);
}

PyObject *ml_result_new(ml_state *state, const ml_request *request, const ml_response *response) {
    const ml_operation *operation = ml_request_operation(request);
    PyObject *type = result_type(state, operation->result);
    if (type == NULL) return NULL;
    PyObject *values = values_of(state, operation, request, response);
    if (values == NULL) return raise_unreadable(state, response);
    /* Past the class's own __init__ and __setattr__: it is immutable from here on. */
    PyObject *result = PyType_GenericAlloc((PyTypeObject *)type, 0);
    if (result != NULL && PyObject_GenericSetAttr(result, state->dict_name, values) != 0)
        Py_CLEAR(result);
    Py_DECREF(values);
    return result;
}
