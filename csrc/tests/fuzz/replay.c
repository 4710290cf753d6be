/*
 * replay - feeds files to a fuzz target: those named, else the kept corpus of the program's name
 * (fuzz_json: csrc/tests/fuzz/corpus/json/). For compilers without libFuzzer, and for debuggers.
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static char *read_file(const char *path, size_t *length) {
    struct stat facts;
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL && fstat(fileno(file), &facts) == 0);
    *length = (size_t)facts.st_size;
    /* No longer than the file, so that the sanitizers see what is read past its end. */
    char *data = malloc(*length > 0 ? *length : 1);
    REQUIRE(data != NULL);
    REQUIRE(fread(data, 1, *length, file) == *length);
    fclose(file);
    return data;
}

static void replay(const char *path) {
    size_t length;
    char *data = read_file(path, &length);
    /* Said before: it is the last thing seen when the target ends the program. */
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput((const uint8_t *)data, length);
    free(data);
}

static size_t replay_corpus(const char *directory) {
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    size_t replayed = 0;
    REQUIRE(count >= 0);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            replay(path);
            replayed++;
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv) {
    size_t count = (size_t)argc - 1;
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1) {
        char directory[512];
        const char *name = strstr(argv[0], "fuzz_");
        REQUIRE(name != NULL);
        snprintf(directory, sizeof directory, "csrc/tests/fuzz/corpus/%s", name + strlen("fuzz_"));
        count = replay_corpus(directory);
    }
    /* In the words of cmocka, which scripts/run-c-tests reads. */
    printf("[  PASSED  ] %zu test(s).\n", count);
    return count > 0 ? 0 : 1;
}
