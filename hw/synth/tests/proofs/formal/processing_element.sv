// One row of the element against a plain multiply-add. In F_SUM the sum of the present products, in F_ADDEND what the
// accumulator adds, in F_STEP, F_FIRST, F_LAST the control that meets it.
reg f_past = 0;
reg signed [F_DOT-1:0] f_sum;
reg signed [F_ACC-1:0] f_acc, f_done, f_shifted, f_addend;
reg f_step, f_first, f_last;
wire signed [F_ACC-1:0] f_dot = dot_0_q;
wire signed [F_ACC-1:0] f_weighed = f_dot <<< (control_shift * F_UNIT);
wire signed [F_ACC-1:0] f_total = (f_first ? 0 : f_acc) + f_addend;
always @(posedge clock) begin
  f_past <= 1;
  f_sum <= `F_SUM;
  f_shifted <= f_weighed;
  f_addend <= `F_ADDEND;
  f_acc <= acc_0_q;
  f_done <= done_0_q;
  f_step <= `F_STEP;
  f_first <= `F_FIRST;
  f_last <= `F_LAST;
end
always @* assume (control_shift < F_SHIFTS);
always @* if (f_past) begin
  assert (dot_0_q == f_sum);
`ifdef F_DEEP
  assert (weighed_0_q == f_shifted);
`endif
  if (f_step) assert (acc_0_q == f_total);
  else assert (acc_0_q == f_acc);
  if (f_step && f_last) assert (done_0_q == acc_0_q);
  else assert (done_0_q == f_done);
  assert (shadow_0 == done_0_q);
end
