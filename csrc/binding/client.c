/*
 * client - the type _core.BaseClient: an ml_client with Python's manners.
 */
#include "binding.h"
#include "docs.h"

typedef struct client_object {
    PyObject_HEAD
    PyObject *root;       /* owned: the client that this one is a view of; or NULL */
    ml_client *client;    /* owned; NULL before __init__() */
    PyObject *on_attempt; /* owned, or NULL */
    PyObject *key_source; /* owned: is asked for the API key at each call; or NULL */
    bool chooses_proxy;   /* the environment says which, for each base URL */
} client_object;

ml_client *ml_client_inside(PyObject *self) {
    return ((client_object *)self)->client;
}

/* ---- life ---- */

/* What calls need is loaded before the first: a fork in another thread could else come in the
 * middle of an import, which then never ends in the child. */
static int load_modules(ml_state *state) {
    if (ml_state_import(&state->make_error, "merge_link.errors", "from_core") == NULL) return -1;
    PyObject *models = PyImport_ImportModule("merge_link.models");
    Py_XDECREF(models);
    return models == NULL ? -1 : 0;
}

static int set_client(ml_state *state, PyObject *self, const ml_client_options *options) {
    client_object *object = (client_object *)self;
    if (load_modules(state) != 0) return -1;
    ml_error error;
    ml_error_init(&error);
    if (ml_client_new(options, &object->client, &error) == ML_OK) return 0;
    ml_raise(state, &error, NULL);
    ml_error_clear(&error);
    return -1;
}

/* What users call the class that it is, or a subclass of. */
static const char *name_of(const ml_state *state, PyObject *self) {
    bool blocks = PyType_IsSubtype(Py_TYPE(self), (PyTypeObject *)state->client_type) != 0;
    return blocks ? "Client" : "AsyncClient";
}

static int read_options(ml_state *state, const char *function, PyObject *keywords,
                        ml_options_reader *reader) {
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (keywords != NULL && PyDict_Next(keywords, &position, &name, &value)) {
        const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
        if (text == NULL) return -1;
        if (!ml_is_client_option(text))
            return ml_raise_unknown_keyword(function, text, ml_client_option_names(), "");
        if (ml_options_take(state, reader, text, value) != 0) return -1;
    }
    if (ml_options_complete(state, reader) != 0) return -1;
    if (reader->options.api_key.data != NULL || reader->key_source != NULL) return 0;
    return ml_raise_no_key(state);
}

static int client_init(PyObject *self, PyObject *arguments, PyObject *keywords) {
    ml_state *state = ml_state_of(self);
    if (state == NULL) return -1;
    const char *function = name_of(state, self);
    if (ml_refuse_positional(function, PyTuple_Size(arguments)) != 0) return -1;
    if (ml_client_inside(self) != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a Client cannot be initialised twice");
        return -1;
    }
    ml_options_reader reader;
    if (ml_options_begin(&reader) != 0) return -1;
    int failed = read_options(state, function, keywords, &reader);
    if (failed == 0) failed = set_client(state, self, &reader.options);
    if (failed == 0) {
        ((client_object *)self)->on_attempt = Py_XNewRef(reader.on_attempt);
        ((client_object *)self)->key_source = Py_XNewRef(reader.key_source);
        ((client_object *)self)->chooses_proxy = reader.chooses_proxy;
    }
    ml_options_end(&reader);
    return failed;
}

PyObject *ml_client_object_new(ml_state *state, const ml_client_options *options) {
    PyObject *self = PyType_GenericNew((PyTypeObject *)state->client_type, NULL, NULL);
    if (self == NULL || set_client(state, self, options) == 0) return self;
    Py_DECREF(self);
    return NULL;
}

/* The client whose connections it uses: itself, unless it is a view. */
static PyObject *root_of(PyObject *self) {
    PyObject *root = ((client_object *)self)->root;
    return root != NULL ? root : self;
}

bool ml_client_object_chooses_proxy(PyObject *self) {
    return ((client_object *)self)->chooses_proxy;
}

/* The root is kept: what a client has for each event loop is its views' too. */
PyObject *ml_client_object_view(ml_state *state, PyObject *self, const ml_view_options *changes) {
    const client_object *object = (client_object *)self;
    PyObject *view = PyType_GenericNew(Py_TYPE(self), NULL, NULL);
    if (view == NULL) return NULL;
    client_object *its = (client_object *)view;
    ml_error error;
    ml_error_init(&error);
    if (ml_client_view(object->client, changes, &its->client, &error) == ML_OK) {
        its->root = Py_NewRef(root_of(self));
        its->on_attempt = Py_XNewRef(object->on_attempt);
        its->key_source = Py_XNewRef(object->key_source);
        its->chooses_proxy = object->chooses_proxy;
        return view;
    }
    ml_raise(state, &error, NULL);
    ml_error_clear(&error);
    Py_DECREF(view);
    return NULL;
}

static int client_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((client_object *)self)->root);
    Py_VISIT(((client_object *)self)->on_attempt);
    Py_VISIT(((client_object *)self)->key_source);
    return 0;
}

static int client_clear(PyObject *self) {
    Py_CLEAR(((client_object *)self)->root);
    Py_CLEAR(((client_object *)self)->on_attempt);
    Py_CLEAR(((client_object *)self)->key_source);
    return 0;
}

static bool is_finalizing(void) {
    PyObject *ask = PySys_GetObject("is_finalizing"); /* borrowed */
    PyObject *answer = ask == NULL ? NULL : PyObject_CallNoArgs(ask);
    bool is_so = answer == NULL || PyObject_IsTrue(answer) != 0;
    Py_XDECREF(answer);
    PyErr_Clear();
    return is_so;
}

/* Closing says goodbye to the server, which may take a moment: without the GIL. But not when Python
 * ends: who wants the GIL back then, in another interpreter than the main one, loses the thread. */
static void free_client(ml_client *client) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    bool keeps_gil = is_finalizing();
    PyErr_Restore(type, value, traceback);
    if (keeps_gil) {
        ml_client_free(client);
        return;
    }
    Py_BEGIN_ALLOW_THREADS
    ml_client_free(client);
    Py_END_ALLOW_THREADS
}

static void client_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ml_client *client = ml_client_inside(self);
    if (client != NULL) free_client(client);
    client_clear(self);
    freefunc release = PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* ---- use ---- */

ml_client *ml_client_ready(PyObject *self) {
    ml_client *client = ml_client_inside(self);
    if (client == NULL)
        PyErr_SetString(PyExc_RuntimeError,
                        "__init__() of the client was not called by the subclass");
    return client;
}

ml_caller ml_caller_of(PyObject *self) {
    const client_object *object = (client_object *)self;
    return (ml_caller){self, object->client, object->on_attempt, object->key_source};
}

PyObject *ml_client_object_close(PyObject *self) {
    ml_client *client = ml_client_inside(self);
    if (client != NULL) {
        Py_BEGIN_ALLOW_THREADS
        ml_client_close(client);
        Py_END_ALLOW_THREADS
    }
    Py_RETURN_NONE;
}

PyObject *ml_client_object_enter(PyObject *self) {
    ml_client *client = ml_client_ready(self);
    if (client == NULL) return NULL;
    if (!ml_client_is_closed(client)) return Py_NewRef(self);
    ml_state *state = ml_state_of(self);
    if (state == NULL) return NULL;
    ml_raise_closed(state);
    return NULL;
}

static PyObject *base_close(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return ml_client_object_close(self);
}

static PyObject *base_enter(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return ml_client_object_enter(self);
}

/* ---- many at once ---- */

/* Fields that are no dict are refused. */
static int read_dict(ml_state *state, PyObject *self, PyObject *name, PyObject *fields,
                     ml_arguments *arguments) {
    if (state == NULL || ml_client_ready(self) == NULL) return -1;
    if (!PyDict_Check(fields)) {
        PyErr_SetString(PyExc_TypeError, "fields must be a dict");
        return -1;
    }
    const ml_operation *operation = ml_operation_named(name);
    return operation == NULL ? -1 : ml_arguments_read_dict(state, operation, fields, arguments);
}

static PyObject *make_ticket(ml_state *state, PyObject *self, PyObject *name, PyObject *fields) {
    ml_arguments arguments;
    if (read_dict(state, self, name, fields, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(self);
    return ml_ticket_object_new(state, &caller, &arguments);
}

static PyObject *client_prepare(PyObject *self, PyTypeObject *type, PyObject *const *values,
                                Py_ssize_t count, PyObject *names) {
    if (count != 2 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "prepare() takes an operation's name and a dict");
        return NULL;
    }
    PyObject *ticket = make_ticket(PyType_GetModuleState(type), self, values[0], values[1]);
    if (PyDict_Check(values[1])) PyDict_Clear(values[1]);
    return ticket;
}

static PyObject *make_query(ml_state *state, PyObject *self, PyObject *name, PyObject *fields) {
    ml_arguments arguments;
    if (read_dict(state, self, name, fields, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(self);
    ml_again again = {self, ml_key_source_of(&caller, &arguments), arguments.options.timeout,
                      arguments.options.max_retries};
    PyObject *query = ml_query_new(state, &again, arguments.request);
    ml_arguments_free(&arguments);
    return query;
}

static PyObject *client_query(PyObject *self, PyTypeObject *type, PyObject *const *values,
                              Py_ssize_t count, PyObject *names) {
    if (count != 2 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "_query() takes an operation's name and a dict");
        return NULL;
    }
    PyObject *query = make_query(PyType_GetModuleState(type), self, values[0], values[1]);
    if (PyDict_Check(values[1])) PyDict_Clear(values[1]);
    return query;
}

static PyObject *client_submit(PyObject *self, PyTypeObject *type, PyObject *const *values,
                               Py_ssize_t count, PyObject *names) {
    ml_state *state = PyType_GetModuleState(type);
    if (count != 5 || names != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "submit() takes operation, mailbox, context, flow and fields");
        return NULL;
    }
    PyObject *ticket = make_ticket(state, self, values[0], values[4]);
    if (ticket == NULL) return NULL;
    if (ml_ticket_object_ask(state, ticket) == 0 &&
        ml_ticket_object_submit(state, ticket, values[1], values[2], values[3]) == 0)
        return ticket;
    Py_DECREF(ticket);
    return NULL;
}

static PyObject *client_reduce(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const ml_state *state = ml_state_of(self);
    if (state == NULL) return NULL;
    const char *name = name_of(state, self);
    PyErr_Format(PyExc_TypeError,
                 "%s %s cannot be pickled or copied: it holds an API key and connections; "
                 "make one in each process",
                 name[0] == 'A' ? "an" : "a", name);
    return NULL;
}

static PyObject *client_repr(PyObject *self) {
    ml_client *client = ml_client_inside(self);
    const ml_state *state = ml_state_of(self);
    if (state == NULL) return NULL;
    const char *name = name_of(state, self);
    if (client == NULL) return PyUnicode_FromFormat("<merge_link.%s, not initialised>", name);
    ml_client_options options;
    ml_client_get_options(client, &options);
    return PyUnicode_FromFormat("<merge_link.%s base_url='%s'%s%s>", name, options.base_url.data,
                                root_of(self) == self ? "" : " view",
                                ml_client_is_closed(client) ? " closed" : "");
}

/* ---- options, read back ---- */

static PyObject *text_or_none(ml_text text) {
    if (text.data == NULL) Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "replace");
}

/* What was given: a path, or PEM text as bytes. */
static PyObject *ca_of(const ml_client_options *options) {
    ml_text pem = options->ca_pem;
    if (pem.data == NULL) return text_or_none(options->ca_bundle);
    return PyBytes_FromStringAndSize(pem.data, (Py_ssize_t)pem.length);
}

static PyObject *size_or_none(size_t size) {
    if (size == 0) Py_RETURN_NONE;
    return PyLong_FromSize_t(size);
}

static PyObject *budget_or_none(const ml_client_options *options) {
    if (options->budget_failures == 0) Py_RETURN_NONE;
    return Py_BuildValue("(id)", options->budget_failures, options->budget_window);
}

/* name, value, docstring */
#define READABLE(X)                                                                                \
    X(base_url, text_or_none(o.base_url), "What stands before /{category}, without end slash.")    \
    X(region, text_or_none(o.region), "us, eu or apac; None when a base_url was given.")           \
    X(category, text_or_none(o.category), "The category of calls that name none, or None.")        \
    X(timeout, PyFloat_FromDouble(o.timeout), "Seconds for a whole call, retries included.")       \
    X(connect_timeout, PyFloat_FromDouble(o.connect_timeout), "Seconds for connecting, a try.")    \
    X(idle_timeout, PyFloat_FromDouble(o.idle_timeout),                                            \
      "Seconds after which an unused connection is not used again.")                               \
    X(max_retries, PyLong_FromLong(o.max_retries), "Retries of a call, at most.")                  \
    X(max_connections, PyLong_FromLong(o.max_connections), "Connections at once, at most.")        \
    X(max_response_bytes, size_or_none(o.max_response_bytes),                                      \
      "Bytes of an answer at most, after decompression; None: 1 MiB for link tokens.")             \
    X(error_budget, budget_or_none(&o), "(failures, seconds), or None when it is off.")            \
    X(ca_bundle, ca_of(&o), "The CA certificates in use: file, directory or PEM text (bytes).")    \
    X(client_cert, text_or_none(o.client_cert), "File of the client certificate, or None.")        \
    X(allow_http, PyBool_FromLong(o.allow_http), "May plain http:// leave this machine?")          \
    X(user_agent, text_or_none(o.user_agent), "The User-Agent header that is sent.")

#define X(name, value, text)                                                                       \
    static PyObject *get_##name(PyObject *self, void *Py_UNUSED(u)) {                              \
        ml_client *client = ml_client_ready(self);                                                 \
        if (client == NULL) return NULL;                                                           \
        ml_client_options o;                                                                       \
        ml_client_get_options(client, &o);                                                         \
        return value;                                                                              \
    }
READABLE(X)
#undef X

static PyObject *get_closed(PyObject *self, void *Py_UNUSED(unused)) {
    ml_client *client = ml_client_ready(self);
    return client == NULL ? NULL : PyBool_FromLong(ml_client_is_closed(client));
}

static PyObject *get_root(PyObject *self, void *Py_UNUSED(unused)) {
    return Py_NewRef(root_of(self));
}

static PyGetSetDef client_getters[] = {
#define X(name, value, text) {#name, get_##name, NULL, text, NULL},
    READABLE(X)
#undef X
        {"closed", get_closed, NULL, "Has close() been called?", NULL},
    {"_root", get_root, NULL, "The client whose connections it uses: itself, but of a view.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- the type ---- */

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef base_methods[] = {
    {"submit", METHOD(client_submit), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "submit($self, operation, mailbox, context, flow, fields, /)\n--\n\n"
     "Begin a call whose outcome comes out of the mailbox, beside the context.\n\n"
     "The fields are those of the call, and its options; the flow is a Flow or None. Raises what\n"
     "a call raises before it sends anything."},
    {"prepare", METHOD(client_prepare), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "prepare($self, operation, fields, /)\n--\n\n"
     "Return a ticket for a call that begins with its submit().\n\n"
     "Takes what is in the fields: the dict is empty afterwards, so that no frame shows it."},
    {"_query", METHOD(client_query), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "_query($self, operation, fields, /)\n--\n\n"
     "Return what makes a call as often as it is asked to. Empties the fields, like prepare()."},
    {"for_account", METHOD(ml_view_for_account), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     ML_DOC_FOR_ACCOUNT},
    {"with_options", METHOD(ml_view_with_options), METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     ML_DOC_WITH_OPTIONS},
    {"_enter", base_enter, METH_NOARGS,
     "_enter($self, /)\n--\n\nReturn the client itself; raise ClientClosedError when it is closed."},
    {"_close", base_close, METH_NOARGS,
     "_close($self, /)\n--\n\nClose the connections. Calls that run end with ClientClosedError."},
    {"__reduce__", client_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\nRaise TypeError: a client cannot be pickled."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot base_slots[] = {
    {Py_tp_doc,
     ML_DOC_CLIENT_SIGNATURE(
         "BaseClient") "What merge_link.Client and AsyncClient share: options and connections."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, client_init},
    {Py_tp_dealloc, client_dealloc},
    {Py_tp_traverse, client_traverse},
    {Py_tp_clear, client_clear},
    {Py_tp_repr, client_repr},
    {Py_tp_methods, base_methods},
    {Py_tp_getset, client_getters},
    {0, NULL},
};

PyType_Spec ml_base_spec = {
    .name = "merge_link._core.BaseClient",
    .basicsize = sizeof(client_object),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = base_slots,
};
