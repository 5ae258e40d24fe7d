//! Box: the mean of a rectangle.
//!
//! Columns by running sums: one addition and one subtraction a pixel. Rows by doubling: sums of 2, 4, 8, … neighbours, of which those that
//! make up the width are added; 2·log2 of it at most, on vector units, where a running sum would be a chain from pixel to pixel.
//! # Numeric  u8, u16: exact, rounded half to even; up to 256 pixels of u8 half up, as OpenCV does
//! (whose mean of 2^n such pixels is too large by one where it is below a tie by 1/2^n). f32: columns in f64, starting anew with each band of rows; rows in f32, by pairs.

use crate::bands::{Reach, bands};
use crate::exact::{self, Exact};
use crate::image::{Image, Samples};
use crate::parameter::{Parameter, Values, refused};
use crate::sample::Sample;
use crate::{Border, Correlation, Filter, FilterError, Kind};
use multiversion::multiversion;

pub(crate) const KIND: Kind = Kind {
    name: "box",
    about: "the mean of a rectangle, cost independent of its size",
    parameters: &[SIZE],
    build,
    correlation: Some(correlation),
};

const SIZE: Parameter = Parameter {
    name: "size",
    value: "N",
    default: Some("3"),
    help: "columns and rows of the window: N or COLUMNSxROWS",
};

/// Most pixels along a side of a window.
pub(crate) const MOST_SIDE: usize = 4096;

/// Rows and columns of a text like `5` or `7x3`.
pub(crate) fn sides(text: &str) -> Result<(usize, usize), FilterError> {
    let side = |text: &str| text.parse().ok().filter(|n| (1..=MOST_SIDE).contains(n));
    let both = match text.split_once('x') {
        Some((columns, rows)) => side(rows).zip(side(columns)),
        None => side(text).map(|n| (n, n)),
    };
    both.ok_or_else(|| refused("size", text, &format!("N or COLUMNSxROWS, each 1 to {MOST_SIDE}")))
}

struct BoxMean {
    rows: usize,
    columns: usize,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Filter>, FilterError> {
    let (rows, columns) = sides(values.needed("size")?)?;
    Ok(Box::new(BoxMean { rows, columns }))
}

impl Filter for BoxMean {
    fn apply(&self, image: &Image, border: Border) -> Result<Image, FilterError> {
        let few = self.rows * self.columns <= FEW_PIXELS;
        let samples = match image.samples() {
            Samples::U8(v) if few => Samples::U8(self.filter::<u8, u32>(image, v, border)),
            Samples::U16(v) if few => Samples::U16(self.filter::<u16, u32>(image, v, border)),
            Samples::U8(v) => Samples::U8(self.filter::<u8, f64>(image, v, border)),
            Samples::U16(v) => Samples::U16(self.filter::<u16, f64>(image, v, border)),
            Samples::F32(v) => Samples::F32(self.filter::<f32, f64>(image, v, border)),
        };
        Ok(Image::made(image.shape(), samples))
    }

    fn exact(&self) -> Box<dyn Filter> {
        let mean = |n: usize| vec![1.0 / n as f64; n];
        let (down, along) = (mean(self.rows), mean(self.columns));
        Box::new(Exact(move |image: &Image, border| exact::separable(image, &down, &along, border, 0.0)))
    }
}

/// Pixels whose sums f32 and u32 hold.
const FEW_PIXELS: usize = 1 << 16;
/// Windows up to this many columns are summed directly.
const FEW: usize = 7;
/// Pixels of u8 up to which a mean in the middle of two numbers becomes the larger one.
const TIES_UP: f64 = 256.0;
/// Sums that are made together, in registers.
const CHUNK: usize = 64;

/// A sum of samples down a column.
trait Sum<T>: Copy + Default + Send + Sync {
    /// A sum of such sums.
    type Whole: Copy + Default + Send + Sync;
    /// The sum with one sample more and one less.
    fn slid(self, new: T, gone: T) -> Self;
    fn plus(self, new: T) -> Self;
    fn whole(self) -> Self::Whole;
    fn add(a: Self::Whole, b: Self::Whole) -> Self::Whole;
    /// A sum over an area, divided by it.
    fn mean(sum: Self::Whole, area: f64) -> T;
}

/// Sums of samples of `$T` as `$S`, summed as `$W`.
macro_rules! sum {
    ($T:ty, $S:ty, $W:ty, |$sum:ident, $area:ident| $mean:expr) => {
        impl Sum<$T> for $S {
            type Whole = $W;

            #[inline(always)]
            fn slid(self, new: $T, gone: $T) -> Self {
                self + Self::from(new.counted()) - Self::from(gone.counted())
            }

            #[inline(always)]
            fn plus(self, new: $T) -> Self {
                self + Self::from(new.counted())
            }

            #[inline(always)]
            fn whole(self) -> $W {
                self as $W
            }

            #[inline(always)]
            fn add(a: $W, b: $W) -> $W {
                a + b
            }

            #[inline(always)]
            fn mean($sum: $W, $area: f64) -> $T {
                $mean
            }
        }
    };
}

sum!(u8, u32, u32, |sum, area| {
    // a quarter decides ties only
    let more = if area <= TIES_UP { 0.25 } else { 0.0 };
    u8::from_f32((sum.cast_signed() as f32 + more) * (1.0 / area) as f32)
});
sum!(u8, f64, f64, |sum, area| u8::from_f64(sum * (1.0 / area)));
sum!(u16, u32, u32, |sum, area| u16::from_f64(f64::from(sum) * (1.0 / area)));
sum!(u16, f64, f64, |sum, area| u16::from_f64(sum * (1.0 / area)));
sum!(f32, f64, f32, |sum, area| sum * (1.0 / area) as f32);

fn correlation(values: &Values<'_>) -> Result<Correlation, FilterError> {
    let (rows, columns) = sides(values.needed("size")?)?;
    Ok(Correlation::mean(rows, columns))
}

/// Means of so many pixels from their sums, rounded as the filter rounds them.
pub(crate) fn means(like: &Image, sums: &[f64], area: usize) -> Image {
    fn of<T: Sample, S: Sum<T>>(sums: &[f64], area: usize, whole: impl Fn(f64) -> S::Whole) -> Vec<T> {
        sums.iter().map(|sum| S::mean(whole(*sum), area as f64)).collect()
    }
    let few = area <= FEW_PIXELS;
    let samples = match like.samples() {
        Samples::U8(_) if few => Samples::U8(of::<_, u32>(sums, area, |v| v as u32)),
        Samples::U16(_) if few => Samples::U16(of::<_, u32>(sums, area, |v| v as u32)),
        Samples::U8(_) => Samples::U8(of::<_, f64>(sums, area, |v| v)),
        Samples::U16(_) => Samples::U16(of::<_, f64>(sums, area, |v| v)),
        Samples::F32(_) => Samples::F32(of::<_, f64>(sums, area, |v| v as f32)),
    };
    Image::made(like.shape(), samples)
}

impl BoxMean {
    fn filter<T: Sample, S: Sum<T>>(&self, image: &Image, samples: &[T], border: Border) -> Vec<T> {
        let (shape, reach) = (image.shape(), Reach::of(self.rows, self.columns));
        let area = (self.rows * self.columns) as f64;
        let outside = T::from_f32(border.outside());
        bands(
            (shape, samples),
            reach,
            (border, outside),
            |v| v,
            |band, out| {
                let mut down = vec![S::default(); band.row(0).len()];
                let blank = || vec![S::Whole::default(); band.row(0).len()];
                let mut scratch = [blank(), blank(), blank()];
                (0..self.rows).for_each(|i| slide(&mut down, band.row(i), None));
                let count = out.len() / shape.pitch();
                for (i, out) in out.chunks_exact_mut(shape.pitch()).enumerate() {
                    along(&down, &mut scratch, self.columns, shape.channels, area, out);
                    if i + 1 < count {
                        slide(&mut down, band.row(i + self.rows), Some(band.row(i)));
                    }
                }
            },
        )
    }
}

/// Adds a row to the columns' sums and takes another one away.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn slide<T: Sample, S: Sum<T>>(sums: &mut [S], new: &[T], gone: Option<&[T]>) {
    match gone {
        None => sums.iter_mut().zip(new).for_each(|(sum, new)| *sum = sum.plus(*new)),
        Some(gone) => {
            for ((sum, new), gone) in sums.iter_mut().zip(new).zip(gone) {
                *sum = sum.slid(*new, *gone);
            }
        }
    }
}

/// Means of `n` neighbours, `step` apart.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512bw+avx512dq", "x86_64+avx2"))]
fn along<T: Sample, S: Sum<T>>(
    down: &[S],
    scratch: &mut [Vec<S::Whole>; 3],
    n: usize,
    step: usize,
    area: f64,
    out: &mut [T],
) {
    if n <= FEW {
        let (chunks, rest) = out.as_chunks_mut::<CHUNK>();
        for (i, out) in chunks.iter_mut().enumerate() {
            let mut sums = [S::Whole::default(); CHUNK];
            for j in 0..n {
                let down: &[S; CHUNK] = down[i * CHUNK + j * step..][..CHUNK].try_into().expect("a chunk");
                for x in 0..CHUNK {
                    sums[x] = S::add(sums[x], down[x].whole());
                }
            }
            for x in 0..CHUNK {
                out[x] = S::mean(sums[x], area);
            }
        }
        let done = CHUNK * chunks.len();
        for (x, out) in rest.iter_mut().enumerate() {
            let sum =
                (0..n).fold(S::Whole::default(), |sum, j| S::add(sum, down[done + x + j * step].whole()));
            *out = S::mean(sum, area);
        }
        return;
    }
    let [a, b, sums] = scratch;
    let (mut from, mut to): (&mut [S::Whole], &mut [S::Whole]) = (a, b);
    let sums = &mut sums[..out.len()];
    // `from` has sums of `width` neighbours; those of the lower bits of n are in `sums`, `done` neighbours long
    from.iter_mut().zip(down).for_each(|(to, v)| *to = v.whole());
    sums.fill(S::Whole::default());
    let (mut width, mut done) = (1, 0);
    while width <= n {
        if n & width != 0 {
            sums.iter_mut().zip(&from[done * step..]).for_each(|(sum, v)| *sum = S::add(*sum, *v));
            done += width;
        }
        // the sums at the end that reach beyond it are not looked at
        let far = &from[(width * step).min(from.len())..];
        to.iter_mut().zip(&*from).zip(far).for_each(|((to, a), b)| *to = S::add(*a, *b));
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    out.iter_mut().zip(&*sums).for_each(|(out, sum)| *out = S::mean(*sum, area));
}
