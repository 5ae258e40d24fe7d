// A second reading of docs/link.md by places: byte p of a line's frame holds byte p - 1 of its content, or a code where
// one is due; a code says how far the next place of a code is, and content is 0 there.
reg [8:0] f_at = 0, f_due = 0;  // bytes since the last zero; place of the next code
reg f_begun = 0, f_bad = 0;     // something came since the last zero; it cannot be a frame
wire f_code = f_at == f_due;
wire [7:0] f_value = f_code ? 0 : line_data;
wire f_comes = line_valid && line_data != 0;
wire f_content = f_comes && f_at > 0 && !f_bad;
reg [31:0] f_crc = F_START;
reg f_past = 0, f_ended = 0, f_sound = 0;
reg [7:0] f_length, f_kind, f_session, f_seq, f_argument;
always @(posedge clock) begin
  f_past <= 1;
  f_ended <= line_valid && line_data == 0 && f_begun;
  f_sound <= !f_bad && f_code && f_at > F_HEADER + F_CHECK && f_crc == F_RESIDUE;
  f_length <= f_at - 1 - F_HEADER - F_CHECK;
  if (line_valid && line_data == 0) begin
    f_at <= 0;
    f_due <= 0;
    f_begun <= 0;
    f_bad <= 0;
    f_crc <= F_START;
  end else begin
    if (line_valid || line_unframed) f_begun <= 1;
    if (line_unframed) f_bad <= 1;
    if (f_comes && !f_bad) begin
      f_at <= f_at + 1;
      if (f_code) f_due <= f_at + line_data;
      if (f_code && line_data == 255) f_bad <= 1;
      if (f_at > F_MOST) f_bad <= 1;
    end
    if (f_content) begin
      f_crc <= crc_step_y;
      if (f_at == 1) f_kind <= f_value;
      if (f_at == 2) f_session <= f_value;
      if (f_at == 3) f_seq <= f_value;
      if (f_at == 4) f_argument <= f_value;
    end
  end
end
// the UART gives a byte or the lack of a stop bit
always @* assume (!(line_valid && line_unframed));
always @* begin
  assert (arrival_content_we == (f_content && f_at > F_HEADER));
  if (f_content) assert (byte_2 == f_value);
  if (arrival_content_we) begin
    assert (arrival_content_value == f_value);
    assert (arrival_content_place == f_at - 1 - F_HEADER);
  end
  if (f_past) begin
    assert (header_good == (f_ended && f_sound));
    assert (header_damaged == (f_ended && !f_sound));
    if (header_good) begin
      assert (arrival_length == f_length);
      assert (header_kind == f_kind);
      assert (header_session == f_session);
      assert (arrival_seq == f_seq);
      if (arrival_length > 0) assert (header_argument_0 == f_argument);
    end
  end
  // what the registers hold
  assert (broken_q == f_bad);
  assert (begun_q == f_begun);
  if (!f_bad) begin
    assert (f_begun == (f_at > 0));
    if (f_at == 0) assert (f_due == 0);
    assert (f_due >= f_at && left_q == f_due - f_at);
    assert (count_q == (f_at > 0 ? f_at - 1 : 0));
    assert (f_at <= F_MOST + 1);
    assert (crc_q == f_crc);
    if (f_at > 1) assert (kept_0_q == f_kind);
    if (f_at > 2) assert (kept_1_q == f_session);
    if (f_at > 3) assert (kept_2_q == f_seq);
    if (f_at > 4) assert (kept_3_q == f_argument);
  end
end
