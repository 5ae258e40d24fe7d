//! A column's codes and their levels.
//!
//! ```text
//!  t          t+1          t+2   (t+3)
//! address ─►[address] ─► [memory] ─►(▯)─► word ─► code ─┐
//!                  └ low bits ─────────────┘            ▼ lane by lane            (▯): if deep
//!                              [levels] ────────► level, digit `plane` ─► operand port
//! ```

use super::step::{CodeAt, Decoded};
use crate::hdl::prelude::*;
use crate::load::payload::Write;
use crate::load::pieces::pieces;
use rust_hdl::prelude::*;
use tandem_spec::config::DEEP;
use tandem_spec::{Config, Memory};

unit! {
    /// Reads word `code_address` mod G of address ⌊`code_address` / G⌋ and gives digit `plane` of every code's level; outside
    /// the memory digits are zero.
    ///
    /// # Timing  address in cycle t, digits in t+2 (t+3 if deep); levels written at the end of t count from t+1 on
    pub struct CodePort(c: &Config) {
        let (p, table) = (pieces(c, Memory::Code), pieces(c, Memory::Level));
        let book = c.codebook.as_ref().expect("an accelerator with codebooks");
        let (lanes, bits, digit) = (c.array.lanes, book.code_bits, c.array.col_digit);
        let (words, digits, deep) = (c.code_words(), c.level_digits(), c.array.pipeline == DEEP);
        let (log_words, log_digits) = (words.trailing_zeros() as usize, digits.trailing_zeros() as usize);
        let (several_words, several_digits) = (usize::from(words > 1), usize::from(digits > 1));
        let per_level_piece = table.bits / digit;
        let selector: Vec<usize> = vec![1; bits].into_iter().chain(vec![log_digits; several_digits]).collect();

        clock,
        /// A write into the memory.
        pub codes_in: Write<In> = Write::new(p),
        /// A write of levels.
        pub levels_in: Write<In> = Write::new(table),
        /// Where the step's codes lie.
        pub code_address: Sig<In> = Sig::unsigned(c.address_bits),
        /// How they are read.
        pub codes: CodeAt<In> = CodeAt::new(c),
        /// The digits.
        pub decoded: Decoded<Out> = Decoded::new(c),
        flat: Reg = Reg::unsigned(c.address_bits),
        used_1: Reg = Reg::unsigned(1),
        used_2: Reg = Reg::unsigned(1),
        used_3: Stage = Stage::new(deep, 1, false),
        plane_1: Vec<Reg> = Reg::vec(several_digits, log_digits, false),
        plane_2: Vec<Reg> = Reg::vec(several_digits, log_digits, false),
        plane_3: Vec<Stage> = Stage::vec(several_digits, deep, log_digits, false),
        inside_2: Reg = Reg::unsigned(1),
        inside_3: Stage = Stage::new(deep, 1, false),
        word_2: Vec<Reg> = Reg::vec(several_words, log_words, false),
        word_3: Vec<Stage> = Stage::vec(several_words, deep, log_words, false),
        ram: Vec<Ram> = (0..p.count).map(|_| Ram::new(p.depth, p.bits, false)).collect(),
        read: Vec<Stage> = Stage::vec(p.count, deep, p.bits, false),
        cut: Vec<Unpack> = (0..p.count).map(|_| Unpack::new(p.bits, 1, false)).collect(),
        /// Bit b of the code of lane l: b · lanes + l.
        choose: Vec<Mux> = (0..several_words * bits * lanes).map(|_| Mux::new(words, 1, false)).collect(),
        held: Vec<RegEn> = RegEn::vec(table.count, table.bits, false),
        level: Vec<Unpack> = (0..table.count).map(|_| Unpack::new(per_level_piece, digit, false)).collect(),
        selector: Vec<Concat> = (0..lanes).map(|_| Concat::of(&selector)).collect(),
        look_up: Vec<Mux> = (0..lanes).map(|_| Mux::new(digits << bits, digit, false)).collect(),
        pieces: Dim = Dim::new(p.count),
        piece_bits: Dim = Dim::new(p.bits),
        table_pieces: Dim = Dim::new(table.count),
        per_level_piece: Dim = Dim::new(per_level_piece),
        lanes: Dim = Dim::new(lanes),
        bits: Dim = Dim::new(bits),
        words: Dim = Dim::new(words),
        levels: Dim = Dim::new(digits << bits),
        log_words: Dim = Dim::new(log_words),
        log_span: Dim = Dim::new(log_words + p.depth.trailing_zeros() as usize),
        several_words: Dim = Dim::new(several_words),
        single_word: Dim = Dim::new(1 - several_words),
        several_digits: Dim = Dim::new(several_digits),
    }
}

impl Logic for CodePort {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.flat.d.next = self.code_address.val();
        self.used_1.d.next = self.codes.used.val();
        self.used_2.d.next = self.used_1.q.val();
        self.used_3.d.next = self.used_2.q.val();
        self.decoded.used.next = self.used_3.q.val();
        self.inside_2.d.next = ((self.flat.q.val() >> self.log_span.val()) == 0).into();
        self.inside_3.d.next = self.inside_2.q.val();
        for d in 0..self.several_digits.val() {
            self.plane_1[d].d.next = self.codes.plane[d].val();
            self.plane_2[d].d.next = self.plane_1[d].q.val();
            self.plane_3[d].d.next = self.plane_2[d].q.val();
        }
        for w in 0..self.several_words.val() {
            self.word_2[w].d.next = self.flat.q.val();
            self.word_3[w].d.next = self.word_2[w].q.val();
        }
        for p in 0..self.pieces.val() {
            self.ram[p].re.next = true;
            self.ram[p].raddr.next = self.flat.q.val() >> self.log_words.val();
            self.ram[p].we.next = self.codes_in.we[p].val();
            self.ram[p].waddr.next = self.codes_in.address.val();
            self.ram[p].wdata.next = self.codes_in.data[p].val();
            self.read[p].d.next = self.ram[p].rdata.val();
            self.cut[p].x.next = self.read[p].q.val();
        }
        for t in 0..self.table_pieces.val() {
            self.held[t].en.next = self.levels_in.we[t].val();
            self.held[t].d.next = self.levels_in.data[t].val();
            self.level[t].x.next = self.held[t].q.val();
        }
        for l in 0..self.lanes.val() {
            // a bank holds a bit of the codes of all words of an address
            for b in 0..self.bits.val() {
                for _s in 0..self.single_word.val() {
                    self.selector[l].x[b].next = self.cut[(b * self.lanes.val() + l) / self.piece_bits.val()]
                        .y[(b * self.lanes.val() + l) % self.piece_bits.val()]
                    .val();
                }
                for s in 0..self.several_words.val() {
                    for w in 0..self.words.val() {
                        self.choose[b * self.lanes.val() + l].x[w].next = self.cut
                            [((b * self.words.val() + w) * self.lanes.val() + l) / self.piece_bits.val()]
                        .y[((b * self.words.val() + w) * self.lanes.val() + l) % self.piece_bits.val()]
                        .val();
                    }
                    self.choose[b * self.lanes.val() + l].sel.next = self.word_3[s].q.val();
                    self.selector[l].x[b].next = self.choose[b * self.lanes.val() + l].y.val();
                }
            }
            for d in 0..self.several_digits.val() {
                self.selector[l].x[self.bits.val() + d].next = self.plane_3[d].q.val();
            }
            self.look_up[l].sel.next = self.selector[l].y.val();
            for i in 0..self.levels.val() {
                self.look_up[l].x[i].next =
                    self.level[i / self.per_level_piece.val()].y[i % self.per_level_piece.val()].val();
            }
            self.decoded.digit[l].next = 0.into();
            if self.inside_3.q.val().any() {
                self.decoded.digit[l].next = self.look_up[l].y.val();
            }
        }
    }
}
