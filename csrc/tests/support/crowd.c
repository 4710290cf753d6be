#include "crowd.h"
#include "build.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_THREADS = 16 };

typedef struct member {
    ml_client *client; /* borrowed */
    pthread_t thread;
    int calls, succeeded;
} member;

static void *call_again_and_again(void *context) {
    member *m = context;
    ml_error error;
    ml_error_init(&error);
    ml_call_options options;
    ml_call_options_init(&options);
    ml_request *request = small_request();
    for (int i = 0; i < m->calls; i++) {
        ml_response *response = NULL;
        if (ml_client_call(m->client, request, &options, &response, &error) == ML_OK)
            m->succeeded++;
        ml_response_free(response);
    }
    ml_request_free(request);
    ml_error_clear(&error);
    return NULL;
}

int call_from_threads(ml_client *client, int threads, int calls) {
    member members[MOST_THREADS];
    int succeeded = 0;
    if (threads > MOST_THREADS) abort();
    for (int i = 0; i < threads; i++) {
        members[i] = (member){.client = client, .calls = calls};
        if (pthread_create(&members[i].thread, NULL, call_again_and_again, &members[i]) != 0)
            abort();
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(members[i].thread, NULL);
        succeeded += members[i].succeeded;
    }
    return succeeded;
}
