/* cli.c: reads the command line and prints its help. Options may stand before or after what they
 * belong to. */
#include "cli.h"

#include "flow/pnr.h"

#include <stdlib.h>
#include <string.h>

typedef struct Option { const char *name, *argument, *meaning; unsigned bit; } Option;

static const Option OPTIONS[] = {
    { "-o", "DIR", "output folder; default: rtl_out/<name> (prune, import: the file to write)",
      OPTION_OUT },
    { "--set", "key.path=value",
      "changes a key of the spec, may be given again (see `lstmgen keys`)", OPTION_SET },
    { "--json", NULL, "one JSON object on stdout instead of the table", OPTION_JSON },
    { "--sim", "verilator|icarus", "simulator; default: verilator", OPTION_SIM },
    { "--part", "PART", "the same as --set target.part=PART (see `lstmgen parts`)", OPTION_PART },
    { "--prefix", "PREFIX_", "the same as --set prefix=PREFIX_: before the names of library modules", OPTION_PREFIX },
    { "--pnr", NULL, "place and route too, with nextpnr: clock, cells, critical path, bitstream", OPTION_PNR },
    { "--seeds", "N", "places N times: median, best and worst clock; default: 1", OPTION_SEEDS },
    { "--require-clock", NULL, "exit status 3 where target.clock_mhz is missed; else a warning", OPTION_CLOCK },
    { "--masks", NULL, "a tensor of 0 and 1 for every matrix too: <tensor>_mask", OPTION_MASKS },
    { "--reference", "IN.npy", "runs the file in its own framework on this input (steps, inputs), or (sequences, steps, inputs): the "
      "spec's verify.input and expect", OPTION_REFERENCE },
    { "--accuracy", NULL, "instead of the core: the SNR that every pattern and rate leaves",
      OPTION_ACCURACY },
    { "--markdown", NULL, "as Markdown, for documentation", OPTION_MARKDOWN },
    { "-j", "N", "so many points at once; default: 1 (with --runner: so many commands or tasks)", OPTION_JOBS },
    { "--runner", "slurm|'CMD {}'",
      "points go to Slurm (options of sbatch may follow), or to CMD with a command for {}", OPTION_RUNNER },
    { "--chunk", "K", "works out chunk K of a sweep: what --runner has other machines do", OPTION_CHUNK },
    { "--dry-run", NULL, "counts and lists the points, writes nothing", OPTION_DRY },
    { "--force", NULL, "works out points again that are finished", OPTION_FORCE },
    { "--front", "COLUMNS", "columns of the Pareto front, with commas between them; \"max NAME\": more is better",
      OPTION_FRONT },
    { "--best", "CONDITION", "prints the cheapest points that meet it, writes the first one's spec",
      OPTION_BEST },
    { "--help", NULL, "this help; `lstmgen SUBCOMMAND --help` for one subcommand", OPTION_HELP },
    { "--version", NULL, "prints the version", OPTION_VERSION },
};

enum { GENERIC = OPTION_HELP | OPTION_VERSION };

static const char *const MORE = "Try `lstmgen --help`.";

/* ---- help ---- */

static void print_command(FILE *to, const Command *c)
{
    const char *gap = c->name[0] ? " " : "", *operand = c->operand ? c->operand : "";
    fprintf(to, "  lstmgen%s%s%s%s%s%s\n        %s%s\n", gap, c->name, c->operand ? " " : "",
            operand, c->options[0] ? " " : "", c->options, c->summary,
            c->run ? "" : " (not part of this version)");
}

static void print_options(FILE *to, unsigned accepts)
{
    fprintf(to, "\nOptions:\n");
    for (int i = 0; i < LENGTH(OPTIONS); i++) {
        const Option *o = &OPTIONS[i];
        if (o->bit & (accepts | GENERIC))
            fprintf(to, "  %-10s %-16s  %s\n", o->name, o->argument ? o->argument : "", o->meaning);
    }
}

static void print_statuses(FILE *to)
{
    fprintf(to, "\nResults go to stdout, messages to stderr. Exit status:\n"
                "  0   success\n"
                "  1   the spec, the model or another input is wrong; nothing was written\n"
                "  2   wrong use of the command line\n"
                "  3   verification: outputs differ, or verify.min_snr_db or (--require-clock) the clock is missed\n"
                "  4   an external tool is missing or failed\n"
                "  70  a fault of lstmgen itself\n");
}

static void print_help(FILE *to, const Command *table, const Command *only)
{
    unsigned accepts = 0;
    fprintf(to, "lstmgen turns a trained LSTM and a short YAML spec into a verified, sparse FPGA "
                "core.\n\nUsage:\n");
    for (const Command *c = table; c->name; c++)
        if (!only || c == only) {
            print_command(to, c);
            accepts |= c->run ? c->accepts : 0;
        }
    print_options(to, accepts);
    print_statuses(to);
}

/* ---- which runner ---- */

bool runner_is_slurm(const char *words)
{
    return str_starts(words, "slurm") && (words[5] == '\0' || words[5] == ' ');
}

const char *runner_fault(const char *words)
{
    if (runner_is_slurm(words) || strstr(words, "{}") || strstr(words, "{list}"))
        return NULL;
    return "expected slurm, or a command with {} where the command of a point goes, like 'ssh host {}'";
}

/* ---- words ---- */

typedef struct Parser {
    Arena *arena;
    const Command *table;
    char **argv;
    int argc, at;
    const char *word[2]; int words;     /* what is no option: subcommand and operand */
    const char *extra;                  /* a third word, too many */
    Request *out;
} Parser;

static bool refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static bool refuse(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("lstmgen: ", stderr);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n%s\n", MORE);
    va_end(args);
    return false;
}

static const Option *find_option(const char *word, size_t n)
{
    for (int i = 0; i < LENGTH(OPTIONS); i++)
        if (strlen(OPTIONS[i].name) == n && strncmp(OPTIONS[i].name, word, n) == 0)
            return &OPTIONS[i];
    if (n == 2 && strncmp(word, "-h", n) == 0)
        return find_option("--help", strlen("--help"));
    return NULL;
}

static bool unknown_option(const char *word)
{
    const char *names[LENGTH(OPTIONS)];
    for (int i = 0; i < LENGTH(OPTIONS); i++)
        names[i] = OPTIONS[i].name;
    const char *near = str_nearest(word, names, LENGTH(OPTIONS));
    if (near)
        return refuse("unknown option '%s': did you mean %s?", word, near);
    return refuse("unknown option '%s'", word);
}

static void add_set(Parser *p, const char *text)
{
    p->out->set[p->out->n_sets++] = text;
}

static bool take_number(const char *option, const char *value, int most, int *out)
{
    size_t n = strlen(value);
    *out = n > 0 && n <= 9 && strspn(value, "0123456789") == n ? atoi(value) : 0;
    return (*out >= 1 && *out <= most) ||
           refuse("%s %s: expected a number from 1 to %d", option, value, most);
}

static bool take_option(Parser *p, const Option *o, const char *value)
{
    Request *r = p->out;
    r->given |= o->bit;
    switch (o->bit) {
    case OPTION_OUT:
        r->out = value;
        return value[0] || refuse("-o needs the name of a folder or file");
    case OPTION_SET:
        add_set(p, value);
        return true;
    case OPTION_PART:
        add_set(p, str_format(p->arena, "target.part=%s", value));
        return value[0] || refuse("--part needs the name of a part (see `lstmgen parts`)");
    case OPTION_PREFIX:
        add_set(p, str_format(p->arena, "prefix=%s", value));
        return value[0] || refuse("--prefix needs letters, like wake_");
    case OPTION_SIM:
        r->simulator = value;
        return strcmp(value, "verilator") == 0 || strcmp(value, "icarus") == 0 ||
               refuse("--sim %s: expected verilator or icarus", value);
    case OPTION_FRONT:
        r->front = value;
        return value[0] || refuse("--front needs the names of columns");
    case OPTION_BEST:
        r->best = value;
        return value[0] || refuse("--best needs a condition, like 'cycles.interval <= 200'");
    case OPTION_REFERENCE:
        r->reference = value;
        return value[0] || refuse("--reference needs the name of a .npy file");
    case OPTION_JOBS:
        return take_number("-j", value, 1024, &r->jobs);
    case OPTION_SEEDS:
        return take_number("--seeds", value, PNR_SEEDS_MAX, &r->seeds);
    case OPTION_CHUNK:
        return take_number("--chunk", value, 1000000, &r->chunk);
    case OPTION_RUNNER:
        r->runner = value;
        return !runner_fault(value) || refuse("--runner %s: %s", value, runner_fault(value));
    default:
        return true;
    }
}

/* "--set k=v", "--set=k=v", "-o DIR", "-oDIR". */
static bool parse_option(Parser *p, const char *word)
{
    bool is_long = word[1] == '-';
    size_t n = is_long ? strcspn(word, "=") : 2;
    const Option *o = find_option(word, n);
    if (!o)
        return unknown_option(is_long ? str_ndup(p->arena, word, n) : word);
    const char *value = word[n] ? word + n + (is_long ? 1 : 0) : NULL;
    if (!o->argument)
        return value ? refuse("option %s takes no value", o->name) : take_option(p, o, "");
    if (!value && p->at < p->argc)
        value = p->argv[p->at++];
    return value ? take_option(p, o, value)
                 : refuse("option %s needs a value: %s", o->name, o->argument);
}

static bool parse_words(Parser *p)
{
    bool only_words = false;
    while (p->at < p->argc) {
        const char *word = p->argv[p->at++];
        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (!only_words && word[0] == '-' && word[1] != '\0') {
            if (!parse_option(p, word))
                return false;
        } else if (p->words < LENGTH(p->word))
            p->word[p->words++] = word;
        else
            p->extra = word;
    }
    return true;
}

/* ---- the subcommand ---- */

static const Command *find_command(const Command *table, const char *name)
{
    for (const Command *c = table + 1; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const char *nearest_command(const Command *table, const char *word)
{
    const char *names[32];
    int n = 0;
    for (const Command *c = table + 1; c->name && n < LENGTH(names); c++)
        names[n++] = c->name;
    return str_nearest(word, names, n);
}

/* A word that is no subcommand is the spec, unless it cannot be one. */
static bool choose_command(Parser *p)
{
    const char *first = p->word[0];
    Request *r = p->out;
    r->command = find_command(p->table, first);
    if (r->command) {
        r->operand = p->words > 1 ? p->word[1] : NULL;
        return true;
    }
    bool path = strpbrk(first, "./") || file_exists(first);
    const char *near = path ? NULL : nearest_command(p->table, first);
    if (near)
        return refuse("unknown subcommand '%s': did you mean %s?", first, near);
    if (!path && p->words > 1)
        return refuse("unknown subcommand '%s'", first);
    r->command = p->table;
    r->operand = first;
    p->extra = p->words > 1 ? p->word[1] : p->extra;
    return true;
}

static bool check_request(const Parser *p)
{
    const Request *r = p->out;
    const Command *c = r->command;
    const char *name = c->name[0] ? c->name : "lstmgen SPEC";
    if (!c->run)
        return refuse("%s is not part of this version (lstmgen " LSTMGEN_VERSION ")", c->name);
    if (r->given & (OPTION_SEEDS | OPTION_CLOCK) && !(r->given & OPTION_PNR) && c->accepts & OPTION_PNR)
        return refuse("%s goes with --pnr only", r->given & OPTION_SEEDS ? "--seeds" : "--require-clock");
    for (int i = 0; i < LENGTH(OPTIONS); i++)
        if (r->given & OPTIONS[i].bit & ~(c->accepts | GENERIC))
            return refuse("%s does not take the option %s", name, OPTIONS[i].name);
    const char *extra = c->operand ? p->extra : r->operand;
    if (extra)
        return refuse("one word too many: '%s'", extra);
    if (c->operand && !r->operand)
        return refuse("%s needs the name of a file: lstmgen %s %s", name, c->name, c->operand);
    return true;
}

bool cli_parse(Arena *a, const Command *table, int argc, char **argv, Request *out, int *status)
{
    Parser p = { .arena = a, .table = table, .argv = argv, .argc = argc, .at = 1, .out = out };
    *out = (Request){ .arena = a,
                      .simulator = "verilator",
                      .set = ARENA_ARRAY(a, const char *, argc + 1) };
    *status = EXIT_USAGE;
    if (!parse_words(&p))
        return false;
    const Command *only = p.words > 0 ? find_command(table, p.word[0]) : NULL;
    if (out->given & GENERIC) {
        if (out->given & OPTION_HELP)
            print_help(stdout, table, only);
        else
            printf("lstmgen " LSTMGEN_VERSION "\n");
        *status = EXIT_OK;
        return false;
    }
    if (p.words == 0) {
        print_help(stderr, table, NULL);
        return false;
    }
    return choose_command(&p) && check_request(&p);
}
