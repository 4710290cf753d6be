/*
 * terms - what holds for the calls of one client or view: its options and its error budget. Whoever
 * may still make such a call counts as a user: a view may be freed before its tickets are over.
 */
#ifndef ML_TERMS_H
#define ML_TERMS_H

#include "config.h"
#include "guard.h"

#include <stdatomic.h>

typedef struct ml_terms {
    atomic_uint users;
    ml_guard *guard;  /* borrowed; NULL: no error budget */
    ml_config config; /* owned */
} ml_terms;

/* Of a client; NULL with the error. The caller leaves them. */
ml_terms *ml_terms_new(const ml_client_options *options, ml_error *error);
/* The same but for the changes. */
ml_terms *ml_terms_change(const ml_terms *terms, const ml_view_options *changes, ml_error *error);
ml_terms *ml_terms_keep(ml_terms *terms);
/* The last one to leave frees them. NULL is fine. */
void ml_terms_leave(ml_terms *terms);

#endif
