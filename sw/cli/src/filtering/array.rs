//! FIR filters on the MAC array: convolutions of tiles of the picture.
//!
//! ```text
//! channel ─► with its border ─► tiles = images of one channel ─► conv ─► sums        exact in integers
//! ```
//! One channel and one output fill one lane and one column of the array, so the pixels of a block of a×b are the channels, and its results the outputs
//! of one position (space to depth): each output has the kernel at another place among zeros, of ⌈(k + b − 1)/b⌉ blocks a side instead of k pixels.
//! Kernels of one size (Sobel's two) are outputs beside each other.
//!
//! A separable kernel may be two passes along rows, the picture transposed between them. What the first one leaves is kept whole: numbers too wide for
//! an operand are cut into parts, each a pass. So results do not depend on the way, and the exact cycle model chooses it.

use super::tiles::{Tiles, padded};
use super::whole::{Integers, Plane, format_of, holding, whole};
use super::{Job, Sums, integers};
use crate::commands::gemm::utilisation;
use crate::failure::usage;
use crate::operands::MOST_PRODUCTS;
use crate::variant::Progress;
use anyhow::Result;
use ndarray::Array2;
use std::ops::Range;
use tandem_driver::{
    ConvProduct, ConvRequest, Cost, Device, Format, Operand, RequestKind, ResultFormat, Sparsity, Window,
};
use tandem_filter::{Border, Shape};
use tandem_spec::Config;

/// Blocks that are tried: pixels down and along.
const BLOCKS: [[usize; 2]; 8] = [[1, 1], [1, 2], [1, 4], [1, 8], [2, 2], [2, 4], [4, 4], [8, 8]];
/// Blocks of a line of pixels are powers of two, of which so many are tried,
const LINES: usize = 5;
/// those from which on a kernel has at most so many blocks a side: a plan's search tries all parts of them.
const MOST_BLOCKS: usize = 24;
/// Sides of tiles that are tried, the first one with every block.
const SIDES: [usize; 3] = [32, 64, 16];
/// Lengths of tiles of one row.
const LENGTHS: [usize; 3] = [128, 256, 64];
/// Most weights of a form, zeros too.
const MOST_WEIGHTS: usize = 1 << 22;
/// Tiles that forms are compared on.
const COMPARED: usize = 64;
/// Values of a request's images, about.
const MOST_VALUES: usize = 1 << 20;
/// A kernel of so many more taps than its lines have is two passes without a look at one.
const SEPARATE: usize = 16;
/// Largest constant around a picture: f32 holds all whole numbers up to it.
const MOST_OUTSIDE: f32 = 16_777_216.0;

/// How planes are cut and walked.
#[derive(Clone, Copy, Debug)]
struct Form {
    tiles: Tiles,
    /// Results of a block down and along.
    block: [usize; 2],
}

/// One convolution of planes.
#[derive(Clone, Copy)]
struct Pass<'a> {
    /// Kernels of one size, at most 16 bits.
    kernels: &'a [Plane<i32>],
    /// The least and the most that planes have.
    range: [i64; 2],
    /// Planes.
    planes: usize,
    /// Rows and columns of a plane's results.
    results: [usize; 2],
}

/// Some bits of the planes' numbers: an operand.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    format: Format,
    shift: u32,
    /// Whether the upper bits, and the sign, are in it.
    is_top: bool,
}

impl Part {
    fn of(&self, v: i64) -> i32 {
        let v = v >> self.shift;
        if self.is_top { v as i32 } else { (v & ((1 << self.format.bits) - 1)) as i32 }
    }
}

/// The parts of numbers in a range, the lowest first: as few as operands of `most` bits allow.
fn parts(most: u32, [low, high]: [i64; 2]) -> Vec<Part> {
    let magnitude = 64 - high.max(-low - 1).max(0).leading_zeros();
    let bits = (magnitude + u32::from(low < 0)).max(1);
    // whole operands first: digits are never shared by two parts
    let (count, each) = (bits.div_ceil(most), most);
    let part = |i: u32| {
        let (shift, is_top) = (i * each, i + 1 == count);
        let top = holding(low >> shift, high >> shift);
        Part {
            format: if is_top { top.expect("so few bits") } else { Format::unsigned(each as u8) },
            shift,
            is_top,
        }
    };
    (0..count).map(part).collect()
}

impl Pass<'_> {
    fn size(&self) -> [usize; 2] {
        [self.kernels[0].rows(), self.kernels[0].columns]
    }

    fn is_line(&self) -> bool {
        self.size()[0] == 1
    }

    /// Blocks that a kernel may be walked in.
    fn blocks(&self) -> Vec<[usize; 2]> {
        let suits = |block: &[usize; 2]| {
            let sides = self.kernel(*block);
            let weights = block.iter().chain(block).chain(&sides).product::<usize>() * self.kernels.len();
            sides.iter().all(|side| *side <= MOST_BLOCKS) && weights <= MOST_WEIGHTS
        };
        let found =
            |most: usize, all: &mut dyn Iterator<Item = [usize; 2]>| all.filter(suits).take(most).collect();
        if self.is_line() {
            found(LINES, &mut (0..usize::BITS / 2).map(|log| [1, 1 << log]))
        } else {
            found(BLOCKS.len(), &mut BLOCKS.into_iter())
        }
    }

    /// Blocks of the kernel, wherever in a block it begins.
    fn kernel(&self, block: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| (self.size()[axis] + block[axis] - 1).div_ceil(block[axis]))
    }

    /// Tiles of about this side; a kernel of one row has tiles of one row.
    fn form(&self, block: [usize; 2], side: usize) -> Form {
        let wanted = [if self.is_line() { 1 } else { side }, side];
        let tile = [0, 1].map(|axis| wanted[axis].min(self.results[axis]).next_multiple_of(block[axis]));
        Form { tiles: Tiles { planes: self.planes, results: self.results, tile }, block }
    }

    fn window(&self, form: &Form) -> Window {
        let kernel = self.kernel(form.block);
        let image = [0, 1].map(|axis| form.tiles.tile[axis] / form.block[axis] + kernel[axis] - 1);
        Window { image, channels: form.block.iter().product(), kernel, stride: [1, 1], padding: [0, 0] }
    }

    /// Weights of a block's results: row (block, its pixel), column (kernel, result of the block).
    fn weights(&self, form: &Form) -> Array2<i32> {
        let ([down, along], window) = (form.block, self.window(form));
        let mut w = Array2::zeros((window.volume(), self.kernels.len() * down * along));
        for (i, kernel) in self.kernels.iter().enumerate() {
            for (tap, v) in kernel.values.iter().enumerate() {
                for place in 0..down * along {
                    let (y, x) = (tap / kernel.columns + place / along, tap % kernel.columns + place % along);
                    let block = y / down * window.kernel[1] + x / along;
                    let pixel = y % down * along + x % along;
                    w[[block * down * along + pixel, i * down * along + place]] = *v;
                }
            }
        }
        w
    }

    fn request<'r>(&self, form: &Form, x: Operand<'r>, w: &'r Array2<i32>) -> ConvRequest<'r> {
        let format = format_of(self.kernels.iter().flat_map(|k| &k.values)).expect("weights fit an operand");
        ConvRequest {
            product: ConvProduct::Forward,
            window: self.window(form),
            x,
            w: Operand::new(w.view(), format),
            result: ResultFormat::Full,
            sparsity: Sparsity::Dense,
        }
    }

    /// A part of some tiles' numbers as images.
    fn images(&self, form: &Form, planes: &[Plane<i64>], which: Range<usize>, part: Part) -> Array2<i32> {
        let (window, [down, along]) = (self.window(form), form.block);
        let mut x = Array2::zeros((which.len(), window.features()));
        for (index, mut image) in which.zip(x.outer_iter_mut()) {
            let (plane, [row, column]) = form.tiles.place(index);
            let plane = &planes[plane];
            let image = image.as_slice_mut().expect("row-major");
            let height = (window.image[0] * down).min(plane.rows() - row);
            for y in 0..height {
                let blocks = &mut image[y / down * window.image[1] * down * along..];
                let from = &plane.values[(row + y) * plane.columns..][column..plane.columns];
                for (block, from) in from.chunks(along).take(window.image[1]).enumerate() {
                    let to = &mut blocks[(block * down + y % down) * along..];
                    to.iter_mut().zip(from).for_each(|(to, v)| *to = part.of(*v));
                }
            }
        }
        x
    }

    /// Adds the results of a part of some tiles where they belong: `sums[kernel][plane]`.
    fn add(
        &self,
        form: &Form,
        which: Range<usize>,
        y: &Array2<i64>,
        shift: u32,
        sums: &mut [Vec<Plane<i64>>],
    ) {
        let [down, along] = form.block;
        let across = form.tiles.tile[1] / along;
        let positions = form.tiles.tile[0] / down * across;
        for (i, index) in which.enumerate() {
            let (plane, first) = form.tiles.place(index);
            let [rows, columns] = form.tiles.inside(first);
            for (k, sums) in sums.iter_mut().enumerate() {
                for row in rows.clone() {
                    let (block, dy) = ((row - first[0]) / down, (row - first[0]) % down);
                    for column in columns.clone() {
                        let (position, dx) = ((column - first[1]) / along, (column - first[1]) % along);
                        let from = [i * positions + block * across + position, (k * down + dy) * along + dx];
                        sums[plane].values[row * self.results[1] + column] += y[from] << shift;
                    }
                }
            }
        }
    }

    /// The least and the most of a kernel's sums.
    fn range(&self, kernel: &Plane<i32>) -> [i64; 2] {
        let [low, high] = self.range;
        let ends = |w: &i32| {
            let (a, b) = (i64::from(*w) * low, i64::from(*w) * high);
            [a.min(b), a.max(b)]
        };
        kernel.values.iter().map(ends).fold([0, 0], |sum, ends| [sum[0] + ends[0], sum[1] + ends[1]])
    }

    /// Multiplications by weights.
    fn products(&self) -> u128 {
        let sides = [
            self.planes,
            self.results[0],
            self.results[1],
            self.size()[0],
            self.size()[1],
            self.kernels.len(),
        ];
        sides.iter().map(|n| *n as u128).product()
    }

    fn describe(&self, form: &Form) -> String {
        let ([rows, columns], [tall, wide], [down, along]) = (self.size(), form.tiles.tile, form.block);
        let kernels = if self.kernels.len() > 1 {
            format!("{} kernels of ", self.kernels.len())
        } else {
            String::new()
        };
        format!(
            "{kernels}{rows}×{columns} taps, {} tiles of {tall}×{wide} in blocks of {down}×{along}",
            form.tiles.count()
        )
    }
}

/// The device, and what it has done.
struct Runner<'a> {
    device: &'a mut dyn Device,
    config: &'a Config,
    cost: Cost,
}

impl Runner<'_> {
    fn parts(&self, pass: &Pass<'_>) -> Vec<Part> {
        parts(self.config.array.row_bits as u32, pass.range)
    }

    /// The form with the fewest cycles, as the first tiles tell, with these cycles; none if the accelerator has no room for the kernel.
    fn best(&mut self, pass: &Pass<'_>) -> Result<Option<(u64, Form)>> {
        if pass.products() > MOST_PRODUCTS {
            return Err(usage(format!(
                "{} multiplications: expected at most {MOST_PRODUCTS}",
                pass.products()
            )));
        }
        let [first, others @ ..] = if pass.is_line() { LENGTHS } else { SIDES };
        let forms = pass.blocks().into_iter().map(|block| pass.form(block, first));
        let mut best = None;
        for form in forms {
            best = self.better(pass, best, form)?;
        }
        let Some((_, Form { block, .. })) = best else { return Ok(None) };
        for side in others {
            best = self.better(pass, best, pass.form(block, side))?;
        }
        Ok(best)
    }

    /// The better of a form and the best one before it.
    fn better(
        &mut self,
        pass: &Pass<'_>,
        best: Option<(u64, Form)>,
        form: Form,
    ) -> Result<Option<(u64, Form)>> {
        let count = form.tiles.count();
        let some = count.min(COMPARED);
        let x = Array2::<i32>::zeros((some, pass.window(&form).features()));
        let w = pass.weights(&form);
        let mut cycles = Some(0);
        for part in self.parts(pass) {
            let problem = pass.request(&form, Operand::new(x.view(), part.format), &w).problem()?;
            let cost = self.device.predict(&problem.into());
            cycles = cycles.zip(cost).map(|(sum, cost)| sum + cost.cycles * count as u64 / some as u64);
        }
        let new = cycles.map(|cycles| (cycles, form));
        Ok([best, new].into_iter().flatten().min_by_key(|(cycles, _)| *cycles))
    }

    /// Computes a pass: `[kernel][plane]`.
    fn run(&mut self, pass: &Pass<'_>, form: &Form, planes: &[Plane<i64>]) -> Result<Vec<Vec<Plane<i64>>>> {
        let count = form.tiles.count();
        let requests = (count * pass.window(form).features()).div_ceil(MOST_VALUES);
        let group = self.config.array.rows.max(self.config.array.cols);
        let each = count.div_ceil(requests).next_multiple_of(group);
        let w = pass.weights(form);
        let [rows, columns] = pass.results;
        let plane = Plane { values: vec![0; rows * columns], columns };
        let mut sums = vec![vec![plane; pass.planes]; pass.kernels.len()];
        let parts = self.parts(pass);
        let progress = Progress::new("tiles", parts.len() * count, 0);
        for part in parts {
            for first in (0..count).step_by(each) {
                let which = first..(first + each).min(count);
                let x = pass.images(form, planes, which.clone(), part);
                let request = pass.request(form, Operand::new(x.view(), part.format), &w);
                let done = self.device.run(request.into())?.into_conv();
                self.cost += done.cost;
                progress.add(which.len(), "");
                pass.add(form, which, &done.y.into_long(), part.shift, &mut sums);
            }
        }
        Ok(sums)
    }
}

fn transposed(planes: &[Plane<i64>]) -> Vec<Plane<i64>> {
    planes.iter().map(Plane::transposed).collect()
}

/// A kernel as one of two dimensions; none if its weights do not fit an operand.
fn plane(kernel: &Integers) -> Option<Plane<i32>> {
    match kernel {
        Integers::Plane(plane) => Some(plane.clone()),
        Integers::Lines { down, along } => {
            let product = |d: &i32, a: &i32| i32::try_from(i64::from(*d) * i64::from(*a)).ok();
            let values: Option<Vec<_>> =
                down.iter().flat_map(|d| along.iter().map(move |a| product(d, a))).collect();
            let values = values.filter(|values| format_of(values).is_some())?;
            Some(Plane { values, columns: along.len() })
        }
    }
}

/// The two lines of the only kernel, if it has two.
fn lines(kernels: &[Integers]) -> Option<[Plane<i32>; 2]> {
    let [Integers::Lines { down, along }] = kernels else { return None };
    let row = |w: &Vec<i32>| Plane { values: w.clone(), columns: w.len() };
    (down.len() > 1 && along.len() > 1).then(|| [row(along), row(down)])
}

/// The constant around a picture.
fn outside(job: &Job<'_>) -> Result<i64> {
    let Border::Constant(_) = job.border else { return Ok(0) };
    let v = job.correlation.outside(job.image, job.border);
    if v.fract() != 0.0 || v.abs() > MOST_OUTSIDE {
        return Err(usage(format!(
            "--border {}: expected a whole number from -{MOST_OUTSIDE} to {MOST_OUTSIDE} on the MAC array",
            job.border
        )));
    }
    Ok(v as i64)
}

/// The sums over the kernels of a filter, on the array.
pub fn sums(device: &mut dyn Device, config: &Config, job: &Job<'_>) -> Result<Sums> {
    let (samples, [low, high]) = integers(job.image)?;
    let outside = outside(job)?;
    let range = [low.min(outside), high.max(outside)];
    let wholes: Result<Vec<_>, _> =
        job.correlation.kernels().iter().map(|k| whole(k, job.kernel_bits)).collect();
    let kernels = wholes.map_err(|e| usage(format!("the kernel {e}")))?;
    let integers: Vec<_> = kernels.iter().map(|k| k.weights.clone()).collect();
    let size = integers[0].size();
    let shape = job.image.shape();
    let Shape { height, width, channels } = shape;
    let planes: Vec<_> =
        (0..channels).map(|c| padded(&samples, shape, c, size, job.border, outside)).collect();
    let mut runner = Runner { device, config, cost: Cost::default() };

    let direct: Option<Vec<_>> = integers.iter().map(plane).collect();
    // a column is walked as a row of the transposed picture
    let turned = size[1] == 1 && size[0] > 1;
    let direct = direct.map(|k| if turned { k.iter().map(Plane::transposed).collect() } else { k });
    let lines = lines(&integers);
    let many = lines.is_some() && size[0] * size[1] > SEPARATE * (size[0] + size[1]);
    let one = direct.filter(|_| !many);
    let one = one.as_ref().map(|kernels| {
        let results = if turned { [width, height] } else { [height, width] };
        Pass { kernels, range, planes: channels, results }
    });
    let best = one.map(|pass| runner.best(&pass)).transpose()?.flatten();
    let two = lines.as_ref().map(|[along, down]| {
        let rows = height + size[0] - 1;
        let first =
            Pass { kernels: std::slice::from_ref(along), range, planes: channels, results: [rows, width] };
        let range = first.range(along);
        [
            first,
            Pass { kernels: std::slice::from_ref(down), range, planes: channels, results: [width, height] },
        ]
    });
    let both = match &two {
        None => None,
        Some([first, second]) => runner.best(first)?.zip(runner.best(second)?),
    };
    let is_one = |one: u64| both.is_none_or(|((a, _), (b, _))| one <= a + b);
    let (plan, sums) = match (one, best, two, both) {
        (Some(pass), Some((cycles, form)), ..) if is_one(cycles) => {
            let planes = if turned { transposed(&planes) } else { planes };
            let sums = runner.run(&pass, &form, &planes)?;
            let sums = if turned { sums.iter().map(|s| transposed(s)).collect() } else { sums };
            (pass.describe(&form), sums)
        }
        (.., Some([first, second]), Some(((_, form), (_, then)))) => {
            let middle = runner.run(&first, &form, &planes)?.swap_remove(0);
            let sums = runner.run(&second, &then, &transposed(&middle))?;
            let [low, high] = second.range;
            let plan =
                format!("{}; {low} to {high} between; {}", first.describe(&form), second.describe(&then));
            (plan, sums.iter().map(|s| transposed(s)).collect())
        }
        _ => {
            let [rows, columns] = size;
            let name = &config.name;
            return Err(usage(format!(
                "a kernel of {rows}×{columns} taps: accelerator {name} has no room for it"
            )));
        }
    };
    let interleaved = |(sums, kernel): (&Vec<Plane<i64>>, &super::whole::Whole)| {
        let unit = 2f64.powi(-kernel.shift);
        (0..height * width * channels)
            .map(|i| sums[i % channels].values[i / channels] as f64 * unit)
            .collect()
    };
    let sums = sums.iter().zip(&kernels).map(interleaved).collect();
    let cost = runner.cost;
    let utilisation = utilisation(config, cost.products, cost.span);
    Ok(Sums { sums, cost, transforms: 0, utilisation, saturated: 0, plan, kernels })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_numbers() {
        for (most, range) in [
            (16, [0, 255]),
            (8, [-3, 255]),
            (16, [-70_000, 70_000]),
            (8, [0, 65535]),
            (4, [-1, 0]),
            (16, [0, 1 << 40]),
        ] {
            let parts = parts(most, range);
            assert!(parts.iter().all(|part| u32::from(part.format.bits) <= most), "{parts:?}");
            for v in [range[0], range[0] + 1, 0, range[1] / 3, range[1]].map(|v| v.clamp(range[0], range[1]))
            {
                let sum = parts.iter().map(|part| i64::from(part.of(v)) << part.shift).sum::<i64>();
                assert_eq!(sum, v, "{parts:?}");
                let fits =
                    |part: &Part| (part.format.range().0..=part.format.range().1).contains(&part.of(v));
                assert!(parts.iter().all(fits), "{v}: {parts:?}");
            }
        }
        assert_eq!(parts(16, [0, 255]), [Part { format: Format::unsigned(8), shift: 0, is_top: true }]);
    }
}
