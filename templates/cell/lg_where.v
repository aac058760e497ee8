// Where the results of a tile go. What the tile table says of that waits for the tile's first
// results (lg_wait) and then counts along with them, LANES rows a cycle, SHIFTS cycles. Outputs are
// there LATENCY + 1 cycles after start_i.
`default_nettype none
module lg_where #(
    parameter LANES   = 1,
    parameter SHIFTS  = 4,   // cycles of a tile
    parameter LATENCY = 20,
    parameter BANKS   = 4,
    parameter ADDR    = 4,
    parameter ROWS    = 3,   // bits
    parameter ENTRY   = 2,   // bits
    parameter BANK    = $clog2(BANKS + 1)
) (
    input  wire             clk_i,
    input  wire             rst_i,
    input  wire             start_i,
    // of the tile, with start_i
    input  wire             vector_i, output_i, ydone_i, slot_i,
    input  wire [ROWS-1:0]  rows_i,
    input  wire [BANK-1:0]  bank_i, modulus_i,
    input  wire [ADDR-1:0]  addr_i,
    input  wire [ENTRY-1:0] entry_i,
    input  wire             valid_i,   // a cycle before results
    // of a cycle's results
    output reg              vector_q, output_q,
    output reg              ydone_q,   // the last of them
    output reg              slot_q,
    output reg  [ROWS-1:0]  rows_q,    // that are left of the tile
    output reg  [BANK-1:0]  bank_q, modulus_q,
    output reg  [ADDR-1:0]  addr_q,
    output reg  [ENTRY-1:0] entry_q
);
    localparam WIDTH = 4 + ROWS + 2 * BANK + ADDR + ENTRY;
    localparam COUNT = SHIFTS > 1 ? $clog2(SHIFTS) : 1;
    localparam [COUNT-1:0] LAST = SHIFTS - 1, ONE = 1, NONE = 0;
    localparam [ENTRY-1:0] ONE_ENTRY = 1;
    localparam [ADDR-1:0]  ONE_ADDR  = 1;
    localparam [ROWS-1:0]  STEP_ROWS = LANES;
    // From beat to beat; with more lanes than banks some whole addresses, all banks being used.
    localparam             JUMP  = LANES > BANKS ? LANES / BANKS : 0;
    localparam [BANK-1:0]  STEP  = LANES - JUMP * BANKS;
    localparam [ADDR-1:0]  WHOLE = JUMP;
    wire             first, to_vector, to_output, last, slot;
    wire [ROWS-1:0]  rows;
    wire [BANK-1:0]  bank, modulus;
    wire [ADDR-1:0]  addr;
    wire [ENTRY-1:0] entry;
    lg_wait #(.WIDTH(WIDTH), .LATENCY(LATENCY), .EVERY(SHIFTS)) u_wait (
        .clk_i(clk_i), .rst_i(rst_i), .push_i(start_i),
        .d_i({vector_i, output_i, ydone_i, slot_i, rows_i, bank_i, modulus_i, addr_i, entry_i}),
        .valid_o(first),
        .q_o({to_vector, to_output, last, slot, rows, bank, modulus, addr, entry}));
    reg               to_vector_q, to_output_q, last_q;
    reg  [COUNT-1:0]  shift_q;
    wire [COUNT-1:0]  shift     = first ? NONE : shift_q + ONE;
    wire [BANK:0]     moved     = {1'b0, bank_q} + {1'b0, STEP};
    wire              wraps     = moved >= {1'b0, modulus_q};
    wire [BANK-1:0]   next_bank = wraps ? bank_q + STEP - modulus_q : bank_q + STEP;
    wire [ROWS:0]     rows_left = {1'b0, rows_q} - {1'b0, STEP_ROWS};
    always @(posedge clk_i) begin
        vector_q <= !rst_i && valid_i && (first ? to_vector : to_vector_q);
        output_q <= !rst_i && valid_i && (first ? to_output : to_output_q);
        ydone_q  <= !rst_i && valid_i && (first ? last : last_q) && shift == LAST;
        shift_q  <= shift;
        if (first) begin
            to_vector_q <= to_vector;
            to_output_q <= to_output;
            last_q      <= last;
            slot_q      <= slot;
            rows_q      <= rows;
            bank_q      <= bank;
            modulus_q   <= modulus;
            addr_q      <= addr;
            entry_q     <= entry;
        end else begin
            rows_q  <= rows_left[ROWS] ? {ROWS{1'b0}} : rows_left[ROWS-1:0];
            bank_q  <= next_bank;
            addr_q  <= addr_q + WHOLE + (wraps ? ONE_ADDR : {ADDR{1'b0}});
            entry_q <= entry_q + ONE_ENTRY;
        end
    end
endmodule
`default_nettype wire
