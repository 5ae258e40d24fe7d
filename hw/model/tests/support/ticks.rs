//! A second reading of the page's "Timing": a simulator that ticks through every cycle.
//!
//! Everything that the page calls *visible from* is a value with the cycle from which it counts; every
//! rule is a line of [`Ticks::tick`] or of what it calls. Valid programs only.

use std::collections::VecDeque;
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Compute, Config, Counters, Instruction, Smooth, Stall, Store, Tokens, Transform};

#[derive(Clone, Debug)]
enum LoadState {
    Fetch { words: usize },
    Check,
    Issue,
    Payload { words: usize },
    Done,
}

#[derive(Clone, Debug)]
struct Step {
    /// Tokens of the tile if this is its last step: D, and whether it is drained.
    last: Option<(u64, bool)>,
    products: i64,
    skipped: i64,
}

/// Token channels, by index: load→compute, compute→load, compute→store, store→compute.
const CHANNELS: usize = 4;

#[derive(Clone, Debug)]
pub struct Ticks {
    config: Config,
    program: VecDeque<Instruction>,
    load: LoadState,
    current: Option<Instruction>,
    /// Cycles from which tokens are visible.
    tokens: [VecDeque<u64>; CHANNELS],
    /// Compute and store queue: instructions with the cycle from which they are visible.
    queues: [VecDeque<(u64, Instruction)>; 2],
    /// Cycles from which freed places are visible.
    freed: [VecDeque<u64>; 2],
    computing: VecDeque<Step>,
    /// Cycles in which a TRANSFORM or SMOOTH reads a group.
    samples: VecDeque<u64>,
    compute_tokens: Tokens,
    compute_idle_from: u64,
    release: u64,
    /// Drained words' cycles.
    drain: VecDeque<u64>,
    drained_until: u64,
    sending: Option<(VecDeque<bool>, Tokens, bool)>,
    counters: Counters,
    total_runs: bool,
    span_start: Option<u64>,
    standing: bool,
    now: u64,
    pub reads: Vec<Counters>,
    /// Cycles in which at least one, two, three engines are busy.
    pub busy: [u64; 3],
}

impl Ticks {
    pub fn new(config: &Config) -> Self {
        Ticks {
            config: config.clone(),
            program: VecDeque::new(),
            load: LoadState::Fetch { words: 0 },
            current: None,
            tokens: Default::default(),
            queues: Default::default(),
            freed: Default::default(),
            computing: VecDeque::new(),
            samples: VecDeque::new(),
            compute_tokens: Tokens::default(),
            compute_idle_from: 0,
            release: 0,
            drain: VecDeque::new(),
            drained_until: 0,
            sending: None,
            counters: Counters::default(),
            total_runs: false,
            span_start: None,
            standing: false,
            now: 0,
            reads: vec![],
            busy: [0; 3],
        }
    }

    fn units(&self) -> usize {
        128 / self.config.link_bits
    }

    fn check_words(&self) -> usize {
        (32 / self.config.link_bits).max(1)
    }

    fn skew(&self) -> u64 {
        ((self.config.array.cols - 1) / self.config.array.hop) as u64
    }

    fn stages(&self) -> u64 {
        self.config.array.pipeline as u64
    }

    /// One run: `words` link words of the instructions so far and of `program`.
    pub fn run(&mut self, program: &[Instruction], words: usize, stall_in: &Stall, stall_out: &Stall) {
        self.program.extend(program);
        let (start, mut left) = (self.now, words);
        while !(left == 0 && self.is_quiet()) {
            let cycle = self.now - start;
            assert!(cycle < 10_000_000, "the program does not end");
            self.tick(&mut left, stall_in.at(cycle), stall_out.at(cycle));
            self.now += 1;
        }
    }

    fn token_there(&self, channel: usize) -> bool {
        self.tokens[channel].front().is_some_and(|t| *t <= self.now)
    }

    fn tokens_there(&self, pops: &[(bool, usize)]) -> bool {
        pops.iter().all(|(pop, channel)| !pop || self.token_there(*channel))
    }

    fn pop(&mut self, pops: &[(bool, usize)]) {
        for (_, channel) in pops.iter().filter(|p| p.0) {
            self.tokens[*channel].pop_front();
        }
    }

    fn pops(queue: usize, i: &Instruction) -> Vec<(bool, usize)> {
        match (queue, i) {
            (0, Instruction::Compute(Compute { tokens: t, .. }))
            | (0, Instruction::Transform(Transform { tokens: t, .. }))
            | (0, Instruction::Smooth(Smooth { tokens: t, .. })) => {
                vec![(t.pop_prev, 0), (t.pop_next, 3)]
            }
            (_, Instruction::Store(s)) => vec![(s.tokens.pop_prev, 2)],
            (_, Instruction::Read(t)) => vec![(t.pop_prev, 2)],
            _ => unreachable!(),
        }
    }

    fn visible_head(&self, queue: usize) -> Option<Instruction> {
        self.queues[queue].front().filter(|e| e.0 <= self.now).map(|e| e.1)
    }

    fn compute_idle(&self) -> bool {
        self.computing.is_empty() && self.compute_idle_from <= self.now
    }

    fn is_quiet(&self) -> bool {
        let waits = |q: usize| match self.queues[q].front() {
            None => true,
            Some((visible, i)) => *visible <= self.now && !self.tokens_there(&Self::pops(q, i)),
        };
        matches!(self.load, LoadState::Fetch { .. } | LoadState::Payload { .. })
            && self.compute_idle()
            && self.drained_until <= self.now
            && self.sending.is_none()
            && waits(0)
            && waits(1)
    }

    fn count(&mut self, f: impl FnOnce(&mut Counters)) {
        if !self.standing {
            f(&mut self.counters);
        }
    }

    fn tick(&mut self, left: &mut usize, stalled_in: bool, stalled_out: bool) {
        let offered = *left > 0 && !stalled_in;
        let load = matches!(self.load, LoadState::Payload { .. } | LoadState::Done);
        let compute = !self.computing.is_empty() || !self.samples.is_empty();
        let engines = [load, compute, self.sending.is_some()];
        for n in 0..engines.iter().filter(|busy| **busy).count() {
            self.busy[n] += 1;
        }
        let taken = self.tick_load(offered);
        *left -= usize::from(taken);
        self.tick_compute();
        if self.samples.front() == Some(&self.now) {
            self.samples.pop_front();
            self.step_counts();
        }
        if self.drain.front() == Some(&self.now) {
            self.drain.pop_front();
            self.count(|c| c.drain += 1);
        }
        if taken && !self.standing {
            self.total_runs = true;
        }
        if self.total_runs {
            self.count(|c| c.total += 1);
        }
        self.tick_store(stalled_out);
    }

    fn tick_load(&mut self, offered: bool) -> bool {
        let now = self.now;
        match self.load.clone() {
            LoadState::Fetch { words } => {
                if !offered {
                    return false;
                }
                self.count(|c| c.words_in += 1);
                if words == 0 {
                    self.current = self.program.pop_front();
                }
                let i = self.current.expect("the stream has an instruction for every word");
                let long = matches!(i, Instruction::Compute(_) | Instruction::Smooth(_));
                let all = self.units() * if long { 4 } else { 1 };
                self.load =
                    if words + 1 == all { LoadState::Check } else { LoadState::Fetch { words: words + 1 } };
                true
            }
            LoadState::Check => {
                self.load = LoadState::Issue;
                false
            }
            LoadState::Issue => {
                match self.current.expect("in ISSUE") {
                    Instruction::Load(l) => {
                        let pops = [(l.tokens.pop_next, 1)];
                        if self.tokens_there(&pops) {
                            self.pop(&pops);
                            self.load = LoadState::Payload { words: 0 };
                            self.count(|c| c.instructions += 1);
                        } else {
                            self.count(|c| c.wait_load += 1);
                        }
                    }
                    i => {
                        let q = usize::from(!matches!(
                            i,
                            Instruction::Compute(_) | Instruction::Transform(_) | Instruction::Smooth(_)
                        ));
                        while self.freed[q].front().is_some_and(|t| *t <= now) {
                            self.freed[q].pop_front();
                        }
                        if self.queues[q].len() + self.freed[q].len() < self.config.queue {
                            self.queues[q].push_back((now + 1, i));
                            self.load = LoadState::Fetch { words: 0 };
                            self.count(|c| c.instructions += 1);
                        } else {
                            self.count(|c| c.wait_queue += 1);
                        }
                    }
                }
                false
            }
            LoadState::Payload { words } => {
                self.count(|c| c.load_busy += 1);
                if !offered {
                    self.count(|c| c.wait_link_in += 1);
                    return false;
                }
                self.count(|c| c.words_in += 1);
                let Some(Instruction::Load(l)) = self.current else { unreachable!() };
                let all = usize::from(l.count) * usize::from(l.words) + self.check_words();
                self.load =
                    if words + 1 == all { LoadState::Done } else { LoadState::Payload { words: words + 1 } };
                true
            }
            LoadState::Done => {
                self.count(|c| c.load_busy += 1);
                let Some(Instruction::Load(l)) = self.current else { unreachable!() };
                if l.tokens.push_next {
                    self.tokens[0].push_back(now + 1);
                }
                self.load = LoadState::Fetch { words: 0 };
                false
            }
        }
    }

    fn tick_compute(&mut self) {
        if let Some(step) = self.computing.front().cloned() {
            return self.tick_step(&step);
        }
        if self.compute_idle_from > self.now {
            return;
        }
        if let Some(i) = self.visible_head(0) {
            let pops = Self::pops(0, &i);
            // what came before a TRANSFORM or a SMOOTH is over
            if matches!(i, Instruction::Transform(_) | Instruction::Smooth(_))
                && self.drained_until > self.now
            {
                return;
            }
            if !self.tokens_there(&pops) {
                return self.count(|c| c.wait_compute += 1);
            }
            self.pop(&pops);
            self.queues[0].pop_front();
            self.freed[0].push_back(self.now + 1);
            match i {
                Instruction::Compute(c) => {
                    self.compute_tokens = c.tokens;
                    self.computing = steps(&self.config, &c);
                }
                Instruction::Transform(t) => self.take_transform(&t),
                Instruction::Smooth(s) => self.take_smooth(&s),
                _ => unreachable!(),
            }
        }
    }

    /// The table of the FFT unit's page, row by row.
    fn take_transform(&mut self, x: &Transform) {
        let fft = self.config.fft.as_ref().expect("a TRANSFORM is valid");
        let (t, n) = (self.now, 2u64.pow(x.log_points.into()));
        let p = u64::from(x.log_points).div_ceil(2);
        let s = u64::from(x.count) * n;
        let g = (self.config.array.drain / fft.samples) as u64;
        self.samples.extend((0..s).map(|n| t + 1 + n));
        let words = (0..s).step_by(g as usize).count() as u64;
        self.drain.extend((0..words).map(|j| t + 2 * n + 5 * p + 2 + ((j + 1) * g).min(s)));
        self.drain.push_back(t + 2 * n + 5 * p + 3 + s);
        let idle = t + 2 * n + 5 * p + 4 + s;
        (self.compute_idle_from, self.drained_until) = (idle, idle);
        self.give(x.tokens, idle);
    }

    /// The table of the Gaussian unit's page, row by row.
    fn take_smooth(&mut self, s: &Smooth) {
        let pixels = self.config.gaussian.as_ref().expect("a SMOOTH is valid").pixels;
        let (t, g) = (self.now, (self.config.array.drain / pixels) as u64);
        let b = 4 * u64::from(s.count);
        let r = if s.skip < s.count { 4 * u64::from(s.count - s.skip) } else { 0 };
        self.samples.extend((0..b).map(|i| t + 1 + i));
        let words = (0..r).step_by(g as usize).count() as u64;
        self.drain.extend((0..words).map(|j| t + 8 + b - r + ((j + 1) * g).min(r)));
        (self.compute_idle_from, self.drained_until) = (t + 9 + b, t + 9 + b);
        self.give(s.tokens, t + 9 + b);
    }

    /// Tokens of the compute engine, visible from a cycle on.
    fn give(&mut self, tokens: Tokens, visible: u64) {
        if tokens.push_prev {
            self.tokens[1].push_back(visible);
        }
        if tokens.push_next {
            self.tokens[2].push_back(visible);
        }
    }

    /// A cycle in which a step is issued or a sample is read.
    fn step_counts(&mut self) {
        if !self.standing {
            let start = *self.span_start.get_or_insert(self.now);
            self.counters.span = (self.now - start + 1) as u32;
        }
        self.count(|c| c.compute_busy += 1);
    }

    fn tick_step(&mut self, step: &Step) {
        let (now, skew, stages) = (self.now, self.skew(), self.stages());
        if step.last.is_some() && now < self.release {
            return self.count(|c| c.wait_drain += 1);
        }
        self.computing.pop_front();
        self.step_counts();
        self.count(|c| {
            c.products = c.products.wrapping_add(step.products as u32);
            c.skipped = c.skipped.wrapping_add(step.skipped as u32);
        });
        let Some((d, drained)) = step.last else { return };
        self.release = now + d + skew;
        if drained {
            self.drain.extend((0..d).map(|j| now + stages + 1 + skew + j));
        }
        if self.computing.is_empty() {
            self.compute_idle_from = now + 1;
            self.drained_until = now + stages + 1 + skew + d;
            self.give(self.compute_tokens, self.drained_until);
        }
    }

    fn tick_store(&mut self, stalled_out: bool) {
        let now = self.now;
        if let Some((mut ticks, tokens, is_read)) = self.sending.take() {
            self.count(|c| c.store_busy += 1);
            if ticks[0] && stalled_out {
                self.count(|c| c.wait_link_out += 1);
            } else {
                ticks.pop_front();
            }
            if !ticks.is_empty() {
                self.sending = Some((ticks, tokens, is_read));
                return;
            }
            if tokens.push_prev {
                self.tokens[3].push_back(now + 1);
            }
            if is_read {
                self.standing = false;
                self.counters = Counters::default();
                self.total_runs = false;
                self.span_start = None;
            }
            return;
        }
        let Some(i) = self.visible_head(1) else { return };
        let pops = Self::pops(1, &i);
        if !self.tokens_there(&pops) {
            return self.count(|c| c.wait_store += 1);
        }
        self.pop(&pops);
        self.queues[1].pop_front();
        self.freed[1].push_back(now + 1);
        let (data, tokens, is_read) = match i {
            Instruction::Store(s) => (self.store_data(&s), s.tokens, false),
            Instruction::Read(t) => {
                self.standing = true;
                self.reads.push(self.counters);
                let words = 32 * REGISTERS.len() / self.config.link_bits;
                ((0..words).map(|j| self.first_data() + j).collect(), t, true)
            }
            _ => unreachable!(),
        };
        self.sending = Some((self.ticks(&data), tokens, is_read));
    }

    fn first_data(&self) -> usize {
        let deep = if self.config.array.pipeline == 9 { 6 } else { 5 };
        (1 + self.units()).max(if self.config.pack { deep + 1 } else { deep })
    }

    fn store_data(&self, s: &Store) -> Vec<usize> {
        let lanes = if s.lanes == 0 { self.config.array.drain } else { s.lanes.into() };
        let width = [32, 16, 8, 4, 12, 20, 24, 28][s.format as usize] * lanes;
        let (mut left, mut bits, mut ticks) = (s.count, 0, vec![]);
        // a result word a tick if less than a link word waits; a link word if there is one, or the last bits
        for tick in self.first_data().. {
            if bits < self.config.link_bits {
                if left == 0 && bits == 0 {
                    break;
                }
                bits += if left > 0 { width } else { 0 };
                left = left.saturating_sub(1);
            }
            if bits >= self.config.link_bits || left == 0 {
                bits = bits.saturating_sub(self.config.link_bits);
                ticks.push(tick);
            }
        }
        ticks
    }

    /// Ticks 1, 2, …: whether a word is offered.
    fn ticks(&self, data: &[usize]) -> VecDeque<bool> {
        let (u, k) = (self.units(), self.check_words());
        let e = *data.last().expect("packets of valid programs have data");
        let mut ticks = vec![false; e + u + 1 + k];
        let mut offer = |tick: usize| ticks[tick - 1] = true;
        (1..=u).for_each(&mut offer);
        data.iter().copied().for_each(&mut offer);
        (e + 1..=e + u).for_each(&mut offer);
        (e + u + 2..=e + u + 1 + k).for_each(&mut offer);
        ticks.into()
    }
}

/// All steps of an instruction.
fn steps(config: &Config, c: &Compute) -> VecDeque<Step> {
    let levels = config.loops;
    let planes = usize::from(c.row_planes) * usize::from(c.col_planes);
    let mut at = vec![0u16; levels];
    let mut list = VecDeque::new();
    loop {
        let last_turn = |l: usize| at[l] + 1 == c.loops[l].count;
        let edge = |level: u8| level != 7 && last_turn(level.into());
        let rv = i64::from(if edge(c.row_edge) { c.rows_last } else { c.rows });
        let cv = i64::from(if edge(c.col_edge) { c.cols_last } else { c.cols });
        let tile_ends = (c.tiles.into()..levels).all(last_turn);
        let drain = config.array.drain as i64;
        let d = if c.hold { 1 } else { rv * ((cv + drain - 1) / drain) };
        let m = 1i64 << c.select;
        let window_turn = match (c.held, c.tiles) {
            (false, _) => at[levels - 1],
            (true, 0) => 0,
            (true, tiles) => at[usize::from(tiles) - 1],
        };
        let skipped = match (c.select, window_turn) {
            (0, _) => 0,
            (_, 0) => rv * cv * (m - 1),
            _ => -rv * cv,
        };
        for plane in 0..planes {
            let last = (tile_ends && plane + 1 == planes).then_some((d as u64, !c.hold));
            list.push_back(Step { last, products: rv * cv, skipped });
        }
        let Some(l) = (0..levels).rev().find(|l| at[*l] + 1 < c.loops[*l].count) else { return list };
        at[l] += 1;
        at[l + 1..].fill(0);
    }
}
