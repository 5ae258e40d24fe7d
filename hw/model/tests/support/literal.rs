//! A second reading of what instructions do: bit by bit, digit by digit, in program order.

#[path = "cosines.rs"]
mod cosines;
#[path = "spectrum.rs"]
mod spectrum;

use cosines::Line;
use tandem_spec::check::crc32;
use tandem_spec::engine::TransformKind;
use tandem_spec::packet::Kind;
use tandem_spec::{Compute, Config, Instruction, Load, Memory, Packet, Smooth, Store, Stream, Transform};

pub struct Literal {
    config: Config,
    /// Bits of a memory word: `[memory][element][address]`, least significant first.
    words: [Vec<Vec<Vec<bool>>>; 8],
    /// Words of codes at an address.
    code_words: usize,
    result: Vec<Vec<i32>>,
    acc: Vec<Vec<i64>>,
    /// The lines of the Gaussian unit.
    lines: Vec<Line>,
}

fn number(bits: &[bool]) -> i64 {
    bits.iter().rev().fold(0, |v, b| v << 1 | i64::from(*b))
}

fn signed(bits: &[bool]) -> i64 {
    number(bits) - if bits.last() == Some(&true) { 1 << bits.len() } else { 0 }
}

impl Literal {
    pub fn new(config: &Config) -> Self {
        let (a, m) = (&config.array, &config.memory);
        let memory =
            |elements: usize, depth: usize, bits: usize| vec![vec![vec![false; bits]; depth]; elements];
        // words of codes at an address: so many that a bit of all columns' codes fills a link word
        let line = (1..).map(|i| 1usize << (i - 1)).find(|p| *p >= a.cols * a.lanes).expect("a power of two");
        let code_words =
            (0..8).map(|i| 1usize << i).find(|g| g * line >= config.link_bits).expect("at most 128");
        let book = config.codebook.as_ref();
        Literal {
            config: config.clone(),
            code_words,
            words: [
                memory(a.rows, m.row, a.select * a.lanes * a.row_digit),
                memory(a.cols, m.col, a.lanes * a.col_digit),
                memory(a.cols, m.index, config.index_lanes() * config.index_bits()),
                memory(a.rows, 1, 16),
                config
                    .fft
                    .as_ref()
                    .map_or(vec![], |f| memory(1, f.depth, config.link_bits.max(32 * f.samples))),
                book.map_or(vec![], |b| memory(a.cols, b.depth, b.code_bits * code_words * a.lanes)),
                book.map_or(vec![], |b| memory(a.cols, 1, b.level_bits << b.code_bits)),
                config
                    .gaussian
                    .as_ref()
                    .map_or(vec![], |g| memory(1, g.depth, config.link_bits.max(64 * g.pixels))),
            ],
            result: vec![vec![0; a.drain]; m.result],
            acc: vec![vec![0; a.cols]; a.rows],
            lines: config.gaussian.as_ref().map_or(vec![], |g| vec![Line::default(); 4 * g.pixels]),
        }
    }

    /// The result packets of a valid stream.
    pub fn run(&mut self, stream: &Stream) -> Vec<Packet> {
        let mut packets = vec![];
        for (number, (at, i)) in stream.instructions().0.into_iter().enumerate() {
            match i {
                Instruction::Load(l) => {
                    let from = (at + 128 / self.config.link_bits) * stream.link_bytes;
                    let size = usize::from(l.count) * usize::from(l.words) * stream.link_bytes;
                    let payload = &stream.bytes[from..from + size];
                    assert_eq!(crc32(payload).to_le_bytes(), stream.bytes[from + size..from + size + 4]);
                    self.load(&l, payload);
                }
                Instruction::Compute(c) => self.compute(&c),
                Instruction::Transform(t) => self.transform(&t),
                Instruction::Smooth(s) => self.smooth(&s),
                Instruction::Store(s) => packets.push(self.store(number as u32, &s)),
                _ => {}
            }
        }
        packets
    }

    fn load(&mut self, l: &Load, payload: &[u8]) {
        let a = &self.config.array;
        let link = self.config.link_bits;
        let (banks, unit) = match l.memory {
            Memory::Row => (a.select, a.lanes * a.row_digit),
            Memory::Col => (1, a.lanes * a.col_digit),
            Memory::Index => (1, self.config.index_lanes() * self.config.index_bits()),
            Memory::Offset => (1, 16),
            Memory::Sample => (1, self.words[4][0][0].len()),
            Memory::Code => {
                let bits = self.config.codebook.as_ref().expect("a codebook").code_bits;
                (bits, self.code_words * a.lanes)
            }
            Memory::Level => (1, self.words[6][0][0].len()),
            Memory::Pixel => (1, self.words[7][0][0].len()),
        };
        let chunk = unit.min(link);
        let elements = self.words[l.memory as usize].len();
        let per_element = banks * (unit / chunk);
        for n in 0..usize::from(l.count) {
            for j in 0..usize::from(l.words) {
                let word = &payload[(n * usize::from(l.words) + j) * link / 8..][..link / 8];
                for bit in 0..link {
                    let on = word[bit / 8] >> (bit % 8) & 1 == 1;
                    let slot = j * (link / chunk) + bit / chunk;
                    for e in 0..elements {
                        let mine = (0..per_element).find(|i| match (l.broadcast, l.memory) {
                            (true, _) => slot == *i,
                            (false, Memory::Code) => {
                                let (bank, chunks) = (i / (unit / chunk), unit / chunk);
                                slot == (bank * elements + e) * chunks + i % chunks
                            }
                            (false, _) => slot == e * per_element + i,
                        });
                        if let Some(place) = mine.filter(|_| l.mask >> e & 1 == 1) {
                            let place = place * chunk + bit % chunk;
                            self.words[l.memory as usize][e][usize::from(l.address) + n][place] = on;
                        }
                    }
                }
            }
        }
    }

    /// Bits `range` of a word, all zero if the address is outside.
    fn bits(&self, memory: Memory, e: usize, address: i64, from: usize, n: usize) -> Vec<bool> {
        let words = &self.words[memory as usize][e];
        match usize::try_from(address).ok().and_then(|a| words.get(a)) {
            Some(word) => word[from..from + n].to_vec(),
            None => vec![false; n],
        }
    }

    fn compute(&mut self, c: &Compute) {
        let a = self.config.array.clone();
        let levels = self.config.loops;
        let mut turn = vec![0u16; levels];
        let mut address = usize::from(c.result_base);
        let (mut first, mut tile) = (true, 0i64);
        loop {
            let dot = |f: fn(&tandem_spec::Loop) -> i16| -> i64 {
                turn.iter().zip(&c.loops).map(|(i, l)| i64::from(*i) * i64::from(f(l))).sum()
            };
            let (row, col) = (dot(|l| l.row_stride), dot(|l| l.col_stride));
            if first && !c.keep {
                self.acc = vec![vec![0; a.cols]; a.rows];
            }
            for p in 0..usize::from(c.row_planes) {
                for q in 0..usize::from(c.col_planes) {
                    self.step(c, (tile, row, col), p, q);
                }
            }
            let last = |l: usize| turn[l] + 1 == c.loops[l].count;
            let ends = (c.tiles.into()..levels).all(last);
            if ends && !c.hold {
                let rv = if c.row_edge != 7 && last(c.row_edge.into()) { c.rows_last } else { c.rows };
                let cv = if c.col_edge != 7 && last(c.col_edge.into()) { c.cols_last } else { c.cols };
                for r in 0..usize::from(rv) {
                    for g in 0..usize::from(cv).div_ceil(a.drain) {
                        for i in 0..a.drain {
                            let column = g * a.drain + i;
                            let v = if column < cv.into() { self.acc[r][column] as i32 } else { 0 };
                            self.result[address % self.config.memory.result][i] = v;
                        }
                        address += 1;
                    }
                }
            }
            first = ends;
            tile += i64::from(ends);
            let Some(l) = (0..levels).rev().find(|l| turn[*l] + 1 < c.loops[*l].count) else { return };
            turn[l] += 1;
            turn[l + 1..].fill(0);
        }
    }

    fn step(&mut self, c: &Compute, (tile, row, col): (i64, i64, i64), p: usize, q: usize) {
        let a = self.config.array.clone();
        let m = a.select as i64;
        let unused = i64::BITS - self.config.address_bits as u32;
        let wrap = |v: i64| v << unused >> unused;
        let b = wrap(i64::from(c.col_base) + col + q as i64 * i64::from(c.col_plane_stride));
        let index = wrap(i64::from(c.index_base) + if c.held { tile } else { col });
        for r in 0..a.rows {
            let offset = signed(&self.bits(Memory::Offset, r, 0, 0, 16));
            let flat = wrap(i64::from(c.row_base) + row + p as i64 * i64::from(c.row_plane_stride) + offset);
            for column in 0..a.cols {
                let mut sum = 0;
                for lane in 0..a.lanes {
                    let bits = self.config.index_bits();
                    let pick = match c.select {
                        0 => 0,
                        s => {
                            let entry = if c.held { r } else { lane };
                            number(&self.bits(Memory::Index, column, index, entry * bits, bits))
                                & ((1 << s) - 1)
                        }
                    };
                    let bank = (flat.rem_euclid(m) | pick) as usize;
                    let x = self.bits(
                        Memory::Row,
                        r,
                        flat.div_euclid(m),
                        (bank * a.lanes + lane) * a.row_digit,
                        a.row_digit,
                    );
                    let w = if c.coded {
                        self.level(column, b, lane, q)
                    } else {
                        self.bits(Memory::Col, column, b, lane * a.col_digit, a.col_digit)
                    };
                    let value = |on: bool, bits: &[bool]| if on { signed(bits) } else { number(bits) };
                    let top = (p + 1 == c.row_planes.into(), q + 1 == c.col_planes.into());
                    sum += value(c.row_signed && top.0, &x) * value(c.col_signed && top.1, &w);
                }
                let grown = self.acc[r][column] + (sum << (p * a.row_digit + q * a.col_digit));
                let half = 1i64 << (a.acc_bits - 1);
                self.acc[r][column] = (grown + half).rem_euclid(2 * half) - half;
            }
        }
    }

    /// Digit `q` of the level of a lane's code, zero if its address is outside.
    fn level(&self, column: usize, b: i64, lane: usize, q: usize) -> Vec<bool> {
        let (a, book) = (&self.config.array, self.config.codebook.as_ref().expect("a codebook"));
        let g = self.code_words as i64;
        if b < 0 || b >= g * book.depth as i64 {
            return vec![false; a.col_digit];
        }
        let word = (b % g) as usize;
        let bit = |i: usize| {
            let at = i * self.code_words * a.lanes + word * a.lanes + lane;
            self.bits(Memory::Code, column, b / g, at, 1)[0]
        };
        let code: Vec<bool> = (0..book.code_bits).map(bit).collect();
        let digit = (q << book.code_bits) + number(&code) as usize;
        self.bits(Memory::Level, column, 0, digit * a.col_digit, a.col_digit)
    }

    fn transform(&mut self, t: &Transform) {
        let p = self.config.fft.as_ref().expect("a TRANSFORM is valid").samples;
        let b = self.config.fft.as_ref().expect("a TRANSFORM is valid").bits as u32;
        let kind =
            TransformKind { log_points: t.log_points, tile: t.tile, inverse: t.inverse, block: t.block };
        let (n, r) = (1usize << t.log_points, self.words[4][0][0].len() / (32 * p));
        let (g, depth) = (self.config.array.drain / p, self.config.memory.result);
        let (count, base) = (usize::from(t.count), usize::from(t.result_base));
        let results = (count * n).div_ceil(g);
        // Results that wrap around and meet overwrite earlier ones, and the status comes last.
        let mut status = vec![0u32; self.config.array.drain];
        let mut written = vec![vec![0i32; self.config.array.drain]; results];
        for f in 0..count {
            for l in 0..p {
                let x: Vec<_> = (0..n)
                    .map(|i| {
                        let group = f * n + i;
                        let from = (group % r * p + l) * 32;
                        let sample = &self.words[4][0][usize::from(t.address) + group / r][from..from + 32];
                        (signed(&sample[..16]), signed(&sample[16..]))
                    })
                    .collect();
                let y = spectrum::transform(b, &kind, &x);
                for (i, (re, im)) in y.y.into_iter().enumerate() {
                    let group = f * n + i;
                    let bytes = [(re as i16).to_le_bytes(), (im as i16).to_le_bytes()].concat();
                    written[group / g][group % g * p + l] =
                        i32::from_le_bytes(bytes.try_into().expect("four bytes"));
                }
                let byte = f * p + l;
                status[byte / 4] += (y.exponent + if y.clamped { 128 } else { 0 }) << (byte % 4 * 8);
            }
        }
        written.push(status.into_iter().map(|s| s as i32).collect());
        for (j, word) in written.into_iter().enumerate() {
            self.result[(base + j) % depth] = word;
        }
    }

    fn smooth(&mut self, s: &Smooth) {
        let p = self.config.gaussian.as_ref().expect("a SMOOTH is valid").pixels;
        let (t, g) = (self.words[7][0][0].len() / (64 * p), self.config.array.drain / p);
        let (count, skip) = (usize::from(s.count), usize::from(s.skip));
        let groups = 4 * count.saturating_sub(skip);
        let mut written = vec![vec![0; self.config.array.drain]; groups.div_ceil(g)];
        for c in 0..4 {
            for pixel in 0..p {
                let line = &mut self.lines[c * p + pixel];
                if !s.keep {
                    *line = Line::default();
                }
                for n in 0..count {
                    let from = ((n % t * 4 + c) * p + pixel) * 16;
                    let word = &self.words[7][0][usize::from(s.address) + n / t];
                    let y = line.step(s, signed(&word[from..from + 16]).into());
                    if n >= skip {
                        let j = 4 * (n - skip) + c;
                        written[j / g][j % g * p + pixel] = y;
                    }
                }
            }
        }
        for (j, word) in written.into_iter().enumerate() {
            self.result[(usize::from(s.result_base) + j) % self.config.memory.result] = word;
        }
    }

    fn store(&self, number: u32, s: &Store) -> Packet {
        let words = &self.result[usize::from(s.address)..][..usize::from(s.count)];
        let (mut bits, mut or, mut clamped) = (vec![], 0u32, 0);
        let width = [32, 16, 8, 4, 12, 20, 24, 28][s.format as usize];
        let sent = |word: &Vec<i32>| word[..if s.lanes == 0 { word.len() } else { s.lanes.into() }].to_vec();
        for v in words.iter().flat_map(sent) {
            or |= v.unsigned_abs();
            // Exact: 32 bits and a power of two fit f64.
            let y = (f64::from(v) / 2f64.powi(s.shift.into())).round_ties_even();
            let most = 2f64.powi(width - 1);
            let kept = y.max(-most).min(most - 1.0);
            clamped += u32::from(y != kept);
            bits.extend((0..width).map(|b| kept as i64 >> b & 1 == 1));
        }
        bits.resize(bits.len().next_multiple_of(self.config.link_bits), false);
        let data = bits.chunks(8).map(|byte| self::number(byte) as u8).collect();
        Packet { kind: Kind::Result, reason: None, instruction: number, data, summary: [or, clamped, 0, 0] }
    }
}
