/*
 * watch - what is seen of a connection while it is made, and what libcurl does not tell: how far it
 * came, the certificate that the other side showed, the alert by which it ended the handshake.
 * (A libcurl whose TLS library is not of OpenSSL's kind shows nothing of TLS here.)
 */
#include "curl_private.h"

enum { ALERT_SIZE = 2, FATAL = 2 };

int ml_curl_watch(CURL *easy, curl_infotype type, char *data, size_t size, void *user) {
    (void)easy;
    ml_watched *watched = user;
    if (type == CURLINFO_HEADER_OUT) watched->has_asked = true;
    if (type == CURLINFO_SSL_DATA_OUT) watched->has_begun_tls = true;
    if (type != CURLINFO_SSL_DATA_IN) return 0;
    ml_text der = ml_certificate_of_message((ml_text){data, size});
    if (der.data != NULL) ml_certificate_read(der, &watched->certificate);
    if (size == ALERT_SIZE && data[0] == FATAL) watched->alert = (unsigned char)data[1];
    return 0;
}
