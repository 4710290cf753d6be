#include "terms.h"
#include "error.h"

#include <stdlib.h>

static ml_terms *new_terms(ml_error *error) {
    ml_terms *terms = calloc(1, sizeof *terms);
    if (terms == NULL) {
        ml_fail_memory(error);
        return NULL;
    }
    atomic_init(&terms->users, 1);
    return terms;
}

static ml_status find_guard(ml_terms *terms, ml_error *error) {
    if (terms->config.options.budget_failures == 0) return ML_OK;
    terms->guard = ml_guard_of(terms->config.origin);
    return terms->guard == NULL ? ml_fail_memory(error) : ML_OK;
}

/* With the config set, or not. */
static ml_terms *finish(ml_terms *terms, ml_status status, ml_error *error) {
    if (status == ML_OK) status = find_guard(terms, error);
    if (status == ML_OK) return terms;
    ml_terms_leave(terms);
    return NULL;
}

ml_terms *ml_terms_new(const ml_client_options *options, ml_error *error) {
    ml_terms *terms = new_terms(error);
    return terms == NULL ? NULL
                         : finish(terms, ml_config_set(&terms->config, options, error), error);
}

ml_terms *ml_terms_change(const ml_terms *terms, const ml_view_options *changes, ml_error *error) {
    ml_terms *changed = new_terms(error);
    if (changed == NULL) return NULL;
    return finish(changed, ml_config_change(&changed->config, &terms->config, changes, error),
                  error);
}

ml_terms *ml_terms_keep(ml_terms *terms) {
    atomic_fetch_add(&terms->users, 1);
    return terms;
}

void ml_terms_leave(ml_terms *terms) {
    if (terms == NULL || atomic_fetch_sub(&terms->users, 1) > 1) return;
    ml_config_free(&terms->config);
    free(terms);
}
