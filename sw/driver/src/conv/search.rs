//! The way with the fewest cycles, by the exact cycle model.
//!
//! Every form of a walk is predicted for the first groups of images with a few sizes of bands; the best few are
//! predicted whole, beside the matrix products. What the search does depends on the problem only.

use super::gradient::{self, Rows as Elements};
use super::plan::{ConvPlan, Lowering};
use super::request::{ConvProblem, ConvProduct, walks};
use super::rows::Rows;
use super::walk;
use crate::device::DeviceError;
use crate::planner::Planned;
use crate::request::Plannable;
use tandem_spec::Config;
use tandem_spec::engine::Predict;

/// Groups of images that forms are compared on.
const GROUPS: [usize; 2] = [2, 4];
/// Parts of a band that the bands of the first images may have.
const FIRST: [usize; 5] = [3, 1, 2, 5, 8];
/// Most instructions of a walk, about.
const LONGEST: usize = 1 << 20;
/// Forms that are predicted whole.
const KEPT: usize = 4;
/// Outputs of a row that may be side by side.
const SIDE_BY_SIDE: [usize; 2] = [2, 4];
/// Least parts of a row that bands of scattered rows are.
const NARROWEST: usize = 4;
/// Parts of the result memory that a STORE may return.
const PARTS: [usize; 3] = [4, 2, 3];

/// The forms of walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Walk(walk::Form),
    Gradient(gradient::Form),
}

impl Form {
    fn band(&mut self) -> &mut [usize; 2] {
        match self {
            Form::Walk(form) => &mut form.band,
            Form::Gradient(form) => &mut form.band,
        }
    }

    fn first(&mut self) -> &mut usize {
        match self {
            Form::Walk(form) => &mut form.first,
            Form::Gradient(form) => &mut form.first,
        }
    }

    fn quota(&mut self) -> &mut usize {
        match self {
            Form::Walk(form) => &mut form.quota,
            Form::Gradient(form) => &mut form.quota,
        }
    }

    fn plan(&self, config: &Config, problem: &ConvProblem) -> Option<ConvPlan> {
        match self {
            Form::Walk(form) => ConvPlan::walk(config, problem, *form),
            Form::Gradient(form) => ConvPlan::gradient(config, problem, *form),
        }
    }
}

/// Every structure of a walk, with bands of the whole output.
fn structures(config: &Config, problem: &ConvProblem) -> Vec<Form> {
    let quota = config.memory.result / PARTS[0];
    let ([_, kernel], [_, stride]) = (problem.window.kernel, problem.window.stride);
    let dense = problem.selection.pattern().is_none();
    let one = walk::axes(problem, 1).expect("one output");
    let band = [one[0].outputs(), one[1].outputs()];
    if problem.product == ConvProduct::WeightGradient {
        let own = (1..=kernel).map(Elements::Own);
        return own
            .chain([Elements::Broadcast, Elements::Scattered])
            .map(|rows| Form::Gradient(gradient::Form { rows, band, first: band[0], quota }))
            .collect();
    }
    let clips = problem.product == ConvProduct::InputGradient || problem.window.padding != [0, 0];
    let flags = |both: bool| if both { vec![false, true] } else { vec![false] };
    let mut steps: Vec<_> = (1..=kernel).map(|step| (1, step)).collect();
    if gains_side_by_side(config, problem) {
        for beside in SIDE_BY_SIDE {
            let all = kernel + (beside - 1) * stride;
            steps.extend([(beside, all), (beside, beside * stride)]);
        }
    }
    let mut all = vec![];
    for (beside, step) in steps {
        let Some([_, columns]) = walk::axes(problem, beside) else { continue };
        let band = [band[0], columns.outputs()];
        for clip in flags(clips) {
            for across in flags(dense) {
                all.push(Form::Walk(walk::Form { step, beside, clip, across, band, first: band[0], quota }));
            }
        }
    }
    all
}

/// Whether outputs side by side may gain: where the channels of a pixel do not fill a word, or the outputs not the array.
fn gains_side_by_side(config: &Config, problem: &ConvProblem) -> bool {
    let members = problem.selection.pattern().map_or(1, |p| p.m);
    let side = config.array.cols;
    problem.channels().div_ceil(members) < config.array.lanes || !problem.answer().1.is_multiple_of(side)
}

/// Sizes of bands along an axis: the whole, halves, thirds, … down to one.
fn sizes(all: usize) -> Vec<usize> {
    let mut sizes: Vec<_> =
        [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 64].map(|parts| all.div_ceil(parts)).into();
    sizes.push(1);
    sizes.dedup();
    sizes
}

struct Search<'a> {
    config: &'a Config,
    predict: &'a dyn Predict,
    problem: &'a ConvProblem,
    /// The problem with the first groups of images only, twice.
    few: [ConvProblem; 2],
    /// Groups of the problem.
    groups: usize,
}

impl Search<'_> {
    /// Cycles, as those of a few groups tell: exact if there are no more, else as if all later ones were alike.
    fn cycles(&self, form: &Form) -> Option<u64> {
        let of = |problem: &ConvProblem| {
            let planned = Planned::new(self.config, self.predict, form.plan(self.config, problem)?);
            Some((planned.cost.cycles, planned.length))
        };
        let (many, length) = of(&self.few[1])?;
        if length * self.groups.div_ceil(GROUPS[1]) > LONGEST {
            return None;
        }
        if self.groups <= GROUPS[1] {
            return Some(many);
        }
        let each = many.saturating_sub(of(&self.few[0])?.0) / (GROUPS[1] - GROUPS[0]) as u64;
        Some(many + (self.groups - GROUPS[1]) as u64 * each)
    }

    /// The best size of bands, and of stores, of a structure.
    fn sized(&self, structure: &Form) -> Option<(u64, Form)> {
        let whole = *structure.to_owned().band();
        let mut best: Option<(u64, Form)> = None;
        let look = |form: Form, best: &mut Option<(u64, Form)>| {
            let Some(cycles) = self.cycles(&form) else { return false };
            if best.is_none_or(|(least, _)| cycles < least) {
                *best = Some((cycles, form));
            }
            true
        };
        // Whole rows if they fit, else the widest that do. Scattered rows load offsets for every band, so they gain from
        // narrow bands that are high and still fit twice.
        let scattered = matches!(structure, Form::Gradient(form) if form.rows == Elements::Scattered);
        for width in sizes(whole[1]) {
            let narrow = width < whole[1] && scattered;
            if narrow && width * NARROWEST < whole[1] {
                break;
            }
            let mut fits = false;
            for height in sizes(whole[0]).into_iter().filter(|height| !narrow || *height >= width / 2) {
                let mut form = *structure;
                (*form.band(), *form.first()) = ([height, width], height.div_ceil(FIRST[0]));
                fits |= look(form, &mut best);
            }
            if fits && !scattered {
                break;
            }
        }
        let (_, mut form) = best?;
        let height = form.band()[0];
        for part in &FIRST[1..] {
            *form.first() = height.div_ceil(*part);
            look(form, &mut best);
        }
        let (_, mut form) = best?;
        for part in &PARTS[1..] {
            *form.quota() = self.config.memory.result / part;
            look(form, &mut best);
        }
        best
    }
}

/// A plan of every structure that suits a problem, with bands of some sizes, whether it is fast or not.
pub fn candidates(
    config: &Config,
    predict: &dyn Predict,
    problem: &ConvProblem,
    bands: &[[usize; 2]],
) -> Vec<Planned<ConvPlan>> {
    let mut plans = vec![];
    if obstacle(config, problem).is_none() {
        for structure in structures(config, problem) {
            for band in bands {
                let mut form = structure;
                (*form.band(), *form.first()) = (*band, band[0].div_ceil(2));
                plans.extend(form.plan(config, problem));
            }
        }
    }
    for rows in Rows::of(problem.product) {
        if let Ok(planned) = rows.problem(problem).search(config, predict) {
            plans.push(ConvPlan::rows(problem, *rows, planned.plan, None));
        }
    }
    plans.into_iter().map(|plan| Planned::new(config, predict, plan)).collect()
}

/// Why no walk is possible.
fn obstacle(config: &Config, problem: &ConvProblem) -> Option<String> {
    let planes = |bits: u8, digit: usize| usize::from(bits).div_ceil(digit);
    let [row, col] =
        [(config.array.row_digit, config.array.row_bits), (config.array.col_digit, config.array.col_bits)];
    let [images, other] = match problem.product {
        ConvProduct::Forward => ["X", "W"],
        ConvProduct::InputGradient => ["dY", "W"],
        ConvProduct::WeightGradient => ["X", "dY"],
    };
    for (name, bits, (digit, most)) in [(images, problem.x.bits, row), (other, problem.w.bits, col)] {
        if planes(bits, digit) > most.div_ceil(digit) {
            return Some(format!("{name} of {bits} bits is computed in slices"));
        }
    }
    let pattern = problem.selection.pattern()?;
    if pattern.m > config.array.select {
        return Some(format!("the accelerator does not select 1:{}", pattern.m));
    }
    let along_k = problem.product != ConvProduct::InputGradient;
    (along_k && !walks(&pattern, &problem.window))
        .then(|| format!("groups of N:M in runs of {} cross the rows of the kernel", pattern.run))
}

/// The best plan.
pub(super) fn search(
    config: &Config,
    predict: &dyn Predict,
    problem: &ConvProblem,
) -> Result<Planned<ConvPlan>, DeviceError> {
    let group = config.array.rows.max(config.array.cols).max(config.array.lanes);
    let few = GROUPS.map(|groups| ConvProblem { images: problem.images.min(groups * group), ..*problem });
    let search = Search { config, predict, problem, few, groups: problem.images.div_ceil(group) };
    let obstacle = obstacle(config, problem);
    let mut ranked = vec![];
    if obstacle.is_none() {
        ranked = structures(config, problem).iter().filter_map(|s| search.sized(s)).collect();
        ranked.sort_by_key(|(cycles, _)| *cycles);
        ranked.truncate(KEPT);
    }
    let whole = ranked.iter().filter_map(|(_, form)| form.plan(config, search.problem));
    let walk = whole.map(|plan| Planned::new(config, predict, plan)).min_by_key(|p| p.cost.cycles);
    let mut best = walk;
    let mut refused = None;
    for rows in Rows::of(problem.product) {
        match rows.problem(problem).search(config, predict) {
            Ok(planned) => {
                let walked = best.as_ref().filter(|b| !matches!(b.plan.lowering, Lowering::Rows(..)));
                let declined = match (&obstacle, walked) {
                    (Some(why), _) => why.clone(),
                    (None, Some(walk)) => format!("a walk takes {} cycles", walk.cost.cycles),
                    (None, None) => match &best {
                        Some(other) => other.plan.declined.clone().unwrap_or_default(),
                        None => "bands, weights or results do not fit the memories and loops".into(),
                    },
                };
                if best.as_ref().is_none_or(|b| planned.cost.cycles < b.cost.cycles) {
                    let Planned { plan, length, predicted, traffic, cost } = planned;
                    let plan = ConvPlan::rows(problem, *rows, plan, Some(declined));
                    best = Some(Planned { plan, length, predicted, traffic, cost });
                }
            }
            Err(error) => refused = Some(error),
        }
    }
    best.ok_or_else(|| refused.expect("there is a way that was refused"))
}
