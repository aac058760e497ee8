// Write queue of h: the cell unit makes LANES elements in a cycle, now and then; a copy of the
// vector takes BANKS. A beat leaves in PARTS cycles, from the one after it came on at the earliest.
// Nothing ever stops the queue: counters that hear of a beat some cycles before it comes (soon_i)
// are as many cycles ahead of it, and tell (done_o) when the last part of a layer's last beat
// (done_i, with soon_i) will leave.
`default_nettype none
module lg_queue #(
    parameter LANES   = 4,     // elements of a beat
    parameter BANKS   = 2,     // fewer than LANES
    parameter WIDTH   = 16,    // bits of an element
    parameter ADDR    = 4,     // bank address
    parameter DEPTH   = 4,     // beats that wait, besides the one that leaves; power of two,
                               // at least 2
    parameter LAYERS  = 1,
    parameter ALIGNED = 0,     // of lg_route: beats begin in bank 0
    parameter BANK    = $clog2(BANKS + 1)
) (
    input  wire                   clk_i,
    input  wire                   rst_i,
    input  wire                   soon_i,     // a beat comes, a fixed number of cycles later
    input  wire [LAYERS-1:0]      done_i,     // with soon_i
    output wire [LAYERS-1:0]      done_o,     // the layer's last part leaves, as many cycles later
    input  wire                   valid_i,
    input  wire [LANES-1:0]       mask_i,     // elements that are stored
    input  wire [LANES*WIDTH-1:0] data_i,
    input  wire [BANK-1:0]        bank_i,     // of element 0; the next one lies in the next bank
    input  wire [ADDR-1:0]        addr_i,
    output wire                   valid_o,    // the banks are written in this cycle
    output wire [BANKS-1:0]       we_o,
    output wire [BANKS*ADDR-1:0]  addr_o,
    output wire [BANKS*WIDTH-1:0] data_o
);
    localparam PARTS = (LANES + BANKS - 1) / BANKS;
    localparam ROOM  = PARTS * BANKS;
    localparam PART  = $clog2(PARTS);
    localparam COUNT = $clog2((DEPTH + 1) * PARTS + 1);
    localparam [PART-1:0]  LAST_PART = PARTS - 1, ONE_PART = 1;
    localparam [COUNT-1:0] ALL_PARTS = PARTS, ONE = 1;
    localparam [COUNT-1:0] NONE = {COUNT{1'b0}};
    localparam [ADDR-1:0]  ONE_ADDR = 1;
    localparam [BANK-1:0]  MODULUS = BANKS;

    // ---- beats: one that leaves, the others behind it
    reg                   busy_q;
    reg [PART-1:0]        part_q;
    reg [ROOM-1:0]        mask_q;
    reg [ROOM*WIDTH-1:0]  data_q;
    reg [BANK-1:0]        bank_q;
    reg [ADDR-1:0]        addr_q;
    wire                  free   = !busy_q || part_q == LAST_PART;
    wire                  waiting;
    wire                  direct = free && !waiting && valid_i;
    wire [LANES-1:0]       next_mask;
    wire [LANES*WIDTH-1:0] next_data;
    wire [BANK-1:0]        next_bank;
    wire [ADDR-1:0]        next_addr;
    wire [$clog2(DEPTH):0] unused_level;
    lg_fifo #(.WIDTH(LANES*(WIDTH + 1) + BANK + ADDR), .DEPTH(DEPTH)) u_beats (
        .clk_i(clk_i), .rst_i(rst_i), .push_i(valid_i && !direct),
        .data_i({mask_i, data_i, bank_i, addr_i}), .valid_o(waiting), .pop_i(free),
        .data_o({next_mask, next_data, next_bank, next_addr}), .level_o(unused_level));
    wire [ROOM-1:0]       new_mask;
    wire [ROOM*WIDTH-1:0] new_data;
    assign new_mask[LANES-1:0]       = waiting ? next_mask : mask_i;
    assign new_data[LANES*WIDTH-1:0] = waiting ? next_data : data_i;
    generate
        if (ROOM > LANES) begin : gen_pad      // the last part has fewer
            assign new_mask[ROOM-1:LANES]             = {(ROOM-LANES){1'b0}};
            assign new_data[ROOM*WIDTH-1:LANES*WIDTH] = {((ROOM-LANES)*WIDTH){1'b0}};
        end
    endgenerate
    always @(posedge clk_i) begin
        if (rst_i)     busy_q <= 1'b0;
        else if (free) busy_q <= waiting || valid_i;
        part_q <= free ? {PART{1'b0}} : part_q + ONE_PART;
        mask_q <= free ? new_mask : mask_q >> BANKS;
        data_q <= free ? new_data : data_q >> BANKS * WIDTH;
        addr_q <= !free ? addr_q + ONE_ADDR : waiting ? next_addr : addr_i;
        if (free) bank_q <= waiting ? next_bank : bank_i;
    end
    lg_route #(.COUNT(BANKS), .BANKS(BANKS), .WIDTH(WIDTH), .ADDR(ADDR),
               .ALIGNED(ALIGNED)) u_route (
        .valid_i(mask_q[BANKS-1:0] & {BANKS{busy_q}}), .data_i(data_q[BANKS*WIDTH-1:0]),
        .start_i(bank_q), .modulus_i(MODULUS), .addr_i(addr_q), .we_o(we_o), .addr_o(addr_o),
        .data_o(data_o));
    assign valid_o = busy_q;

    // ---- parts that are to leave, seen ahead
    reg  [COUNT-1:0] left_q;
    wire [COUNT-1:0] left = left_q - (left_q == NONE ? NONE : ONE) + (soon_i ? ALL_PARTS : NONE);
    always @(posedge clk_i) left_q <= rst_i ? NONE : left;
    genvar layer;
    generate
        for (layer = 0; layer < LAYERS; layer = layer + 1) begin : gen_layer
            reg [COUNT-1:0] until_q;
            always @(posedge clk_i)
                if (rst_i)                until_q <= NONE;
                else if (done_i[layer])   until_q <= left;
                else if (until_q != NONE) until_q <= until_q - ONE;
            assign done_o[layer] = until_q == ONE;
        end
    endgenerate
endmodule
`default_nettype wire
