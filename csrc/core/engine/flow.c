#include "flow.h"
#include "../process.h"

#include <stdlib.h>

/* A pace this quick, in seconds from send to send, would suffer from an engine that is a little
 * late each time: then a send that is late by no more than this counts as having been on time. */
static const double QUICK = 0.02;

struct ml_flow {
    double interval; /* seconds from one send to the next */
    /* under the process's lock */
    size_t holders;
    double next;       /* when the next request may go out */
    double held_until; /* because Merge said so */
};

ml_flow *ml_flow_new(double per_second) {
    ml_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL) return NULL;
    flow->interval = per_second > 0.0 ? 1.0 / per_second : 0.0;
    flow->holders = 1;
    return flow;
}

void ml_flow_free(ml_flow *flow) {
    ml_flow_leave(flow);
}

ml_flow *ml_flow_keep(ml_flow *flow) {
    if (flow == NULL) return NULL;
    ml_process_lock();
    flow->holders++;
    ml_process_unlock();
    return flow;
}

void ml_flow_leave(ml_flow *flow) {
    if (flow == NULL) return;
    ml_process_lock();
    bool is_last = --flow->holders == 0;
    ml_process_unlock();
    if (is_last) free(flow);
}

bool ml_flow_ask(ml_flow *flow, double now, double *until) {
    ml_process_lock();
    *until = flow->next > flow->held_until ? flow->next : flow->held_until;
    bool may_go = now >= *until;
    if (may_go) {
        bool is_on_time = flow->interval < QUICK && now - flow->next < QUICK;
        flow->next = (is_on_time ? flow->next : now) + flow->interval;
    }
    ml_process_unlock();
    return may_go;
}

void ml_flow_hold(ml_flow *flow, double until) {
    ml_process_lock();
    if (until > flow->held_until) flow->held_until = until;
    ml_process_unlock();
}
