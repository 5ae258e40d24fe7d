// Any place of the line's frame is watched: 0, and where content is 0, holds the way to the next such place or to the
// frame's end; the others hold their content. So no byte of a frame is 0, and a reader finds the content.
(* anyconst *) reg [7:0] f_w;
reg [7:0] f_cell, f_content;
reg [8:0] f_due;              // where the next code after f_w is
reg f_is_code, f_coded;       // f_w holds one; it is known
wire [8:0] f_end = length_q + F_HEADER + F_CHECK + 1;
wire f_zero = phase_q == Phase_Encode && (last || byte_q == 0);
always @(posedge clock) begin
  if (staging_we && staging_waddr == f_w) f_cell <= staging_wdata;
  if (phase_q == Phase_Idle) begin
    f_is_code <= f_w == 0;
    f_coded <= 0;
  end
  if (phase_q == Phase_Encode && !last && index_q + 1 == f_w) begin
    f_content <= byte_q;
    f_is_code <= byte_q == 0;
  end
  if (f_zero && f_is_code && !f_coded && index_q >= f_w) begin
    f_due <= index_q + 1;
    f_coded <= 1;
  end
end
wire f_seen = index_q >= f_w;
wire f_leads = phase_q == Phase_Pick && index_q == 0;
wire f_sends = phase_q == Phase_Fetch || phase_q == Phase_Send;
always @* assume (outgoing_length <= F_MOST - F_HEADER - F_CHECK);
// the memory, which has a proof of its own: SEND sees what was last written to the place that FETCH has read
always @* if (phase_q == Phase_Send && index_q == f_w) assume (staging_rdata == f_cell);
always @* begin
  if (phase_q == Phase_Send && index_q == f_w) begin
    assert (bytes_data != 0);
    if (f_is_code) assert (f_w + bytes_data == f_due);
    else assert (bytes_data == f_content);
  end
  // a zero is offered once before the frame's first byte, and once behind its last
  assert (bytes_valid == (phase_q == Phase_Send || phase_q == Phase_Zero || f_leads));
  if (bytes_valid && phase_q != Phase_Send) assert (bytes_data == 0);
  // what the registers hold
  if (phase_q != Phase_Idle) assert (length_q <= F_MOST - F_HEADER - F_CHECK);
  if (phase_q == Phase_Pick || phase_q == Phase_Encode) begin
    assert (index_q < f_end);
    assert (code_at_q <= index_q);
    if (f_w == 0) assert (f_is_code);
    if (f_seen) begin
      if (f_is_code) assert (f_coded == (code_at_q != f_w));
      else assert (code_at_q != f_w);
      if (f_is_code && f_coded) assert (f_due > f_w && f_due <= code_at_q && f_w + f_cell == f_due);
      if (!f_is_code) assert (f_cell == f_content && f_content != 0);
    end else begin
      assert (code_at_q < f_w && !f_coded);
    end
  end
  if (f_sends) begin
    assert (index_q < f_end);
    if (f_w < f_end) begin
      if (f_is_code) assert (f_due > f_w && f_due <= f_end && f_w + f_cell == f_due);
      else assert (f_cell == f_content && f_content != 0);
    end
  end
end
