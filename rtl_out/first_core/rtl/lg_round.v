// A signed value shifted right by DOWN bits (left where DOWN is negative), half rounded up; OUT bits
// hold whatever comes out. No register.
`default_nettype none
module lg_round #(
    parameter IN   = 24,
    parameter DOWN = 4,
    parameter OUT  = DOWN >= IN ? 2 : DOWN > 0 ? IN - DOWN + 1 : IN - DOWN
) (
    input  wire [IN-1:0]  value_i,
    output wire [OUT-1:0] value_o
);
    generate
        if (DOWN > 0) begin : gen_down
            localparam FULL = OUT + DOWN > IN ? OUT + DOWN : IN + 1;
            localparam [FULL-1:0] HALF = {{(FULL-1){1'b0}}, 1'b1} << (DOWN - 1);
            wire [FULL-1:0] rounded = {{(FULL-IN){value_i[IN-1]}}, value_i} + HALF;
            wire unused = ^rounded;
            assign value_o = rounded[DOWN +: OUT];
        end else begin : gen_up
            localparam FULL = IN - DOWN;
            wire [FULL-1:0] wide = {{(FULL-IN+1){value_i[IN-1]}}, value_i[IN-2:0]} << -DOWN;
            assign value_o = wide[OUT-1:0];
        end
    endgenerate
endmodule
`default_nettype wire
