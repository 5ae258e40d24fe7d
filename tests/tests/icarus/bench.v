// The accelerator under a four-state simulator: link words from a file, words to the host into one.
//
//   words, tags, stall patterns ($readmemh) ──▶ for each cycle: end? ─▶ output word ─▶ input word ─▶ clock edge
//
// The loop is that of the harness around the verilated model. Whatever is not valid is X: input words in
// cycles in which none is offered. Whatever counts must not be: the control outputs in every cycle, numbers of
// instructions and output words while they are valid.
//
// Macros: LINK, IN and OUT (connections of the lanes), WORDS, PATTERN, RUNS, LIMIT.

`timescale 1ns/1ns
module bench;
  reg clock;
  reg in_valid, in_first, out_ready;
  reg [`LINK-1:0] in_data;
  wire [`LINK-1:0] out_data;
  wire in_ready, closed, out_valid, waiting, boundary, failed, quiet, compute_pending, store_pending;
  wire [31:0] load_number, compute_number, store_number;

  tandem dut(
    .clock(clock), .in_valid(in_valid), .in_first(in_first), .in_ready(in_ready), .in_closed(closed),
    .out_valid(out_valid), .out_ready(out_ready), .status_waiting(waiting), .status_boundary(boundary), .status_failed(failed),
    .status_quiet(quiet), .status_compute_pending(compute_pending), .status_store_pending(store_pending),
    .status_load_number(load_number), .status_compute_number(compute_number), .status_store_number(store_number),
    `IN, `OUT);

  reg [`LINK:0] words [0:`WORDS-1];        // the tag on top
  reg [1:0] stalls [0:`RUNS*`PATTERN-1];   // bit 0: in, bit 1: out
  reg [31:0] ends [0:`RUNS-1];
  reg offer;
  reg [1:0] stall;
  integer run, cycle, taken, file;

  // what must be known, as one vector
  wire [8:0] control = {in_ready, closed, out_valid, waiting, boundary, failed, quiet, compute_pending, store_pending};
  wire unknown = ^{control, load_number} === 1'bx || (out_valid && ^out_data === 1'bx)
    || (compute_pending && ^compute_number === 1'bx) || (store_pending && ^store_number === 1'bx);

  initial begin
    $readmemh("words.hex", words);
    $readmemh("stalls.hex", stalls);
    $readmemh("ends.hex", ends);
    file = $fopen("output.hex");
    clock = 0;
    in_valid = 0;
    out_ready = 0;
    taken = 0;
    #1;
    for (run = 0; run < `RUNS; run = run + 1) begin
      cycle = 0;
      while (!(taken == ends[run] && waiting && quiet)) begin
        stall = stalls[run * `PATTERN + cycle % `PATTERN];
        offer = taken < ends[run] && !stall[0];
        out_ready = !stall[1];
        in_valid = offer;
        {in_first, in_data} = offer ? words[taken] : {(`LINK + 1){1'bx}};
        #1;
        if (unknown) begin
          $display("X in run %0d, cycle %0d: control %b, numbers %h %h %h, word %h", run, cycle, control,
            load_number, compute_number, store_number, out_data);
          $finish;
        end
        if (out_valid && out_ready) $fdisplay(file, "%h", out_data);
        if (offer && in_ready && !(in_first && closed)) taken = taken + 1;
        clock = 1;
        #1 clock = 0;
        cycle = cycle + 1;
        if (cycle == `LIMIT) begin
          $display("run %0d does not end", run);
          $finish;
        end
      end
      $fdisplay(file, "end %b %0d", control, cycle);
    end
    $display("done");
    $finish;
  end
endmodule
