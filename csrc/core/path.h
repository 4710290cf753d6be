/*
 * path - what stands behind the base URL: segments, and whole paths that a caller wrote.
 */
#ifndef ML_PATH_H
#define ML_PATH_H

#include "buffer.h"

/* Appends a text with all but unreserved characters percent-encoded: one segment, or a name or
 * value of a query. */
void ml_path_append_segment(ml_buffer *url, ml_text text);

/* Why a text is no path of ML_FORMAT_PATH; NULL: it is one. Never quotes it. */
const char *ml_path_fault(ml_text path);
/* Appends such a path: "%XX" as it is, what a path cannot hold percent-encoded. */
void ml_path_append(ml_buffer *url, ml_text path);
/* What of such a path is secret: what follows "/account-token/", unless it is "regenerate". Not
 * given: nothing. */
ml_text ml_path_secret(ml_text path);
/* Appends what a text means whose "%XX" are read. */
void ml_path_decode(ml_buffer *out, ml_text text);

#endif
