/*
 * flow - the pace that many calls share, in any number of engines.
 */
#ifndef ML_FLOW_H
#define ML_FLOW_H

#include "merge_link.h"

/* One more, or one less, that holds it. Any thread, without the process's lock. */
ml_flow *ml_flow_keep(ml_flow *flow);
void ml_flow_leave(ml_flow *flow);

/* May a request go out at `now`? Then it counts as sent; else *until says when to ask again. */
bool ml_flow_ask(ml_flow *flow, double now, double *until);
/* Nothing goes out before `until`. */
void ml_flow_hold(ml_flow *flow, double until);

#endif
