// lg_queue: beats at random times, some of them a layer's last. Every element that is
// stored must be in its bank, none that is not; done_o must come EARLY cycles before
// the layer's last part leaves.
`timescale 1ns/1ps
module tb;
    parameter LANES   = 4;
    parameter BANKS   = 2;
    parameter DEPTH   = 4;
    parameter ALIGNED = 0;
    parameter OFTEN   = 2;       // a beat in one of so many cycles, at most
    localparam WIDTH = 16, ADDR = 12, LAYERS = 2, EARLY = 3, BANK = $clog2(BANKS + 1);
    localparam PARTS = (LANES + BANKS - 1) / BANKS, CYCLES = 3000, ROOM = BANKS << ADDR;

    reg                    clk = 1'b0, rst = 1'b1;
    reg                    soon = 1'b0;
    reg  [LAYERS-1:0]      done = 0;
    reg  [EARLY-1:0]       coming = 0;
    reg                    valid = 1'b0;
    reg  [LANES-1:0]       mask;
    reg  [LANES*WIDTH-1:0] data;
    reg  [BANK-1:0]        bank;
    reg  [ADDR-1:0]        addr;
    wire                   writes;
    wire [LAYERS-1:0]      told;
    wire [BANKS-1:0]       we;
    wire [BANKS*ADDR-1:0]  waddr;
    wire [BANKS*WIDTH-1:0] wdata;
    lg_queue #(.LANES(LANES), .BANKS(BANKS), .WIDTH(WIDTH), .ADDR(ADDR), .DEPTH(DEPTH),
               .LAYERS(LAYERS), .ALIGNED(ALIGNED)) u_queue (
        .clk_i(clk), .rst_i(rst), .soon_i(soon), .done_i(done), .done_o(told), .valid_i(valid),
        .mask_i(mask), .data_i(data), .bank_i(bank), .addr_i(addr), .valid_o(writes), .we_o(we),
        .addr_o(waddr), .data_o(wdata));

    reg [WIDTH-1:0] wanted [0:ROOM-1], found [0:ROOM-1];
    reg [ROOM-1:0]  stored = 0, written = 0;
    integer         pushed = 0, left_parts = 0, position = 0, errors = 0, tolds = 0, dones = 0, now,
                    k, slot;
    integer         target [0:LAYERS-1];
    reg [LAYERS-1:0] open = 0;
    reg [LAYERS*EARLY-1:0] late = 0;
    always #5 clk = !clk;

    // What the cell unit does: tells of a beat, brings it EARLY cycles later,
    // at the next free position.
    task drive;
        begin
            soon = now < CYCLES - 200 && $random % OFTEN == 0
                   && pushed - left_parts <= (DEPTH - 1) * PARTS;
            done = 0;
            if (soon) begin
                pushed = pushed + PARTS;
                k = $random & 1;
                if ($random % 4 == 0 && !open[k]) begin
                    done[k] = 1'b1;
                    open[k] = 1'b1;
                    target[k] = pushed;
                    dones = dones + 1;
                end
            end
            valid  = coming[EARLY-1];
            coming = {coming[EARLY-2:0], soon};
            mask   = $random;
            bank   = position % BANKS;
            addr   = position / BANKS;
            for (k = 0; k < LANES; k = k + 1) begin
                data[k*WIDTH +: WIDTH] = $random;
                if (valid && mask[k]) begin
                    wanted[position + k] = data[k*WIDTH +: WIDTH];
                    stored[position + k] = 1'b1;
                end
            end
            if (valid) position = position + (ALIGNED != 0 ? PARTS * BANKS : LANES);
        end
    endtask

    task look;
        begin
            if (writes) left_parts = left_parts + 1;
            for (k = 0; k < BANKS; k = k + 1)
                if (we[k]) begin
                    slot = waddr[k*ADDR +: ADDR] * BANKS + k;
                    found[slot] = wdata[k*WIDTH +: WIDTH];
                    written[slot] = 1'b1;
                    if (!writes) errors = errors + 1;
                end
            for (k = 0; k < LAYERS; k = k + 1) begin
                if (late[k*EARLY+EARLY-1]) begin
                    tolds = tolds + 1;
                    if (!open[k] || !writes || left_parts != target[k]) errors = errors + 1;
                    open[k] = 1'b0;
                end
                late[k*EARLY +: EARLY] = {late[k*EARLY +: EARLY-1], told[k]};
            end
        end
    endtask

    initial begin
        repeat (3) @(posedge clk);
        #1 rst = 1'b0;
        for (now = 0; now < CYCLES; now = now + 1) begin
            drive;
            #4 look;
            @(posedge clk);
            #1;
        end
        for (k = 0; k < ROOM; k = k + 1)
            if (stored[k] !== written[k] || (stored[k] && wanted[k] !== found[k]))
                errors = errors + 1;
        if (dones < 20 || tolds != dones || left_parts != pushed) errors = errors + 1;
        $display("%0d errors, %0d beats, %0d layers done", errors, pushed / PARTS, tolds);
        $finish;
    end
endmodule
