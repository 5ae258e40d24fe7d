// An arbitrary entry is watched from its push to its pop.
(* anyconst *) reg [F_BITS-1:0] f_value;
(* anyseq *) reg f_choose;
reg f_live = 0;
reg [F_PTR:0] f_ahead = 0;
wire [F_PTR-1:0] f_at = rptr + f_ahead[F_PTR-1:0] - 1'd1;
wire [F_PTR-1:0] f_behind = count == 0 ? 0 : count[F_PTR-1:0] - 1'd1;
reg f_past = 0, f_pushed = 0, f_popped = 0;
reg [F_PTR:0] f_count = 0;
always @(posedge clock) begin
  f_past <= 1;
  f_count <= count;
  f_pushed <= push && count < F_DEPTH;
  f_popped <= pop && count > 0;
  if (!f_live && f_choose && push && count < F_DEPTH && f_d == f_value) begin
    f_live <= 1;
    f_ahead <= count - (pop && count > 0);
  end else if (f_live && pop) begin
    if (f_ahead == 0) f_live <= 0;
    else f_ahead <= f_ahead - 1'd1;
  end
end
always @* begin
  assert (count <= F_DEPTH);
  assert (wptr == rptr + f_behind);
  assert (full == (count == F_DEPTH));
  assert (empty == (count == 0));
  if (f_past) assert (count == f_count + f_pushed - f_popped);
  if (f_live) begin
    assert (f_ahead < count);
    if (f_ahead == 0) assert (f_head == f_value);
    else assert (f_stored == f_value);
  end
end
