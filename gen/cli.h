/* cli.h: the command line: tables of subcommands and options, their help, what was asked for. */
#ifndef CLI_H
#define CLI_H

#include "lstmgen.h"

/* Options, one bit each, so that a subcommand can say which it takes. */
enum {
    OPTION_OUT = 1 << 0, OPTION_SET = 1 << 1, OPTION_JSON = 1 << 2, OPTION_SIM = 1 << 3,
    OPTION_PART = 1 << 4, OPTION_PNR = 1 << 5, OPTION_HELP = 1 << 6, OPTION_VERSION = 1 << 7, OPTION_JOBS = 1 << 8,
    OPTION_MARKDOWN = 1 << 9, OPTION_MASKS = 1 << 10, OPTION_ACCURACY = 1 << 11,
    OPTION_DRY = 1 << 12, OPTION_FORCE = 1 << 13, OPTION_FRONT = 1 << 14, OPTION_BEST = 1 << 15,
    OPTION_RUNNER = 1 << 16, OPTION_CHUNK = 1 << 17, OPTION_PREFIX = 1 << 18, OPTION_SEEDS = 1 << 19, OPTION_CLOCK = 1 << 20,
    OPTION_REFERENCE = 1 << 21
};

typedef struct Command Command;
/* What the command line asks for. */
typedef struct Request {
    Arena *arena;
    const Command *command;
    const char *operand;                /* SPEC.yaml, or NULL */
    unsigned given;                     /* bits of the options that were given */
    const char *out, *simulator, *part, *front, *best, *runner, *reference;
    int jobs, chunk, seeds;                    /* 0: not given */
    const char **set; int n_sets;       /* "key.path=value"; --part is one of them */
} Request;

struct Command {
    const char *name;                   /* "": the first word is the spec */
    const char *operand;                /* NULL: none */
    const char *options, *summary;      /* for the help */
    unsigned accepts;
    int (*run)(const Request *r);       /* NULL: not part of this version */
};

/* What --runner says: Slurm (else a command); why it cannot be meant, or NULL. */
bool runner_is_slurm(const char *words);
const char *runner_fault(const char *words);

/* Reads argv. True: `out` is complete. False: *status is what the program ends with; help and
 * version went to stdout, mistakes to stderr. `table` ends with a row whose name is NULL; its first
 * row is the one without a name. */
bool cli_parse(Arena *a, const Command *table, int argc, char **argv, Request *out, int *status);

#endif
