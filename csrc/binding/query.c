/*
 * query - the type Query: a call that was made and can be made again, for another page.
 */
#include "binding.h"

typedef struct query_object {
    PyObject_HEAD
    PyObject *client;     /* owned: the Client or AsyncClient; NULL: cleared */
    PyObject *key_source; /* owned: is asked for the API key of each call; or NULL */
    ml_request *request;  /* owned */
    double timeout;       /* of the call's options, as is the next */
    int max_retries;
} query_object;

static query_object *query_of(PyObject *self) {
    return (query_object *)self;
}

/* ---- life ---- */

PyObject *ml_query_new(ml_state *state, const ml_again *again, const ml_request *request) {
    PyObject *self = PyType_GenericNew((PyTypeObject *)state->query_type, NULL, NULL);
    if (self == NULL) return NULL;
    query_object *query = query_of(self);
    query->client = Py_NewRef(again->client);
    query->key_source = Py_XNewRef(again->key_source);
    query->timeout = again->timeout;
    query->max_retries = again->max_retries;
    query->request = ml_request_copy(request);
    if (query->request != NULL) return self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static int query_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(query_of(self)->client);
    Py_VISIT(query_of(self)->key_source);
    return 0;
}

static int query_clear(PyObject *self) {
    Py_CLEAR(query_of(self)->client);
    Py_CLEAR(query_of(self)->key_source);
    return 0;
}

static void query_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    query_clear(self);
    ml_request_free(query_of(self)->request);
    freefunc release = PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* ---- use ---- */

static int set_cursor(ml_request *request, PyObject *cursor) {
    PyObject *keep = NULL;
    ml_text text;
    if (cursor == Py_None) return 0;
    if (!PyUnicode_Check(cursor)) {
        PyErr_SetString(PyExc_TypeError, "cursor must be a string or None");
        return -1;
    }
    if (ml_text_from(cursor, &text, &keep) != 0) return -1;
    ml_add_string(ml_request_fields(request), "cursor", text);
    Py_XDECREF(keep);
    return 0;
}

/* The arguments of the call, with that cursor, when it is no None. */
static int copy_arguments(const query_object *query, PyObject *cursor, ml_arguments *arguments) {
    ml_call_options_init(&arguments->options);
    arguments->options.timeout = query->timeout;
    arguments->options.max_retries = query->max_retries;
    arguments->request = ml_request_copy(query->request);
    arguments->key_source = Py_XNewRef(query->key_source);
    if (arguments->request == NULL) PyErr_NoMemory();
    if (arguments->request != NULL && set_cursor(arguments->request, cursor) == 0) return 0;
    ml_arguments_free(arguments);
    return -1;
}

/* Reads the arguments of a method: a cursor at most, by position or by its name. */
static int begin(PyObject *self, PyObject *given, PyObject *keywords, ml_arguments *arguments) {
    static char *names[] = {"cursor", NULL};
    PyObject *cursor = Py_None;
    if (!PyArg_ParseTupleAndKeywords(given, keywords, "|O", names, &cursor)) return -1;
    return copy_arguments(query_of(self), cursor, arguments);
}

static PyObject *query_call(PyObject *self, PyObject *given, PyObject *keywords) {
    ml_arguments arguments;
    if (begin(self, given, keywords, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(query_of(self)->client);
    return ml_make_call(PyType_GetModuleState(Py_TYPE(self)), &caller, &arguments, false);
}

static PyObject *query_ticket(PyObject *self, PyObject *given, PyObject *keywords) {
    ml_arguments arguments;
    if (begin(self, given, keywords, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(query_of(self)->client);
    return ml_ticket_object_new(PyType_GetModuleState(Py_TYPE(self)), &caller, &arguments);
}

static PyObject *get_client(PyObject *self, void *Py_UNUSED(unused)) {
    return Py_NewRef(query_of(self)->client);
}

static PyObject *get_is_async(PyObject *self, void *Py_UNUSED(unused)) {
    const ml_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyTypeObject *type = (PyTypeObject *)state->client_type;
    return PyBool_FromLong(!PyType_IsSubtype(Py_TYPE(query_of(self)->client), type));
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef query_methods[] = {
    {"call", METHOD(query_call), METH_VARARGS | METH_KEYWORDS,
     "call($self, cursor=None)\n--\n\n"
     "Make the call again and return its result; with a cursor, for that page."},
    {"ticket", METHOD(query_ticket), METH_VARARGS | METH_KEYWORDS,
     "ticket($self, cursor=None)\n--\n\n"
     "Return a ticket for the same, which begins with its submit()."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef query_getters[] = {
    {"client", get_client, NULL, "The client that made the call.", NULL},
    {"is_async", get_is_async, NULL, "Is that an AsyncClient?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot query_slots[] = {
    {Py_tp_doc, "A call that was made and can be made again, for another page."},
    {Py_tp_dealloc, query_dealloc},
    {Py_tp_traverse, query_traverse},
    {Py_tp_clear, query_clear},
    {Py_tp_methods, query_methods},
    {Py_tp_getset, query_getters},
    {0, NULL},
};

PyType_Spec ml_query_spec = {
    .name = "merge_link._core.Query",
    .basicsize = sizeof(query_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = query_slots,
};
