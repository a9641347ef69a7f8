/* check-vectors DIR [NAME...]: compares layers, kernels and small networks with the reference vectors in a
 * folder (format: vectors.h), all of them or the named ones. One line a case on stdout, `ok NAME max-error`
 * or `FAIL NAME what`; exit 1 if any is off, 2 if there is nothing to compare. Each case runs in a process of
 * its own, so that one that crashes fails alone. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "vectors.h"

/* The references' word on precision: 1e-5 of the largest magnitude in single precision, 1e-4 for whole
 * networks; 1e-8 in double precision. Whole Transformers may come from a table of positions in single
 * precision. */
static const case_kind kinds[] = {
    {"activations", activations_case, 1e-5, 1e-8},
    {"additive_attention", additive_attention_case, 1e-5, 1e-8},
    {"clip_grad_norm", clip_case, 1e-5, 1e-8},
    {"cross_entropy", cross_entropy_case, 1e-5, 1e-8},
    {"decoder_layer", decoder_layer_case, 1e-5, 1e-8},
    {"embedding", embedding_case, 1e-5, 1e-8},
    {"encoder_layer", encoder_layer_case, 1e-5, 1e-8},
    {"layernorm", layernorm_case, 1e-5, 1e-8},
    {"mha", mha_case, 1e-5, 1e-8},
    {"model", model_case, 1e-4, 1e-8},
    {"model_transformer", model_case, 1e-4, 1e-7},
    {"optim", optimizer_case, 1e-5, 1e-8},
    {"positions", positions_case, 1e-5, 1e-8},
    {"rnn", rnn_case, 1e-5, 1e-8},
    {"schedules", schedules_case, 1e-5, 1e-8},
    {"sdpa", sdpa_case, 1e-5, 1e-8},
};

static const case_kind *kind_of(const char *name)
{
    const case_kind *best = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, n) == 0 && (!best || n > strlen(best->prefix))) best = &kinds[i];
    }
    return best;
}

/* Large numbers and large offsets have the wide tolerance too. */
static double tolerance_of(const char *name, const case_kind *kind)
{
    if (sizeof(real) == sizeof(double)) return kind->twice;
    return strstr(name, "_offset") || strstr(name, "_large") ? 1e-4 : kind->single;
}

static int report(const vec_case *c)
{
    if (c->fault[0])
        printf("FAIL %s %s\n", c->name, c->fault);
    else
        printf("ok %s %.2g\n", c->name, c->worst);
    return c->fault[0] ? 1 : 0;
}

/* Runs the case until it ends or stops. */
static void run_guarded(const case_kind *kind, vec_case *c)
{
    if (!setjmp(c->stop)) kind->run(c);
}

static int run_case(const char *path, const char *name)
{
    vec_case c = {.name = name};
    const case_kind *kind = kind_of(name);
    if (!kind) case_fault(&c, "this kind of case is not built");
    if (!c.fault[0] && vec_file_read(path, &c.file)) case_fault(&c, "%s", error_message());
    if (c.fault[0]) return report(&c);
    arena *memory = arena_new();
    tape t = tape_new(memory, true, false, 1, 1);
    c.t = &t;
    c.tolerance = tolerance_of(name, kind);
    run_guarded(kind, &c);
    if (!c.compared) case_fault(&c, "nothing was compared");
    return report(&c);
}

/* Runs the case in a child; 0 if it is fine. */
static int run_apart(const char *folder, const char *name)
{
    char path[4096];
    int status;
    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int rc = run_case(path, name);
        fflush(stdout);
        _exit(rc);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0) return printf("FAIL %s cannot be run\n", name), 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) return WEXITSTATUS(status);
    printf("FAIL %s crashed\n", name);
    return 1;
}

static int is_case(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0;
}

static int run_folder(const char *folder)
{
    struct dirent **list;
    int n = scandir(folder, &list, is_case, alphasort), bad = 0;
    if (n <= 0) return fprintf(stderr, "check-vectors: %s: no case (*.txt) in it\n", folder), 2;
    for (int i = 0; i < n; i++) {
        list[i]->d_name[strlen(list[i]->d_name) - 4] = '\0';
        bad += run_apart(folder, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    fprintf(stderr, "%d cases, %d off\n", n, bad);
    return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) return fprintf(stderr, "usage: check-vectors DIR [NAME...]\n"), 2;
    if (argc == 2) return run_folder(argv[1]);
    int bad = 0;
    for (int i = 2; i < argc; i++) bad += run_apart(argv[1], argv[i]);
    return bad ? 1 : 0;
}
