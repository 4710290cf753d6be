/*
 * binding - what CPython sees of the C library. These are the only files that know Python.h; they
 * know neither libcurl nor cJSON, and nothing of csrc/core but the public header.
 *
 *     module     the module, its functions
 *     methods    the types Client and AsyncClient: a method for each operation
 *     view       for_account() and with_options()
 *     client     the type BaseClient
 *     defaults   the clients behind the module's own functions
 *     call       one call: arguments in, GIL dropped, result or exception out
 *     mailbox    many calls at once: the types Mailbox, Ticket and Flow
 *     arguments  arguments as a request and options of the call
 *     options    keyword arguments and environment as options of a client
 *     key        an API key: a string, or a callable that is asked for it
 *     convert    Python values as values of a request
 *     result     an answer as a result object
 *     answer     the same where Python describes the result
 *     query      a call that can be made again: the type Query
 *     errors     a failure as an exception
 *     state      what the module owns
 *
 * Each may use those below it; and query, which answers hold, makes calls. Everything that comes
 * from Python is copied before the GIL goes.
 */
#ifndef ML_BINDING_H
#define ML_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "merge_link.h"

/* ---- state.c ---- */

/* The module's objects: one list for the struct, for traverse and for clear. */
#define ML_STATE_OBJECTS(X)                                                                        \
    X(base_type)   /* _core.BaseClient */                                                          \
    X(client_type) /* _core.Client */                                                              \
    X(async_type)  /* _core.AsyncClient */                                                         \
    X(query_type)  /* _core.Query; so on below */                                                  \
    X(mailbox_type)                                                                                \
    X(ticket_type)                                                                                 \
    X(flow_type)                                                                                   \
    X(empty_tuple)                                                                                 \
    X(dict_name)     /* "__dict__" */                                                              \
    X(facts_name)    /* "_facts" */                                                                \
    X(logging_name)  /* "logging" */                                                               \
    X(gevent_name)   /* "gevent.monkey" */                                                         \
    X(debug_level)   /* logging.DEBUG */                                                           \
    X(enabled_name)  /* "isEnabledFor" */                                                          \
    X(await_name)    /* "_await" */                                                                \
    X(qualname_name) /* "__qualname__" */                                                          \
    X(shapes)        /* operation -> what its results have in common, as needed; so all below */   \
    X(make_error)    /* merge_link.errors.from_core */                                             \
    X(make_result)   /* merge_link.results.from_core */                                            \
    X(unexpected)    /* merge_link.results.UnexpectedAnswer */                                     \
    X(pager_type)    /* merge_link.pages.AsyncPager */                                             \
    X(datetime_type) /* datetime.datetime */                                                       \
    X(utc)           /* datetime.UTC */                                                            \
    X(json_dumps)    /* with allow_nan=False */                                                    \
    X(json_loads)                                                                                  \
    X(read_environment) /* merge_link._environment.read */                                         \
    X(proxy_choice)     /* merge_link._environment.proxy_choice */                                 \
    X(attempt_begins)   /* merge_link._attempts.begins */                                          \
    X(attempt_ends)     /* merge_link._attempts.ends */                                            \
    X(get_logger)       /* logging.getLogger */                                                    \
    X(logger)           /* once the logging module is there */                                     \
    X(gevent_pool)      /* merge_link._gevent.pool */

enum { ML_DEFAULT_CLIENTS = 8 };

typedef struct ml_state {
#define X(name) PyObject *name;
    ML_STATE_OBJECTS(X)
#undef X
    PyObject *defaults[ML_DEFAULT_CLIENTS]; /* the one used last comes first */
} ml_state;

int ml_state_init(ml_state *state);
int ml_state_traverse(ml_state *state, visitproc visit, void *arg);
void ml_state_clear(ml_state *state);

/* An attribute of a module, imported on first use and kept in *slot. Borrowed. */
PyObject *ml_state_import(PyObject **slot, const char *module, const char *name);
/* The state behind an instance of BaseClient or of a subclass; NULL with an exception. */
ml_state *ml_state_of(PyObject *client);

/* A borrowed view of a str, valid as long as it lives. Lone surrogates become CESU bytes, for which
 * *keep takes a new object. False with an exception when memory is out. */
int ml_text_from(PyObject *string, ml_text *text, PyObject **keep);

/* ---- errors.c ---- */

/* The exception that the error says, or NULL with another one. The response adds what the server
 * said. */
PyObject *ml_exception_new(ml_state *state, const ml_error *error, const ml_response *response);
/* Raises what the error says; the response adds what the server said. Always returns NULL. */
PyObject *ml_raise(ml_state *state, const ml_error *error, const ml_response *response);
/* Takes the exception that is raised, without its traceback. NULL, and it stays raised, when it is
 * none that an outcome may be, such as Ctrl-C. */
PyObject *ml_exception_caught(void);
/* Raises the ConfigurationError of an option: its name and a printf-like text. Returns -1. */
int ml_raise_configuration(ml_state *state, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Raises the ConfigurationError of an option whose type is wrong: "<name> must be <wanted>, not
 * <its type>". Returns -1. */
int ml_refuse_type(ml_state *state, const char *name, const char *wanted, PyObject *value);
/* Raises the ValidationError of an argument that is of no use at all. Returns -1. */
int ml_raise_problem(ml_state *state, const char *field, const char *message);
/* Raises the ClientClosedError of a client that is closed already. Returns -1. */
int ml_raise_closed(ml_state *state);
/* Raises the ConfigurationError of a call or client without an API key. Returns -1. */
int ml_raise_no_key(ml_state *state);
/* Raises the TypeError of an unknown keyword, with the known names that it may stand for, else the
 * hint. Returns -1. */
int ml_raise_unknown_keyword(const char *function, const char *name, const char *const *names,
                             const char *hint);

/* ---- query.c ---- */

extern PyType_Spec ml_query_spec;

/* Who made a call and how, for another like it. All borrowed. */
typedef struct ml_again {
    PyObject *client;     /* the Client or AsyncClient */
    PyObject *key_source; /* is asked for the API key of each call; NULL: nobody is */
    double timeout;       /* as in ml_call_options; so is the next */
    int max_retries;
} ml_again;

/* A _core.Query. Copies the request. */
PyObject *ml_query_new(ml_state *state, const ml_again *again, const ml_request *request);

/* ---- answer.c ---- */

const char *ml_answer_name(ml_answer answer);

/* The result of a successful call, as merge_link/results.py makes it. */
PyObject *ml_answer_new(ml_state *state, const ml_again *again, const ml_request *request,
                        const ml_response *response);
/* Makes a ResponseError of what was raised about an answer, where that is what it means. */
void ml_raise_from_answer(ml_state *state, const ml_response *response);

/* ---- result.c ---- */

/* The result object of a successful call; None where the operation has none. */
PyObject *ml_result_new(ml_state *state, const ml_again *again, const ml_request *request,
                        const ml_response *response);

/* The facts of an answer in one piece of bytes, and that as a tuple (see merge_link/response.py);
 * NULL with an exception. */
PyObject *ml_facts_new(const ml_request *request, const ml_response *response);
PyObject *ml_facts_read(PyObject *bytes);

/* ---- convert.c ---- */

/* Adds a Python value to a request's object under a name. -1 with an exception only when Python
 * itself fails; a value that does not fit becomes a problem for validation to report. */
int ml_convert(ml_state *state, ml_value *object, const char *name, PyObject *value,
               const ml_field *row);

/* A dict's key as C text in *name; NULL when it can be no name, which is noted on the object for
 * validation to report. -1 with an exception. */
int ml_convert_key(ml_value *object, PyObject *key, const char **name);

/* ---- key.c ---- */

/* Reads an API key. A string becomes *text (see ml_text_from), a callable *source, borrowed; else
 * an exception and -1. */
int ml_key_take(ml_state *state, PyObject *value, ml_text *text, PyObject **keep,
                PyObject **source);
/* Gives the request the key that a callable returned. */
int ml_key_set(ml_state *state, PyObject *key, ml_request *request);
/* Asks the callable, which may run any code, and gives the request the key that it returns. */
int ml_key_ask(ml_state *state, PyObject *source, ml_request *request);

/* ---- options.c ---- */

/* Is this a keyword of Client()? */
int ml_is_client_option(const char *name);
/* The names of all of them; ends with NULL. */
const char *const *ml_client_option_names(void);

/* A client's options as they are read. Init with zeroes, then ml_options_begin(). */
typedef struct ml_options_reader {
    ml_client_options options;
    PyObject *on_attempt; /* borrowed, or NULL */
    PyObject *key_source; /* borrowed: the callable that was given as api_key, or NULL */
    bool has_allow_http;  /* given, be it False */
    bool chooses_proxy;   /* none was given: the environment says, for each base URL */
    PyObject *keep;       /* owned: a list of what the options borrow from */
} ml_options_reader;

int ml_options_begin(ml_options_reader *reader);
/* Reads one keyword argument. */
int ml_options_take(ml_state *state, ml_options_reader *reader, const char *name, PyObject *value);
/* Fills what was not given from the environment and the system. */
int ml_options_complete(ml_state *state, ml_options_reader *reader);
/* The proxy that the environment gives for their base URL; "" for none. A proxy that is there
 * already stays. */
int ml_options_choose_proxy(ml_state *state, ml_options_reader *reader);
void ml_options_end(ml_options_reader *reader);

/* Numbers with the same care: no bool, no str. */
int ml_seconds_from(ml_state *state, const char *name, PyObject *value, double *seconds);
int ml_count_from(ml_state *state, const char *name, PyObject *value, long long *count);

/* ---- arguments.c ---- */

/* The operation of that name; NULL with an exception. */
const ml_operation *ml_operation_named(PyObject *name);
/* Has it a body that can have further members? */
bool ml_takes_extra_body(const ml_operation *operation);

typedef struct ml_arguments {
    ml_request *request; /* owned */
    ml_call_options options;
    PyObject *key_source; /* owned: the callable that was given as api_key, or NULL */
} ml_arguments;

/* The arguments of a METH_FASTCALL | METH_KEYWORDS function. */
typedef struct ml_given {
    PyObject *const *values; /* first those by position, then those by name */
    Py_ssize_t count;        /* of those by position */
    PyObject *names;         /* a tuple, or NULL */
} ml_given;

/* Reads the arguments of an operation. Options of a client go to `client` when there is one, and
 * are unknown when it is NULL. */
int ml_arguments_read(ml_state *state, const ml_operation *operation, const ml_given *given,
                      ml_options_reader *client, ml_arguments *arguments);
/* The same from a dict, without options of a client. */
int ml_arguments_read_dict(ml_state *state, const ml_operation *operation, PyObject *fields,
                           ml_arguments *arguments);
void ml_arguments_free(ml_arguments *arguments);
/* Raises the TypeError of a call with positional arguments; 0 when there are none. */
int ml_refuse_positional(const char *function, Py_ssize_t count);

/* ---- call.c ---- */

/* Who calls. All borrowed. */
typedef struct ml_caller {
    PyObject *object; /* the Client, which keeps the client */
    ml_client *client;
    PyObject *on_attempt; /* is told of each attempt; NULL: nobody is */
    PyObject *key_source; /* is asked for the API key when the call has none; NULL: nobody is */
} ml_caller;

/* Who is to be asked for the API key of a call: the call's own key comes before the client's.
 * Borrowed; NULL: nobody. */
PyObject *ml_key_source_of(const ml_caller *caller, const ml_arguments *arguments);

/* Makes the call without the GIL and returns its result, or NULL with an exception. Takes the
 * arguments. When it warms up, it connects ahead and returns None. */
PyObject *ml_make_call(ml_state *state, const ml_caller *caller, ml_arguments *arguments,
                       bool warms_up);

/* Does the logger take DEBUG? 1: yes, 0: no, -1: exception. */
int ml_is_debugging(ml_state *state);
/* Is anybody told of this attempt? The hook is on_attempt, or NULL. */
bool ml_attempt_is_heard(const ml_attempt *attempt, PyObject *hook, bool debug);
/* Tells the log and the hook. */
int ml_attempt_tell(ml_state *state, PyObject *hook, const ml_attempt *attempt);

/* ---- mailbox.c ---- */

extern PyType_Spec ml_mailbox_spec, ml_ticket_spec, ml_flow_spec;

/* A _core.Ticket for a call that is not submitted yet. Takes the arguments. */
PyObject *ml_ticket_object_new(ml_state *state, const ml_caller *caller, ml_arguments *arguments);
/* Asks for the API key where a callable gives it. */
int ml_ticket_object_ask(ml_state *state, PyObject *self);
/* Submits it to a Mailbox, with a Flow or None. */
int ml_ticket_object_submit(ml_state *state, PyObject *self, PyObject *mailbox, PyObject *context,
                            PyObject *flow);

/* ---- client.c ---- */

extern PyType_Spec ml_base_spec;

/* The C client inside; NULL before __init__(). Borrowed. */
ml_client *ml_client_inside(PyObject *self);
/* The same; NULL with an exception. */
ml_client *ml_client_ready(PyObject *self);
/* Who calls when this client does. */
ml_caller ml_caller_of(PyObject *self);
/* A new _core.Client with these options, or NULL with an exception. */
PyObject *ml_client_object_new(ml_state *state, const ml_client_options *options);

/* Does the environment choose the proxy of this client? */
bool ml_client_object_chooses_proxy(PyObject *self);
/* A view of the client, of the same class; its __init__() is not called. */
PyObject *ml_client_object_view(ml_state *state, PyObject *self, const ml_view_options *changes);
/* What close() and __enter__() do. */
PyObject *ml_client_object_close(PyObject *self);
PyObject *ml_client_object_enter(PyObject *self);

/* ---- view.c ---- */

/* Methods of METH_METHOD | METH_FASTCALL | METH_KEYWORDS. */
PyObject *ml_view_for_account(PyObject *self, PyTypeObject *type, PyObject *const *values,
                              Py_ssize_t count, PyObject *names);
PyObject *ml_view_with_options(PyObject *self, PyTypeObject *type, PyObject *const *values,
                               Py_ssize_t count, PyObject *names);

/* ---- methods.c ---- */

extern PyType_Spec ml_client_spec, ml_async_client_spec;

/* ---- defaults.c ---- */

/* merge_link.create_link_token() and its like. */
PyObject *ml_call_default(ml_state *state, const ml_operation *operation, const ml_given *given);

#endif
