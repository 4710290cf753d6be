/*
 * methods - the calls of both clients: one line of OPERATIONS() is a method of each. Its signature
 * and its docstring are those that help() and editors show; a test holds them against the row of
 * the operation table.
 */
#ifndef ML_METHODS_H
#define ML_METHODS_H

#define ML_DOC_OPTIONS "timeout, max_retries, api_key, extra_headers"
#define ML_DOC_READ    "    **options: category, " ML_DOC_OPTIONS ".\n"
#define ML_DOC_WRITE   "    **options: category, " ML_DOC_OPTIONS ", extra_body.\n"
#define ML_DOC_ACCOUNT "    **options: account_token, category, " ML_DOC_OPTIONS ".\n"
#define ML_DOC_ACCOUNTW                                                                            \
    "    **options: account_token, category, " ML_DOC_OPTIONS ",\n        extra_body.\n"

#define ML_DOC_PAGE(of)                                                                            \
    "\nReturns:\n    A Page of " of ": iterating over it fetches the pages that follow.\n"

#define ML_DOC_CURSOR                                                                              \
    "    cursor: where to begin: next_cursor of another page.\n"                                   \
    "    page_size: results on each page, 1 to 100.\n"

#define ML_DOC_SEE(page)                                                                           \
    "\nRaises what any call raises. Merge's page: https://docs.merge.dev/ats/" page "/"

/* What both kinds of passthrough take. */
#define ML_DOC_PASSTHROUGH_SIGNATURE                                                               \
    "*, method, path, base_url_override=None, data=None, multipart_form_data=None, headers=None, " \
    "request_format=None, normalize_response=None, "

#define ML_DOC_PASSTHROUGH_ARGUMENTS                                                               \
    "    method: of HTTP: GET, POST, PUT, PATCH or DELETE.\n"                                      \
    "    path: at the third party, such as /users.\n"                                              \
    "    base_url_override: instead of the third party's usual base URL.\n"                        \
    "    data: the body: a string, or what json.dumps can write.\n"                                \
    "    multipart_form_data: list of {name, data, encoding, file_name, content_type}.\n"          \
    "    headers: of the request to the third party, a dict. They may hold credentials.\n"         \
    "    request_format: JSON, XML or MULTIPART.\n"                                                \
    "    normalize_response: have the response turned into JSON.\n"                                \
    "    **options: account_token, category, " ML_DOC_OPTIONS ",\n        extra_body.\n"

/* What both field-mapping writes take. */
#define ML_DOC_MAPPING_ARGUMENTS                                                                   \
    "    remote_field_traversal_path: list of keys that lead to the field in the remote data.\n"   \
    "    remote_method, remote_url_path: of the remote endpoint where the field comes from.\n"     \
    "    common_model_name: the model that gets the field; only when it is made.\n"                \
    "    target_field_name, target_field_description: of the field in Merge.\n"                    \
    "    organization_wide_target_field: True: for the whole organization.\n"                      \
    "    is_integration_wide: True: for all accounts of the integration.\n"                        \
    "    jmes_path: JMESPath that picks from the remote field.\n"                                  \
    "    advanced_mapping_expression: instead of a path: an expression.\n"                         \
    "    exclude_remote_field_metadata: leave out the remote fields' metadata.\n"                  \
    "    remote_data_iteration_count: remote records to look at.\n"

/* name, signature behind self, docstring */
#define ML_OPERATIONS(X)                                                                                       \
    X(retrieve_account_token, "public_token, ",                                                                \
      "Exchange a public token for the lasting account token of a linked account.\n\n"                         \
      "Args:\n"                                                                                                \
      "    public_token: what Merge Link's onSuccess got. It is good once, for 10 minutes.\n" ML_DOC_READ      \
      "\n"                                                                                                     \
      "Returns:\n"                                                                                             \
      "    An AccountToken; it is a credential: repr() masks it. Keep it as you keep passwords.\n" ML_DOC_SEE( \
          "account-token"))                                                                                    \
    X(regenerate_account_token, "",                                                                            \
      "Replace the account token by a new one; the old one is of no more use.\n\n"                             \
      "Args:\n" ML_DOC_ACCOUNT "\n"                                                                            \
      "Returns:\n    A RegeneratedAccountToken; it is a credential: repr() masks it.\n" ML_DOC_SEE(            \
          "account-token"))                                                                                    \
    X(account_details, "",                                                                                     \
      "Get what Merge knows of the linked account: integration, status, end user.\n\n"                         \
      "Args:\n" ML_DOC_ACCOUNT                                                                                 \
      "\nReturns:\n    An AccountDetails.\n" ML_DOC_SEE("account-details"))                                    \
    X(linked_accounts,                                                                                         \
      "*, cursor=None, end_user_email_address=None, "                                                          \
      "end_user_organization_name=None, end_user_origin_id=None, end_user_origin_ids=None, "                   \
      "id=None, ids=None, include_duplicates=None, integration_name=None, is_test_account=None, "              \
      "page_size=None, status=None, ",                                                                         \
      "List linked accounts: all, or those that the filters leave.\n\n"                                        \
      "The category of a call (not the client's) is a filter, too, beside being that of the path.\n\n"         \
      "Args:\n" ML_DOC_CURSOR                                                                                  \
      "    end_user_email_address, end_user_organization_name, end_user_origin_id: of one.\n"                  \
      "    end_user_origin_ids, ids: lists; any of them.\n"                                                    \
      "    id: of the linked account, a UUID.\n"                                                               \
      "    include_duplicates: also those that Merge takes for copies of another.\n"                           \
      "    integration_name: such as Greenhouse.\n"                                                            \
      "    is_test_account: only test accounts, or only others.\n"                                             \
      "    status: COMPLETE, INCOMPLETE, RELINK_NEEDED or IDLE.\n" ML_DOC_READ ML_DOC_PAGE(                    \
          "LinkedAccount") ML_DOC_SEE("linked-accounts"))                                                      \
    X(delete_account, "",                                                                                      \
      "Delete the linked account and all that Merge keeps of it. It cannot be undone.\n\n"                     \
      "Args:\n" ML_DOC_ACCOUNT ML_DOC_SEE("delete-account"))                                                   \
    X(generate_key, "name, ",                                                                                  \
      "Make a remote key, which a remote server can be reached with.\n\n"                                      \
      "Args:\n    name: of the key.\n" ML_DOC_WRITE                                                            \
      "\nReturns:\n    A RemoteKey; it is a credential: repr() masks it.\n" ML_DOC_SEE(                        \
          "generate-key"))                                                                                     \
    X(regenerate_key, "name, ",                                                                                \
      "Replace a remote key by a new one.\n\n"                                                                 \
      "Args:\n    name: of the key.\n" ML_DOC_WRITE                                                            \
      "\nReturns:\n    A RemoteKey; it is a credential: repr() masks it.\n" ML_DOC_SEE(                        \
          "regenerate-key"))                                                                                   \
    X(sync_status, "*, cursor=None, page_size=None, ",                                                         \
      "List how far the sync of each common model is.\n\n"                                                     \
      "Args:\n" ML_DOC_CURSOR ML_DOC_ACCOUNT ML_DOC_PAGE("SyncStatus") ML_DOC_SEE("sync-status"))              \
    X(force_resync, "",                                                                                        \
      "Have all models synced at once. Merge may count it against a quota.\n\n"                                \
      "Args:\n" ML_DOC_ACCOUNT                                                                                 \
      "\nReturns:\n    A list of SyncStatus.\n" ML_DOC_SEE("force-resync"))                                    \
    X(default_scopes, "",                                                                                      \
      "Get the scopes that linked accounts have by default.\n\n"                                               \
      "Args:\n" ML_DOC_READ "\nReturns:\n    A Scopes.\n" ML_DOC_SEE("scopes"))                                \
    X(linked_account_scopes, "",                                                                               \
      "Get the scopes of the linked account.\n\n"                                                              \
      "Args:\n" ML_DOC_ACCOUNT "\nReturns:\n    A Scopes.\n" ML_DOC_SEE("scopes"))                             \
    X(set_linked_account_scopes, "common_models, ",                                                            \
      "Set the scopes of the linked account.\n\n"                                                              \
      "Args:\n"                                                                                                \
      "    common_models: list of {model_name, model_permissions, field_permissions}; what is\n"               \
      "        not named keeps the default.\n" ML_DOC_ACCOUNTW                                                 \
      "\nReturns:\n    A Scopes.\n" ML_DOC_SEE("scopes"))                                                      \
    X(issues,                                                                                                  \
      "*, account_token=None, cursor=None, end_date=None, end_user_organization_name=None, "                   \
      "first_incident_time_after=None, first_incident_time_before=None, include_muted=None, "                  \
      "integration_name=None, last_incident_time_after=None, last_incident_time_before=None, "                 \
      "linked_account_id=None, page_size=None, start_date=None, status=None, ",                                \
      "List the issues of linked accounts: what went wrong with them at the third party.\n\n"                  \
      "Args:\n"                                                                                                \
      "    account_token: only those of this linked account. It goes into the query; the\n"                    \
      "        client's own is not sent.\n" ML_DOC_CURSOR                                                      \
      "    start_date, end_date: when it happened. Times are aware datetimes, or texts such as\n"              \
      "        2026-01-31T12:00:00Z.\n"                                                                        \
      "    first_incident_time_after, first_incident_time_before: when it happened first.\n"                   \
      "    last_incident_time_after, last_incident_time_before: when it happened last.\n"                      \
      "    end_user_organization_name, integration_name, linked_account_id: of one.\n"                         \
      "    include_muted: also those that were muted.\n"                                                       \
      "    status: ONGOING or RESOLVED.\n" ML_DOC_READ ML_DOC_PAGE("Issue") ML_DOC_SEE("issues"))              \
    X(issue, "id, ",                                                                                           \
      "Get one issue.\n\n"                                                                                     \
      "Args:\n    id: a UUID.\n" ML_DOC_READ "\nReturns:\n    An Issue.\n" ML_DOC_SEE("issues"))               \
    X(passthrough, ML_DOC_PASSTHROUGH_SIGNATURE,                                                               \
      "Have Merge make a request to the third party with the linked account's login.\n\n"                      \
      "Args:\n" ML_DOC_PASSTHROUGH_ARGUMENTS                                                                   \
      "\nReturns:\n    A PassthroughResponse.\n" ML_DOC_SEE("passthrough-request"))                            \
    X(async_passthrough, ML_DOC_PASSTHROUGH_SIGNATURE,                                                         \
      "Have Merge make such a request in its own time: see async_passthrough_result().\n\n"                    \
      "Args:\n" ML_DOC_PASSTHROUGH_ARGUMENTS                                                                   \
      "\nReturns:\n    An AsyncPassthroughReceipt.\n" ML_DOC_SEE("async-passthrough"))                         \
    X(webhook_receivers, "",                                                                                   \
      "List where Merge sends webhooks of the linked account.\n\n"                                             \
      "Args:\n" ML_DOC_ACCOUNT                                                                                 \
      "\nReturns:\n    A list of WebhookReceiver.\n" ML_DOC_SEE("webhook-receivers"))                          \
    X(create_webhook_receiver, "*, event, is_active, key=None, ",                                              \
      "Have Merge send webhooks of the linked account.\n\n"                                                    \
      "Args:\n"                                                                                                \
      "    event: of which to be told, such as LinkedAccount.synced.\n"                                        \
      "    is_active: True: send them.\n"                                                                      \
      "    key: to sign them with; a credential.\n" ML_DOC_ACCOUNTW                                            \
      "\nReturns:\n    A WebhookReceiver.\n" ML_DOC_SEE("webhook-receivers"))                                  \
    X(available_actions, "",                                                                                   \
      "Get what can be done with the models of the linked account. Merge calls it outdated.\n\n"               \
      "Args:\n" ML_DOC_ACCOUNT                                                                                 \
      "\nReturns:\n    An AvailableActions.\n" ML_DOC_SEE("available-actions"))                                \
    X(field_mappings, "*, exclude_remote_field_metadata=None, ",                                               \
      "Get the field mappings of the linked account, by model.\n\n"                                            \
      "Args:\n    exclude_remote_field_metadata: leave out the remote fields' metadata.\n" ML_DOC_ACCOUNT      \
      "\nReturns:\n    A FieldMappings.\n" ML_DOC_SEE("field-mapping"))                                        \
    X(create_field_mapping,                                                                                    \
      "*, remote_field_traversal_path, remote_method, remote_url_path, common_model_name, "                    \
      "target_field_name=None, target_field_description=None, "                                                \
      "organization_wide_target_field=None, is_integration_wide=None, jmes_path=None, "                        \
      "advanced_mapping_expression=None, exclude_remote_field_metadata=None, "                                 \
      "remote_data_iteration_count=None, ",                                                                    \
      "Map a field of the third party to a field of a common model.\n\n"                                       \
      "Args:\n" ML_DOC_MAPPING_ARGUMENTS ML_DOC_ACCOUNTW                                                       \
      "\nReturns:\n    A FieldMappingResult.\n" ML_DOC_SEE("field-mapping"))                                   \
    X(update_field_mapping,                                                                                    \
      "id, *, remote_field_traversal_path=None, remote_method=None, remote_url_path=None, "                    \
      "common_model_name=None, target_field_name=None, target_field_description=None, "                        \
      "organization_wide_target_field=None, is_integration_wide=None, jmes_path=None, "                        \
      "advanced_mapping_expression=None, exclude_remote_field_metadata=None, "                                 \
      "remote_data_iteration_count=None, ",                                                                    \
      "Change a field mapping: what is given of it.\n\n"                                                       \
      "Args:\n    id: of the mapping.\n" ML_DOC_MAPPING_ARGUMENTS ML_DOC_ACCOUNTW                              \
      "\nReturns:\n    A FieldMappingResult.\n" ML_DOC_SEE("field-mapping"))                                   \
    X(delete_field_mapping, "id, ",                                                                            \
      "Delete a field mapping.\n\n"                                                                            \
      "Args:\n    id: of the mapping.\n" ML_DOC_ACCOUNT ML_DOC_SEE("field-mapping"))                           \
    X(remote_fields, "*, common_models=None, include_example_values=None, ",                                   \
      "Get the fields of the third party that can be mapped, by model.\n\n"                                    \
      "Args:\n"                                                                                                \
      "    common_models: list of models; all by default.\n"                                                   \
      "    include_example_values: also a value of each.\n" ML_DOC_ACCOUNT                                     \
      "\nReturns:\n    A RemoteFields.\n" ML_DOC_SEE("field-mapping"))                                         \
    X(target_fields, "",                                                                                       \
      "Get the fields in Merge that others can be mapped to, by model.\n\n"                                    \
      "Args:\n" ML_DOC_ACCOUNT "\nReturns:\n    A TargetFields.\n" ML_DOC_SEE("field-mapping"))                \
    X(create_target_field, "*, name, description=None, common_model, ",                                        \
      "Add a field to a common model, which others can be mapped to.\n\n"                                      \
      "Args:\n"                                                                                                \
      "    name, description: of the field.\n"                                                                 \
      "    common_model: that gets it.\n" ML_DOC_ACCOUNTW                                                      \
      "\nReturns:\n    A TargetFields.\n" ML_DOC_SEE("field-mapping"))                                         \
    X(audit_trail,                                                                                             \
      "*, cursor=None, end_date=None, event_type=None, page_size=None, start_date=None, "                      \
      "user_email=None, ",                                                                                     \
      "List who has done what in your organization at Merge.\n\n"                                              \
      "Args:\n" ML_DOC_CURSOR                                                                                  \
      "    start_date, end_date: when. Aware datetimes, or texts such as 2026-01-31T12:00:00Z.\n"              \
      "    event_type: such as INVITED_USER.\n"                                                                \
      "    user_email: of who did it.\n" ML_DOC_READ ML_DOC_PAGE("AuditEvent")                                 \
          ML_DOC_SEE("audit-trail"))                                                                           \
    X(ignore, "model, id, reason, message=None, ",                                                             \
      "Have Merge forget one object of a common model, and leave it out of syncs.\n\n"                         \
      "Args:\n"                                                                                                \
      "    model: as in paths, such as candidates.\n"                                                          \
      "    id: of the object, a UUID.\n"                                                                       \
      "    reason: GENERAL_CUSTOMER_REQUEST, GDPR or OTHER.\n"                                                 \
      "    message: for the records.\n" ML_DOC_ACCOUNTW ML_DOC_SEE("ignore"))                                  \
    X(request, "method, path, *, params=None, json=None, headers=None, ",                                      \
      "Call any endpoint of Merge's API: with this client's key, retries, errors and limits.\n\n"              \
      "Args:\n"                                                                                                \
      "    method: GET, POST, PUT, PATCH or DELETE.\n"                                                         \
      "    path: what follows the base URL, such as /ats/v1/candidates.\n"                                     \
      "    params: the query, a dict. Lists are joined by commas; None is left out.\n"                         \
      "    json: the body: any value that json.dumps can write.\n"                                             \
      "    headers: further HTTP headers, a dict of strings.\n"                                                \
      "    **options: account_token, " ML_DOC_OPTIONS ".\n\n"                                                  \
      "POST and PATCH are repeated only when nothing was sent, or on 429.\n\n"                                 \
      "Returns:\n    A RawResponse: .json(), .data, .status_code, .headers.\n\n"                               \
      "Raises what any call raises. Merge's reference: https://docs.merge.dev/")                               \
    X(paginate, "path, *, params=None, headers=None, cursor=None, ",                                           \
      "List what any endpoint of Merge's API lists in pages.\n\n"                                              \
      "Args:\n"                                                                                                \
      "    path: what follows the base URL, such as /ats/v1/candidates.\n"                                     \
      "    params: the query, a dict. Lists are joined by commas; None is left out.\n"                         \
      "    headers: further HTTP headers, a dict of strings.\n"                                                \
      "    cursor: where to begin: next_cursor of another page.\n"                                             \
      "    **options: account_token, " ML_DOC_OPTIONS ".\n" ML_DOC_PAGE(                                       \
          "dicts") "\nRaises what any call raises. Merge's reference: https://docs.merge.dev/")

#endif
