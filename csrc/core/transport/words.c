/*
 * words - what is said of a transfer that failed: in a line what is wrong, naming who was spoken
 * to, and where it helps in another line what to do.
 */
#include "curl_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- who was spoken to ---- */

static long long_of(const ml_transfer *t, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(t->easy, info, &value);
    return value;
}

static bool has_passed(const ml_transfer *t, CURLINFO time) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(t->easy, time, &microseconds);
    return microseconds > 0;
}

static bool has_proxy(const ml_transfer *t) {
    return t->config->proxy_server[0] != '\0';
}

/* Is the proxy to connect to the server, and has not done so? It may have done it before, for a
 * connection that broke: then libcurl has made another. */
static bool is_before_tunnel(const ml_transfer *t) {
    if (!has_proxy(t) || !t->config->is_tls) return false;
    if (t->code == CURLE_COULDNT_CONNECT || t->code == CURLE_COULDNT_RESOLVE_PROXY) return true;
    long said = long_of(t, CURLINFO_HTTP_CONNECTCODE);
    return said != 0 ? said / 100 != 2 : t->exchange->sends == 0;
}

/* Is it the proxy that this end of the connection speaks to? */
static bool is_proxy_peer(const ml_transfer *t) {
    return has_proxy(t) && (!t->config->is_tls || is_before_tunnel(t));
}

/* "the proxy proxy.example:3128", or "api.merge.dev:443", where there is one with " (through the
 * proxy proxy.example:3128)". */
typedef struct peer {
    const char *title, *name, *via, *proxy, *end;
} peer;

static peer peer_of(const ml_transfer *t) {
    const ml_config *config = t->config;
    if (is_proxy_peer(t)) return (peer){"the proxy ", config->proxy_server, "", "", ""};
    if (!has_proxy(t)) return (peer){"", config->server, "", "", ""};
    return (peer){"", config->server, " (through the proxy ", config->proxy_server, ")"};
}

#define PEER    "%s%.200s%s%.150s%s"
#define OF(who) (who).title, (who).name, (who).via, (who).proxy, (who).end

/* ---- saying ---- */

static void say(const ml_transfer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const ml_transfer *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(t->exchange->text, sizeof t->exchange->text, format, arguments);
    va_end(arguments);
}

static void advise(const ml_transfer *t, const char *hint) {
    snprintf(t->exchange->hint, sizeof t->exchange->hint, "%s", hint);
}

static const char look_at_proxy[] =
    "The proxy is that of proxy=, else of HTTPS_PROXY or ALL_PROXY in the environment.";
static const char look_at_proxy_scheme[] =
    "Is the proxy one of http://? Most are, also for https://.";

/* ---- a proxy that says no ---- */

int ml_curl_proxy_refusal(const ml_transfer *t) {
    if (is_before_tunnel(t)) return (int)long_of(t, CURLINFO_HTTP_CONNECTCODE);
    /* Nobody else asks for a login with this status. */
    return is_proxy_peer(t) && t->exchange->http_status == 407 ? 407 : 0;
}

static void explain_login(const ml_transfer *t) {
    bool had_one = t->config->proxy_login.data != NULL;
    long methods = long_of(t, CURLINFO_PROXYAUTH_AVAIL);
    const char *what = had_one ? "refuses the user name or password" : "wants a login";
    bool has_basic = methods == 0 || (methods & (long)CURLAUTH_BASIC) != 0;
    if (!has_basic) what = "wants a login by another method than Basic, which alone is supported";
    say(t, "the proxy %.270s %s (status 407)", t->config->proxy_server, what);
    if (!has_basic)
        advise(t, "A helper on this machine, such as px or cntlm, can log in there in your place.");
    else
        advise(t, "Give both in the proxy's URL, percent-encoded: "
                  "http://user:p%40ssword@proxy.example:3128");
}

/* Does who answers so know no CONNECT, as a web server does not? */
static bool is_no_proxy(int status) {
    return status == 405 || status == 501;
}

static void explain_refusal(const ml_transfer *t, int status) {
    const char *proxy = t->config->proxy_server, *server = t->config->server;
    if (status == 407) {
        explain_login(t);
    } else if (is_no_proxy(status)) {
        say(t, "the proxy %.150s does not know CONNECT, which leads to https (status %d)", proxy,
            status);
        advise(t, "Is it a proxy? Web servers answer so. A NO_PROXY entry for the host leads past "
                  "it.");
    } else if (status >= 500) {
        say(t, "the proxy %.150s could not connect to %.150s (status %d)", proxy, server, status);
        advise(t, "Is the host's name right, and in the proxy's reach? A NO_PROXY entry for the "
                  "host leads past it.");
    } else {
        say(t, "the proxy %.150s does not connect to %.150s (status %d)", proxy, server, status);
        advise(t, "Its rules may forbid that. A NO_PROXY entry for the host leads past it.");
    }
}

/* ---- no connection ---- */

static void explain_lookup(const ml_transfer *t) {
    peer who = peer_of(t);
    say(t, "the host name of " PEER " cannot be resolved", OF(who));
    advise(t, is_proxy_peer(t) ? look_at_proxy
                               : "Is the name right, and is there a network with DNS? Where only a "
                                 "proxy leads out, name it by proxy= or HTTPS_PROXY.");
}

static void explain_connect(const ml_transfer *t) {
    peer who = peer_of(t);
    long number = long_of(t, CURLINFO_OS_ERRNO);
    const char *why = number != 0 ? strerror((int)number) : "it does not answer";
    say(t, "cannot connect to " PEER ": %s", OF(who), why);
    if (is_proxy_peer(t))
        advise(t, look_at_proxy);
    else if (number != ECONNREFUSED)
        advise(t, "Is there a network? Where only a proxy leads out, name it by proxy= or "
                  "HTTPS_PROXY.");
    else if (t->config->has_remote_host)
        advise(t, "Nothing listens at that port, or a firewall is in between. Where only a proxy "
                  "leads out, name it by proxy= or HTTPS_PROXY.");
    else
        advise(t, "Nothing listens at that port: does what should answer there run?");
}

/* ---- no time left ---- */

/* What can take too long: what to call it, and what to do, where it is the server that is spoken to
 * and where it is a proxy. */
typedef struct step {
    const char *when, *hint, *hint_of_proxy;
} step;

static const char raise_timeout[] = "If it is only slow: timeout= is for the whole call, retries "
                                    "and waits included.";
static const step looking_up = {
    "while looking up the name of",
    "Does DNS answer on this machine? Where only a proxy leads out, name it by proxy= or "
    "HTTPS_PROXY.",
    look_at_proxy,
};
static const step connecting = {
    "while connecting to",
    "Does a firewall drop the packets? Where only a proxy leads out, name it by proxy= or "
    "HTTPS_PROXY.",
    look_at_proxy,
};
static const step asking_proxy = {"while waiting to be let through by", NULL, look_at_proxy};
static const step shaking_hands = {
    "in the TLS handshake with",
    "Is TLS spoken at that port? If it is, a firewall or VPN on the way may swallow large packets.",
    look_at_proxy_scheme,
};
static const step waiting = {"while waiting for the answer of", raise_timeout, raise_timeout};
static const step reading = {"in the middle of the answer of", raise_timeout, raise_timeout};

/* The step at which the time was up. */
static const step *step_of(const ml_transfer *t) {
    if (t->exchange->sections > 0) return &reading;
    if (t->exchange->sends > 0) return &waiting;
    if (!has_passed(t, CURLINFO_NAMELOOKUP_TIME_T)) return &looking_up;
    if (t->watched->has_asked && is_before_tunnel(t)) return &asking_proxy;
    return t->watched->has_begun_tls ? &shaking_hands : &connecting;
}

static void explain_timeout(const ml_transfer *t) {
    peer who = peer_of(t);
    const step *at = step_of(t);
    double connect = t->config->options.connect_timeout;
    bool is_connecting = t->exchange->sends == 0 && connect < t->exchange->timeout;
    say(t, "timed out %s " PEER ": the %s of %g seconds is over", at->when, OF(who),
        is_connecting ? "connect_timeout" : "timeout",
        is_connecting ? connect : t->exchange->limit);
    advise(t, is_proxy_peer(t) ? at->hint_of_proxy : at->hint);
}

/* ---- TLS ---- */

typedef enum trouble {
    OTHER_TROUBLE,
    EXPIRED,
    NOT_YET_VALID,
    SELF_SIGNED,
    UNKNOWN_ISSUER,
    OTHER_HOST,
    NO_TLS,
    OLD_TLS,
    BAD_CERT_FILE,
    BAD_KEY,
    CERT_WANTED,
    CERT_REFUSED,
    REFUSED
} trouble;

/* What libcurl tells apart only by its words, and OpenSSL by its own. The first that is found
 * counts. */
static const struct {
    const char *sign;
    trouble trouble;
} signs[] = {
    {"certificate has expired", EXPIRED},
    {"certificate is not yet valid", NOT_YET_VALID},
    {"in certificate chain", UNKNOWN_ISSUER}, /* a self-signed one at its end */
    {"self-signed certificate", SELF_SIGNED},
    {"self signed certificate", SELF_SIGNED},
    {"issuer certificate", UNKNOWN_ISSUER},
    {"unable to verify the first certificate", UNKNOWN_ISSUER},
    {"subject name", OTHER_HOST},
    {"wrong version number", NO_TLS},
    {"packet length too long", NO_TLS},
    {"unsupported protocol", OLD_TLS},
    {"could not load PEM client certificate", BAD_CERT_FILE},
    {"unable to set private key file", BAD_KEY},
    {"Private key does not match", BAD_KEY},
};

/* The other side's own words: RFC 8446, section 6.2. */
static const struct {
    int number;
    const char *name;
    trouble trouble;
} alerts[] = {
    {40, "handshake failure", REFUSED},
    {42, "bad certificate", CERT_REFUSED},
    {43, "unsupported certificate", CERT_REFUSED},
    {44, "certificate revoked", CERT_REFUSED},
    {45, "certificate expired", CERT_REFUSED},
    {46, "certificate unknown", CERT_REFUSED},
    {48, "unknown CA", CERT_REFUSED},
    {49, "access denied", CERT_REFUSED},
    {70, "protocol version", OLD_TLS},
    {80, "internal error", REFUSED},
    {112, "unrecognized name", REFUSED},
    {116, "certificate required", CERT_WANTED},
};

static trouble trouble_of(const ml_transfer *t) {
    int alert = t->watched->alert;
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (alerts[i].number == alert) return alerts[i].trouble;
    if (alert != 0) return REFUSED;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strstr(t->detail, signs[i].sign) != NULL) return signs[i].trouble;
    return OTHER_TROUBLE;
}

static const char *date_of(double seconds, char *to, size_t size) {
    struct tm parts;
    time_t at = (time_t)seconds;
    if (gmtime_r(&at, &parts) == NULL || strftime(to, size, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        return "an unknown date";
    return to;
}

static void explain_date(const ml_transfer *t, trouble found) {
    char limit[40], today[40];
    peer who = peer_of(t);
    const ml_certificate *its = &t->watched->certificate;
    double now = t->exchange->began;
    date_of(now, today, sizeof today);
    if (found == NOT_YET_VALID && its->is_known && its->not_before > now)
        say(t, "the certificate of " PEER " is valid from %s on, and here it is %s", OF(who),
            date_of(its->not_before, limit, sizeof limit), today);
    else if (found == EXPIRED && its->is_known && its->not_after < now)
        say(t, "the certificate of " PEER " expired on %s, and here it is %s", OF(who),
            date_of(its->not_after, limit, sizeof limit), today);
    else
        say(t, "a certificate that vouches for " PEER " is not valid at %s, which it is here",
            OF(who), today);
    advise(t, "Is this machine's clock right? If it is, those who run the server must renew its "
              "certificate.");
}

/* Which CA certificates were asked. */
static const char *authorities(const ml_transfer *t) {
    if (t->config->options.ca_pem.data != NULL) return "those of ca_bundle";
    return t->config->options.ca_bundle.data != NULL ? t->config->options.ca_bundle.data : "none";
}

static bool has_no_authorities(const ml_transfer *t) {
    return t->config->options.ca_pem.data == NULL && t->config->options.ca_bundle.data == NULL;
}

static void explain_no_authorities(const ml_transfer *t) {
    peer who = peer_of(t);
    say(t, "no CA certificates were found on this machine, so " PEER " cannot be trusted", OF(who));
    advise(t, "Install the package ca-certificates, or certifi by pip; or name some by ca_bundle= "
              "or SSL_CERT_FILE.");
}

static void explain_issuer(const ml_transfer *t, trouble found) {
    peer who = peer_of(t);
    const char *issuer = t->watched->certificate.issuer;
    if (found == SELF_SIGNED)
        say(t, "the certificate of " PEER " is self-signed, by \"%s\"", OF(who), issuer);
    else if (issuer[0] != '\0')
        say(t,
            "the certificate of " PEER
            " was issued by \"%s\", which is not among the CA certificates (%.60s)",
            OF(who), issuer, authorities(t));
    else
        say(t, "the issuer of the certificate of " PEER " is not among the CA certificates (%.60s)",
            OF(who), authorities(t));
    advise(t, "If that is your company's proxy, which looks into TLS, or a CA of your own: give "
              "its root certificate by ca_bundle= or SSL_CERT_FILE.");
}

static void explain_host(const ml_transfer *t) {
    peer who = peer_of(t);
    const ml_certificate *its = &t->watched->certificate;
    const char *names = its->names[0] != '\0' ? its->names : its->subject;
    int host = (int)(strrchr(who.name, ':') - who.name);
    say(t, PEER " showed a certificate for %s, not for %.*s", OF(who),
        names[0] != '\0' ? names : "others", host < 150 ? host : 150, who.name);
    advise(t, is_proxy_peer(t)
                  ? look_at_proxy
                  : "Look at base_url=. A wrong DNS entry, or a network that wants you to sign in "
                    "first, can be the cause too.");
}

static void explain_no_tls(const ml_transfer *t) {
    peer who = peer_of(t);
    say(t, PEER " speaks no TLS: it answered in plain text", OF(who));
    advise(t, is_proxy_peer(t) ? look_at_proxy_scheme
                               : "Is the port right, or is http:// meant in base_url=?");
}

/* ---- our own certificate ---- */

static const char *key_file(const ml_transfer *t) {
    const ml_client_options *options = &t->config->options;
    return options->client_key.data != NULL ? options->client_key.data : options->client_cert.data;
}

static void explain_key(const ml_transfer *t) {
    bool has_password = t->config->client_key_password.data != NULL;
    say(t, "client_cert: the key in %.300s cannot be used: %sit does not belong to the certificate",
        key_file(t), has_password ? "its password is wrong, or " : "it is damaged, or ");
}

static const char *name_of_alert(int alert) {
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (alerts[i].number == alert) return alerts[i].name;
    return "see RFC 8446, section 6";
}

static void explain_alert(const ml_transfer *t, trouble found) {
    peer who = peer_of(t);
    int alert = t->watched->alert;
    const char *name = name_of_alert(alert), *own = t->config->options.client_cert.data;
    if (found == CERT_WANTED || (found == CERT_REFUSED && own == NULL)) {
        say(t, PEER " wants a client certificate (TLS alert %d: %s)", OF(who), alert, name);
        advise(t, "Give one by client_cert=(certificate, key).");
    } else if (found == CERT_REFUSED) {
        say(t, PEER " refuses the client certificate %.150s (TLS alert %d: %s)", OF(who), own,
            alert, name);
        advise(t, "Is it the right one, not expired, and with the certificates of its issuers "
                  "behind it in the file?");
    } else {
        say(t, PEER " ended the TLS handshake (TLS alert %d: %s)", OF(who), alert, name);
        advise(t, own != NULL ? "It may refuse the certificate of client_cert=."
                              : "It may want a client certificate: client_cert=(certificate, "
                                "key).");
    }
}

static void explain_tls(const ml_transfer *t) {
    peer who = peer_of(t);
    trouble found = trouble_of(t);
    switch (found) {
    case EXPIRED:
    case NOT_YET_VALID: explain_date(t, found); return;
    case SELF_SIGNED:
    case UNKNOWN_ISSUER:
        if (has_no_authorities(t)) break;
        explain_issuer(t, found);
        return;
    case OTHER_HOST: explain_host(t); return;
    case NO_TLS: explain_no_tls(t); return;
    case OLD_TLS:
        say(t, PEER " speaks no TLS of version 1.2 or newer, and older ones are not safe", OF(who));
        return;
    case BAD_CERT_FILE:
        say(t, "client_cert: the certificate in %.300s cannot be read",
            t->config->options.client_cert.data);
        return;
    case BAD_KEY: explain_key(t); return;
    case CERT_WANTED:
    case CERT_REFUSED:
    case REFUSED: explain_alert(t, found); return;
    case OTHER_TROUBLE: break;
    }
    if (has_no_authorities(t))
        explain_no_authorities(t);
    else
        say(t, "TLS with " PEER " failed: %.200s", OF(who), t->detail);
}

/* ---- all of it ---- */

/* The alert that says why may be lost with the connection. */
static void explain_lost_handshake(const ml_transfer *t, const char *detail) {
    peer who = peer_of(t);
    say(t, PEER " broke off the TLS handshake: %s", OF(who), detail);
    if (t->config->options.client_cert.data != NULL)
        advise(t, "It may refuse the certificate of client_cert=.");
}

static void explain_other(const ml_transfer *t) {
    const char *detail = t->detail[0] != '\0' ? t->detail : curl_easy_strerror(t->code);
    bool in_handshake = t->exchange->sends == 0 && t->watched->has_begun_tls;
    peer who = peer_of(t);
    if (in_handshake && !is_before_tunnel(t))
        explain_lost_handshake(t, detail);
    else
        say(t, "the exchange with " PEER " failed: %s", OF(who), detail);
}

static void explain(const ml_transfer *t) {
    if (t->exchange->status == ML_ERR_TLS)
        explain_tls(t);
    else if (t->exchange->status == ML_ERR_TIMEOUT)
        explain_timeout(t);
    else if (t->refusal != 0)
        explain_refusal(t, t->refusal);
    else if (t->code == CURLE_COULDNT_RESOLVE_HOST || t->code == CURLE_COULDNT_RESOLVE_PROXY)
        explain_lookup(t);
    else if (t->code == CURLE_COULDNT_CONNECT)
        explain_connect(t);
    else
        explain_other(t);
}

static const char *cause_of(const ml_transfer *t) {
    if (t->exchange->status == ML_ERR_TRANSPORT && t->refusal != 0) {
        if (is_no_proxy(t->refusal)) return "proxy_is_none";
        return t->refusal == 407 ? "proxy_login" : "proxy_refusal";
    }
    if (is_proxy_peer(t)) return "proxy";
    bool looks_up = t->exchange->status == ML_ERR_TIMEOUT && step_of(t) == &looking_up;
    return looks_up ? "lookup" : "";
}

void ml_curl_explain(const ml_transfer *t) {
    char *text = t->exchange->text;
    explain(t);
    t->exchange->cause = cause_of(t);
    size_t used = strlen(text);
    if (is_proxy_peer(t) && !t->exchange->may_have_arrived)
        snprintf(text + used, sizeof t->exchange->text - used, "; Merge was not reached");
}
