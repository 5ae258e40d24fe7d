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
