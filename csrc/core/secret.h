/*
 * secret - text that must not outlive its use, and the masking of secrets in what a server says.
 */
#ifndef ML_SECRET_H
#define ML_SECRET_H

#include "merge_link.h"

/* An owned, NUL-terminated copy of a secret; data == NULL: none. */
typedef struct ml_secret {
    char *data;
    size_t length;
} ml_secret;

/* Copies. False when memory is out. A text that is not given makes no secret. */
bool ml_secret_set(ml_secret *secret, ml_text text);
ml_text ml_secret_view(const ml_secret *secret);
/* The same of the text in base64. */
bool ml_secret_set_base64(ml_secret *secret, ml_text text);
/* Wipes, frees and makes it none. */
void ml_secret_free(ml_secret *secret);

/* Frees a string after wiping it: what a server says may repeat what it was sent. NULL is fine. */
void ml_free_wiped(char *string);

/*
 * Overwrites each occurrence of the secret in text with '*', also where it is written with JSON's
 * escapes ("\/", "\u0041"), and where the end of the text cuts it. The text keeps its length, and
 * JSON stays JSON, unless the secret spells what stands outside of strings there. A secret, or what
 * a cut leaves of it, of fewer than six bytes is left alone: it could not be told from ordinary
 * words.
 */
void ml_mask(char *text, size_t length, ml_text secret);

#endif
