/*
 * pem - what PEM text holds, told by its first lines (RFC 7468). Decoding is for the TLS library.
 */
#ifndef ML_PEM_H
#define ML_PEM_H

#include "merge_link.h"

typedef struct ml_pem {
    bool has_certificate;
    bool has_key;
    bool is_key_encrypted;
} ml_pem;

ml_pem ml_pem_of(ml_text text);

/* The same of a regular file: 0, or the error number of what hinders (EINVAL: it is no such). */
int ml_pem_read(const char *path, ml_pem *found);

#endif
