// Any cell is watched: a read gives what was last written to it.
(* anyconst *) reg [F_ADDRESS-1:0] f_w;
reg [F_BITS-1:0] f_cell = 0, f_read;
reg f_watched = 0;
always @(posedge clock) begin
  if (we && waddr == f_w) f_cell <= wdata;
  if (re) begin
    f_watched <= raddr == f_w;
    f_read <= f_cell;
  end
end
always @* begin
  assert (mem[f_w] == f_cell);
  if (f_watched) assert (rdata == f_read);
end
