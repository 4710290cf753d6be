/*
 * query - the fields that go into the query of the URL.
 */
#ifndef ML_QUERY_H
#define ML_QUERY_H

#include "buffer.h"
#include "request.h"

/* Can a value stand in a query: text, a number, a bool, or a list of them whose texts hold no
 * comma? *why says what is wrong, NULL: nothing, and the problem is the value's own, such as bad
 * UTF-8. False: memory is out. */
bool ml_query_check(const ml_value *value, const char **why);

/* Appends "?name=value&..." to a URL, in the order of the rows; nothing when nothing was given. */
void ml_query_append(const ml_request *request, ml_buffer *url);

#endif
