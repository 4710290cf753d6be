#include "binding.h"

#include <stdio.h>
#include <string.h>

/* Fields nest no deeper than this; a list that contains itself must end somewhere. */
enum { DEEPEST = 32 };

static int convert(ml_state *state, ml_value *parent, const char *name, PyObject *value,
                   const ml_field *row, int depth);

static void add_foreign(ml_value *parent, const char *name, PyObject *value) {
    PyObject *type = PyType_GetQualName(Py_TYPE(value));
    const char *text = type == NULL ? NULL : PyUnicode_AsUTF8AndSize(type, NULL);
    if (text == NULL) PyErr_Clear();
    ml_add_foreign(parent, name, text == NULL ? "an object" : text);
    Py_XDECREF(type);
}

static int add_string(ml_value *parent, const char *name, PyObject *value) {
    ml_text text;
    PyObject *keep = NULL;
    if (ml_text_from(value, &text, &keep) != 0) return -1;
    ml_add_string(parent, name, text);
    Py_XDECREF(keep);
    return 0;
}

/* An integer that does not fit is as far out of range as can be said. */
static int add_integer(ml_value *parent, const char *name, PyObject *value) {
    int overflow = 0;
    PyObject *integer = PyNumber_Index(value);
    if (integer == NULL) return -1;
    long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
    Py_DECREF(integer);
    if (overflow != 0) number = overflow > 0 ? INT64_MAX : INT64_MIN;
    ml_add_integer(parent, name, number);
    return 0;
}

/* ---- free-form values ---- */

/* json.dumps with allow_nan=False bound to it. */
static PyObject *json_dumps(ml_state *state) {
    if (state->json_dumps != NULL) return state->json_dumps;
    PyObject *dumps = NULL, *partial = NULL;
    PyObject *options = Py_BuildValue("{sO}", "allow_nan", Py_False);
    PyObject *arguments = NULL;
    if (options != NULL && ml_state_import(&dumps, "json", "dumps") != NULL &&
        ml_state_import(&partial, "functools", "partial") != NULL)
        arguments = PyTuple_Pack(1, dumps);
    PyObject *bound = arguments == NULL ? NULL : PyObject_Call(partial, arguments, options);
    Py_XDECREF(arguments);
    Py_XDECREF(options);
    Py_XDECREF(partial);
    Py_XDECREF(dumps);
    if (state->json_dumps == NULL)
        state->json_dumps = bound;
    else
        Py_XDECREF(bound);
    return state->json_dumps;
}

/* The frames of json hold the value, which may hold a secret. */
static void drop_traceback(void) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_XDECREF(traceback);
    PyErr_Restore(type, value, NULL);
}

/* What json says about types and depth is for the caller of the field, not a crash. */
static int add_refused_json(ml_value *parent, const char *name) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_RecursionError)) {
        drop_traceback();
        return -1;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *said = value == NULL ? NULL : PyObject_Str(value);
    const char *text = said == NULL ? NULL : PyUnicode_AsUTF8AndSize(said, NULL);
    if (text == NULL) PyErr_Clear();
    char why[200];
    snprintf(why, sizeof why, "cannot be written as JSON: %.150s", text == NULL ? "" : text);
    ml_add_unusable(parent, name, why);
    Py_XDECREF(said);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return 0;
}

static int add_json(ml_state *state, ml_value *parent, const char *name, PyObject *value) {
    PyObject *dumps = json_dumps(state);
    if (dumps == NULL) return -1;
    PyObject *text = PyObject_CallFunctionObjArgs(dumps, value, NULL);
    if (text == NULL) return add_refused_json(parent, name);
    Py_ssize_t length = 0;
    const char *data = PyUnicode_AsUTF8AndSize(text, &length);
    if (data != NULL) ml_add_json(parent, name, (ml_text){data, (size_t)length});
    Py_DECREF(text);
    return data == NULL ? -1 : 0;
}

/* ---- times ---- */

/* In UTC and in ISO 8601: 2026-01-31T12:00:00Z. */
static PyObject *text_of_time(ml_state *state, PyObject *time) {
    PyObject *utc = ml_state_import(&state->utc, "datetime", "UTC");
    PyObject *moved = utc == NULL ? NULL : PyObject_CallMethod(time, "astimezone", "O", utc);
    PyObject *text = moved == NULL ? NULL : PyObject_CallMethod(moved, "isoformat", NULL);
    PyObject *short_text = NULL;
    if (text != NULL) short_text = PyObject_CallMethod(text, "replace", "ss", "+00:00", "Z");
    Py_XDECREF(text);
    Py_XDECREF(moved);
    return short_text;
}

static int add_aware(ml_state *state, ml_value *parent, const char *name, PyObject *time) {
    PyObject *text = text_of_time(state, time);
    if (text == NULL && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        ml_add_unusable(parent, name, "is out of range in UTC");
        return 0;
    }
    int failed = text == NULL ? -1 : add_string(parent, name, text);
    Py_XDECREF(text);
    return failed;
}

/* Without a time zone it could be any of a day's. */
static int add_time(ml_state *state, ml_value *parent, const char *name, PyObject *time) {
    PyObject *offset = PyObject_CallMethod(time, "utcoffset", NULL);
    if (offset == NULL) return -1;
    bool is_aware = offset != Py_None;
    Py_DECREF(offset);
    if (is_aware) return add_aware(state, parent, name, time);
    ml_add_unusable(parent, name, "must have a time zone, as datetime.now(UTC) has");
    return 0;
}

/* 1: yes, 0: no, -1: exception. */
static int is_time(ml_state *state, PyObject *value) {
    PyObject *type = ml_state_import(&state->datetime_type, "datetime", "datetime");
    return type == NULL ? -1 : PyObject_IsInstance(value, type);
}

/* ---- lists and dicts ---- */

/* A copy of the list: converting an item may run Python code that changes the original. */
static int add_list(ml_state *state, ml_value *parent, const char *name, PyObject *list,
                    const ml_field *row, int depth) {
    ml_value *array = ml_add_array(parent, name);
    PyObject *items = PySequence_Tuple(list);
    if (items == NULL) return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PyTuple_Size(items); i++)
        failed = convert(state, array, NULL, PyTuple_GetItem(items, i), row->of, depth + 1);
    Py_DECREF(items);
    return failed;
}

int ml_convert_key(ml_value *object, PyObject *key, const char **name) {
    Py_ssize_t length = 0;
    *name = NULL;
    if (!PyUnicode_Check(key)) {
        ml_add_unusable(object, "", "has a key that is not a string");
        return 0;
    }
    const char *text = PyUnicode_AsUTF8AndSize(key, &length);
    if (text == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
    if (text == NULL) PyErr_Clear();
    if (text != NULL && strlen(text) == (size_t)length)
        *name = text;
    else
        ml_add_unusable(object, "", "has a key with NUL or a lone surrogate");
    return 0;
}

static const ml_field *member_row(const ml_field *row, const char *name) {
    return row->type == ML_TYPE_MAP ? row->of : ml_field_find(row->of, name);
}

static int add_dict(ml_state *state, ml_value *parent, const char *name, PyObject *dict,
                    const ml_field *row, int depth) {
    ml_value *object = ml_add_object(parent, name);
    PyObject *items = PyDict_Items(dict);
    if (items == NULL) return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; failed == 0 && i < PyList_Size(items); i++) {
        PyObject *pair = PyList_GetItem(items, i);
        const char *key = NULL;
        failed = ml_convert_key(object, PyTuple_GetItem(pair, 0), &key);
        if (key != NULL)
            failed = convert(state, object, key, PyTuple_GetItem(pair, 1), member_row(row, key),
                             depth + 1);
    }
    Py_DECREF(items);
    return failed;
}

/* ---- any value ---- */

static int is_container(const ml_field *row) {
    return row->type == ML_TYPE_OBJECT || row->type == ML_TYPE_MAP;
}

static bool is_plain(PyObject *value) {
    return value == Py_None || PyBool_Check(value) || PyLong_Check(value) || PyFloat_Check(value) ||
           PyList_Check(value) || PyTuple_Check(value) || PyDict_Check(value);
}

/* Any JSON; and where it is an item, as in a query, a time is what an API takes for one. */
static int add_any(ml_state *state, ml_value *parent, const char *name, PyObject *value,
                   int depth) {
    if (depth == 0 || is_plain(value)) return add_json(state, parent, name, value);
    if (PyUnicode_Check(value)) return add_string(parent, name, value);
    int time = is_time(state, value);
    if (time < 0) return -1;
    return time > 0 ? add_time(state, parent, name, value) : add_json(state, parent, name, value);
}

/* What is not of a type that JSON has. */
static int add_other(ml_state *state, ml_value *parent, const char *name, PyObject *value,
                     const ml_field *row) {
    int time = row->format == ML_FORMAT_DATE_TIME ? is_time(state, value) : 0;
    if (time < 0) return -1;
    if (time > 0) return add_time(state, parent, name, value);
    add_foreign(parent, name, value);
    return 0;
}

/* The value as its own type says, whatever the row wants: comparing is validation's work. What
 * no row knows, and what a row leaves free, is the caller's own JSON. */
static int convert(ml_state *state, ml_value *parent, const char *name, PyObject *value,
                   const ml_field *row, int depth) {
    if (row == NULL || row->type == ML_TYPE_JSON) return add_json(state, parent, name, value);
    if (row->type == ML_TYPE_ANY) return add_any(state, parent, name, value, depth);
    if (depth > DEEPEST) {
        ml_add_unusable(parent, name, "is nested too deeply");
    } else if (value == Py_None) {
        ml_add_null(parent, name);
    } else if (PyBool_Check(value)) {
        ml_add_bool(parent, name, value == Py_True);
    } else if (PyUnicode_Check(value)) {
        return add_string(parent, name, value);
    } else if (PyIndex_Check(value)) {
        return add_integer(parent, name, value);
    } else if (PyList_Check(value) || PyTuple_Check(value)) {
        if (row->type == ML_TYPE_ARRAY) return add_list(state, parent, name, value, row, depth);
        ml_add_array(parent, name);
    } else if (PyDict_Check(value)) {
        if (is_container(row)) return add_dict(state, parent, name, value, row, depth);
        ml_add_object(parent, name);
    } else {
        return add_other(state, parent, name, value, row);
    }
    return 0;
}

int ml_convert(ml_state *state, ml_value *object, const char *name, PyObject *value,
               const ml_field *row) {
    return convert(state, object, name, value, row, 0);
}
