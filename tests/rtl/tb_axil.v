// lg_axil against a model: a master that writes (address before data, data before address, slow and
// back to back, any wstrb), one that reads at the same time, resets of one cycle amid both.
// Then every word of 64 KiB is written (but registers) and read.
`timescale 1ns/1ps
module tb;
    parameter LOADABLE  = 1;
    parameter WORD_BITS = 40;
    parameter WRITES    = 3000;
    parameter WORDS_ALL = 16384;       // of the address space that are written and read in the end
    localparam PARTS = (WORD_BITS + 31) / 32;
    localparam RECORD_FIRST = 3, MEMORIES = 5, WORDS = 6, RECORDS = 4;
    localparam [31:0] VERSION = 32'h00010203, HASH = 32'hCAFE1234;

    reg         clk = 1'b0, rst = 1'b1;
    reg  [15:0] awaddr = 16'hx, araddr = 16'hx;
    reg  [31:0] wdata = 32'hx;
    reg  [3:0]  wstrb = 4'hx;
    reg         awvalid = 1'b0, wvalid = 1'b0, bready = 1'b0, arvalid = 1'b0, rready = 1'b0;
    wire        awready, wready, bvalid, arready, rvalid, enable, load_we;
    wire [1:0]  bresp, rresp, delta_we;
    wire [31:0] rdata, delta;
    wire [11:0] load_memory;
    wire [19:0] load_addr;
    wire [WORD_BITS-1:0] load_data;
    reg         flip = 1'b0;           // all valids are turned for a moment between two edges
    integer     at_write = 0;
    reg  [31:0] threshold [0:1];
    reg  [63:0] cycles = 64'd0;        // the halves belong together: low = mix(high)
    function [31:0] mix(input [31:0] high);
        mix = high * 32'h9E3779B1 ^ 32'h12345678;
    endfunction
    lg_axil #(.VERSION(VERSION), .SPEC_HASH(HASH), .LOADABLE(LOADABLE), .WORD_BITS(WORD_BITS),
              .RECORD_FIRST(RECORD_FIRST), .MEMORIES(MEMORIES), .WORDS(WORDS),
              .RECORDS(RECORDS)) dut (
        .clk_i(clk), .rst_i(rst), .s_axil_awaddr(awaddr), .s_axil_awvalid(awvalid ^ flip),
        .s_axil_awready(awready), .s_axil_wdata(wdata), .s_axil_wstrb(wstrb),
        .s_axil_wvalid(wvalid ^ flip), .s_axil_wready(wready), .s_axil_bresp(bresp),
        .s_axil_bvalid(bvalid), .s_axil_bready(bready), .s_axil_araddr(araddr),
        .s_axil_arvalid(arvalid ^ flip), .s_axil_arready(arready), .s_axil_rdata(rdata),
        .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready), .busy_i(1'b1),
        .stream_error_i(1'b1), .steps_i(32'h0C0C0C0C), .cycles_i(cycles), .interval_i(32'h18181818),
        .latency_i(32'h1C1C1C1C), .saturations_i(32'h20202020), .enable_o(enable),
        .delta_i({32'h4C4C4C4C, 32'h48484848, 32'h44444444, 32'h40404040, threshold[1],
                  threshold[0]}),
        .delta_we_o(delta_we), .delta_o(delta), .load_we_q(load_we), .load_memory_q(load_memory),
        .load_addr_q(load_addr), .load_data_o(load_data));

    integer errors = 0, writes = 0, refusals = 0, loads = 0, reads = 0, resets = 0;
    integer k, n, at;
    task wrong(input [8*40-1:0] what, input [31:0] a, input [31:0] b);
        begin
            errors = errors + 1;
            if (errors < 10) $display("%0s: %h %h at %0t", what, a, b, $time);
            if (errors == 10) begin
                $display("10 errors, no more");
                $finish;
            end
        end
    endtask

    // ---- around the core: counter, thresholds, memories
    reg [WORD_BITS-1:0] got [0:63], want [0:63];
    always #5 clk = !clk;
    always @(posedge clk) begin
        cycles <= {cycles[63:32] + 32'd1, mix(cycles[63:32] + 32'd1)};
        for (k = 0; k < 2; k = k + 1)
            if (rst)              threshold[k] <= k == 0 ? 32'h38383838 : 32'h3C3C3C3C;
            else if (delta_we[k]) threshold[k] <= delta;
        if (load_we === 1'b1) begin
            loads = loads + 1;
            if (load_memory >= MEMORIES || load_addr >= (load_memory < RECORD_FIRST ? WORDS : RECORDS))
                wrong("a word beyond its memory is written", load_memory, load_addr);
            else got[{load_memory[2:0], load_addr[2:0]}] = load_data;
        end
    end

    // ---- rules of the protocol: replies stay until they are taken, none in reset, and ready does
    // not follow valid within a cycle
    reg        b_held = 1'b0, r_held = 1'b0;
    reg [1:0]  b_kept;
    reg [33:0] r_kept;
    always @(posedge clk) begin
        if (b_held && !rst && (!bvalid || bresp !== b_kept)) wrong("a write's reply changed", bvalid, bresp);
        if (r_held && !rst && (!rvalid || {rresp, rdata} !== r_kept)) wrong("a read's reply changed", rvalid, rdata);
        if (rst && (bvalid || rvalid || awready || wready || arready))
            wrong("offers in reset", {bvalid, rvalid}, {awready, wready, arready});
        if (!rst && (^{bvalid, rvalid, awready, wready, arready}) === 1'bx) wrong("unknown", 0, 0);
        b_held = !rst && bvalid && !bready;
        r_held = !rst && rvalid && !rready;
        b_kept = bresp;
        r_kept = {rresp, rdata};
    end
    reg [2:0] ready;
    always @(negedge clk)
        if (at_write < 300) begin
            ready = {awready, wready, arready};
            flip = 1'b1;
            #1 if (ready !== {awready, wready, arready})
                wrong("ready follows valid", ready, {awready, wready, arready});
            flip = 1'b0;
        end

    // ---- the model of what writes do
    reg               enabled;
    reg [31:0]        limit [0:1];
    reg [PARTS*32-1:0] stage;
    reg [31:0]        pointer, parts;
    integer           part, loaded, k_want;
    wire [31:0]       lanes = {{8{m_strobe[3]}}, {8{m_strobe[2]}}, {8{m_strobe[1]}}, {8{m_strobe[0]}}};
    reg [15:0]        m_address;
    reg [31:0]        m_data, merged;
    reg [3:0]         m_strobe;
    reg               beyond, m_refused, written = 1'b0;
    reg [5:0]         word_at;
    task model_reset;
        begin
            enabled = LOADABLE == 0;
            limit[0] = 32'h38383838;
            limit[1] = 32'h3C3C3C3C;
            pointer = 0;
            parts = 1;
            part = 0;
        end
    endtask
    task model_write;
        begin
            m_refused = 1'b0;
            beyond = pointer[31:20] >= MEMORIES
                     || pointer[19:0] >= (pointer[31:20] < RECORD_FIRST ? WORDS : RECORDS);
            case (m_address & 16'hFFFC)
                16'h24: if (m_strobe[0]) enabled = m_data[0] || LOADABLE == 0;
                16'h38: limit[0] = (m_data & lanes) | (limit[0] & ~lanes);
                16'h3C: limit[1] = (m_data & lanes) | (limit[1] & ~lanes);
                16'h28: if (LOADABLE && m_strobe != 0) begin
                    pointer = (m_data & lanes) | (pointer & ~lanes);
                    part = 0;
                end
                16'h34: if (LOADABLE && m_strobe != 0) begin
                    merged = ((m_data & lanes) | (parts & ~lanes)) & 32'h00000FFF;
                    m_refused = merged == 0 || merged > PARTS;
                    if (!m_refused) begin
                        parts = merged;
                        part = 0;
                    end
                end
                16'h2C: if (LOADABLE) begin
                    m_refused = beyond;
                    if (!beyond) begin
                        stage[32*part +: 32] = (m_data & lanes) | (stage[32*part +: 32] & ~lanes);
                        if (m_strobe[3]) part = part + 1;
                        if (part == parts) begin
                            want[{pointer[22:20], pointer[2:0]}] = stage[WORD_BITS-1:0];
                            word_at = {pointer[22:20], pointer[2:0]};
                            written = 1'b1;    // looked at after the next write
                            loaded = loaded + 1;
                            part = 0;
                            pointer[19:0] = pointer[19:0] + 1;
                        end
                    end
                end
                default: ;
            endcase
        end
    endtask

    // ---- the master that writes
    reg     aborted, aw_done, w_done, b_done, fast, safe;
    integer aw_wait, w_wait, age;
    task write(input [15:0] a, input [31:0] d, input [3:0] s);
        begin
            {m_address, m_data, m_strobe} = {a, d, s};
            {aborted, aw_done, w_done, b_done} = 4'd0;
            fast = $random & 1;
            aw_wait = fast ? 0 : {$random} % 5;
            w_wait = fast ? 0 : {$random} % 5;
            age = 0;
            while (!b_done && !aborted) begin
                if (!aw_done && !awvalid && age >= aw_wait) begin
                    awvalid <= 1'b1;
                    awaddr  <= a;
                end
                if (!w_done && !wvalid && age >= w_wait) begin
                    wvalid <= 1'b1;
                    wdata  <= d;
                    wstrb  <= s;
                end
                bready <= fast || $random & 1;
                rst    <= !safe && {$random} % 300 == 0;
                @(posedge clk);
                age = age + 1;
                if (bvalid && !(aw_done && w_done)) wrong("a reply before address and data", aw_done, w_done);
                if (awvalid && awready) begin
                    aw_done = 1'b1;
                    awvalid <= 1'b0;
                    awaddr  <= 16'hx;
                end
                if (wvalid && wready) begin
                    w_done = 1'b1;
                    wvalid <= 1'b0;
                    wdata  <= 32'hx;
                    wstrb  <= 4'hx;
                end
                b_done = bvalid && bready;
                aborted = rst;
                if (age > 100) begin
                    wrong("no reply to a write", a, d);
                    b_done = 1'b1;
                end
            end
            if (aborted) begin
                resets = resets + 1;
                written = 1'b0;
                {rst, awvalid, wvalid, bready} <= 4'd0;
                model_reset;
                repeat (3) @(posedge clk);
                loaded = loads;
                for (k_want = 0; k_want < 64; k_want = k_want + 1) want[k_want] = got[k_want];
            end else begin
                writes = writes + 1;
                if (written && got[word_at] !== want[word_at]) wrong("a word", got[word_at], want[word_at]);
                written = 1'b0;
                model_write;
                refusals = refusals + m_refused;
                if (bresp !== {m_refused, 1'b0}) wrong("response", a, bresp);
                if (enabled !== enable) wrong("enable", a, enable);
                if (threshold[0] !== limit[0] || threshold[1] !== limit[1]) wrong("thresholds", a, d);
                if (fast) bready <= 1'b0;
            end
        end
    endtask
    // After a reset: a whole word, so that what is kept of it is known.
    task stage_word;
        begin
            safe = 1'b1;
            write(16'h28, 0, 4'hF);
            write(16'h34, PARTS, 4'hF);
            repeat (PARTS) write(16'h2C, $random, 4'hF);
            safe = 1'b0;
        end
    endtask

    // Addresses and data of many writes, each at its own pace, while replies are taken when they are.
    integer sent_a, sent_w, replies;
    reg     offer_a, offer_w;
    task stream;
        begin
            {sent_a, sent_w, replies} = 96'd0;
            {offer_a, offer_w} = 2'd0;
            age = 0;
            while (replies < 12 && age < 1000) begin
                offer_a = offer_a || (sent_a < 12 && $random & 1);
                offer_w = offer_w || (sent_w < 12 && $random & 1);
                awvalid <= offer_a;
                awaddr  <= 16'h3C;
                wvalid  <= offer_w;
                wdata   <= sent_w;
                wstrb   <= 4'hF;
                bready  <= {$random} % 3 == 0;
                @(posedge clk);
                age = age + 1;
                sent_a = sent_a + (offer_a && awready);
                sent_w = sent_w + (offer_w && wready);
                offer_a = offer_a && !awready;
                offer_w = offer_w && !wready;
                replies = replies + (bvalid && bready);
            end
            {awvalid, wvalid, bready} <= 3'd0;
            limit[1] = 32'd11;
            @(posedge clk);
            if (replies != 12 || bvalid) wrong("replies to twelve writes", replies, bvalid);
            if (threshold[1] !== limit[1]) wrong("the latest of twelve writes", threshold[1], sent_w);
        end
    endtask

    // ---- the master that reads
    reg [31:0] value, expected;
    reg        broken, known;
    integer    wait_r;
    task read(input [15:0] a);
        begin
            araddr  <= a;
            arvalid <= 1'b1;
            broken = 1'b0;
            at = 0;
            @(posedge clk);
            while (!(arvalid && arready) && !rst && at < 100) begin
                at = at + 1;
                @(posedge clk);
            end
            broken = rst;
            arvalid <= 1'b0;
            araddr  <= 16'hx;
            wait_r = {$random} % 4;
            rready <= wait_r == 0;
            if (!broken) @(posedge clk);
            while (!broken && !(rvalid && rready) && at < 100) begin
                broken = rst;
                at = at + 1;
                rready <= at >= wait_r;
                if (!broken) @(posedge clk);
            end
            value = rdata;
            rready <= 1'b0;
            if (!broken && at >= 100) wrong("no reply to a read", a, at);
            if (!broken && rresp !== 2'b00) wrong("response of a read", a, rresp);
            reads = reads + !broken;
            if (broken) repeat (2) @(posedge clk);
        end
    endtask
    task check_read(input [15:0] a);
        begin
            read(a);
            known = 1'b1;
            case (a & 16'hFFFC)
                16'h00: expected = 32'h4C53544D;
                16'h04: expected = VERSION;
                16'h08: begin expected = {29'd0, 1'b1, enable, 1'b1}; known = checked; end
                16'h0C: expected = 32'h0C0C0C0C;
                16'h10, 16'h14: known = 1'b0;
                16'h18: expected = 32'h18181818;
                16'h1C: expected = 32'h1C1C1C1C;
                16'h20: expected = 32'h20202020;
                16'h24: begin expected = enable; known = checked; end
                16'h30: expected = HASH;
                16'h38: begin expected = limit[0]; known = checked; end
                16'h3C: begin expected = limit[1]; known = checked; end
                16'h40: expected = 32'h40404040;
                16'h44: expected = 32'h44444444;
                16'h48: expected = 32'h48484848;
                16'h4C: expected = 32'h4C4C4C4C;
                default: expected = 32'd0;
            endcase
            if (!broken && known && value !== expected) wrong("read", a, value);
            if (!broken && (a & 16'hFFFC) == 16'h10) begin
                expected = value;
                read(16'h14);
                if (!broken && mix(value) !== expected) wrong("halves of the counter", value, expected);
            end
        end
    endtask
    reg finished = 1'b0, checked = 1'b0;       // checked: nothing is written meanwhile
    initial begin
        wait (!rst);
        while (!finished) check_read($random & ($random & 1 ? 16'hFFFF : 16'h007F));
        checked = 1'b1;
        for (at_read = 0; at_read < WORDS_ALL; at_read = at_read + 1) check_read(4 * at_read);
        checked = 1'b0;
    end

    integer at_read;

    // ---- all of it
    reg [15:0] address;
    initial begin
        safe = 1'b1;
        model_reset;
        loaded = 0;
        repeat (2) @(posedge clk);
        rst <= 1'b0;
        @(posedge clk);
        stage_word;
        for (at_write = 0; at_write < WRITES; at_write = at_write + 1) begin
            case ({$random} % 8)
                0: address = $random;
                1: address = 16'h0128;         // what repeats every 256 bytes stops and writes
                2: address = 16'h24;
                3: address = 16'h28;
                4: address = {$random} % 2 ? 16'h38 : 16'h3C;
                5: address = {$random} % 4 == 0 ? 16'h34 : 16'h2C;
                default: address = 16'h2C;
            endcase
            if (address == 16'h28)             // one of the memories, mostly; near its end
                write(address, ({$random} % 7 << 20) + {$random} % 8 + (({$random} % 9 == 0) << 19),
                      {$random} % 4 ? 4'hF : $random);
            else if (address == 16'h34)
                write(address, {$random} % (PARTS + 2), {$random} % 4 ? 4'hF : $random);
            else write(address, $random, {$random} % 4 ? 4'hF : $random);
            if (aborted && m_address[15:2] == 14'h0B) stage_word;
            else if (aborted) begin            // the reset forgot the place in the word
                safe = 1'b1;
                write(16'h2C, $random, 4'hF);
                safe = 1'b0;
            end
            if (at_write % 16 == 0) stream;
        end
        finished = 1'b1;
        wait (checked);
        safe = 1'b1;
        // Nothing outside the registers is written, everything reads 0 or what it should.
        for (n = 16; n < WORDS_ALL; n = n + 1) write(4 * n, 32'hFFFFFFFF, 4'hF);
        wait (!checked);
        repeat (4) @(posedge clk);
        if (loads !== loaded) wrong("words loaded", loads, loaded);
        for (n = 0; n < 64; n = n + 1)
            if (got[n] !== want[n]) wrong("word", got[n], want[n]);
        $display("%0d errors, %0d writes, %0d refused, %0d words loaded, %0d reads, %0d resets", errors,
                 writes, refusals, loads, reads, resets);
        $finish;
    end
endmodule
