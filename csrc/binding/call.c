#include "binding.h"

typedef struct call_context {
    ml_state *state;
    PyThreadState *thread; /* of the caller, while it is without the GIL */
    PyObject *on_attempt;  /* borrowed; NULL: none */
    bool debug;            /* the logger takes DEBUG */
    bool raised;           /* something that runs during the call raised */
} call_context;

/* Comes by at least every 0.2 s: signal handlers run here, and Ctrl-C ends the call. */
static int tick(void *argument) {
    call_context *context = argument;
    if (context->raised) return 1;
    PyEval_RestoreThread(context->thread);
    context->raised = PyErr_CheckSignals() != 0;
    context->thread = PyEval_SaveThread();
    return context->raised;
}

/* ---- telling of attempts ---- */

static PyObject *tell_beginning(ml_state *state, const ml_attempt *attempt) {
    PyObject *begins = ml_state_import(&state->attempt_begins, "merge_link._attempts", "begins");
    PyObject *facts = Py_BuildValue("{sssssI}", "method", attempt->method, "url", attempt->url,
                                    "number", attempt->number);
    PyObject *told = NULL;
    if (begins != NULL && facts != NULL) told = PyObject_Call(begins, state->empty_tuple, facts);
    Py_XDECREF(facts);
    return told;
}

static PyObject *number_or_none(double number) {
    return number < 0.0 ? Py_NewRef(Py_None) : PyFloat_FromDouble(number);
}

static PyObject *end_facts(const ml_attempt *attempt) {
    const ml_timing *timing = &attempt->timing;
    return Py_BuildValue(
        "{sssssssssIsNsssdsNs(ddddd)sN}", "method", attempt->method, "host", attempt->host, "path",
        attempt->path, "url", attempt->url, "number", attempt->number, "status_code",
        attempt->http_status > 0 ? PyLong_FromLong(attempt->http_status) : Py_NewRef(Py_None),
        "code", attempt->code, "seconds", attempt->seconds, "retry_in",
        number_or_none(attempt->retry_in), "timing", timing->name_lookup, timing->connect,
        timing->tls, timing->first_byte, timing->total, "server_time",
        number_or_none(ml_answer_time(attempt->headers, -1.0)));
}

static PyObject *tell_end(ml_state *state, PyObject *hook, const ml_attempt *attempt) {
    PyObject *ends = ml_state_import(&state->attempt_ends, "merge_link._attempts", "ends");
    PyObject *facts = end_facts(attempt);
    PyObject *first = PyTuple_Pack(1, hook != NULL ? hook : Py_None);
    PyObject *told = NULL;
    if (ends != NULL && facts != NULL && first != NULL) told = PyObject_Call(ends, first, facts);
    Py_XDECREF(first);
    Py_XDECREF(facts);
    return told;
}

bool ml_attempt_is_heard(const ml_attempt *attempt, PyObject *hook, bool debug) {
    return debug || (attempt->is_over && (hook != NULL || attempt->retry_in >= 0.0));
}

int ml_attempt_tell(ml_state *state, PyObject *hook, const ml_attempt *attempt) {
    PyObject *told =
        attempt->is_over ? tell_end(state, hook, attempt) : tell_beginning(state, attempt);
    Py_XDECREF(told);
    return told == NULL ? -1 : 0;
}

/* Takes the GIL only when somebody listens; a retry is always worth a warning. */
static void on_attempt(void *argument, const ml_attempt *attempt) {
    call_context *context = argument;
    bool is_heard = ml_attempt_is_heard(attempt, context->on_attempt, context->debug);
    if (!is_heard || context->raised) return;
    PyEval_RestoreThread(context->thread);
    context->raised = ml_attempt_tell(context->state, context->on_attempt, attempt) != 0;
    context->thread = PyEval_SaveThread();
}

/* Has somebody else loaded that module? */
static bool is_loaded(PyObject *name) {
    PyObject *module = PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
    return module != NULL && module != Py_None;
}

/* The logger, once the logging module is there (half loaded by another thread, the import waits
 * for it). Borrowed; NULL without an exception: not yet. */
static PyObject *find_logger(ml_state *state) {
    if (state->logger != NULL || !is_loaded(state->logging_name)) return state->logger;
    PyObject *get = ml_state_import(&state->get_logger, "logging", "getLogger");
    PyObject *logger = get == NULL ? NULL : PyObject_CallFunction(get, "s", "merge_link");
    if (state->logger == NULL)
        state->logger = logger;
    else
        Py_XDECREF(logger);
    return state->logger;
}

int ml_is_debugging(ml_state *state) {
    PyObject *logger = find_logger(state);
    if (logger == NULL) return PyErr_Occurred() ? -1 : 0;
    PyObject *answer =
        PyObject_CallMethodObjArgs(logger, state->enabled_name, state->debug_level, NULL);
    int debugging = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return debugging;
}

/* ---- the call ---- */

/* What a call needs, in one piece, so that it can outlive the greenlet that waits for it. */
typedef struct job {
    ml_state *state;        /* borrowed: the client's type keeps the module alive */
    PyObject *owner;        /* owned: the Client object, which keeps the client */
    ml_client *client;      /* borrowed */
    PyObject *on_attempt;   /* owned, or NULL */
    PyObject *key_source;   /* owned: was asked for the API key; or NULL */
    ml_arguments arguments; /* owned */
    bool warms_up;          /* instead of an ordinary call */
} job;

static PyObject *finish(const job *j, const ml_error *error, const ml_response *response) {
    if (error->status != ML_OK) return ml_raise(j->state, error, response);
    const ml_call_options *options = &j->arguments.options;
    ml_again again = {j->owner, j->key_source, options->timeout, options->max_retries};
    return ml_result_new(j->state, &again, j->arguments.request, response);
}

static PyObject *run(const job *j) {
    ml_state *state = j->state;
    int debugging = ml_is_debugging(state);
    if (debugging < 0) return NULL;
    call_context context = {.state = state, .on_attempt = j->on_attempt, .debug = debugging > 0};
    ml_call_options options = j->arguments.options;
    options.tick = tick;
    options.on_attempt = on_attempt;
    options.context = &context;
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);

    context.thread = PyEval_SaveThread();
    if (j->warms_up)
        ml_client_warm_up(j->client, j->arguments.request, &options, &response, &error);
    else
        ml_client_call(j->client, j->arguments.request, &options, &response, &error);
    PyEval_RestoreThread(context.thread);

    /* Signals first, then the result: what a handler raises comes out, whatever was answered. */
    PyObject *result = NULL;
    if (!context.raised && PyErr_CheckSignals() == 0) result = finish(j, &error, response);
    ml_response_free(response);
    ml_error_clear(&error);
    return result;
}

static void clear_job(job *j) {
    ml_arguments_free(&j->arguments);
    Py_CLEAR(j->owner);
    Py_CLEAR(j->on_attempt);
    Py_CLEAR(j->key_source);
}

/* ---- gevent: the call runs in a thread of the hub's pool, while other greenlets go on ---- */

static const char job_name[] = "merge_link._core.job";

static void free_capsule(PyObject *capsule) {
    job *j = PyCapsule_GetPointer(capsule, job_name);
    clear_job(j);
    PyMem_Free(j);
}

static PyObject *run_capsule(PyObject *capsule, PyObject *Py_UNUSED(ignored)) {
    const job *j = PyCapsule_GetPointer(capsule, job_name);
    return j == NULL ? NULL : run(j);
}

/* A Python callable that runs the job. Takes the job, also on failure. */
static PyObject *callable_of(job *j) {
    static PyMethodDef definition = {"call", run_capsule, METH_NOARGS, NULL};
    job *moved = PyMem_Malloc(sizeof *moved);
    PyObject *capsule = NULL;
    if (moved != NULL) {
        *moved = *j;
        capsule = PyCapsule_New(moved, job_name, free_capsule);
    }
    if (capsule == NULL) {
        clear_job(j);
        PyMem_Free(moved);
        return moved == NULL ? PyErr_NoMemory() : NULL;
    }
    PyObject *callable = PyCFunction_New(&definition, capsule);
    Py_DECREF(capsule);
    return callable;
}

/* The function of the pool that runs another; None when gevent is not at work. */
static PyObject *find_pool(ml_state *state) {
    if (!is_loaded(state->gevent_name)) return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    PyObject *pool = ml_state_import(&state->gevent_pool, "merge_link._gevent", "pool");
    return pool == NULL ? NULL : PyObject_CallFunctionObjArgs(pool, NULL);
}

static PyObject *start(job j) {
    ml_state *state = j.state;
    PyObject *result = NULL;
    PyObject *pool = find_pool(state);
    if (pool == Py_None) result = run(&j);
    if (pool == NULL || pool == Py_None) {
        clear_job(&j);
    } else {
        PyObject *callable = callable_of(&j);
        if (callable != NULL) result = PyObject_CallFunctionObjArgs(pool, callable, NULL);
        Py_XDECREF(callable);
    }
    Py_XDECREF(pool);
    return result;
}

PyObject *ml_key_source_of(const ml_caller *caller, const ml_arguments *arguments) {
    if (arguments->key_source != NULL) return arguments->key_source;
    return ml_request_has_api_key(arguments->request) ? NULL : caller->key_source;
}

/* The callable runs in the caller's thread, before anything of the call is begun: it may take its
 * time, raise, and use this very client. */
static int ask_for_key(ml_state *state, const ml_caller *caller, PyObject *source,
                       const ml_arguments *arguments) {
    if (source == NULL) return 0;
    if (ml_client_is_closed(caller->client)) return ml_raise_closed(state);
    return ml_key_ask(state, source, arguments->request);
}

PyObject *ml_make_call(ml_state *state, const ml_caller *caller, ml_arguments *arguments,
                       bool warms_up) {
    PyObject *source = ml_key_source_of(caller, arguments);
    if (ask_for_key(state, caller, source, arguments) != 0) {
        ml_arguments_free(arguments);
        return NULL;
    }
    job j = {
        .state = state,
        .client = caller->client,
        .arguments = *arguments,
        .warms_up = warms_up,
    };
    j.owner = Py_NewRef(caller->object);
    j.on_attempt = Py_XNewRef(caller->on_attempt);
    j.key_source = Py_XNewRef(source);
    arguments->request = NULL;
    arguments->key_source = NULL;
    return start(j);
}
