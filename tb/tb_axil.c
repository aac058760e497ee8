/* tb_axil.c: AXI4-Lite master: a queue of reads and writes, one at a time, with protocol checks. */
#include "tb.h"

#include <string.h>

enum { AWVALID = 1, WVALID = 2, ARVALID = 4, BREADY = 8, RREADY = 16 }; /* axil_flags of tb_top */
enum { QUEUE = 64, SLVERR = 2 };

typedef struct Operation {
    bool write, refused;
    uint32_t address, data, strobe;
    ReadDone done;
} Operation;
static Operation queue[QUEUE];
static int head, waiting; /* operations queue[head .. head + waiting) */

static vpiHandle port_flags, port_request, port_reply;
static uint32_t flags_out, flags_next;
static bool slow;

/* The operation under way: what is still to be offered (valid not yet given), and what is still to
 * be answered. */
static bool active;
static uint32_t to_offer;
static bool request_changed;

/* A reply that was on offer and not taken: it must come again, unchanged. */
static uint32_t held; /* AXIL_BVALID or AXIL_RVALID, or 0 */
static s_vpi_vecval held_reply[2];

bool axil_bind(void)
{
    port_flags = tb_signal("axil_flags");
    port_request = tb_signal("axil_request");
    port_reply = tb_signal("axil_reply");
    return port_flags && port_request && port_reply;
}

int axil_room(void)
{
    return QUEUE - waiting;
}

bool axil_idle(void)
{
    return !waiting && !active;
}

void axil_slow(bool on)
{
    slow = on;
}

static void enqueue(Operation op)
{
    if (!axil_room())
        tb_error("the testbench's own AXI4-Lite queue is full");
    else
        queue[(head + waiting++) % QUEUE] = op;
}

void axil_write_bytes(uint32_t address, uint32_t data, uint32_t strobe, bool refused)
{
    enqueue((Operation) { true, refused, address, data, strobe, NULL });
}

void axil_write(uint32_t address, uint32_t data)
{
    axil_write_bytes(address, data, 0xF, false);
}

void axil_read(uint32_t address, ReadDone done)
{
    enqueue((Operation) { false, false, address, 0, 0, done });
}

void axil_waiting(char *text, size_t room)
{
    const Operation *op = &queue[head];
    snprintf(text, room, "the AXI4-Lite %s of 0x%02x (still offered:%s%s%s)",
             op->write ? "write" : "read", (unsigned)op->address,
             flags_out & AWVALID ? " awvalid" : "", flags_out & WVALID ? " wvalid" : "",
             flags_out & ARVALID ? " arvalid" : "");
}

/* ---------------------------------------------------------------- one operation */

static void begin_operation(void)
{
    active = true;
    to_offer = queue[head].write ? AWVALID | WVALID : ARVALID;
    request_changed = true;
}

static void end_operation(uint32_t value)
{
    Operation op = queue[head];
    head = (head + 1) % QUEUE;
    waiting--;
    active = false;
    if (stream_done()) /* reads at random must not hide a stream that stands still */
        tb_progress();
    if (op.done)
        op.done(value);
}

static bool go(void)
{
    return !slow || (tb_random() & 3) == 0;
}

/* Valids taken at this edge disappear; the rest stays, and what was not offered yet may begin. */
static uint32_t next_requests(uint32_t flags)
{
    uint32_t out = flags_out & (AWVALID | WVALID | ARVALID);
    if (flags & AXIL_AWREADY)
        out &= ~(uint32_t)AWVALID;
    if (flags & AXIL_WREADY)
        out &= ~(uint32_t)WVALID;
    if (flags & AXIL_ARREADY)
        out &= ~(uint32_t)ARVALID;
    for (uint32_t bit = AWVALID; bit <= ARVALID; bit <<= 1) {
        if ((to_offer & bit) && go()) {
            to_offer &= ~bit;
            out |= bit;
        }
    }
    return out;
}

/* Checks the reply on offer; returns whether it is transferred at this edge. */
static bool check_reply(uint32_t kind, uint32_t ready, uint32_t *value)
{
    s_vpi_value v = { .format = vpiVectorVal };
    vpi_get_value(port_reply, &v);
    s_vpi_vecval reply[2] = { v.value.vector[0], v.value.vector[1] };
    if (kind == AXIL_BVALID) { /* rdata and rresp mean nothing here */
        memset(&reply[0], 0, sizeof reply[0]);
        reply[1].aval &= 3;
        reply[1].bval &= 3;
    } else {
        reply[1].aval &= 12;
        reply[1].bval &= 12;
    }
    const Operation *op = &queue[head];
    if (held == kind && memcmp(held_reply, reply, sizeof reply))
        tb_error("AXI4-Lite reply of 0x%02x changed while its ready was 0", (unsigned)op->address);
    memcpy(held_reply, reply, sizeof reply);
    if (!(flags_out & ready)) {
        held = kind;
        return false;
    }
    held = 0;
    if (reply[0].bval || reply[1].bval)
        tb_error("AXI4-Lite %s of 0x%02x returns X or Z", op->write ? "write" : "read",
                 (unsigned)op->address);
    if (reply[1].aval != (op->refused ? SLVERR : 0))
        tb_error("AXI4-Lite %s of 0x%02x: response is not %s", op->write ? "write" : "read",
                 (unsigned)op->address, op->refused ? "SLVERR" : "OKAY");
    *value = (uint32_t)reply[0].aval;
    return true;
}

void axil_sample(uint32_t flags)
{
    flags_next = flags_out;
    if (!active) {
        if (flags & (AXIL_BVALID | AXIL_RVALID))
            tb_error("AXI4-Lite: %s without a request", flags & AXIL_BVALID ? "bvalid" : "rvalid");
        if (!waiting || !go())
            return;
        begin_operation();
    }
    bool write = queue[head].write;
    uint32_t kind = write ? AXIL_BVALID : AXIL_RVALID, ready = write ? BREADY : RREADY, value = 0;
    bool pending = to_offer || (flags_out & (AWVALID | WVALID | ARVALID));
    if (held && !(flags & held))
        tb_error("AXI4-Lite: %s fell before it was taken",
                 held == AXIL_BVALID ? "bvalid" : "rvalid");
    held &= flags;
    if (flags & (AXIL_BVALID | AXIL_RVALID) & ~kind)
        tb_error("AXI4-Lite: %s without a request", write ? "rvalid" : "bvalid");
    bool finished = false;
    if (flags & kind) {
        if (pending)
            tb_error("AXI4-Lite: %s before the request was taken", write ? "bvalid" : "rvalid");
        finished = check_reply(kind, ready, &value) && !pending;
    }
    flags_next = next_requests(flags) | (!finished && go() ? ready : 0);
    if (finished)
        end_operation(value);
}

void axil_drive(void)
{
    s_vpi_value v = { .format = vpiVectorVal };
    if (request_changed) {
        const Operation *op = &queue[head];
        s_vpi_vecval request[3] = { { 0, 0 }, { 0, 0 }, { 0, 0 } };
        request[0].aval = (PLI_INT32)op->data;
        request[1].aval = (PLI_INT32)(op->address << 20 | op->strobe << 16 | op->address);
        request[2].aval = (PLI_INT32)(op->address >> 12);
        v.value.vector = request;
        vpi_put_value(port_request, &v, NULL, vpiNoDelay);
        request_changed = false;
    }
    if (flags_next != flags_out) {
        s_vpi_vecval bits = { .aval = (PLI_INT32)flags_next };
        v.value.vector = &bits;
        vpi_put_value(port_flags, &v, NULL, vpiNoDelay);
        flags_out = flags_next;
    }
}
