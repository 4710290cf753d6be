#include "binding.h"

int ml_state_init(ml_state *state) {
    enum { DEBUG = 10 };
    state->empty_tuple = PyTuple_New(0);
    state->dict_name = PyUnicode_InternFromString("__dict__");
    state->facts_name = PyUnicode_InternFromString("_facts");
    state->logging_name = PyUnicode_InternFromString("logging");
    state->gevent_name = PyUnicode_InternFromString("gevent.monkey");
    state->debug_level = PyLong_FromLong(DEBUG);
    state->enabled_name = PyUnicode_InternFromString("isEnabledFor");
    state->await_name = PyUnicode_InternFromString("_await");
    state->qualname_name = PyUnicode_InternFromString("__qualname__");
    state->shapes = PyDict_New();
    bool whole = state->empty_tuple != NULL && state->dict_name != NULL &&
                 state->facts_name != NULL && state->logging_name != NULL &&
                 state->gevent_name != NULL && state->debug_level != NULL &&
                 state->enabled_name != NULL && state->await_name != NULL &&
                 state->qualname_name != NULL && state->shapes != NULL;
    return whole ? 0 : -1;
}

int ml_state_traverse(ml_state *state, visitproc visit, void *arg) {
#define X(name) Py_VISIT(state->name);
    ML_STATE_OBJECTS(X)
#undef X
    for (int i = 0; i < ML_DEFAULT_CLIENTS; i++)
        Py_VISIT(state->defaults[i]);
    return 0;
}

void ml_state_clear(ml_state *state) {
#define X(name) Py_CLEAR(state->name);
    ML_STATE_OBJECTS(X)
#undef X
    for (int i = 0; i < ML_DEFAULT_CLIENTS; i++)
        Py_CLEAR(state->defaults[i]);
}

PyObject *ml_state_import(PyObject **slot, const char *module, const char *name) {
    if (*slot != NULL) return *slot;
    PyObject *imported = PyImport_ImportModule(module);
    if (imported == NULL) return NULL;
    PyObject *value = PyObject_GetAttrString(imported, name);
    Py_DECREF(imported);
    if (value == NULL) return NULL;
    /* The import may have let another thread come first. */
    if (*slot == NULL)
        *slot = value;
    else
        Py_DECREF(value);
    return *slot;
}

/* A Python subclass has no module state of its own: the first class up the line that has one is
 * ours, since nothing else can stand between it and _core.BaseClient. */
ml_state *ml_state_of(PyObject *client) {
    for (PyTypeObject *type = Py_TYPE(client); type != NULL;
         type = PyType_GetSlot(type, Py_tp_base)) {
        ml_state *state = PyType_GetModuleState(type);
        if (state != NULL) return state;
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_TypeError, "not a merge_link client");
    return NULL;
}

int ml_text_from(PyObject *string, ml_text *text, PyObject **keep) {
    Py_ssize_t length = 0;
    const char *data = PyUnicode_AsUTF8AndSize(string, &length);
    if (data == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        *keep = PyUnicode_AsEncodedString(string, "utf-8", "surrogatepass");
        if (*keep == NULL) return -1;
        data = PyBytes_AsString(*keep);
        length = PyBytes_Size(*keep);
    }
    if (data == NULL) return -1;
    *text = (ml_text){data, (size_t)length};
    return 0;
}
