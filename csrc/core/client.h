/*
 * client - making a client over another transport than libcurl, for tests.
 */
#ifndef ML_CLIENT_H
#define ML_CLIENT_H

#include "merge_link.h"
#include "transport.h"

/* As ml_client_new(), over a transport that must outlive the client. */
ml_status ml_client_new_over(const ml_transport *transport, const ml_client_options *options,
                             ml_client **client, ml_error *error);

#endif
