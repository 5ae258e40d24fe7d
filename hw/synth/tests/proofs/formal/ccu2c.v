// Lattice's CCU2C without injected carries: two positions of a carry chain, each a LUT of four inputs; where it gives 0, the LUT of A and B in
// its lowest four bits is the carry.
module CCU2C (
  input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
  output S0, S1, COUT
);
  parameter [15:0] INIT0 = 0, INIT1 = 0;
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES";
  wire p0 = INIT0[{D0, C0, B0, A0}], p1 = INIT1[{D1, C1, B1, A1}];
  wire c = p0 ? CIN : INIT0[{B0, A0}];
  assign S0 = p0 ^ CIN;
  assign S1 = p1 ^ c;
  assign COUT = p1 ? c : INIT1[{B1, A1}];
endmodule
