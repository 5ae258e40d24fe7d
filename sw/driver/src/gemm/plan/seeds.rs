//! Where the search starts: one draft per structure, with sizes that fill the memories by halves.

use super::draft::{Draft, Frame};
use super::{GemmProblem, ResultWidth};
use tandem_spec::{Config, StoreWidth};

/// Drafts in a fixed order.
pub(super) fn seeds(config: &Config, problem: &GemmProblem, frames: &[Frame; 2]) -> Vec<Draft> {
    let mut list = vec![];
    // The pruned operand, or that of codes, enters by the columns, whose lanes select and look up.
    let either = problem.selection.pattern().is_none() && problem.codes.is_none();
    for transposed in [false, true].into_iter().filter(|t| either || !t) {
        let frame = &frames[usize::from(transposed)];
        for groups in groups(config, frame) {
            for row_outer in [false, true] {
                for transport in transports(config, problem, frame, groups) {
                    let nest = Nest { config, frame, transposed, row_outer, groups, transport };
                    list.extend(nest.seeds());
                }
            }
        }
    }
    list
}

/// Numbers of slices worth trying: the fewest, and if a whole product does not fit the accumulator
/// the two that need the fewest steps.
fn groups(config: &Config, frame: &Frame) -> Vec<[usize; 2]> {
    let least = [frame.fewest_groups(0), frame.fewest_groups(1)];
    let longest = |g| frame.longest(g, config.array.acc_bits);
    if longest(least) >= frame.depth {
        return vec![least];
    }
    let lanes = config.array.lanes;
    let cost = |g: [usize; 2]| {
        let planes = [0, 1].map(|s| {
            let (list, _) = frame.slices(s, g[s]);
            list.iter().map(|slice| frame.pads[s].planes(slice.format.bits.into())).sum::<usize>()
        });
        let sum = longest(g).min(frame.depth);
        let parts = frame.depth.div_ceil(if sum < lanes { sum } else { sum / lanes * lanes });
        let words = parts * sum.div_ceil(lanes);
        // A partial sum's way to the host takes about as long as `width` steps.
        words * planes[0] * planes[1] + parts * g[0] * g[1] * frame.width[0]
    };
    let most = |s: usize| usize::from(frame.formats[s].bits).min(least[s] + 2);
    let all = (least[0]..=most(0)).flat_map(|r| (least[1]..=most(1)).map(move |c| [r, c]));
    let mut fitting: Vec<_> = all.filter(|g| longest(*g) > 0).collect();
    fitting.sort_by_key(|g| (cost(*g), *g));
    fitting.truncate(2);
    fitting
}

/// Widths that results may have on the link: the narrowest that holds every sum, and 32 bits.
fn transports(config: &Config, problem: &GemmProblem, frame: &Frame, groups: [usize; 2]) -> Vec<StoreWidth> {
    let sum = frame.longest(groups, config.array.acc_bits).min(frame.depth);
    let lossless = |t: &StoreWidth| frame.longest(groups, t.bits()) >= sum;
    let narrow = StoreWidth::known(config).into_iter().filter(|t| *t != StoreWidth::S32).find(lossless);
    match problem.result {
        // what is packed never takes longer for being narrow
        ResultWidth::Full if config.pack => vec![narrow.unwrap_or_default()],
        ResultWidth::Full => narrow.into_iter().chain([StoreWidth::S32]).collect(),
        ResultWidth::Narrow(_) => vec![narrow.unwrap_or_default()],
    }
}

struct Nest<'a> {
    config: &'a Config,
    frame: &'a Frame,
    transposed: bool,
    row_outer: bool,
    groups: [usize; 2],
    transport: StoreWidth,
}

impl Nest<'_> {
    fn seeds(&self) -> Vec<Draft> {
        let planes = [0, 1].map(|s| self.frame.slices(s, self.groups[s]).1);
        let (o, i) = if self.row_outer { (0, 1) } else { (1, 0) };
        let half = |s: usize| (self.frame.room(s, planes[s]) / 2).max(1);
        let total = self.frame.depth.div_ceil(self.config.array.lanes);
        let whole = half(0).min(half(1)) * 2;

        let mut words = vec![total.min(whole)];
        let both = (half(i) / self.frame.tiles[i]).min(half(o) / self.frame.tiles[o]);
        for w in [half(i) / self.frame.tiles[i], both, whole / 2] {
            if (1..total).contains(&w) && !words.contains(&w) {
                words.push(w);
            }
        }
        let mut list: Vec<_> = words.into_iter().map(|w| self.draft(w, planes, o, i)).collect();
        if total > 1 {
            let part = (total / 4).clamp(1, whole.div_ceil(2));
            list.push(Draft { hold: true, outer: 1, inner: 1, ..self.draft(part, planes, o, i) });
        }
        list
    }

    fn draft(&self, words: usize, planes: [usize; 2], o: usize, i: usize) -> Draft {
        let frame = self.frame;
        let fit = |s: usize, share: usize| {
            (frame.room(s, planes[s]) / share / words.max(1)).clamp(1, frame.tiles[s])
        };
        let tiles = (frame.pairs(self.config) / 2).max(1);
        let (mut outer, inner);
        if fit(i, 1) == frame.tiles[i] {
            inner = frame.tiles[i].min(tiles);
            outer = fit(o, 2).min((tiles / inner).max(1));
        } else {
            outer = fit(o, 2).min(tiles);
            inner = fit(i, 2).min((tiles / outer).max(1));
        }
        // At least a few blocks, so that loads, compute and stores overlap.
        while outer > 1 && frame.tiles[o].div_ceil(outer) * frame.tiles[i].div_ceil(inner) < 4 {
            outer = outer.div_ceil(2);
        }
        Draft {
            transposed: self.transposed,
            row_outer: self.row_outer,
            hold: false,
            groups: self.groups,
            transport: self.transport,
            words,
            outer,
            inner,
            head: 0,
            tail: 1,
            first: 2,
            last: 1,
        }
    }
}
