/*
 * crowd - many threads that call at once.
 */
#ifndef ML_TEST_CROWD_H
#define ML_TEST_CROWD_H

#include "merge_link.h"

/* So many threads (16 at most) make so many calls each; how many calls succeeded. */
int call_from_threads(ml_client *client, int threads, int calls);

#endif
