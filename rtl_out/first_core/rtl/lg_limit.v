// Limits a signed value of IN bits to what OUT bits hold and, where clip_i says so, to +-LIMIT.
// No register. cut_o: the value did not fit OUT bits, and no clip had asked for less.
`default_nettype none
module lg_limit #(
    parameter IN    = 24,
    parameter OUT   = 16,
    parameter LIMIT = 0      // largest magnitude with clip_i, below 2^(OUT-1); 0: clip_i is ignored
) (
    input  wire [IN-1:0]  value_i,
    input  wire           clip_i,
    output wire [OUT-1:0] value_o,
    output wire           cut_o
);
    wire signed [OUT-1:0] held;
    wire                  fits;
    generate
        if (IN > OUT) begin : gen_saturate
            assign fits = value_i[IN-1:OUT-1] == {(IN-OUT+1){value_i[IN-1]}};
            assign held = fits ? value_i[OUT-1:0] : {value_i[IN-1], {(OUT-1){!value_i[IN-1]}}};
        end else begin : gen_widen
            assign fits = 1'b1;
            assign held = {{(OUT-IN+1){value_i[IN-1]}}, value_i[IN-2:0]};
        end
        if (LIMIT > 0) begin : gen_clip
            localparam signed [OUT-1:0] TOP = LIMIT, BOTTOM = -LIMIT;
            wire above = held > TOP, below = held < BOTTOM;
            assign value_o = clip_i && above ? TOP : clip_i && below ? BOTTOM : held;
            assign cut_o   = !fits && !clip_i;
        end else begin : gen_no_clip
            assign value_o = held;
            assign cut_o   = !fits;
            wire unused = clip_i;
        end
    endgenerate
endmodule
`default_nettype wire
