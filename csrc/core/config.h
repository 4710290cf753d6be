/*
 * config - a client's options, checked and copied.
 */
#ifndef ML_CONFIG_H
#define ML_CONFIG_H

#include "merge_link.h"
#include "secret.h"

typedef struct ml_config {
    /* Its texts point to what is owned below; api_key and proxy are always empty here. */
    ml_client_options options;
    bool ca_is_directory;
    bool has_remote_proxy; /* one that is not on loopback */
    bool is_plain_http;    /* unencrypted, and not to loopback */
    int default_budget;    /* failures, when the options do not say */
    char host[256];        /* of the base URL */
    char origin[288];      /* its scheme, host and port */
    /* owned */
    ml_secret api_key;
    ml_secret account_token;
    ml_secret proxy;          /* may hold a password */
    ml_secret proxy_password; /* that one */
    ml_secret proxy_login;    /* "user:password" as it is sent: in base64 */
    char *texts;              /* all the other texts, one after the other */
} ml_config;

/* Checks and copies. On failure the config is empty. */
ml_status ml_config_set(ml_config *config, const ml_client_options *options, ml_error *error);
void ml_config_free(ml_config *config);

/* Would the options make the same config, the API key aside? */
bool ml_config_matches(const ml_config *config, const ml_client_options *options);

/* Is the key one that can be sent? May it go to the config's base URL? */
ml_status ml_config_check_key(const ml_config *config, ml_text key, ml_error *error);

#endif
