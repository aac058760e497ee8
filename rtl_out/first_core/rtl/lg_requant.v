// Row accumulator plus bias (or the partial sum kept earlier), right shift by the row's amount, then
// a late addend, saturation and, where asked for, a clip. The rounding half is part of the bias.
// row_i arrives with addend_i; z_o is valid 4 cycles later, sum_o one cycle later.
`default_nettype none
module lg_requant #(
    parameter ACC        = 40,  // bits of accumulator, bias and partial sum
    parameter LEFT       = 0,   // constant left shift before the row's right shift
    parameter SHIFT_BITS = 6,   // bits of the row's shift
    parameter OUT        = 18,  // bits of z
    parameter LATE       = 0,   // bits of the late addend; 0: none
    parameter LIMIT      = 0,   // of lg_limit
    parameter LATE_IN    = LATE > 0 ? LATE : 1
) (
    input  wire                  clk_i,
    input  wire [ACC-1:0]        row_i,
    input  wire [ACC-1:0]        addend_i,
    input  wire [SHIFT_BITS-1:0] shift_i,   // with row_i
    input  wire [LATE_IN-1:0]    late_i,    // three cycles after row_i
    input  wire                  clip_i,    // three cycles after row_i
    output wire [ACC-1:0]        sum_o,
    output wire [OUT-1:0]        z_o
);
    localparam WIDE  = ACC + LEFT;
    localparam TOTAL = LATE == 0 ? WIDE : (LATE > WIDE ? LATE : WIDE) + 1;
    localparam FINE  = SHIFT_BITS > 3 ? 3 : SHIFT_BITS;
    reg [ACC-1:0]        sum_q;
    reg [SHIFT_BITS-1:0] shift_q;
    reg [FINE-1:0]       fine_q;
    reg signed [WIDE-1:0] coarse_q, fine_shifted_q;
    reg [OUT-1:0]        z_q;
    wire signed [WIDE-1:0] wide;
    wire [SHIFT_BITS-1:0]  coarse;
    generate
        if (LEFT > 0) begin : gen_left
            assign wide = {sum_q, {LEFT{1'b0}}};
        end else begin : gen_same
            assign wide = sum_q;
        end
        if (SHIFT_BITS > 3) begin : gen_coarse
            assign coarse = {shift_q[SHIFT_BITS-1:3], 3'd0};
        end else begin : gen_fine_only
            assign coarse = {SHIFT_BITS{1'b0}};
        end
    endgenerate
    always @(posedge clk_i) begin
        sum_q          <= row_i + addend_i;
        shift_q        <= shift_i;
        coarse_q       <= wide >>> coarse;
        fine_q         <= shift_q[FINE-1:0];
        fine_shifted_q <= coarse_q >>> fine_q;
    end
    wire [TOTAL-1:0] total;
    wire [OUT-1:0]   z;
    wire             unused_cut;
    generate
        if (LATE > 0) begin : gen_late
            assign total = {{(TOTAL-WIDE){fine_shifted_q[WIDE-1]}}, fine_shifted_q}
                           + {{(TOTAL-LATE){late_i[LATE-1]}}, late_i};
        end else begin : gen_no_late
            assign total = fine_shifted_q;
            wire unused_late = late_i;
        end
    endgenerate
    lg_limit #(.IN(TOTAL), .OUT(OUT), .LIMIT(LIMIT)) u_limit (
        .value_i(total), .clip_i(clip_i), .value_o(z), .cut_o(unused_cut));
    always @(posedge clk_i) z_q <= z;
    assign sum_o = sum_q;
    assign z_o   = z_q;
endmodule
`default_nettype wire
