/*
 * module - merge_link._core. Multi-phase: each interpreter has its own, nothing is shared.
 */
#include "binding.h"
#include "docs.h"

static ml_state *state_of(PyObject *module) {
    return PyModule_GetState(module);
}

/* ---- functions ---- */

static PyObject *create_link_token(PyObject *module, PyObject *const *values, Py_ssize_t count,
                                   PyObject *names) {
    ml_given given = {values, count, names};
    return ml_call_default(state_of(module), ml_operation_find("create_link_token"), &given);
}

/* Raises what the call would raise before it sends anything. */
static PyObject *check_request(ml_state *state, ml_request *request) {
    ml_error error;
    ml_error_init(&error);
    PyObject *nothing = NULL;
    if (ml_request_check(request, &error) == ML_OK)
        nothing = Py_NewRef(Py_None);
    else
        ml_raise(state, &error, NULL);
    ml_error_clear(&error);
    return nothing;
}

static PyObject *check(PyObject *module, PyObject *const *values, Py_ssize_t count,
                       PyObject *names) {
    ml_arguments arguments;
    if (count != 1) {
        PyErr_SetString(PyExc_TypeError, "check() takes an operation's name, then its keywords");
        return NULL;
    }
    const ml_operation *operation = ml_operation_named(values[0]);
    if (operation == NULL) return NULL;
    ml_given given = {values + 1, 0, names};
    if (ml_arguments_read(state_of(module), operation, &given, NULL, &arguments) != 0) return NULL;
    PyObject *nothing = check_request(state_of(module), arguments.request);
    ml_arguments_free(&arguments);
    return nothing;
}

static const char *type_name(ml_type type) {
    switch (type) {
    case ML_TYPE_STRING: return "string";
    case ML_TYPE_INTEGER: return "integer";
    case ML_TYPE_BOOL: return "boolean";
    case ML_TYPE_ARRAY: return "array";
    case ML_TYPE_OBJECT:
    case ML_TYPE_MAP:
    case ML_TYPE_JSON: return "object";
    case ML_TYPE_ANY: return "any";
    }
    return "";
}

static const char *format_name(ml_format format) {
    switch (format) {
    case ML_FORMAT_TEXT: return "text";
    case ML_FORMAT_SLUG: return "slug";
    case ML_FORMAT_UUID: return "uuid";
    case ML_FORMAT_LANGUAGE_TAG: return "language_tag";
    case ML_FORMAT_CREDENTIAL: return "credential";
    case ML_FORMAT_DATE_TIME: return "date_time";
    case ML_FORMAT_METHOD: return "method";
    case ML_FORMAT_PATH: return "path";
    }
    return "";
}

static const char *place_name(unsigned flags) {
    if ((flags & ML_FIELD_IN_PATH) != 0) return "path";
    if ((flags & ML_FIELD_IN_QUERY) != 0) return "query";
    if ((flags & ML_FIELD_IN_HEADER) != 0) return "header";
    return (flags & ML_FIELD_IS_BODY) != 0 ? "whole body" : "body";
}

static PyObject *choice_tuple(const char *const *choices) {
    Py_ssize_t count = 0;
    while (choices != NULL && choices[count] != NULL)
        count++;
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *choice = PyUnicode_FromString(choices[i]);
        if (choice == NULL || PyTuple_SetItem(tuple, i, choice) != 0) Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *describe_fields(const ml_field *rows);

/* Lists and maps are described by what is in them. */
static const ml_field *innermost(const ml_field *row) {
    while (row->type == ML_TYPE_ARRAY || row->type == ML_TYPE_MAP)
        row = row->of;
    return row;
}

static PyObject *describe_field(const ml_field *row) {
    const ml_field *chosen = row->type == ML_TYPE_ARRAY ? row->of : row;
    const ml_field *inside = innermost(row);
    const ml_field *members = inside->type == ML_TYPE_OBJECT ? inside->of : NULL;
    return Py_BuildValue(
        "{ss ss ss ss sO sL sL sN sO sN}", "name", row->name, "type", type_name(row->type),
        "format", format_name(row->format), "place", place_name(row->flags), "required",
        (row->flags & ML_FIELD_REQUIRED) != 0 ? Py_True : Py_False, "min", (long long)row->min,
        "max", (long long)row->max, "choices", choice_tuple(chosen->choices), "closed",
        (chosen->flags & ML_FIELD_CLOSED) != 0 ? Py_True : Py_False, "members",
        describe_fields(members));
}

static PyObject *describe_fields(const ml_field *rows) {
    PyObject *list = PyList_New(0);
    for (; list != NULL && rows != NULL && rows->name != NULL; rows++) {
        PyObject *field = describe_field(rows);
        if (field == NULL || PyList_Append(list, field) != 0) Py_CLEAR(list);
        Py_XDECREF(field);
    }
    return list;
}

static PyObject *fields(PyObject *Py_UNUSED(module), PyObject *name) {
    const ml_operation *operation = ml_operation_named(name);
    return operation == NULL ? NULL : describe_fields(operation->fields);
}

static const char *account_name(ml_account account) {
    switch (account) {
    case ML_ACCOUNT_NONE: return "none";
    case ML_ACCOUNT_REQUIRED: return "required";
    case ML_ACCOUNT_OPTIONAL: return "optional";
    }
    return "";
}

static const char *repeat_name(ml_repeat repeat) {
    switch (repeat) {
    case ML_REPEAT_ALWAYS: return "always";
    case ML_REPEAT_UNSENT: return "unsent";
    case ML_REPEAT_BY_METHOD: return "by method";
    }
    return "";
}

static PyObject *describe_operation(const ml_operation *operation) {
    return Py_BuildValue(
        "{ss ss ss ss ss ss sz sn sO}", "name", operation->name, "method", operation->method,
        "path", operation->path, "repeat", repeat_name(operation->repeat), "account",
        account_name(operation->account), "answer", ml_answer_name(operation->answer), "result",
        operation->result, "positional", (Py_ssize_t)operation->positional, "takes_extra_body",
        ml_takes_extra_body(operation) ? Py_True : Py_False);
}

static PyObject *operations(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < ml_operation_count(); i++) {
        PyObject *operation = describe_operation(ml_operation_at(i));
        if (operation == NULL || PyList_Append(list, operation) != 0) Py_CLEAR(list);
        Py_XDECREF(operation);
    }
    return list;
}

static PyObject *versions(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("{ssssssss}", "merge_link", ml_version(), "libcurl", ml_libcurl_version(),
                         "tls", ml_tls_version(), "cjson", ml_cjson_version());
}

static PyObject *system_ca(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return Py_BuildValue("z", ml_system_ca());
}

static PyObject *answer_time(PyObject *Py_UNUSED(module), PyObject *arguments) {
    const char *headers;
    Py_ssize_t length;
    double began;
    if (!PyArg_ParseTuple(arguments, "y#d:answer_time", &headers, &length, &began)) return NULL;
    return PyFloat_FromDouble(ml_answer_time((ml_text){headers, (size_t)length}, began));
}

static PyObject *read_facts(PyObject *Py_UNUSED(module), PyObject *facts) {
    return ml_facts_read(facts);
}

static PyObject *origin(PyObject *Py_UNUSED(module), PyObject *url) {
    ml_origin found;
    const char *text = PyUnicode_AsUTF8AndSize(url, NULL);
    if (text == NULL) return NULL;
    if (!ml_origin_of(text, &found)) Py_RETURN_NONE;
    return Py_BuildValue("(ssiN)", found.scheme, found.host, found.port,
                         PyBool_FromLong(found.is_loopback));
}

static PyObject *set_loopback_only(PyObject *Py_UNUSED(module), PyObject *on) {
    int truth = PyObject_IsTrue(on);
    if (truth < 0) return NULL;
    ml_set_loopback_only(truth != 0);
    Py_RETURN_NONE;
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef functions[] = {
    {"create_link_token", METHOD(create_link_token), METH_FASTCALL | METH_KEYWORDS,
     ML_DOC_CREATE_LINK_TOKEN("$module, /, ", ML_DOC_CLIENT_KEYWORDS, ML_DOC_CLIENT_ARGUMENTS)},
    {"check", METHOD(check), METH_FASTCALL | METH_KEYWORDS,
     "check($module, operation, /, **fields)\n--\n\n"
     "Raise the ValidationError that a call with these keywords would raise; send nothing.\n\n"
     "Needs neither client nor API key."},
    {"fields", fields, METH_O,
     "fields($module, operation, /)\n--\n\n"
     "Describe the fields of an operation, in the order in which they are sent.\n\n"
     "Each is a dict of name, type, format, place (path, query, header,\n"
     "body, or the whole body), required, min and max (max 0: no limit), choices, closed (whether\n"
     "nothing but the choices is sent) and members (the fields of the objects in it)."},
    {"operations", operations, METH_NOARGS,
     "operations($module, /)\n--\n\n"
     "Describe all operations: name, method, path, repeat, account, answer, result, positional,\n"
     "takes_extra_body."},
    {"answer_time", answer_time, METH_VARARGS,
     "answer_time($module, headers, began, /)\n--\n\n"
     "Return the time of the Date in header lines (bytes), else began; seconds since the epoch."},
    {"read_facts", read_facts, METH_O,
     "read_facts($module, facts, /)\n--\n\n"
     "Return what the core noted of the answer behind a result, as a tuple."},
    {"origin", origin, METH_O,
     "origin($module, url, /)\n--\n\n"
     "Return scheme, host, port and whether that is loopback, as libcurl reads the URL, or None."},
    {"versions", versions, METH_NOARGS,
     "versions($module, /)\n--\n\n"
     "Return the versions of this package, libcurl, its TLS library and cJSON."},
    {"system_ca", system_ca, METH_NOARGS,
     "system_ca($module, /)\n--\n\n"
     "Return where this machine keeps its CA certificates (hashed directory or file), or None."},
    {"set_loopback_only", set_loopback_only, METH_O,
     "set_loopback_only($module, on, /)\n--\n\n"
     "Forbid calls that leave this machine, in the whole process and for all clients.\n\n"
     "Each True takes a False of its own to end it; a False too many has no effect."},
    {NULL, NULL, 0, NULL},
};

/* ---- life ---- */

static int add_type(PyObject *module, PyType_Spec *spec, PyObject *base, PyObject **slot) {
    *slot = PyType_FromModuleAndSpec(module, spec, base);
    return *slot == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)*slot);
}

static int add_types(ml_state *state, PyObject *module) {
    if (add_type(module, &ml_base_spec, NULL, &state->base_type) != 0 ||
        add_type(module, &ml_client_spec, state->base_type, &state->client_type) != 0 ||
        add_type(module, &ml_async_client_spec, state->base_type, &state->async_type) != 0 ||
        add_type(module, &ml_query_spec, NULL, &state->query_type) != 0 ||
        add_type(module, &ml_mailbox_spec, NULL, &state->mailbox_type) != 0 ||
        add_type(module, &ml_ticket_spec, NULL, &state->ticket_type) != 0)
        return -1;
    return add_type(module, &ml_flow_spec, NULL, &state->flow_type);
}

static int module_exec(PyObject *module) {
    ml_state *state = state_of(module);
    ml_error error;
    ml_error_init(&error);
    if (ml_library_check(&error) != ML_OK) {
        PyErr_SetString(PyExc_ImportError, error.text);
        return -1;
    }
    return ml_state_init(state) == 0 ? add_types(state, module) : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    ml_state *state = state_of(module);
    return state == NULL ? 0 : ml_state_traverse(state, visit, arg);
}

static int module_clear(PyObject *module) {
    ml_state *state = state_of(module);
    if (state != NULL) ml_state_clear(state);
    return 0;
}

static void module_free(void *module) {
    module_clear(module);
}

/* ---- definitions: 3.11 refuses slots that it does not know ---- */

/* Of 3.12's headers; one binary serves all. */
enum { SLOT_MULTIPLE_INTERPRETERS = 3 };
#define PER_INTERPRETER_GIL ((void *)2)

static PyModuleDef_Slot slots_3_11[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef_Slot slots_3_12[] = {
    {Py_mod_exec, module_exec},
    {SLOT_MULTIPLE_INTERPRETERS, PER_INTERPRETER_GIL},
    {0, NULL},
};

#define DEFINITION(its_slots)                                                                      \
    {                                                                                              \
        PyModuleDef_HEAD_INIT,                                                                     \
        .m_name = "merge_link._core",                                                              \
        .m_doc = "The C core of merge_link: use merge_link instead.",                              \
        .m_size = sizeof(ml_state),                                                                \
        .m_methods = functions,                                                                    \
        .m_slots = (its_slots),                                                                    \
        .m_traverse = module_traverse,                                                             \
        .m_clear = module_clear,                                                                   \
        .m_free = module_free,                                                                     \
    }

static PyModuleDef definition_3_11 = DEFINITION(slots_3_11);
static PyModuleDef definition_3_12 = DEFINITION(slots_3_12);

PyMODINIT_FUNC PyInit__core(void) {
    return PyModuleDef_Init(Py_Version >= 0x030C0000 ? &definition_3_12 : &definition_3_11);
}
