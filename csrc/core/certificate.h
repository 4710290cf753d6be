/*
 * certificate - what the certificate that a server showed says of itself, for messages. Nothing is
 * trusted because of it: that is for the TLS library to judge.
 */
#ifndef ML_CERTIFICATE_H
#define ML_CERTIFICATE_H

#include "merge_link.h"

typedef struct ml_certificate {
    bool is_known;     /* the rest is there */
    char issuer[128];  /* who signed it, and ... */
    char subject[128]; /* ... whose it is: organization, unit, common name; "" when all lack */
    char names[192];   /* the hosts that it is for, "a.example, b.example"; ", ..." when cut */
    double not_before, not_after; /* seconds since the epoch */
} ml_certificate;

/* Reads a certificate in DER (RFC 5280). False: it is none, and the certificate is not known. */
bool ml_certificate_read(ml_text der, ml_certificate *certificate);

/* The server's own certificate in a Certificate message of the TLS handshake (RFC 5246, RFC 8446),
 * header included; not given when it is another message. Borrows. */
ml_text ml_certificate_of_message(ml_text message);

#endif
