// Takes the accumulators of all PEs at once and hands them out OUTPUTS at a time, PE
// 0 first. With as many outputs as PEs it is a wire. Latency 1 otherwise; a new load
// may come with the last shift.
`default_nettype none
module lg_chain #(
    parameter ROWS     = 8,    // accumulators
    parameter OUTPUTS  = 2,    // rows handed out per cycle
    parameter ACC_BITS = 32
) (
    input  wire                        clk_i,
    input  wire                        load_i,
    input  wire [ROWS*ACC_BITS-1:0]    acc_i,
    output wire [OUTPUTS*ACC_BITS-1:0] row_o
);
    generate
        if (OUTPUTS >= ROWS) begin : gen_wire
            assign row_o = acc_i;
            wire unused = clk_i ^ load_i;
        end else begin : gen_chain
            reg [ROWS*ACC_BITS-1:0] chain_q;
            always @(posedge clk_i)
                if (load_i) chain_q <= acc_i;
                else        chain_q <= {{OUTPUTS*ACC_BITS{1'b0}},
                                        chain_q[ROWS*ACC_BITS-1:OUTPUTS*ACC_BITS]};
            assign row_o = chain_q[OUTPUTS*ACC_BITS-1:0];
        end
    endgenerate
endmodule
`default_nettype wire
