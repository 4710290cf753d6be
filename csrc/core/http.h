/*
 * http - URLs, dates, header lines and directories of certificates, as libcurl reads them
 * (implemented in transport/).
 */
#ifndef ML_HTTP_H
#define ML_HTTP_H

#include "merge_link.h"
#include "secret.h"

/* "merge-link/<version> libcurl/<version>" */
const char *ml_default_user_agent(void);

/* What a URL consists of, as libcurl reads it. */
typedef struct ml_url_parts {
    char scheme[8];
    char host[256];
    char port[8]; /* the scheme's own when the URL names none */
    bool has_user, has_query, has_fragment, has_zone;
} ml_url_parts;

typedef enum ml_url_verdict {
    ML_URL_GOOD,
    ML_URL_BAD,
    ML_URL_BAD_PORT,
    ML_URL_NO_MEMORY
} ml_url_verdict;

ml_url_verdict ml_url_read(const char *url, ml_url_parts *parts);

/* The same of a proxy's URL, which may lack the scheme; the password in it, and user and password
 * as they are sent: in base64. Those are not set when the URL holds none. */
ml_url_verdict ml_proxy_read(const char *url, ml_url_parts *parts, ml_secret *password,
                             ml_secret *login);

/* Does it hold certificates where OpenSSL looks for them, under the hash of their names? */
bool ml_is_hashed_directory(const char *path);

/* An HTTP date as seconds since the epoch; negative when it is none. */
double ml_http_date(const char *text);

/* The value of a header in a block of "Name: value\r\n" lines, the last one if it is repeated.
 * Length 0 when it is missing. */
ml_text ml_header_find(ml_text block, const char *name);

#endif
