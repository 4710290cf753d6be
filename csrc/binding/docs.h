/*
 * docs - docstrings that the module's functions and the client's methods share. Their first line
 * is the signature that help() and IDEs show; a test holds it against the operation's row.
 */
#ifndef ML_DOCS_H
#define ML_DOCS_H

#define ML_DOC_CALL_KEYWORDS                                                                       \
    "category=None, timeout=None, max_retries=None, api_key=None, extra_headers=None"

/* What the module's functions take beside: the options of the client behind them. */
#define ML_DOC_CLIENT_KEYWORDS                                                                     \
    ", account_token=None, region=None, base_url=None, connect_timeout=5.0, max_connections=100, " \
    "idle_timeout=110.0, max_response_bytes=None, error_budget=(20, 10.0), ca_bundle=None, "       \
    "client_cert=None, proxy=None, allow_http=None, user_agent=None, on_attempt=None"

/* The first line of a client's docstring, of which Python makes the signature. */
#define ML_DOC_CLIENT_SIGNATURE(name)                                                              \
    name                                                                                           \
        "(*, api_key=None, account_token=None, region=None, base_url=None, category=None, "        \
        "timeout=30.0, connect_timeout=5.0, max_retries=2, max_connections=100, "                  \
        "idle_timeout=110.0, max_response_bytes=None, error_budget=(20, 10.0), ca_bundle=None, "   \
        "client_cert=None, proxy=None, allow_http=None, user_agent=None, on_attempt=None)\n--\n\n"

#define ML_DOC_EXTRA_ARGUMENTS                                                                     \
    "    extra_headers: further HTTP headers, a dict of strings.\n"                                \
    "    extra_body: fields that Merge added after this version was made.\n"

/* Of a client's method. */
#define ML_DOC_CALL_ARGUMENTS                                                                      \
    "    category: the path's category; the first of categories by default.\n"                     \
    "    timeout: seconds for the whole call, retries and waits included.\n"                       \
    "    max_retries: retries at most.\n"                                                          \
    "    api_key: instead of the client's; a string, or a callable that returns one.\n" ML_DOC_EXTRA_ARGUMENTS

/* Of a function of the module, which takes the client's options too: a test holds their words to
 * be those of merge_link.Client's docstring. */
#define ML_DOC_CLIENT_ARGUMENTS                                                                         \
    "    category: the path's category; the first of categories by default.\n"                          \
    "    timeout: seconds for a whole call, retries and waits included (30.0).\n"                       \
    "    max_retries: retries at most (2).\n"                                                           \
    "    api_key: Merge's API key; else ``MERGE_API_KEY``. It cannot be read back. Or a callable\n"     \
    "        that returns it, asked at each call in the caller's thread.\n" ML_DOC_EXTRA_ARGUMENTS      \
    "    account_token: of the linked account, for the operations that need one.\n"                     \
    "    region: ``us`` (default), ``eu`` or ``apac``; else ``MERGE_REGION``.\n"                        \
    "    base_url: what stands before ``/{category}``, such as ``https://api.merge.dev/api``; else\n"   \
    "        ``MERGE_BASE_URL``. Wins over the region.\n"                                               \
    "    connect_timeout: seconds for name lookup, connect and TLS of one attempt (5.0).\n"             \
    "    max_connections: connections at once at most (100); further calls wait in their timeout.\n"    \
    "    idle_timeout: seconds after which an unused connection is not used again (110.0).\n"           \
    "    max_response_bytes: size of an answer at most, after decompression (1 MiB for linking).\n"     \
    "    error_budget: (failures, seconds) after which calls are held back, or None for off.\n"         \
    "    ca_bundle: PEM file, hashed directory or PEM text (bytes); else ``SSL_CERT_FILE``,\n"          \
    "        ``SSL_CERT_DIR``, the places of Linux distributions, certifi.\n"                           \
    "    client_cert: PEM file with a client certificate and its key, or (certificate, key), or\n"      \
    "        (certificate, key, password); a key of None is in the certificate's file.\n"               \
    "    proxy: http:// or https:// URL of a proxy, or \"\" for none, whatever the environment says;\n" \
    "        else ``HTTPS_PROXY`` or ``ALL_PROXY``, unless ``NO_PROXY`` covers the host.\n"             \
    "    allow_http: send over plain ``http://`` to hosts that are not this machine; else\n"            \
    "        ``MERGE_ALLOW_HTTP=1``.\n"                                                                 \
    "    user_agent: instead of ``merge-link/<version> libcurl/<version> Python/<version>``.\n"         \
    "    on_attempt: a callable that is told of each attempt.\n"

#define ML_DOC_CREATE_LINK_TOKEN(self, more_keywords, more_arguments)                                \
    "create_link_token(" self "*, end_user_email_address, end_user_organization_name, "              \
    "end_user_origin_id, categories, integration=None, link_expiry_mins=30, "                        \
    "should_create_magic_link_url=None, hide_admin_magic_link=None, common_models=None, "            \
    "category_common_model_scopes=None, language=None, are_syncs_disabled=None, "                    \
    "integration_specific_config=None, completed_account_initial_screen=None, "                      \
    "linked_destination_id=None, credential_id=None, ekm_enabled=None, " ML_DOC_CALL_KEYWORDS        \
    ", extra_body=None" more_keywords ")\n--\n\n"                                                    \
    "Create a link token: what Merge Link needs to open for one end user.\n\n"                       \
    "Args:\n"                                                                                        \
    "    end_user_email_address: 1 to 100 characters; for identification only, sends no mail.\n"     \
    "    end_user_organization_name: 1 to 100 characters.\n"                                         \
    "    end_user_origin_id: your own id of the end user, 1 to 100 characters; decides, with the\n"  \
    "        category, which linked account it is.\n"                                                \
    "    categories: what Merge Link shows: one or more of hris, ats, accounting, ticketing, crm,\n" \
    "        mktg, filestorage, knowledgebase; a newer slug is sent as it is.\n"                     \
    "    integration: slug of one pre-selected integration, such as greenhouse.\n"                   \
    "    link_expiry_mins: minutes until the token expires: 30 to 720, or to 10080 (7 days) with\n"  \
    "        should_create_magic_link_url.\n"                                                        \
    "    should_create_magic_link_url: also ask for a magic_link_url.\n"                             \
    "    hide_admin_magic_link: hide the admin's magic link in Merge Link.\n"                        \
    "    common_models: list of {model_id, enabled_actions, disabled_fields}.\n"                     \
    "    category_common_model_scopes: category -> list of {model_name, model_permissions,\n"        \
    "        field_permissions}.\n"                                                                  \
    "    language: language tag of Merge Link, such as en or de.\n"                                  \
    "    are_syncs_disabled: link without syncing.\n"                                                \
    "    integration_specific_config: dict, sent exactly as json.dumps writes it.\n"                 \
    "    completed_account_initial_screen: SELECTIVE_SYNC.\n"                                        \
    "    linked_destination_id, credential_id: UUIDs.\n"                                             \
    "    ekm_enabled: use your own encryption keys.\n" more_arguments "\n"                           \
    "Returns:\n"                                                                                     \
    "    A LinkToken; it is a credential: repr() masks it.\n\n"                                      \
    "Raises:\n"                                                                                      \
    "    ValidationError: refused before anything was sent; .errors names every problem.\n"          \
    "    ConfigurationError: no or impossible API key, base URL or option.\n"                        \
    "    APIError: Merge answered with 400 or more (a subclass for each common status).\n"           \
    "    TransportError: no whole answer came (RequestTimeoutError, TLSError).\n"                    \
    "    ResponseError: an answer that is not what the API promises.\n"                              \
    "    ClientClosedError: the client is closed.\n\n"                                               \
    "Merge's page: https://docs.merge.dev/ats/link-token/"

#define ML_DOC_WARM_UP                                                                             \
    "warm_up($self, connections=1, *, " ML_DOC_CALL_KEYWORDS ")\n--\n\n"                           \
    "Connect ahead, so that the first calls need not.\n\n"                                         \
    "Makes the cheapest read of Merge's API (one linked account) over each of that many\n"         \
    "connections, one after the other, and keeps them. A wrong API key is found out here, and\n"   \
    "another who answers in Merge's place.\n\n"                                                    \
    "Args:\n"                                                                                      \
    "    connections: how many; more than max_connections or are free are not made.\n"             \
    "    category: of the path; the client's, else ats.\n"                                         \
    "    timeout: seconds for each connection.\n\n"                                                \
    "Raises what any call raises. Merge's page: https://docs.merge.dev/ats/linked-accounts/"

#define ML_DOC_FOR_ACCOUNT                                                                         \
    "for_account($self, account_token, *, category=None)\n--\n\n"                                  \
    "Return a view of this client for one linked account.\n\n"                                     \
    "Its calls go over the same connections, and send the account token where one is needed.\n"    \
    "It is light: make one for each account, or for each call. Closing it, or leaving its with\n"  \
    "block, leaves this client open.\n\n"                                                          \
    "Args:\n"                                                                                      \
    "    account_token: of the linked account.\n"                                                  \
    "    category: of calls that name none, such as the account's.\n\n"                            \
    "Returns:\n"                                                                                   \
    "    A client of the same class, for which __init__() is not called."

#define ML_DOC_WITH_OPTIONS                                                                        \
    "with_options($self, *, account_token=None, category=None, region=None, base_url=None, "       \
    "timeout=None, max_retries=None)\n--\n\n"                                                      \
    "Return a view of this client with other options over the same connections.\n\n"               \
    "What is not given stays as it is. See for_account().\n\n"                                     \
    "Args:\n"                                                                                      \
    "    account_token: of the linked account.\n"                                                  \
    "    category: of calls that name none.\n"                                                     \
    "    region: us, eu or apac.\n"                                                                \
    "    base_url: what stands before /{category}. Wins over the region. For either, the\n"        \
    "        environment says anew which proxy, unless the client was given one.\n"                \
    "    timeout: seconds for a whole call, retries and waits included.\n"                         \
    "    max_retries: retries at most.\n\n"                                                        \
    "Returns:\n"                                                                                   \
    "    A client of the same class, for which __init__() is not called."

#endif
