/* yaml.c: YAML text to a tree with places: aliases, merge keys, duplicate keys, and limits against
 * hostile files. */
#include "spec/spec.h"

#include <string.h>
#include <yaml.h>

enum { VALUES_MAX = 100000, DEPTH_MAX = 32, KEYS_MAX = 1000 };

typedef struct Anchor { struct Anchor *next; const char *name; SpecNode *node; } Anchor;

typedef struct Reader {
    Arena *arena;
    Diag *diag;
    Place origin;
    const char *text; size_t length;
    yaml_parser_t parser;
    Anchor *anchors; int n_anchors;
    int depth;
} Reader;

static SpecNode *read_node(Reader *r, const yaml_event_t *event);

static Place place_of(const Reader *r, yaml_mark_t mark)
{
    if (r->origin.line > 0)
        return (Place){ r->origin.file, r->origin.line,
                        r->origin.column + (mark.line ? 0 : (int)mark.column) };
    return (Place){ r->origin.file, (int)mark.line + 1, (int)mark.column + 1 };
}

/* Does white space at the start of this line (0-based) hold a tab? */
static bool tab_indents(const Reader *r, size_t line)
{
    const char *p = r->text, *end = r->text + r->length;
    for (; line > 0 && p; line--) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : NULL;
    }
    while (p && p < end && *p == ' ')
        p++;
    return p && p < end && *p == '\t';
}

/* A character that looks like a blank, or like nothing, and is none to YAML; 0: another. *length: its bytes. */
static unsigned false_blank(const unsigned char *p, size_t left, int *length)
{
    *length = p[0] < 0x80 || left < 2 ? 1 : p[0] < 0xe0 || left < 3 ? 2 : p[0] < 0xf0 || left < 4 ? 3 : 4;
    unsigned c = *length == 2 ? (p[0] & 31u) << 6 | (p[1] & 63u)
               : *length == 3 ? (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u) : 0;
    bool blank = c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200b) || c == 0x202f || c == 0x205f || c == 0x3000
              || c == 0xfeff;
    return blank ? c : 0;
}

/* Where plain text, neither a comment nor quoted, holds such a character: what it makes of the words around it is never
 * what its writer sees. A byte order mark may begin the text. */
static bool blanks_are_true(Reader *r)
{
    const unsigned char *text = (const unsigned char *)r->text;
    yaml_mark_t mark = { 0 };
    unsigned quote = 0, before = '\n';
    bool comment = false;
    int length;
    for (size_t i = 0; i < r->length; i += (size_t)length, mark.column++) {
        unsigned c = text[i], blank = false_blank(text + i, r->length - i, &length);
        bool apart = before == '\n' || before == ' ' || before == '\t', opens = apart || strchr("[{,:", (int)before);
        if (blank && i > 0 && !comment && !quote) {
            diag_error(r->diag, place_of(r, mark), "U+%04X looks like a blank%s and is none: write an ordinary one, or "
                       "put the text in quotes", blank, blank == 0xa0 ? " (a non-breaking space)" : "");
            return false;
        }
        if (quote == '"' && c == '\\' && i + 1 < r->length && text[i + 1] < 0x80 && text[i + 1] != '\n')
            length = 2, mark.column++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (!comment && (c == '"' || c == '\'') && opens)
            quote = c;
        comment = (comment || (!quote && c == '#' && apart)) && c != '\n';
        if (c == '\n')
            mark.line++, mark.column = (size_t)-1;
        before = c;
    }
    return true;
}

static void parser_error(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        FAULT("out of memory in libyaml");
    if (p->error == YAML_READER_ERROR) {
        diag_error(r->diag, (Place){ r->origin.file, 0, 0 },
                   "this is not a text file in UTF-8: %s at byte %zu", p->problem,
                   p->problem_offset);
        return;
    }
    Place at = place_of(r, p->problem_mark);
    const char *context = p->context ? p->context : "in this text";
    if (tab_indents(r, p->problem_mark.line))
        diag_error(r->diag, at, "a tab indents this line: YAML wants spaces");
    else if (p->context && p->context_mark.line != p->problem_mark.line)
        diag_clash(r->diag, at, place_of(r, p->context_mark), context, "not valid YAML: %s",
                   p->problem);
    else
        diag_error(r->diag, at, "not valid YAML: %s (%s)", p->problem, context);
}

static bool next_event(Reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    parser_error(r);
    return false;
}

static SpecNode *node_new(Reader *r, NodeKind kind, yaml_mark_t mark)
{
    SpecNode *n = ARENA_NEW(r->arena, SpecNode);
    n->kind = kind;
    n->at = place_of(r, mark);
    n->values = 1;
    return n;
}

static bool anchor_add(Reader *r, const yaml_char_t *name, SpecNode *node)
{
    if (!name)
        return true;
    if (++r->n_anchors > KEYS_MAX) {
        diag_error(r->diag, node->at, "more than %d anchors", KEYS_MAX);
        return false;
    }
    Anchor *anchor = ARENA_NEW(r->arena, Anchor);
    *anchor = (Anchor){ r->anchors, str_dup(r->arena, (const char *)name), node };
    r->anchors = anchor;
    return true;
}

static bool hold_limit(Reader *r, const SpecNode *node, Place at)
{
    if (node->values <= VALUES_MAX)
        return true;
    diag_error(r->diag, at,
               "too many values: with its aliases expanded this file holds more than %d",
               VALUES_MAX);
    return false;
}

/* Appends and holds the limits; aliases count as often as they are used. */
static bool add_entry(Reader *r, SpecNode *node, NodeEntry entry)
{
    node_append(r->arena, node, entry);
    if (!hold_limit(r, node, entry.at))
        return false;
    if (node->kind == NODE_MAP && node->n > KEYS_MAX) {
        diag_error(r->diag, entry.at, "more than %d keys in one map", KEYS_MAX);
        return false;
    }
    return true;
}

/* Only the tags of JSON's types are taken, and "!!str", which makes text of anything. */
static bool check_tag(Reader *r, const yaml_char_t *tag, Place at, bool *is_text)
{
    static const char *const core[] = { "str", "int", "float", "bool", "null", "map", "seq" };
    const char *prefix = "tag:yaml.org,2002:", *name = (const char *)tag;
    *is_text = false;
    if (!name)
        return true;
    for (int i = 0; i < LENGTH(core); i++) {
        if (str_starts(name, prefix) && strcmp(name + strlen(prefix), core[i]) == 0) {
            *is_text = i == 0;
            return true;
        }
    }
    diag_error(r->diag, at, "the tag %.40s has no meaning in a spec", name);
    return false;
}

static SpecNode *read_scalar(Reader *r, const yaml_event_t *event)
{
    SpecNode *n = node_new(r, NODE_SCALAR, event->start_mark);
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    bool is_text;
    if (!check_tag(r, event->data.scalar.tag, n->at, &is_text))
        return NULL;
    n->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || is_text;
    n->text = str_ndup(r->arena, value, length);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] < ' ' || value[i] == 127) {
            diag_error(r->diag, n->at, "a line end or control character inside a value");
            return NULL;
        }
    }
    return anchor_add(r, event->data.scalar.anchor, n) ? n : NULL;
}

static SpecNode *read_alias(Reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const Anchor *anchor = r->anchors;
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    Place at = place_of(r, event->start_mark);
    if (!anchor)
        diag_error(r->diag, at, "the alias *%s has no anchor &%s before it", name, name);
    else if (anchor->node->open)
        diag_clash(r->diag, at, anchor->node->at, "the anchor is here",
                   "the alias *%s contains itself", name);
    else
        return anchor->node;
    return NULL;
}

/* Reads items up to the end event; each becomes an entry. */
static bool read_items(Reader *r, SpecNode *list)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        SpecNode *item = end ? NULL : read_node(r, &event);
        yaml_event_delete(&event);
        if (end)
            return true;
        if (!item || !add_entry(r, list, (NodeEntry){ NULL, item->at, item }))
            return false;
    }
}

/* "<<": adds keys of the merged map that are not given here, of the first map that has them. */
static bool merge(Reader *r, SpecNode *map, const SpecNode *from, Place at)
{
    if (from->kind == NODE_LIST) {
        for (int i = 0; i < from->n; i++) {
            if (from->entry[i].value->kind != NODE_MAP || !merge(r, map, from->entry[i].value, at))
                goto wrong;
        }
        return true;
    }
    if (from->kind == NODE_MAP) {
        for (int i = 0; i < from->n; i++) {
            if (!node_find(map, from->entry[i].key) && !add_entry(r, map, from->entry[i]))
                return false;
        }
        return true;
    }
wrong:
    diag_error(r->diag, at, "<< merges a map, or a list of maps");
    return false;
}

/* One key and its value; "<<" waits in *merged until the map's own keys are all known. */
static bool read_pair(Reader *r, SpecNode *map, const yaml_event_t *key_event, NodeEntry *merged)
{
    SpecNode *key = read_node(r, key_event);
    yaml_event_t event;
    if (!key || !next_event(r, &event))
        return false;
    SpecNode *value = read_node(r, &event);
    yaml_event_delete(&event);
    if (!value)
        return false;
    if (key->kind != NODE_SCALAR) {
        diag_error(r->diag, key->at, "a key must be a word, not a %s",
                   key->kind == NODE_LIST ? "list" : "map");
        return false;
    }
    bool merges = !key->quoted && strcmp(key->text, "<<") == 0;
    NodeEntry entry = { key->text, place_of(r, key_event->start_mark), value };
    const NodeEntry *before = merges ? (merged->key ? merged : NULL) : node_find(map, key->text);
    if (before)
        diag_clash(r->diag, entry.at, before->at, "it was given here before",
                   "the key '%.60s' is given twice", key->text);
    else if (merges)
        *merged = entry;
    else
        return add_entry(r, map, entry);
    return true;
}

static bool read_pairs(Reader *r, SpecNode *map)
{
    NodeEntry merged = { 0 };
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool ok = end || read_pair(r, map, &event, &merged);
        yaml_event_delete(&event);
        if (!ok)
            return false;
        if (!end)
            continue;
        if (!merged.key)
            return true;
        map->values += merged.value->values;        /* merging costs time, so it counts */
        return hold_limit(r, map, merged.at) && merge(r, map, merged.value, merged.at);
    }
}

static SpecNode *read_container(Reader *r, const yaml_event_t *event, NodeKind kind)
{
    SpecNode *n = node_new(r, kind, event->start_mark);
    bool map = kind == NODE_MAP, is_text;
    if (!check_tag(r, map ? event->data.mapping_start.tag : event->data.sequence_start.tag, n->at,
                   &is_text))
        return NULL;
    if (r->depth == DEPTH_MAX) {
        diag_error(r->diag, n->at, "nested deeper than %d", DEPTH_MAX);
        return NULL;
    }
    if (!anchor_add(r, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
                    n))
        return NULL;
    n->open = true;
    r->depth++;
    bool ok = map ? read_pairs(r, n) : read_items(r, n);
    r->depth--;
    n->open = false;
    return ok ? n : NULL;
}

/* The node that starts with this event; the caller deletes the event. */
static SpecNode *read_node(Reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return read_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return read_container(r, event, NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        return read_container(r, event, NODE_MAP);
    default:
        FAULT("libyaml event %d inside a document", (int)event->type);
    }
}

/* Everything from the start of the stream to its end; at most one document. */
static bool read_stream(Reader *r, SpecNode **root)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(r, &event))
            return false;
        yaml_event_type_t type = event.type;
        Place at = place_of(r, event.start_mark);
        SpecNode *node = NULL;
        bool content = type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                       type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT;
        if (content)
            node = read_node(r, &event);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return true;
        if (content && !node)
            return false;
        if (content)
            *root = node;
        if (type == YAML_DOCUMENT_START_EVENT && *root) {
            diag_clash(r->diag, at, (*root)->at, "the first one starts here",
                       "a second YAML document: a spec is one document");
            return false;
        }
    }
}

SpecNode *yaml_read(Arena *a, Diag *d, Place at, const char *text, size_t length)
{
    Reader r = { .arena = a, .diag = d, .origin = at, .text = text, .length = length };
    if (!yaml_parser_initialize(&r.parser))
        FAULT("out of memory in libyaml");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    SpecNode *root = NULL;
    bool ok = blanks_are_true(&r) && read_stream(&r, &root);
    yaml_parser_delete(&r.parser);
    if (ok && !root) {
        root = ARENA_NEW(a, SpecNode);
        *root = (SpecNode){ .kind = NODE_SCALAR, .at = at, .text = "", .values = 1 };
    }
    return ok ? root : NULL;
}
