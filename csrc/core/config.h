/*
 * config - a client's options, checked and copied.
 */
#ifndef ML_CONFIG_H
#define ML_CONFIG_H

#include "merge_link.h"
#include "secret.h"

enum { ML_HOST_SIZE = 272 };

typedef struct ml_config {
    /* Its texts point to what is owned below; secrets and the proxy are always empty here. */
    ml_client_options options;
    bool ca_is_directory;
    bool has_remote_proxy; /* one that is not on loopback */
    bool has_remote_host;  /* the base URL's is not on loopback */
    bool is_plain_http;    /* unencrypted, and not to loopback */
    int default_budget;    /* failures, when the options do not say */
    bool has_default_budget;
    bool is_tls; /* the base URL is of https */
    bool is_proxy_tls;
    char host[256];                  /* of the base URL */
    char server[ML_HOST_SIZE];       /* its host and port */
    char origin[288];                /* its scheme, host and port */
    char proxy_server[ML_HOST_SIZE]; /* host and port of the proxy; "": there is none */
    long proxy_port;
    /* owned */
    ml_secret api_key;
    ml_secret account_token;
    ml_secret proxy;          /* its URL; a secret where there is a login in it */
    ml_secret proxy_password; /* that one */
    ml_secret proxy_login;    /* "user:password" as it is sent: in base64 */
    ml_secret client_key_password;
    char *texts; /* all the other texts, one after the other */
} ml_config;

/* Checks and copies. On failure the config is empty. */
ml_status ml_config_set(ml_config *config, const ml_client_options *options, ml_error *error);
/* The same as another but for the changes; what did not change is not looked at again, so that it
 * costs no look at files. */
ml_status ml_config_change(ml_config *config, const ml_config *base, const ml_view_options *changes,
                           ml_error *error);
void ml_config_free(ml_config *config);

/* Would the options make the same config, the API key aside? */
bool ml_config_matches(const ml_config *config, const ml_client_options *options);

/* Is the account token one that can be sent? */
ml_status ml_config_check_account_token(ml_text token, ml_error *error);
/* Is the key one that can be sent? May it go to the config's base URL? */
ml_status ml_config_check_key(const ml_config *config, ml_text key, ml_error *error);

#endif
