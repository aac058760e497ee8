// Brings products to one fraction: their kinds (lg_cell) differ in theirs. No register, and no logic
// where all kinds that occur need the same shift.
`default_nettype none
module lg_align #(
    parameter IN    = 40,
    parameter OUT   = 44,
    parameter KINDS = 1,     // bit k: kind k occurs
    parameter UP0   = 0,     // left shift of each kind
    parameter UP1   = 0,
    parameter UP2   = 0
) (
    input  wire [IN-1:0]  value_i,
    input  wire [1:0]     kind_i,
    output wire [OUT-1:0] value_o
);
    localparam [2:0] OCCUR = KINDS;
    wire [OUT-1:0] wide = {{(OUT-IN+1){value_i[IN-1]}}, value_i[IN-2:0]};
    wire inner = OCCUR[2] && (kind_i[1] || OCCUR[1:0] == 2'd0);
    wire state = OCCUR[1] && (kind_i[0] || !OCCUR[0]);
    assign value_o = inner ? wide << UP2 : state ? wide << UP1 : wide << UP0;
endmodule
`default_nettype wire
