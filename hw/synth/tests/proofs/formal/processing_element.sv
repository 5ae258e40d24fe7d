// The element against a plain multiply-add. f_plain: Σ digit · window[bank | index], of the present operands.
reg f_past = 0;
reg signed [F_DOT-1:0] f_sum, f_dot;
reg signed [F_ACC-1:0] f_acc, f_done;
reg f_step, f_first, f_last;
reg [F_SEL-1:0] f_shift;
wire signed [F_ACC-1:0] f_weighed = f_dot;
wire signed [F_ACC-1:0] f_base = f_first ? 0 : f_acc;
wire signed [F_ACC-1:0] f_next = f_base + (f_weighed <<< (f_shift * F_UNIT));
always @(posedge clock) begin
  f_past <= 1;
  f_sum <= f_plain;
  f_dot <= dot_q;
  f_acc <= acc_q;
  f_done <= done_q;
  f_step <= step;
  f_first <= first;
  f_last <= last;
  f_shift <= shift;
end
always @* assume (shift < F_SHIFTS);
always @* if (f_past) begin
  assert (dot_q == f_sum);
  if (f_step) assert (acc_q == f_next);
  else assert (acc_q == f_acc);
  if (f_step && f_last) assert (done_q == acc_q);
  else assert (done_q == f_done);
  assert (shadow == done_q);
end
