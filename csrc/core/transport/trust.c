/*
 * trust - where Linux distributions keep their CA certificates. A hashed directory comes first:
 * OpenSSL then reads one certificate, and not a hundred and forty for each new connection.
 */
#include "../http.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static const char *const directories[] = {
    "/etc/ssl/certs",                                 /* Debian, Ubuntu, SUSE, Alpine, Arch */
    "/etc/pki/ca-trust/extracted/pem/directory-hash", /* Fedora */
    "/etc/pki/tls/certs",                             /* Red Hat */
    "/system/etc/security/cacerts",                   /* Android */
};

static const char *const files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, Red Hat */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, newer */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine, macOS */
};

/* OpenSSL finds a certificate by the hash of its subject: eight digits, a point, a number. */
static bool is_hashed_name(const char *name) {
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' && name[9] >= '0' &&
           name[9] <= '9';
}

bool ml_is_hashed_directory(const char *path) {
    bool found = false;
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    for (const struct dirent *entry; !found && (entry = readdir(directory)) != NULL;)
        found = is_hashed_name(entry->d_name);
    closedir(directory);
    return found;
}

const char *ml_system_ca(void) {
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        if (ml_is_hashed_directory(directories[i])) return directories[i];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], R_OK) == 0) return files[i];
    return NULL;
}
