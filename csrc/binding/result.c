/*
 * result - an answer as a result object. The classes are Python's own (merge_link/models.py). What
 * few callers look at (times, headers) stays bytes until they do.
 */
#include "binding.h"

#include <string.h>

/* ---- what all results of an operation have in common ---- */

/* The names of its members, in the order of the rows. */
static PyObject *names_of(const ml_field *rows) {
    Py_ssize_t count = 0;
    while (rows[count].name != NULL)
        count++;
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names != NULL && i < count; i++) {
        PyObject *name = PyUnicode_InternFromString(rows[i].name);
        if (name == NULL || PyTuple_SetItem(names, i, name) != 0) Py_CLEAR(names);
    }
    return names;
}

static PyObject *make_shape(const ml_operation *operation) {
    PyObject *type = NULL;
    if (ml_state_import(&type, "merge_link.models", operation->result) == NULL) return NULL;
    PyObject *names = names_of(operation->response);
    PyObject *shape = names == NULL ? NULL : PyTuple_Pack(2, type, names);
    Py_XDECREF(names);
    Py_DECREF(type);
    return shape;
}

static int add_shape(ml_state *state, PyObject *key, const ml_operation *operation) {
    PyObject *shape = make_shape(operation);
    if (shape == NULL) return -1;
    /* The import may have let another thread come first, which uses its own. */
    int there = PyDict_Contains(state->shapes, key);
    int failed = there != 0 ? there < 0 : PyDict_SetItem(state->shapes, key, shape);
    Py_DECREF(shape);
    return failed;
}

/* Its class, and the names of the members, made on first use. Borrowed. */
static PyObject *shape_of(ml_state *state, const ml_operation *operation) {
    PyObject *key = PyLong_FromSize_t((uintptr_t)operation);
    if (key == NULL) return NULL;
    PyObject *shape = PyDict_GetItemWithError(state->shapes, key);
    if (shape == NULL && !PyErr_Occurred() && add_shape(state, key, operation) == 0)
        shape = PyDict_GetItemWithError(state->shapes, key);
    Py_DECREF(key);
    return shape;
}

/* ---- members ---- */

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

static const ml_member *member_of(const ml_response *response, const ml_field *row) {
    const ml_member *member;
    for (size_t i = 0; (member = ml_response_member(response, i)) != NULL; i++)
        if (member->field == row) return member;
    return NULL;
}

/* Optional members that the answer left out are None. */
static int put_known(ml_state *state, PyObject *values, PyObject *names, const ml_field *rows,
                     const ml_response *response) {
    for (Py_ssize_t i = 0; rows[i].name != NULL; i++) {
        const ml_member *member = member_of(response, &rows[i]);
        PyObject *value = member == NULL ? Py_NewRef(Py_None) : member_value(state, member);
        if (value == NULL) return -1;
        int failed = PyDict_SetItem(values, PyTuple_GetItem(names, i), value);
        Py_DECREF(value);
        if (failed) return -1;
    }
    return 0;
}

static int put_extra(ml_state *state, PyObject *values, const ml_member *member) {
    PyObject *extra = extra_of(values);
    if (extra == NULL) return -1;
    PyObject *name = member_name(state, member);
    PyObject *value = name == NULL ? NULL : member_value(state, member);
    int failed = value == NULL ? -1 : PyDict_SetItem(extra, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return failed;
}

static int put_members(ml_state *state, PyObject *values, PyObject *names, const ml_field *rows,
                       const ml_response *response) {
    const ml_member *member;
    if (put_known(state, values, names, rows, response) != 0) return -1;
    for (size_t i = 0; (member = ml_response_member(response, i)) != NULL; i++)
        if (member->field == NULL && put_extra(state, values, member) != 0) return -1;
    return 0;
}

/* ---- facts ---- */

/* The header lines follow. */
typedef struct known_facts {
    double began;
    int64_t minutes; /* until expiry */
    ml_timing timing;
    int status;
    unsigned attempts;
} known_facts;

/* In one piece: an object for each number would cost more than all the rest. */
PyObject *ml_facts_new(const ml_request *request, const ml_response *response) {
    ml_text headers = ml_response_headers(response);
    known_facts known = {
        .began = ml_response_began(response),
        .minutes = ml_request_integer(request, "link_expiry_mins"),
        .timing = ml_response_timing(response),
        .status = ml_response_status(response),
        .attempts = ml_response_attempts(response),
    };
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(sizeof known + headers.length));
    char *to = bytes == NULL ? NULL : PyBytes_AsString(bytes);
    if (to == NULL) return NULL;
    memcpy(to, &known, sizeof known);
    memcpy(to + sizeof known, headers.data, headers.length);
    return bytes;
}

PyObject *ml_facts_read(PyObject *bytes) {
    known_facts known;
    char *from;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(bytes, &from, &length) != 0) return NULL;
    if ((size_t)length < sizeof known) {
        PyErr_SetString(PyExc_ValueError, "these are no facts of a result");
        return NULL;
    }
    memcpy(&known, from, sizeof known);
    const ml_timing *timing = &known.timing;
    return Py_BuildValue("(iIdLy#(ddddd))", known.status, known.attempts, known.began,
                         (long long)known.minutes, from + sizeof known,
                         length - (Py_ssize_t)sizeof known, timing->name_lookup, timing->connect,
                         timing->tls, timing->first_byte, timing->total);
}

/* ---- the whole ---- */

static PyObject *values_of(ml_state *state, PyObject *names, const ml_request *request,
                           const ml_response *response) {
    const ml_field *rows = ml_request_operation(request)->response;
    PyObject *values = PyDict_New();
    PyObject *facts = ml_facts_new(request, response);
    if (values == NULL || facts == NULL) goto fail;
    if (put_members(state, values, names, rows, response) != 0) goto fail;
    if (PyDict_SetItem(values, state->facts_name, facts) != 0) goto fail;
    Py_DECREF(facts);
    return values;
fail:
    Py_XDECREF(facts);
    Py_XDECREF(values);
    return NULL;
}

static PyObject *new_result(ml_state *state, const ml_request *request,
                            const ml_response *response) {
    PyObject *shape = shape_of(state, ml_request_operation(request));
    if (shape == NULL) return NULL;
    PyObject *type = PyTuple_GetItem(shape, 0), *names = PyTuple_GetItem(shape, 1);
    PyObject *values = values_of(state, names, request, response);
    if (values == NULL) {
        ml_raise_from_answer(state, response);
        return NULL;
    }
    /* Past the class's own __init__ and __setattr__: it is immutable from here on. By the attribute
     * and not by PyObject_GenericSetDict(), after which Python 3.13 finds nothing in the dict. */
    PyObject *result = PyType_GenericAlloc((PyTypeObject *)type, 0);
    if (result != NULL && PyObject_GenericSetAttr(result, state->dict_name, values) != 0)
        Py_CLEAR(result);
    Py_DECREF(values);
    return result;
}

/* What has a table of its members is read here, which is quicker; all else in Python. */
PyObject *ml_result_new(ml_state *state, const ml_again *again, const ml_request *request,
                        const ml_response *response) {
    const ml_operation *operation = ml_request_operation(request);
    bool is_known = operation->answer == ML_ANSWER_OBJECT && operation->response != NULL;
    if (operation->answer == ML_ANSWER_NOTHING || (is_known && operation->result == NULL))
        return Py_NewRef(Py_None);
    return is_known ? new_result(state, request, response)
                    : ml_answer_new(state, again, request, response);
}
