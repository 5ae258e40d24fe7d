// The cells of an ECP5 as nextpnr writes them after routing, as far as an array uses them. A mode that is not modelled stops the
// simulation. Inputs that nextpnr leaves open are tied by a `…MUX` parameter or, at a LUT, count as 1.

module TRELLIS_COMB (
  input A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK, DI0, DI1,
  output F, FCO, OFX
);
  parameter MODE = "LOGIC", CCU2_INJECT1 = "NO", WREMUX = "WRE";
  parameter [15:0] INITVAL = 0;
  // OFX: of the slice's two LUTs, or of two such outputs
  parameter WIDE = 0;
  wire lut4 = INITVAL[{D, C, B, A}];
  wire lut2 = INITVAL[{2'b00, B, A}];
  wire injects = MODE == "CCU2" && CCU2_INJECT1 == "NO";
  reg [15:0] memory = 0;
  always @(posedge WCK) if (MODE == "DPRAM" && (WREMUX == "INV" ? !WRE : WRE)) memory[{WAD3, WAD2, WAD1, WAD0}] <= WD;
  assign F = MODE == "DPRAM" ? memory[{A, C, B, D}] : lut4 ^ (injects & FCI);
  assign FCO = (~lut4 & injects & lut2) | (lut4 & FCI);
  assign OFX = WIDE ? (M ? FXB : FXA) : (M ? F1 : F);
  // RAMW_BLOCK: keeps the place free
  initial if (MODE != "LOGIC" && MODE != "CCU2" && MODE != "DPRAM" && MODE != "RAMW_BLOCK") begin $display("TRELLIS_COMB: mode not modelled"); $finish; end
endmodule

// Spreads a memory's write port over the cells that hold it.
module TRELLIS_RAMW (
  input A0, A1, B0, B1, C0, C1, D0, D1, output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

module TRELLIS_FF (
  input CLK, LSR, CE, DI, M, output reg Q);
  parameter SD = "1", GSR = "", SRMODE = "LSR_OVER_CE", REGSET = "RESET", LSRMUX = "LSR", CLKMUX = "CLK", CEMUX = "1";
  wire next = SD == "1" ? DI : M;
  wire enabled = CEMUX == "1" ? 1'b1 : CEMUX == "INV" ? ~CE : CE;
  wire value = REGSET == "SET";
  initial Q = value;
  initial if (CLKMUX != "CLK" || SRMODE == "ASYNC" || LSRMUX != "LSR") begin $display("TRELLIS_FF: mode not modelled"); $finish; end
  always @(posedge CLK) if (LSR) Q <= value; else if (enabled) Q <= next;
endmodule

module DCCA (
  input CLKI, CE, output CLKO);
  assign CLKO = CLKI;
endmodule

// A pad is one of the two, by its direction.
module TRELLIS_IN (
  input B, output O
);
  assign O = B;
endmodule

module TRELLIS_OUT (
  input I, output B
);
  assign B = I;
endmodule

// Signed factors; a register at each and one at the product, or none.
module MULT18X18D (
  input A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
  input B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
  input C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CLK0, CE0, RST0, CLK1, CE1, RST1, CLK2, CE2, RST2, CLK3, CE3, RST3,
  output P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19, P20, P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE";
  wire signed [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire signed [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  reg signed [17:0] a_q = 0, b_q = 0;
  reg signed [35:0] p_q = 0;
  wire signed [17:0] x = REG_INPUTA_CLK == "NONE" ? a : a_q;
  wire signed [17:0] y = REG_INPUTB_CLK == "NONE" ? b : b_q;
  wire signed [35:0] p = x * y;
  always @(posedge CLK0) begin
    a_q <= a;
    b_q <= b;
    p_q <= p;
  end
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = REG_OUTPUT_CLK == "NONE" ? p : p_q;
  initial if (REG_PIPELINE_CLK != "NONE") begin $display("MULT18X18D: mode not modelled"); $finish; end
endmodule

// Port A writes, port B reads, words of 36 bits (both data ports together) or of 18, 9.
module DP16KD (
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13, CEA, OCEA, CLKA, WEA, RSTA, CSA0, CSA1, CSA2,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
  input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13, CEB, OCEB, CLKB, WEB, RSTB, CSB0, CSB1, CSB2,
  output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  localparam WORD = DATA_WIDTH_A == 36 ? 4 : DATA_WIDTH_A == 18 ? 2 : 1;
  localparam LOW = DATA_WIDTH_A == 36 ? 5 : DATA_WIDTH_A == 18 ? 4 : 3;
  reg [8:0] memory [0:2047];
  reg [35:0] q = 0;
  integer i;
  initial for (i = 0; i < 2048; i = i + 1) memory[i] = 0;
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [10:0] write_at = (ada >> LOW) * WORD;
  wire [10:0] read_at = (adb >> LOW) * WORD;
  wire [3:0] bytes = WORD == 4 ? ada[3:0] : WORD == 2 ? {2'b00, ada[1:0]} : 4'b0001;
  wire [35:0] data = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  always @(posedge CLKA) if (CEA && WEA) for (i = 0; i < WORD; i = i + 1) if (bytes[i]) memory[write_at + i[10:0]] <= data[9 * i +: 9];
  always @(posedge CLKB) if (CEB) begin
    q[8:0] <= memory[read_at];
    if (WORD > 1) q[17:9] <= memory[read_at + 1];
    if (WORD > 2) q[35:18] <= {memory[read_at + 3], memory[read_at + 2]};
  end
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = WORD == 4 ? q[17:0] : 18'd0;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = WORD == 4 ? q[35:18] : q[17:0];
  initial if (DATA_WIDTH_A != DATA_WIDTH_B || DATA_WIDTH_A < 9 || REGMODE_B != "NOREG") begin
    $display("DP16KD: mode not modelled");
    $finish;
  end
endmodule
