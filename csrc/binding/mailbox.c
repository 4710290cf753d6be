/*
 * mailbox - many calls at once: the types Mailbox, Ticket and Flow over those of the C library.
 *
 * A ticket that is submitted is in the list of its mailbox, which keeps it, and with it the client
 * and the caller's context, until its outcome is taken. So nothing is lost when a mailbox goes
 * before what it waits for.
 */
#include "binding.h"

#include <errno.h>
#include <math.h>
#include <time.h>

typedef struct ticket_object ticket_object;

typedef struct mailbox_object {
    PyObject_HEAD
    ml_mailbox *mailbox;  /* owned; NULL: closed */
    ml_news *held;        /* owned: the next news, whose telling was interrupted; or NULL */
    PyObject *taken;      /* owned: a list that an interrupted take() left; or NULL */
    ticket_object *first; /* owned: the list of tickets under way */
    unsigned users;       /* methods that are at work in it */
    bool is_closing;      /* the last of them closes it */
} mailbox_object;

struct ticket_object {
    PyObject_HEAD
    ml_ticket *ticket;       /* borrowed of the engine; NULL: not submitted yet, or over */
    mailbox_object *mailbox; /* borrowed: in whose list it is; or NULL */
    ticket_object *previous, *next;
    PyObject *client;       /* owned; NULL: over */
    PyObject *context;      /* owned, or NULL */
    PyObject *on_attempt;   /* borrowed: the client keeps it; or NULL */
    PyObject *key_source;   /* owned: is asked for the API key; or NULL */
    ml_arguments arguments; /* owned, until it is submitted; the options stay */
    bool has_asked;         /* the key source, for this call */
    bool debug;             /* the logger took DEBUG when it was submitted */
};

typedef struct flow_object {
    PyObject_HEAD
    ml_flow *flow; /* owned */
} flow_object;

static void release(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    freefunc release_memory = PyType_GetSlot(type, Py_tp_free);
    release_memory(self);
    Py_DECREF(type);
}

/* ---- the list of a mailbox ---- */

static void put_in_list(mailbox_object *mailbox, ticket_object *ticket) {
    ticket->mailbox = mailbox;
    ticket->next = mailbox->first;
    if (ticket->next != NULL) ticket->next->previous = ticket;
    mailbox->first = (ticket_object *)Py_NewRef((PyObject *)ticket);
}

/* Gives the list's reference to the caller. */
static void take_from_list(ticket_object *ticket) {
    if (ticket->previous != NULL)
        ticket->previous->next = ticket->next;
    else
        ticket->mailbox->first = ticket->next;
    if (ticket->next != NULL) ticket->next->previous = ticket->previous;
    ticket->previous = ticket->next = NULL;
    ticket->mailbox = NULL;
    ticket->ticket = NULL;
}

/* ---- tickets ---- */

static int ticket_traverse(PyObject *self, visitproc visit, void *arg) {
    const ticket_object *ticket = (ticket_object *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(ticket->client);
    Py_VISIT(ticket->context);
    Py_VISIT(ticket->key_source);
    return 0;
}

static int ticket_clear(PyObject *self) {
    ticket_object *ticket = (ticket_object *)self;
    ticket->on_attempt = NULL;
    ml_arguments_free(&ticket->arguments);
    Py_CLEAR(ticket->key_source);
    Py_CLEAR(ticket->context);
    Py_CLEAR(ticket->client);
    return 0;
}

static void ticket_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    ticket_clear(self);
    release(self);
}

/* Who is closed already asks nobody. */
static int find_key_source(ml_state *state, const ml_caller *caller, ticket_object *ticket) {
    PyObject *source = ml_key_source_of(caller, &ticket->arguments);
    if (source == NULL) return 0;
    if (ml_client_is_closed(caller->client)) return ml_raise_closed(state);
    ticket->key_source = Py_NewRef(source);
    return 0;
}

PyObject *ml_ticket_object_new(ml_state *state, const ml_caller *caller, ml_arguments *arguments) {
    ticket_object *ticket =
        (ticket_object *)PyType_GenericNew((PyTypeObject *)state->ticket_type, NULL, NULL);
    if (ticket == NULL) {
        ml_arguments_free(arguments);
        return NULL;
    }
    ticket->arguments = *arguments;
    if (find_key_source(state, caller, ticket) != 0) {
        Py_DECREF(ticket);
        return NULL;
    }
    ticket->client = Py_NewRef(caller->object);
    ticket->on_attempt = caller->on_attempt;
    return (PyObject *)ticket;
}

static int check_unused(const ticket_object *ticket) {
    if (ticket->arguments.request != NULL) return 0;
    PyErr_SetString(PyExc_RuntimeError, "a ticket can be submitted once");
    return -1;
}

int ml_ticket_object_ask(ml_state *state, PyObject *self) {
    ticket_object *ticket = (ticket_object *)self;
    if (ticket->key_source == NULL) return 0;
    ticket->has_asked = true;
    return ml_key_ask(state, ticket->key_source, ticket->arguments.request);
}

static int find_mailbox(ml_state *state, PyObject *object, mailbox_object **mailbox) {
    *mailbox = (mailbox_object *)object;
    if (Py_TYPE(object) != (PyTypeObject *)state->mailbox_type) {
        PyErr_SetString(PyExc_TypeError, "mailbox must be a Mailbox");
        return -1;
    }
    if ((*mailbox)->mailbox != NULL && !(*mailbox)->is_closing) return 0;
    PyErr_SetString(PyExc_ValueError, "the mailbox is closed");
    return -1;
}

static int find_flow(ml_state *state, PyObject *object, ml_flow **flow) {
    *flow = NULL;
    if (object == Py_None) return 0;
    if (Py_TYPE(object) != (PyTypeObject *)state->flow_type) {
        PyErr_SetString(PyExc_TypeError, "flow must be a Flow or None");
        return -1;
    }
    *flow = ((flow_object *)object)->flow;
    return 0;
}

/* The GIL is kept: the engine never wants it, and what it does here is short. */
static int hand_over(ml_state *state, ticket_object *ticket, mailbox_object *mailbox,
                     ml_flow *flow) {
    ml_submit_options options;
    ml_submit_options_init(&options);
    options.timeout = ticket->arguments.options.timeout;
    options.max_retries = ticket->arguments.options.max_retries;
    options.tells_attempts = ticket->debug || ticket->on_attempt != NULL;
    options.flow = flow;
    options.context = ticket;
    ml_error error;
    ml_error_init(&error);
    ml_status status = ml_client_submit(ml_client_inside(ticket->client), ticket->arguments.request,
                                        &options, mailbox->mailbox, &ticket->ticket, &error);
    if (status != ML_OK) ml_raise(state, &error, NULL);
    ml_error_clear(&error);
    return status == ML_OK ? 0 : -1;
}

int ml_ticket_object_submit(ml_state *state, PyObject *self, PyObject *mailbox, PyObject *context,
                            PyObject *flow) {
    ticket_object *ticket = (ticket_object *)self;
    mailbox_object *its_mailbox;
    ml_flow *its_flow;
    int debugging = ml_is_debugging(state);
    if (debugging < 0 || check_unused(ticket) != 0 ||
        find_mailbox(state, mailbox, &its_mailbox) != 0 || find_flow(state, flow, &its_flow) != 0)
        return -1;
    ticket->debug = debugging > 0;
    if (hand_over(state, ticket, its_mailbox, its_flow) != 0) return -1;
    ticket->arguments.request = NULL; /* it is the engine's */
    ml_arguments_free(&ticket->arguments);
    ticket->context = Py_NewRef(context);
    put_in_list(its_mailbox, ticket);
    return 0;
}

static PyObject *ticket_submit(PyObject *self, PyObject *const *values, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "submit() takes a mailbox, a context and a flow");
        return NULL;
    }
    ml_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (ml_ticket_object_submit(state, self, values[0], values[1], values[2]) != 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *ticket_set_key(PyObject *self, PyObject *key) {
    ticket_object *ticket = (ticket_object *)self;
    ml_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (check_unused(ticket) != 0 || ml_key_set(state, key, ticket->arguments.request) != 0)
        return NULL;
    ticket->has_asked = true;
    Py_RETURN_NONE;
}

static PyObject *ticket_cancel(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    ticket_object *ticket = (ticket_object *)self;
    if (ticket->ticket != NULL) ml_ticket_cancel(ticket->ticket);
    Py_RETURN_NONE;
}

static PyObject *get_key_source(PyObject *self, void *Py_UNUSED(unused)) {
    const ticket_object *ticket = (ticket_object *)self;
    bool is_to_be_asked = ticket->key_source != NULL && !ticket->has_asked;
    return Py_NewRef(is_to_be_asked ? ticket->key_source : Py_None);
}

#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef ticket_methods[] = {
    {"submit", METHOD(ticket_submit), METH_FASTCALL,
     "submit($self, mailbox, context, flow, /)\n--\n\n"
     "Hand the call over to the client's engine. The context comes out of the mailbox with the\n"
     "outcome. Raises what a call raises before it sends anything."},
    {"set_key", ticket_set_key, METH_O,
     "set_key($self, key, /)\n--\n\nSet the API key of the call: what key_source returned."},
    {"cancel", ticket_cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\n"
     "End the call. Its outcome comes all the same, soon. Harmless when it is over."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ticket_getters[] = {
    {"key_source", get_key_source, NULL,
     "The callable that is to be asked for the API key before submit(), or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot ticket_slots[] = {
    {Py_tp_doc, "One call among many: of prepare() or submit() of a client."},
    {Py_tp_dealloc, ticket_dealloc},
    {Py_tp_traverse, ticket_traverse},
    {Py_tp_clear, ticket_clear},
    {Py_tp_methods, ticket_methods},
    {Py_tp_getset, ticket_getters},
    {0, NULL},
};

PyType_Spec ml_ticket_spec = {
    .name = "merge_link._core.Ticket",
    .basicsize = sizeof(ticket_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = ticket_slots,
};

/* ---- mailboxes ---- */

static PyObject *mailbox_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    if (PyTuple_Size(arguments) > 0 || (keywords != NULL && PyDict_Size(keywords) > 0)) {
        PyErr_SetString(PyExc_TypeError, "Mailbox() takes no arguments");
        return NULL;
    }
    mailbox_object *self = (mailbox_object *)PyType_GenericNew(type, NULL, NULL);
    if (self == NULL) return NULL;
    errno = ENOMEM;
    self->mailbox = ml_mailbox_new();
    if (self->mailbox != NULL) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_SetFromErrno(PyExc_OSError);
}

static int mailbox_traverse(PyObject *object, visitproc visit, void *arg) {
    const mailbox_object *self = (mailbox_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->taken);
    for (const ticket_object *ticket = self->first; ticket != NULL; ticket = ticket->next)
        Py_VISIT(ticket);
    return 0;
}

/* Nothing arrives any more; what was on its way is forgotten. */
static int mailbox_clear(PyObject *object) {
    mailbox_object *self = (mailbox_object *)object;
    ml_mailbox *mailbox = self->mailbox;
    ml_news *held = self->held;
    self->mailbox = NULL;
    self->held = NULL;
    /* What follows may run Python code, which must find no ticket to cancel. */
    for (ticket_object *ticket = self->first; ticket != NULL; ticket = ticket->next)
        ticket->ticket = NULL;
    ml_news_free(held);
    ml_mailbox_free(mailbox);
    while (self->first != NULL) {
        ticket_object *ticket = self->first;
        take_from_list(ticket);
        ticket_clear((PyObject *)ticket);
        Py_DECREF(ticket);
    }
    Py_CLEAR(self->taken);
    return 0;
}

static void mailbox_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    mailbox_clear(self);
    release(self);
}

static bool enter(mailbox_object *self) {
    if (self->mailbox == NULL || self->is_closing) {
        PyErr_SetString(PyExc_ValueError, "the mailbox is closed");
        return false;
    }
    self->users++;
    return true;
}

static void leave(mailbox_object *self) {
    if (--self->users == 0 && self->is_closing) mailbox_clear((PyObject *)self);
}

static PyObject *mailbox_close(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    mailbox_object *self = (mailbox_object *)object;
    self->is_closing = true;
    if (self->users == 0) mailbox_clear(object);
    Py_RETURN_NONE;
}

static PyObject *mailbox_fileno(PyObject *object, PyObject *Py_UNUSED(ignored)) {
    mailbox_object *self = (mailbox_object *)object;
    if (!enter(self)) return NULL;
    PyObject *number = PyLong_FromLong(ml_mailbox_descriptor(self->mailbox));
    leave(self);
    return number;
}

/* ---- waiting ---- */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Comes back at least every 0.2 s: signal handlers run, and Ctrl-C comes out. 1: something is
 * there, 0: nothing in time, -1: exception. */
static int wait_for_news(const mailbox_object *self, double seconds) {
    static const double TICK = 0.2;
    double left = seconds, deadline = now() + seconds;
    bool is_there = self->held != NULL || self->taken != NULL;
    while (!is_there && !self->is_closing) {
        Py_BEGIN_ALLOW_THREADS
        is_there = ml_mailbox_wait(self->mailbox, left < TICK ? left : TICK);
        Py_END_ALLOW_THREADS
        if (PyErr_CheckSignals() != 0) return -1;
        left = deadline - now();
        if (!(left > 0.0)) break;
    }
    return is_there;
}

static PyObject *mailbox_wait(PyObject *object, PyObject *argument) {
    mailbox_object *self = (mailbox_object *)object;
    double seconds = PyFloat_AsDouble(argument);
    if (seconds == -1.0 && PyErr_Occurred()) return NULL;
    if (!enter(self)) return NULL;
    int is_there = wait_for_news(self, seconds > 0.0 ? seconds : 0.0);
    leave(self);
    return is_there < 0 ? NULL : PyBool_FromLong(is_there);
}

/* ---- taking ---- */

static PyObject *result_of(ml_state *state, const ml_news *news) {
    const ticket_object *ticket = news->context;
    const ml_call_options *options = &ticket->arguments.options;
    ml_again again = {ticket->client, ticket->key_source, options->timeout, options->max_retries};
    return ml_result_new(state, &again, news->request, news->response);
}

static PyObject *outcome_of(ml_state *state, const ml_news *news) {
    PyObject *outcome = news->error->status != ML_OK
                            ? ml_exception_new(state, news->error, news->response)
                            : result_of(state, news);
    return outcome != NULL ? outcome : ml_exception_caught();
}

/* The call is over when its outcome is in the list: nothing that can fail comes after. */
static int take_outcome(ml_state *state, const ml_news *news, PyObject *list) {
    ticket_object *ticket = news->context;
    PyObject *outcome = outcome_of(state, news);
    if (outcome == NULL) return -1;
    PyObject *pair = PyTuple_Pack(2, ticket->context, outcome);
    Py_DECREF(outcome);
    int failed = pair == NULL ? -1 : PyList_Append(list, pair);
    Py_XDECREF(pair);
    if (failed != 0) return -1;
    take_from_list(ticket);
    ticket_clear((PyObject *)ticket);
    Py_DECREF(ticket);
    return 0;
}

static int tell_attempt(ml_state *state, const ml_news *news) {
    const ticket_object *ticket = news->context;
    PyObject *hook = ticket->on_attempt;
    if (!ml_attempt_is_heard(&news->attempt, hook, ticket->debug)) return 0;
    return ml_attempt_tell(state, hook, &news->attempt);
}

/* An outcome that could not be taken is held for the next time; an attempt was told. */
static int take_news(ml_state *state, mailbox_object *self, ml_news *news, PyObject *list) {
    int failed = news->is_over ? take_outcome(state, news, list) : tell_attempt(state, news);
    if (failed != 0 && news->is_over)
        self->held = news;
    else
        ml_news_free(news);
    return failed;
}

static ml_news *next_news(mailbox_object *self) {
    ml_news *held = self->held;
    self->held = NULL;
    return held != NULL ? held : ml_mailbox_take(self->mailbox);
}

/* The list that an interrupted take() left, else a new one. */
static PyObject *take_list(mailbox_object *self) {
    PyObject *list = self->taken;
    self->taken = NULL;
    return list != NULL ? list : PyList_New(0);
}

static PyObject *take(ml_state *state, mailbox_object *self, Py_ssize_t most) {
    PyObject *list = take_list(self);
    int failed = list == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; failed == 0 && i < most; i++) {
        ml_news *news = next_news(self);
        if (news == NULL) break;
        failed = take_news(state, self, news, list);
    }
    if (failed == 0) return list;
    if (list != NULL && PyList_Size(list) > 0 && self->taken == NULL)
        self->taken = list;
    else
        Py_XDECREF(list);
    return NULL;
}

static PyObject *mailbox_take(PyObject *object, PyObject *argument) {
    mailbox_object *self = (mailbox_object *)object;
    Py_ssize_t most = PyNumber_AsSsize_t(argument, NULL);
    if (most == -1 && PyErr_Occurred()) return NULL;
    if (self->mailbox == NULL || !enter(self)) return PyErr_Occurred() ? NULL : PyList_New(0);
    PyObject *list = take(PyType_GetModuleState(Py_TYPE(object)), self, most);
    leave(self);
    return list;
}

static PyMethodDef mailbox_methods[] = {
    {"fileno", mailbox_fileno, METH_NOARGS,
     "fileno($self, /)\n--\n\n"
     "Return the descriptor that is readable while something waits to be taken.\n\n"
     "It stays the mailbox's own. Negative: a forked child could not have one of its own."},
    {"wait", mailbox_wait, METH_O,
     "wait($self, seconds, /)\n--\n\n"
     "Wait until something can be taken, and return whether it can.\n\n"
     "Other threads run meanwhile. KeyboardInterrupt comes out, and what signal handlers raise."},
    {"take", mailbox_take, METH_O,
     "take($self, most, /)\n--\n\n"
     "Return what has come, as pairs of context and result or exception, and do not wait.\n\n"
     "Looks at so many news at most; those of attempts are told to on_attempt and to the log\n"
     "here. What interrupts that (KeyboardInterrupt) comes out, and nothing is lost: the next\n"
     "call returns it."},
    {"close", mailbox_close, METH_NOARGS,
     "close($self, /)\n--\n\n"
     "Cancel what is under way for it and forget what was not taken. Again is harmless."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot mailbox_slots[] = {
    {Py_tp_doc, "Mailbox()\n--\n\n"
                "Where the outcomes of submitted calls come out: one for each event loop or thread "
                "that waits."},
    {Py_tp_new, mailbox_new},
    {Py_tp_dealloc, mailbox_dealloc},
    {Py_tp_traverse, mailbox_traverse},
    {Py_tp_clear, mailbox_clear},
    {Py_tp_methods, mailbox_methods},
    {0, NULL},
};

PyType_Spec ml_mailbox_spec = {
    .name = "merge_link._core.Mailbox",
    .basicsize = sizeof(mailbox_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mailbox_slots,
};

/* ---- flows ---- */

static PyObject *flow_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"per_second", NULL};
    double per_second;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "d:Flow", names, &per_second))
        return NULL;
    if (!(per_second >= 0.0) || isinf(per_second)) {
        PyErr_SetString(PyExc_ValueError, "per_second must be 0 (no pace) or more");
        return NULL;
    }
    flow_object *self = (flow_object *)PyType_GenericNew(type, NULL, NULL);
    if (self == NULL) return NULL;
    self->flow = ml_flow_new(per_second);
    if (self->flow != NULL) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static void flow_dealloc(PyObject *self) {
    ml_flow_free(((flow_object *)self)->flow);
    release(self);
}

static PyType_Slot flow_slots[] = {
    {Py_tp_doc, "Flow(per_second)\n--\n\n"
                "A pace that many calls share, in requests a second; 0: as fast as goes.\n\n"
                "Calls of a flow are patient: they wait where Merge, the error budget or the pace\n"
                "makes them wait, whatever their timeout."},
    {Py_tp_new, flow_new},
    {Py_tp_dealloc, flow_dealloc},
    {0, NULL},
};

PyType_Spec ml_flow_spec = {
    .name = "merge_link._core.Flow",
    .basicsize = sizeof(flow_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = flow_slots,
};
