/* pickle.c: the opcodes of Python's pickle, protocols 2 to 4, that data need. A stack machine that only builds values:
 * what Python would call is recorded, or refused.
 *
 * Source: the comments of CPython's Lib/pickletools.py. */
#include "model/pickle.h"

#include <ctype.h>
#include <string.h>

enum { MEMORY_FREE = 32 << 20, NAME_MAX_BYTES = 200, MEMO_MAX = 1 << 20 };

typedef struct Machine {
    const Subject *s;
    Arena *arena;
    Bytes from;
    size_t at, op_at;
    PickleNode stack, memo;
    const PickleCallable *known;
    int n_known;
    const char *remedy;
    uint64_t used, most;
    bool failed;
} Machine;

static bool fault(Machine *m, const char *what)
{
    if (!m->failed)
        subject_error(m->s, "byte %zu of data.pkl: %s", m->op_at, what);
    m->failed = true;
    return false;
}

/* ---- memory, bounded whatever the pickle says ---- */

static bool charge(Machine *m, size_t bytes)
{
    m->used += bytes;
    return m->used <= m->most || fault(m, "more values than a model has: refused");
}

static PickleNode *new_node(Machine *m, const char *class)
{
    PickleNode *n = charge(m, sizeof *n) ? ARENA_NEW(m->arena, PickleNode) : NULL;
    if (n)
        n->class = class;
    return n;
}

static bool append(Machine *m, PickleNode *to, PickleValue v)
{
    if (to->n == to->room) {
        int room = MAX(4, 2 * to->room);
        if (!charge(m, (size_t)room * sizeof v))
            return false;
        to->item = arena_grow(m->arena, to->item, sizeof v * (size_t)to->room, sizeof v * (size_t)room);
        to->room = room;
    }
    to->item[to->n++] = v;
    return true;
}

/* ---- the bytes ---- */

static const uint8_t *take(Machine *m, size_t n)
{
    if (n > m->from.size - m->at) {
        fault(m, "truncated or damaged: it ends in the middle of a value");
        return NULL;
    }
    m->at += n;
    return m->from.data + m->at - n;
}

/* n bytes, little end first. */
static uint64_t number(Machine *m, size_t n)
{
    const uint8_t *b = take(m, n);
    uint64_t v = 0;
    for (size_t i = n; b && i > 0; i--)
        v = v << 8 | b[i - 1];
    return v;
}

/* A word of a line, as GLOBAL has it. */
static const char *line(Machine *m)
{
    const uint8_t *b = m->from.data + m->at, *end = memchr(b, '\n', m->from.size - m->at);
    size_t n = end ? (size_t)(end - b) : 0;
    if (!end || n > NAME_MAX_BYTES || !charge(m, n + 1)) {
        fault(m, "damaged: expected the name of a class");
        return NULL;
    }
    m->at += n + 1;
    return str_ndup(m->arena, (const char *)b, n);
}

/* ---- the stack ---- */

static bool push(Machine *m, PickleValue v)
{
    return append(m, &m->stack, v);
}

static PickleValue pop(Machine *m)
{
    PickleValue none = { PICKLE_NONE, { 0 } };
    if (m->stack.n == 0 || m->stack.item[m->stack.n - 1].kind == PICKLE_MARK) {
        fault(m, "damaged: a value is missing");
        return none;
    }
    return m->stack.item[--m->stack.n];
}

static PickleValue *top(Machine *m)
{
    if (m->stack.n > 0 && m->stack.item[m->stack.n - 1].kind != PICKLE_MARK)
        return &m->stack.item[m->stack.n - 1];
    fault(m, "damaged: a value is missing");
    return NULL;
}

/* Index of what follows the last mark, which is removed with all behind it by cut(); -1: no mark. */
static int marked(Machine *m)
{
    for (int i = m->stack.n - 1; i >= 0; i--)
        if (m->stack.item[i].kind == PICKLE_MARK)
            return i + 1;
    fault(m, "damaged: a mark is missing");
    return -1;
}

static bool push_node(Machine *m, PickleKind kind, const char *class)
{
    PickleNode *n = new_node(m, class);
    return n && push(m, (PickleValue){ kind, { .node = n } });
}

static bool push_integer(Machine *m, PickleKind kind, int64_t v)
{
    return push(m, (PickleValue){ kind, { .integer = v } });
}

static bool push_text(Machine *m, uint64_t n)
{
    const uint8_t *b = m->failed ? NULL : take(m, n);
    if (!b || !charge(m, n + 1))
        return false;
    if (memchr(b, '\0', n))             /* no name of a tensor; nothing else is asked for */
        return push(m, (PickleValue){ PICKLE_OPAQUE, { 0 } });
    return push(m, (PickleValue){ PICKLE_TEXT, { .text = str_ndup(m->arena, (const char *)b, n) } });
}

static bool push_opaque(Machine *m, uint64_t skip)
{
    return !m->failed && take(m, skip) && push(m, (PickleValue){ PICKLE_OPAQUE, { 0 } });
}

/* ---- collections ---- */

/* Values from `begin` on become a new collection; the mark before it goes, where there is one. */
static bool collect(Machine *m, PickleKind kind, int begin, bool mark)
{
    PickleNode *n = begin >= 0 ? new_node(m, NULL) : NULL;
    for (int i = begin; n && i < m->stack.n; i++)
        if (!append(m, n, m->stack.item[i]))
            return false;
    if (!n)
        return false;
    m->stack.n = begin - mark;
    return push(m, (PickleValue){ kind, { .node = n } });
}

static bool tuple_of(Machine *m, int n)
{
    for (int i = m->stack.n - n; i < m->stack.n; i++)
        if (i < 0 || m->stack.item[i].kind == PICKLE_MARK)
            return fault(m, "damaged: a value is missing");
    return collect(m, PICKLE_TUPLE, m->stack.n - n, false);
}

/* Adds the last n values to the collection below them. */
static bool extend(Machine *m, PickleKind kind, int begin, bool mark)
{
    int to = begin - mark - 1;
    if (begin < 0 || to < 0)
        return fault(m, "damaged: a collection is missing");
    PickleValue *v = &m->stack.item[to];
    if (v->kind == PICKLE_OPAQUE) {
        m->stack.n = to + 1;
        return true;
    }
    if (v->kind != kind || (kind == PICKLE_DICT && (m->stack.n - begin) % 2 != 0))
        return fault(m, "damaged: values for something that takes none");
    for (int i = begin; i < m->stack.n; i++)
        if (!append(m, v->node, m->stack.item[i]))
            return false;
    m->stack.n = to + 1;
    return true;
}

/* ---- the memo ---- */

static bool put(Machine *m, uint64_t index)
{
    PickleValue *v = m->failed ? NULL : top(m);
    if (!v)
        return false;
    if (index >= MEMO_MAX)
        return fault(m, "more values than a model has: refused");
    while ((uint64_t)m->memo.n <= index)
        if (!append(m, &m->memo, (PickleValue){ PICKLE_MARK, { 0 } }))
            return false;
    m->memo.item[index] = *v;
    return true;
}

static bool get(Machine *m, uint64_t index)
{
    if (m->failed || index >= (uint64_t)m->memo.n || m->memo.item[index].kind == PICKLE_MARK)
        return fault(m, "damaged: it refers to a value that is not there");
    return push(m, m->memo.item[index]);
}

/* ---- classes and calls ---- */

static bool refuse_call(Machine *m, const char *what, const char *class)
{
    return fault(m, str_format(m->arena, "%s '%s', which PyTorch would run: refused, nothing in a file is ever run%s",
                               what, text_line(m->arena, class), m->remedy));
}

static bool push_class(Machine *m, const char *module, const char *name)
{
    if (!module || !name || !charge(m, 2 * NAME_MAX_BYTES))
        return false;
    return push(m, (PickleValue){ PICKLE_CLASS, { .text = str_format(m->arena, "%s.%s", module, name) } });
}

static bool stack_global(Machine *m)
{
    PickleValue name = pop(m), module = pop(m);
    if (name.kind != PICKLE_TEXT || module.kind != PICKLE_TEXT || strlen(name.text) > NAME_MAX_BYTES
        || strlen(module.text) > NAME_MAX_BYTES)
        return fault(m, "damaged: expected the name of a class");
    return push_class(m, module.text, name.text);
}

static bool reduce(Machine *m)
{
    PickleValue arguments = pop(m), class = pop(m);
    if (m->failed || class.kind != PICKLE_CLASS || arguments.kind != PICKLE_TUPLE)
        return fault(m, "damaged: a call of what is no class");
    for (int i = 0; i < m->n_known; i++) {
        if (strcmp(m->known[i].name, class.text) != 0)
            continue;
        if (m->known[i].rule == RULE_OPAQUE)
            return push(m, (PickleValue){ PICKLE_OPAQUE, { 0 } });
        if (m->known[i].rule == RULE_DICT)
            return arguments.node->n == 0 ? push_node(m, PICKLE_DICT, NULL) : refuse_call(m, "a call of", class.text);
        PickleNode *n = new_node(m, class.text);
        if (!n)
            return false;
        n->item = arguments.node->item;
        n->n = n->room = arguments.node->n;
        return push(m, (PickleValue){ PICKLE_CALL, { .node = n } });
    }
    return refuse_call(m, "a call of", class.text);
}

/* An object without arguments is a name with attributes: nothing runs. */
static bool new_object(Machine *m)
{
    PickleValue arguments = pop(m), class = pop(m);
    if (m->failed || class.kind != PICKLE_CLASS || arguments.kind != PICKLE_TUPLE)
        return fault(m, "damaged: an object of what is no class");
    if (arguments.node->n > 0)
        return refuse_call(m, "an object of", class.text);
    return push_node(m, PICKLE_OBJECT, class.text);
}

/* State of an object: attributes. Of a dict too (OrderedDict's _metadata). */
static bool build(Machine *m)
{
    PickleValue state = pop(m), *v = m->failed ? NULL : top(m);
    if (!v)
        return false;
    if (v->kind == PICKLE_OBJECT)
        v->node->state = state;
    else if (v->kind != PICKLE_DICT && v->kind != PICKLE_OPAQUE)
        return fault(m, "damaged: attributes of what has none");
    return true;
}

static bool storage(Machine *m)
{
    PickleValue v = pop(m);
    if (m->failed || v.kind != PICKLE_TUPLE)
        return fault(m, "damaged: a reference that is no storage");
    v.kind = PICKLE_STORAGE;
    return push(m, v);
}

/* ---- opcodes ---- */

static bool long_integer(Machine *m, uint64_t n)
{
    if (m->failed || n > 8)             /* beyond 64 bits: a seed of a generator, nobody's size */
        return push_opaque(m, n);
    uint64_t v = number(m, n);
    if (n > 0 && n < 8 && v >> (8 * n - 1) & 1)
        v |= UINT64_MAX << 8 * n;
    return !m->failed && push_integer(m, PICKLE_INT, (int64_t)v);
}

static bool open_opcode(Machine *m, uint8_t op)
{
    return fault(m, isgraph(op) ? str_format(m->arena, "opcode '%c', which data do not need: refused", op)
                                : str_format(m->arena, "opcode 0x%02x, which data do not need: refused", op));
}

static bool scalar(Machine *m, uint8_t op)
{
    switch (op) {
    case 'N': return push_integer(m, PICKLE_NONE, 0);
    case 0x88: return push_integer(m, PICKLE_BOOL, 1);
    case 0x89: return push_integer(m, PICKLE_BOOL, 0);
    case 'J': return push_integer(m, PICKLE_INT, (int32_t)number(m, 4));
    case 'K': return push_integer(m, PICKLE_INT, (int64_t)number(m, 1));
    case 'M': return push_integer(m, PICKLE_INT, (int64_t)number(m, 2));
    case 0x8a: return long_integer(m, number(m, 1));
    case 0x8b: return long_integer(m, number(m, 4));
    case 'G': return take(m, 8) && push_integer(m, PICKLE_FLOAT, 0);
    case 'X': return push_text(m, number(m, 4));
    case 0x8c: return push_text(m, number(m, 1));
    case 0x8d: return push_text(m, number(m, 8));
    case 'T': return push_text(m, number(m, 4));
    case 'U': return push_text(m, number(m, 1));
    case 'B': return push_opaque(m, number(m, 4));
    case 'C': return push_opaque(m, number(m, 1));
    case 0x8e: return push_opaque(m, number(m, 8));
    default: return open_opcode(m, op);
    }
}

static bool collection(Machine *m, uint8_t op)
{
    switch (op) {
    case '(': return push_integer(m, PICKLE_MARK, 0);
    case ')': return push_node(m, PICKLE_TUPLE, NULL);
    case ']': return push_node(m, PICKLE_LIST, NULL);
    case '}': return push_node(m, PICKLE_DICT, NULL);
    case 0x8f: return push_node(m, PICKLE_LIST, NULL);
    case 't': return collect(m, PICKLE_TUPLE, marked(m), true);
    case 'l': case 0x91: return collect(m, PICKLE_LIST, marked(m), true);
    case 0x85: return tuple_of(m, 1);
    case 0x86: return tuple_of(m, 2);
    case 0x87: return tuple_of(m, 3);
    case 'a': return extend(m, PICKLE_LIST, m->stack.n - 1, false);
    case 'e': case 0x90: return extend(m, PICKLE_LIST, marked(m), true);
    case 's': return extend(m, PICKLE_DICT, m->stack.n - 2, false);
    case 'u': return extend(m, PICKLE_DICT, marked(m), true);
    default: return scalar(m, op);
    }
}

static bool step(Machine *m, uint8_t op)
{
    switch (op) {
    case 0x95: return take(m, 8) != NULL;
    case 'c': {
        const char *module = line(m), *name = module ? line(m) : NULL;
        return push_class(m, module, name);
    }
    case 0x93: return stack_global(m);
    case 'R': return reduce(m);
    case 0x81: return new_object(m);
    case 'b': return build(m);
    case 'Q': return storage(m);
    case 'q': return put(m, number(m, 1));
    case 'r': return put(m, number(m, 4));
    case 0x94: return put(m, (uint64_t)m->memo.n);
    case 'h': return get(m, number(m, 1));
    case 'j': return get(m, number(m, 4));
    case '0': pop(m); return !m->failed;
    default: return collection(m, op);
    }
}

bool pickle_read(const Subject *s, Arena *a, Bytes from, const PickleCallable *known, int n_known, const char *remedy,
                 PickleValue *out)
{
    Machine m = { .s = s, .arena = a, .from = from, .known = known, .n_known = n_known, .remedy = remedy };
    m.most = MEMORY_FREE + 2 * (uint64_t)from.size;
    if (from.size < 2 || from.data[0] != 0x80 || from.data[1] < 2 || from.data[1] > 4)
        return fault(&m, from.size > 1 && from.data[0] == 0x80
                             ? str_format(a, "a pickle of protocol %d; protocols 2 to 4 are read", from.data[1])
                             : "damaged: not a pickle of protocol 2 to 4");
    m.at = 2;
    for (;;) {
        m.op_at = m.at;
        const uint8_t *op = take(&m, 1);
        if (op && *op == '.')
            break;
        if (!op || !step(&m, *op) || m.failed)
            return fault(&m, "damaged");
    }
    *out = pop(&m);
    return !m.failed;
}

PickleValue pickle_item(PickleValue v, int i)
{
    bool has = v.kind == PICKLE_TUPLE || v.kind == PICKLE_LIST || v.kind == PICKLE_DICT || v.kind == PICKLE_CALL
            || v.kind == PICKLE_STORAGE;
    return has && i >= 0 && i < v.node->n ? v.node->item[i] : (PickleValue){ PICKLE_NONE, { 0 } };
}

PickleValue pickle_key(PickleValue dict, const char *key)
{
    PickleValue found = { PICKLE_NONE, { 0 } };
    for (int i = 0; dict.kind == PICKLE_DICT && i + 1 < dict.node->n; i += 2)
        if (dict.node->item[i].kind == PICKLE_TEXT && strcmp(dict.node->item[i].text, key) == 0)
            found = dict.node->item[i + 1];   /* as in Python, the last one counts */
    return found;
}
