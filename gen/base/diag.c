/* diag.c: messages to the user, collected and printed in the order of their places. */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

enum { PRINTED_MAX = 20, KEPT_MAX = 1000, EXCERPT_MAX = 96, EXCERPT_BEFORE = 40 };

typedef enum { MESSAGE_ERROR, MESSAGE_WARNING, MESSAGE_TOOL } MessageKind;

typedef struct Message {
    MessageKind kind;
    Place at, other;                    /* other.file NULL: no second place */
    const char *text, *note;
    int serial;                         /* order of arrival, for a stable sort */
} Message;

typedef struct Source {
    struct Source *next;
    const char *file, *text;
    size_t length;
} Source;

struct Diag {
    Arena *arena;
    Message *message;
    int n, room, flushed;
    int errors, tools;
    int dropped;                        /* errors beyond KEPT_MAX: counted, not kept */
    int printed;                        /* errors printed so far */
    const char **warning;
    int warnings, warning_room;
    Source *sources;
};

Diag *diag_new(Arena *a)
{
    Diag *d = ARENA_NEW(a, Diag);
    d->arena = a;
    return d;
}

static bool same_place(Place a, Place b)
{
    bool same_file = a.file == b.file || (a.file && b.file && strcmp(a.file, b.file) == 0);
    return same_file && a.line == b.line && a.column == b.column;
}

/* An alias is read once per use: the same words at the same place are said once. */
static bool said_before(const Diag *d, MessageKind kind, Place at, const char *text)
{
    for (int i = 0; i < d->n; i++) {
        const Message *m = &d->message[i];
        if (m->kind == kind && same_place(m->at, at) && strcmp(m->text, text) == 0)
            return true;
    }
    return false;
}

/* NULL when it was said before, or when there are far more errors than anyone will see. */
static Message *message_add(Diag *d, MessageKind kind, Place at, const char *text)
{
    if (kind == MESSAGE_ERROR && d->errors >= KEPT_MAX) {
        d->dropped++;
        return NULL;
    }
    if (said_before(d, kind, at, text))
        return NULL;
    if (d->n == d->room) {
        int room = d->room ? 2 * d->room : 16;
        d->message = arena_grow(d->arena, d->message, sizeof(Message) * (size_t)d->room,
                                sizeof(Message) * (size_t)room);
        d->room = room;
    }
    Message *m = &d->message[d->n];
    *m = (Message){ .kind = kind, .at = at, .text = text, .serial = d->n++ };
    d->errors += kind == MESSAGE_ERROR;
    d->tools += kind == MESSAGE_TOOL;
    return m;
}

void diag_error(Diag *d, Place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_add(d, MESSAGE_ERROR, at, str_vformat(d->arena, fmt, args));
    va_end(args);
}

void diag_clash(Diag *d, Place at, Place other, const char *note, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    Message *m = message_add(d, MESSAGE_ERROR, at, str_vformat(d->arena, fmt, args));
    va_end(args);
    if (m) {
        m->other = other;
        m->note = str_dup(d->arena, note);
    }
}

static void warning_add(Diag *d, const char *text)
{
    if (d->warnings == d->warning_room) {
        int room = d->warning_room ? 2 * d->warning_room : 16;
        d->warning = arena_grow(d->arena, d->warning, sizeof(char *) * (size_t)d->warning_room,
                                sizeof(char *) * (size_t)room);
        d->warning_room = room;
    }
    d->warning[d->warnings++] = text;
}

void diag_warn(Diag *d, Place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = str_vformat(d->arena, fmt, args);
    va_end(args);
    if (message_add(d, MESSAGE_WARNING, at, text))
        warning_add(d, text);
}

void diag_tool(Diag *d, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    message_add(d, MESSAGE_TOOL, (Place){ 0 }, str_vformat(d->arena, fmt, args));
    va_end(args);
}

void diag_source(Diag *d, const char *file, const char *text, size_t length)
{
    Source *s = ARENA_NEW(d->arena, Source);
    *s = (Source){ d->sources, str_dup(d->arena, file), str_ndup(d->arena, text, length), length };
    d->sources = s;
}

bool diag_failed(const Diag *d)
{
    return d->errors + d->tools > 0;
}

int diag_status(const Diag *d)
{
    return d->tools ? EXIT_TOOL : d->errors ? EXIT_INPUT : EXIT_OK;
}

int diag_warnings(const Diag *d, const char *const **texts)
{
    *texts = d->warning;
    return d->warnings;
}

static const char *place_text(Arena *a, Place at)
{
    if (!at.file)
        return "";
    if (at.line == 0)
        return str_format(a, "%s: ", path_name(at.file));
    return str_format(a, "%s:%d:%d: ", path_name(at.file), at.line, at.column);
}

const char *diag_reason(Arena *a, const Diag *d)
{
    const Message *first = NULL;
    for (int i = 0; i < d->n; i++)
        if (d->message[i].kind != MESSAGE_WARNING && !first)
            first = &d->message[i];
    if (!first)
        return "";
    int more = d->errors + d->tools - 1;
    bool set = first->at.file && strcmp(first->at.file, "--set") == 0;  /* no file that a reader could open */
    char *text = str_format(a, "%s%s%s", set ? "" : place_text(a, first->at), first->text,
                            more > 0 ? str_format(a, " (and %d more)", more) : "");
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = ' ';
    return text;
}

void diag_replay(Diag *to, const Diag *from)
{
    for (int i = 0; i < from->n; i++) {
        const Message *m = &from->message[i];
        if (m->kind == MESSAGE_WARNING)
            diag_warn(to, m->at, "%s", m->text);
        else if (m->kind == MESSAGE_TOOL)
            diag_tool(to, "%s", m->text);
        else if (m->note)
            diag_clash(to, m->at, m->other, m->note, "%s", m->text);
        else
            diag_error(to, m->at, "%s", m->text);
    }
}

/* Text of users and files goes to a terminal: no control characters but the line ends of a tool's
 * log. */
static void print_clean(FILE *to, const char *text)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        fputc((c < ' ' && c != '\n' && c != '\t') || c == 127 ? '?' : c, to);
    }
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;           /* not a UTF-8 continuation byte */
}

/* The line with 1-based number `line`; false when the text is shorter. */
static bool source_line(const Source *s, int line, const char **from, const char **to)
{
    const char *p = s->text, *end = s->text + s->length;
    for (int i = 1; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return false;
        p++;
    }
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    *from = p;
    *to = stop ? stop : end;
    return true;
}

/* Prints characters first .. first+n-1 of a line; in `blank` mode as white space, so that a caret
 * can follow. */
static void print_span(FILE *to, const char *from, const char *end, int first, int n, bool blank)
{
    int at = -1;
    for (const char *p = from; p < end; p++) {
        at += starts_character(*p);
        unsigned char c = (unsigned char)*p;
        if (at < first || at >= first + n || c == '\r')
            continue;
        if (c == '\t')
            fputc('\t', to);
        else if (blank && starts_character(*p))
            fputc(' ', to);
        else if (!blank)
            fputc(c < ' ' || c == 127 ? '?' : c, to);
    }
}

/* The source line and a caret; a long line (JSON is often one) is cut around the caret. */
static void print_source(const Diag *d, FILE *to, Place at)
{
    const Source *s = d->sources;
    while (s && strcmp(s->file, at.file) != 0)
        s = s->next;
    const char *from, *end;
    if (!s || at.line < 1 || !source_line(s, at.line, &from, &end))
        return;
    int length = 0, column = MAX(at.column, 1) - 1;
    for (const char *p = from; p < end; p++)
        length += starts_character(*p);
    column = MIN(column, length);
    int first =
        length > EXCERPT_MAX ? MAX(0, MIN(column - EXCERPT_BEFORE, length - EXCERPT_MAX)) : 0;
    const char *lead = first > 0 ? "..." : "", *tail = first + EXCERPT_MAX < length ? "..." : "";
    fprintf(to, "    %s", lead);
    print_span(to, from, end, first, EXCERPT_MAX, false);
    fprintf(to, "%s\n    %*s", tail, (int)strlen(lead), "");
    print_span(to, from, end, first, column - first, true);
    fputs("^\n", to);
}

static void print_message(const Diag *d, FILE *to, Place at, const char *kind, const char *text)
{
    print_clean(to, at.file ? at.file : "lstmgen");
    if (at.file && at.line > 0)
        fprintf(to, ":%d:%d", at.line, MAX(at.column, 1));
    fprintf(to, ": %s: ", kind);
    print_clean(to, text);
    fputc('\n', to);
    if (at.file)
        print_source(d, to, at);
}

static int compare(const void *x, const void *y)
{
    const Message *a = x, *b = y;
    int by_file = strcmp(a->at.file ? a->at.file : "", b->at.file ? b->at.file : "");
    if (by_file)
        return by_file;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    if (a->at.column != b->at.column)
        return a->at.column < b->at.column ? -1 : 1;
    return a->serial < b->serial ? -1 : 1;
}

void diag_flush(Diag *d, FILE *to)
{
    int more = d->dropped;
    d->dropped = 0;
    if (d->n > d->flushed)
        qsort(d->message + d->flushed, (size_t)(d->n - d->flushed), sizeof(Message), compare);
    for (; d->flushed < d->n; d->flushed++) {
        const Message *m = &d->message[d->flushed];
        if (m->kind != MESSAGE_WARNING && d->printed++ >= PRINTED_MAX) {
            more++;
            continue;
        }
        print_message(d, to, m->at, m->kind == MESSAGE_WARNING ? "warning" : "error", m->text);
        if (m->other.file)
            print_message(d, to, m->other, "note", m->note);
    }
    if (more)
        fprintf(to, "... and %d more error%s\n", more, more == 1 ? "" : "s");
    fflush(to);
}

void fault_at(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "lstmgen: internal fault at %s:%d: ", path_name(file), line);
    vfprintf(stderr, fmt, args);
    fputs("\nThis is a fault of lstmgen, not of your input; please report it with the spec.\n",
          stderr);
    va_end(args);
    exit(EXIT_INTERNAL);
}
