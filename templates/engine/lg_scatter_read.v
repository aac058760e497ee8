// Reads out the sections in their order, one row tile after the other, as soon as all arrays
// have closed one and the output has room; sets the tiles' pace for the cell unit. After
// reset it sets all rows to 0 once.
`default_nettype none
module lg_scatter_read #(
    parameter TILES      = 4,     // words of the program: tiles of all sections of a step
    parameter TILE_FILE  = "",    // image; layout below, first field in the lowest bits
    parameter TILE_BITS  = TILES > 1 ? $clog2(TILES) : 1,
    parameter ROWS       = 4,     // addresses of rows of a bank
    parameter GAP_BITS   = 4,
    parameter READ_AT    = 0,     // cycles from the tile's control to its read
    parameter INDEX_BITS = ROWS > 1 ? $clog2(ROWS) : 1
) (
    input  wire                  clk_i,
    input  wire                  rst_i,
    input  wire                  closed_i,     // all arrays have closed a section,
                                               // and its sums are stored
    input  wire                  out_sent_i,   // an output slot was emptied
    input  wire [1:0]            step_clear_i, // per parity
    output wire                  ready_o,      // rows are 0
    output wire                  busy_o,
    // control of one tile
    output reg                   valid_q,
    output reg  [TILE_BITS-1:0]  tile_q,
    output reg                   parity_q,
    output reg                   clear_q,
    output reg                   fresh_q,      // its sums are of this step alone
    // to the arrays
    output wire [1:0]            read_o,
    output wire [INDEX_BITS-1:0] row_o,
    output wire [1:0]            zero_o,
    output wire [INDEX_BITS-1:0] zero_row_o,
    output wire                  out_bank_o,
    output wire                  release_o
);
    localparam T_ROW  = 0;
    localparam T_GAP  = T_ROW + INDEX_BITS;     // cycles after this tile in which none may follow
    localparam T_LAST = T_GAP + GAP_BITS;       // of its section
    localparam T_WAIT = T_LAST + 1;             // needs an output slot:
                                                // first tile of the last one
    localparam T_FRESH = T_LAST + 2;            // without deltas
    localparam T_WRAP = T_LAST + 3;
    localparam T_BITS = T_LAST + 4;
    localparam [TILE_BITS-1:0]  ONE_TILE = 1;
    localparam [GAP_BITS-1:0]   ONE_GAP  = 1;
    localparam [INDEX_BITS-1:0] LAST_ROW = ROWS - 1, ONE_ROW = 1;

    reg [TILE_BITS-1:0]  next_q;
    reg [GAP_BITS-1:0]   wait_q;
    reg [1:0]            closed_q, used_q;
    reg                  inside_q, step_q, bank_q;
    wire [T_BITS-1:0]    word;
    lg_rom_small #(.WIDTH(T_BITS), .DEPTH(TILES), .INIT_FILE(TILE_FILE)) u_program (
        .addr_i(next_q), .data_o(word));

    // ---- after reset
    reg                  sweep_q;
    reg [INDEX_BITS-1:0] sweep_row_q;
    always @(posedge clk_i) begin
        if (rst_i) begin
            sweep_q     <= 1'b1;
            sweep_row_q <= {INDEX_BITS{1'b0}};
        end else if (sweep_q) begin
            sweep_q     <= sweep_row_q != LAST_ROW;
            sweep_row_q <= sweep_row_q + ONE_ROW;
        end
    end
    assign ready_o = !sweep_q;

    // ---- tiles
    wire start = inside_q || (closed_q != 2'd0 && !(word[T_WAIT] && used_q == 2'd2));
    wire issue = start && wait_q == {GAP_BITS{1'b0}};
    wire leave = issue && word[T_LAST];
    always @(posedge clk_i) begin
        if (rst_i) begin
            next_q   <= {TILE_BITS{1'b0}};
            wait_q   <= {GAP_BITS{1'b0}};
            closed_q <= 2'd0;
            used_q   <= 2'd0;
            inside_q <= 1'b0;
            step_q   <= 1'b0;
            bank_q   <= 1'b0;
        end else begin
            if (issue) begin
                next_q   <= word[T_WRAP] ? {TILE_BITS{1'b0}} : next_q + ONE_TILE;
                wait_q   <= word[T_GAP +: GAP_BITS];
                inside_q <= !word[T_LAST];
                step_q   <= step_q ^ word[T_WRAP];
                bank_q   <= bank_q ^ word[T_LAST];
            end else if (wait_q != {GAP_BITS{1'b0}}) wait_q <= wait_q - ONE_GAP;
            closed_q <= closed_q + {1'b0, closed_i} - {1'b0, leave};
            used_q   <= used_q + {1'b0, issue && word[T_WAIT]} - {1'b0, out_sent_i};
        end
    end

    // ---- registered control
    reg                  leave_q, bank_q2;
    reg [INDEX_BITS-1:0] row_q;
    always @(posedge clk_i) begin
        valid_q  <= !rst_i && issue;
        leave_q  <= !rst_i && leave;
        tile_q   <= next_q;
        parity_q <= step_q;
        clear_q  <= step_clear_i[step_q];
        fresh_q  <= step_clear_i[step_q] || word[T_FRESH];
        row_q    <= word[T_ROW +: INDEX_BITS];
        bank_q2  <= bank_q;
    end
    wire                  read, bank, zero_bank;
    wire [INDEX_BITS-1:0] row;
    lg_delay_reset #(.WIDTH(2), .LATENCY(READ_AT)) u_read (
        .clk_i(clk_i), .rst_i(rst_i), .d_i({leave_q, valid_q}), .q_o({release_o, read}));
    lg_delay #(.WIDTH(1 + INDEX_BITS), .LATENCY(READ_AT)) u_row (
        .clk_i(clk_i), .d_i({bank_q2, row_q}), .q_o({bank, row}));
    wire [1:0] zero = {sweep_q || (read && bank), sweep_q || (read && !bank)};
    assign read_o = {read && bank, read && !bank};
    assign row_o  = row;
    lg_delay_reset #(.WIDTH(2), .LATENCY(1)) u_zero (
        .clk_i(clk_i), .rst_i(rst_i), .d_i(zero), .q_o(zero_o));
    lg_delay #(.WIDTH(INDEX_BITS), .LATENCY(1)) u_zero_row (
        .clk_i(clk_i), .d_i(sweep_q ? sweep_row_q : row), .q_o(zero_row_o));
    lg_delay #(.WIDTH(1), .LATENCY(1)) u_bank (.clk_i(clk_i), .d_i(bank), .q_o(zero_bank));
    lg_delay #(.WIDTH(1), .LATENCY(1)) u_out (.clk_i(clk_i), .d_i(zero_bank), .q_o(out_bank_o));
    assign busy_o = closed_q != 2'd0 || inside_q || used_q != 2'd0;
endmodule
`default_nettype wire
