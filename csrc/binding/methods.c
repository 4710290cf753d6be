/*
 * methods - the types _core.Client, whose calls block, and _core.AsyncClient, whose calls are
 * awaited. merge_link.Client and AsyncClient are Python subclasses of theirs.
 *
 * A call that is to be awaited reads its arguments into a ticket here, so that no Python frame
 * holds them; the coroutine is Python's own (merge_link/aio.py).
 */
#include "methods.h"
#include "binding.h"
#include "docs.h"

#include <string.h>

/* ---- calls that block ---- */

/* Reads the arguments of a call of this client. */
static int read_arguments(ml_state *state, PyObject *self, const char *name, const ml_given *given,
                          ml_arguments *arguments) {
    if (state == NULL || ml_client_ready(self) == NULL) return -1;
    return ml_arguments_read(state, ml_operation_find(name), given, NULL, arguments);
}

static PyObject *call(PyObject *self, PyTypeObject *type, const char *name, ml_given given) {
    ml_state *state = PyType_GetModuleState(type);
    ml_arguments arguments;
    if (read_arguments(state, self, name, &given, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(self);
    return ml_make_call(state, &caller, &arguments, false);
}

static PyObject *call_create_link_token(PyObject *self, PyTypeObject *type, PyObject *const *values,
                                        Py_ssize_t count, PyObject *names) {
    return call(self, type, "create_link_token", (ml_given){values, count, names});
}

static PyObject *call_warm_up(PyObject *self, PyTypeObject *type, PyObject *const *values,
                              Py_ssize_t count, PyObject *names) {
    ml_state *state = PyType_GetModuleState(type);
    ml_given given = {values, count, names};
    ml_arguments arguments;
    if (read_arguments(state, self, "warm_up", &given, &arguments) != 0) return NULL;
    ml_caller caller = ml_caller_of(self);
    return ml_make_call(state, &caller, &arguments, true);
}

#define X(name, signature, text)                                                                   \
    static PyObject *call_##name(PyObject *self, PyTypeObject *type, PyObject *const *values,      \
                                 Py_ssize_t count, PyObject *names) {                              \
        return call(self, type, #name, (ml_given){values, count, names});                          \
    }
ML_OPERATIONS(X)
#undef X

static PyObject *client_close(PyObject *self, PyObject *Py_UNUSED(arguments)) {
    return ml_client_object_close(self);
}

static PyObject *client_enter(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return ml_client_object_enter(self);
}

/* ---- calls that are awaited ---- */

/* A ticket with the arguments, else what is wrong with them, which comes out when it is awaited. */
static PyObject *ticket_or_error(ml_state *state, PyObject *self, const char *name,
                                 const ml_given *given) {
    ml_arguments arguments;
    PyObject *ticket = NULL;
    if (read_arguments(state, self, name, given, &arguments) == 0) {
        ml_caller caller = ml_caller_of(self);
        ticket = ml_ticket_object_new(state, &caller, &arguments);
    }
    return ticket != NULL ? ticket : ml_exception_caught();
}

/* "coroutine 'AsyncClient.issue' was never awaited" says more than the name of what awaits. */
static int name_coroutine(ml_state *state, PyObject *coroutine, const char *name) {
    PyObject *text = PyUnicode_FromFormat("AsyncClient.%s", name);
    int failed = text == NULL ? -1 : PyObject_SetAttr(coroutine, state->qualname_name, text);
    Py_XDECREF(text);
    return failed;
}

static PyObject *coroutine_of(ml_state *state, PyObject *self, const char *name, PyObject *ticket) {
    PyObject *coroutine = PyObject_CallMethodObjArgs(self, state->await_name, ticket, NULL);
    if (coroutine == NULL || name_coroutine(state, coroutine, name) == 0) return coroutine;
    Py_DECREF(coroutine);
    return NULL;
}

/* What is awaited for a page, or iterated over for all pages. Takes the coroutine. */
static PyObject *pager_of(ml_state *state, PyObject *coroutine) {
    PyObject *type = ml_state_import(&state->pager_type, "merge_link.pages", "AsyncPager");
    PyObject *pager = NULL;
    if (type != NULL) pager = PyObject_CallFunctionObjArgs(type, coroutine, NULL);
    Py_DECREF(coroutine);
    return pager;
}

static PyObject *begin(PyObject *self, PyTypeObject *type, const char *name, ml_given given) {
    ml_state *state = PyType_GetModuleState(type);
    if (state == NULL) return NULL;
    PyObject *ticket = ticket_or_error(state, self, name, &given);
    if (ticket == NULL) return NULL;
    PyObject *coroutine = coroutine_of(state, self, name, ticket);
    Py_DECREF(ticket);
    bool is_page = ml_operation_find(name)->answer == ML_ANSWER_PAGE;
    return coroutine == NULL || !is_page ? coroutine : pager_of(state, coroutine);
}

#define X(name, signature, text)                                                                   \
    static PyObject *begin_##name(PyObject *self, PyTypeObject *type, PyObject *const *values,     \
                                  Py_ssize_t count, PyObject *names) {                             \
        return begin(self, type, #name, (ml_given){values, count, names});                         \
    }
ML_OPERATIONS(X)
#undef X

/* ---- the types ---- */

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))
#define CALL             (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef client_methods[] = {
    {"create_link_token", METHOD(call_create_link_token), CALL,
     ML_DOC_CREATE_LINK_TOKEN("$self, /, ", "", ML_DOC_CALL_ARGUMENTS)},
    {"warm_up", METHOD(call_warm_up), CALL, ML_DOC_WARM_UP},
#define X(name, signature, text)                                                                   \
    {#name, METHOD(call_##name), CALL, #name "($self, " signature "**options)\n--\n\n" text},
    ML_OPERATIONS(X)
#undef X
        {"close", client_close, METH_NOARGS,
         "close($self, /)\n--\n\n"
         "Close the connections. Calls that run in other threads end with ClientClosedError.\n\n"
         "A view closes only itself. Closing again is harmless. Leaving a with block closes too."},
    {"__enter__", client_enter, METH_NOARGS,
     "__enter__($self, /)\n--\n\nReturn the client itself."},
    {"__exit__", client_close, METH_VARARGS,
     "__exit__($self, exc_type, exc_value, traceback, /)\n--\n\nClose the client."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef async_client_methods[] = {
#define X(name, signature, text)                                                                   \
    {#name, METHOD(begin_##name), CALL, #name "($self, " signature "**options)\n--\n\n" text},
    ML_OPERATIONS(X)
#undef X
        {NULL, NULL, 0, NULL},
};

static PyType_Slot client_slots[] = {
    {Py_tp_doc,
     ML_DOC_CLIENT_SIGNATURE("Client") "The part of merge_link.Client that is written in C."},
    {Py_tp_methods, client_methods},
    {0, NULL},
};

PyType_Spec ml_client_spec = {
    .name = "merge_link._core.Client",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = client_slots,
};

static PyType_Slot async_client_slots[] = {
    {Py_tp_doc, ML_DOC_CLIENT_SIGNATURE(
                    "AsyncClient") "The part of merge_link.AsyncClient that is written in C."},
    {Py_tp_methods, async_client_methods},
    {0, NULL},
};

PyType_Spec ml_async_client_spec = {
    .name = "merge_link._core.AsyncClient",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = async_client_slots,
};
