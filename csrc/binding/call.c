#include "binding.h"

typedef struct call_context {
    PyThreadState *thread; /* of the caller, while it is without the GIL */
    int raised;            /* a signal handler raised */
} call_context;

/* Comes by at least every 0.2 s: signal handlers run here, and Ctrl-C ends the call. */
static int tick(void *argument) {
    call_context *context = argument;
    PyEval_RestoreThread(context->thread);
    context->raised = PyErr_CheckSignals() != 0;
    context->thread = PyEval_SaveThread();
    return context->raised;
}

static PyObject *finish(ml_state *state, const ml_arguments *arguments,
                        const ml_operation *operation, const ml_error *error,
                        const ml_response *response) {
    if (error->status != ML_OK) return ml_raise(state, error, response);
    return ml_result_new(state, operation, arguments->request, response);
}

PyObject *ml_make_call(ml_state *state, ml_client *client, const ml_arguments *arguments) {
    call_context context = {0};
    ml_call_options options = arguments->options;
    options.tick = tick;
    options.context = &context;
    ml_response *response = NULL;
    ml_error error;
    ml_error_init(&error);

    context.thread = PyEval_SaveThread();
    ml_status status = ml_client_call(client, arguments->request, &options, &response, &error);
    PyEval_RestoreThread(context.thread);

    /* Signals first, then the result: what a handler raises comes out, whatever was answered. */
    PyObject *result = NULL;
    if (!context.raised && PyErr_CheckSignals() == 0) {
        error.status = status;
        result =
            finish(state, arguments, ml_request_operation(arguments->request), &error, response);
    }
    ml_response_free(response);
    ml_error_clear(&error);
    return result;
}
