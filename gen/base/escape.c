/* escape.c: text of users (names of files, tensors, parts, columns) in the languages of the output. Each language has
 * one function here, and nothing of a user's goes into a file of that language without it; JSON is jansson's affair. */
#include "base/base.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef struct Rule { char c; const char *to; } Rule;

/* What may not stand in a language as it is; `control`: format of other control characters, NULL: '?'. */
typedef struct Language { const Rule *rule; int n; const char *control; } Language;

static const Rule XML[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };
static const Rule MARKDOWN[] = { { '|', "\\|" }, { '<', "&lt;" }, { '[', "\\[" }, { ']', "\\]" } };
static const Rule CODE[] = { { '`', "'" }, { '|', "\\|" } };
static const Rule TCL[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '$', "\\$" },   { '[', "\\[" },
                            { ']', "\\]" },  { '{', "\\{" },   { '}', "\\}" },   { ';', "\\;" } };
static const Rule COMMENT[] = { { '\\', "_" }, { '?', "_" } };       /* ??/ is a backslash to old C */

#define LANGUAGE(rules, control) (&(Language){ rules, LENGTH(rules), control })

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 127;
}

static const char *rule_of(const Language *l, char c)
{
    for (int i = 0; i < l->n; i++)
        if (l->rule[i].c == c)
            return l->rule[i].to;
    return NULL;
}

static void add_escaped(Buffer *b, const Language *l, const char *text)
{
    for (; *text; text++) {
        const char *to = rule_of(l, *text);
        if (to)
            buffer_print(b, "%s", to);
        else if (is_control(*text) && l->control)
            buffer_print(b, l->control, (unsigned char)*text);
        else
            buffer_add(b, is_control(*text) ? "?" : text, 1);
    }
}

static const char *escaped(Arena *a, const Language *l, const char *before, const char *text, const char *after)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "%s", before);
    add_escaped(&b, l, text);
    buffer_print(&b, "%s", after);
    return b.text;
}

static const char NAME_LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

static bool only(const char *text, const char *more)
{
    size_t n = strspn(text, NAME_LETTERS);
    while (text[n] && strchr(more, text[n]))
        n += 1 + strspn(text + n + 1, NAME_LETTERS);
    return text[0] && text[n] == '\0';
}

bool text_is_path(const char *text)
{
    return only(text, "-+./,@");
}

const char *text_line(Arena *a, const char *text)
{
    return escaped(a, &(Language){ 0 }, "", text, "");
}

/* No line end, no backslash that would join the next line, no mark that begins or ends a comment; characters that are
 * no ASCII are left out, as not every tool takes them. */
const char *text_comment(Arena *a, const char *text)
{
    char *out = str_dup(a, escaped(a, LANGUAGE(COMMENT, "_"), "", text, ""));
    for (char *p = out; *p; p++) {
        bool mark = (p[0] == '*' && p[1] == '/') || (p[0] == '/' && (p[1] == '*' || p[1] == '/'));
        if (mark || (unsigned char)*p >= 128)
            *p = '_';
    }
    return out;
}

const char *text_tcl(Arena *a, const char *text)
{
    return only(text, "-./") ? text : escaped(a, LANGUAGE(TCL, "\\u%04x"), "\"", text, "\"");
}

const char *text_make(Arena *a, const char *text)
{
    Buffer b;
    buffer_init(&b, a);
    for (; *text; text++)
        buffer_print(&b, *text == '$' ? "$$" : "%c", *text);
    return b.text;
}

const char *text_xml(Arena *a, const char *text)
{
    return escaped(a, LANGUAGE(XML, NULL), "", text, "");
}

const char *text_markdown(Arena *a, const char *text)
{
    return escaped(a, LANGUAGE(MARKDOWN, " "), "", text, "");
}

const char *text_code(Arena *a, const char *text)
{
    return escaped(a, LANGUAGE(CODE, " "), "`", text, "`");
}

const char *shell_word(Arena *a, const char *text)
{
    if (only(text, "-+=./:,@%"))
        return text;
    Buffer b;
    buffer_init(&b, a);
    buffer_print(&b, "'");
    for (const char *p = text; *p; p++)
        if (*p == '\'')
            buffer_print(&b, "'\\''");
        else
            buffer_add(&b, p, 1);
    buffer_print(&b, "'");
    return b.text;
}

/* ---- YAML ---- */

/* One character of UTF-8; *length is 1 and the result negative where the bytes are none. */
static long utf8_character(const unsigned char *p, int *length)
{
    static const long LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    long c = n == 1 ? p[0] : n > 1 ? p[0] & (0x7f >> n) : -1;
    *length = 1;
    for (int k = 1; k < n; k++) {
        if ((p[k] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (p[k] & 0x3f);
    }
    if (n == 0 || c < LEAST[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return -1;
    *length = n;
    return c;
}

/* Characters that end a line of YAML, cannot stand in it, or look like a blank and are none. */
static bool is_hidden(long c)
{
    return c < ' ' || (c >= 0x7f && c <= 0xa0) || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f)
        || (c >= 0x2060 && c <= 0x206f) || c == 0x3000 || c == 0xfeff || c >= 0xfff0;
}

static void print_escaped(Buffer *b, const char *text, bool quoted)
{
    for (int length; *text; text += length) {
        long c = utf8_character((const unsigned char *)text, &length);
        if (c < 0)
            buffer_print(b, "\\x%02x", (unsigned char)*text);
        else if (quoted && (c == '"' || c == '\\'))
            buffer_print(b, "\\%c", (int)c);
        else if (is_hidden(c))
            buffer_print(b, c < 0x100 ? "\\x%02lx" : c < 0x10000 ? "\\u%04lx" : "\\U%08lx", (unsigned long)c);
        else
            buffer_add(b, text, (size_t)length);
    }
}

bool str_is_utf8(const char *text)
{
    for (int length; *text; text += length)
        if (utf8_character((const unsigned char *)text, &length) < 0)
            return false;
    return true;
}

const char *text_yaml(Arena *a, const char *text)
{
    Buffer b;
    buffer_init(&b, a);
    buffer_add(&b, "\"", 1);
    print_escaped(&b, text, true);
    buffer_add(&b, "\"", 1);
    return b.text;
}

const char *yaml_comment(Arena *a, const char *text)
{
    Buffer b;
    buffer_init(&b, a);
    print_escaped(&b, text, false);
    return b.text;
}

/* Text that no reader of YAML takes for anything else, wherever it stands. */
static bool yaml_plain(const char *text)
{
    static const char *const WORDS[] = { "true", "false", "null", "yes", "no", "on", "off", "y", "n" };
    for (int i = 0; i < LENGTH(WORDS); i++)
        if (strcasecmp(text, WORDS[i]) == 0)
            return false;
    return (isalpha((unsigned char)text[0]) || text[0] == '/')
        && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == strlen(text);
}

const char *yaml_word(Arena *a, const char *text)
{
    if (yaml_plain(text))
        return text;
    return text_yaml(a, text);
}
