//! What is done to every image before all else, always in the same way: filters, and noise that makes sets worse.
//!
//! ```text
//! bytes, stretched to 0 … 255 ─► step ─► step ─► … ─► bytes          a step leaves bytes, as `tandem filter` writes them
//! ```
//! Filters are those of [`tandem_filter::FILTERS`]; noise is a function of its seed and the image's number. A kind of noise is one file and a
//! line of [`NOISES`].

mod noise;
mod salt_and_pepper;

use super::step::{List, Step, StepError};
use std::collections::BTreeMap;
use tandem_filter::{Border, FILTERS, Filter, FilterError, Image, Parameter, Values};

/// Which image of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Of the test set.
    pub test: bool,
    /// Its number there.
    pub image: usize,
}

/// Makes an image of bytes of an image of bytes.
pub trait Preprocess: Send + Sync {
    /// The image that comes out: same shape, bytes.
    ///
    /// # Errors   what a filter cannot do with this image
    fn apply(&self, which: Which, image: Image) -> Result<Image, FilterError>;
}

/// A kind that is no filter.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    build: fn(&Values<'_>) -> Result<Box<dyn Preprocess>, FilterError>,
}

/// All kinds of noise.
pub static NOISES: &[Kind] = &[noise::KIND, salt_and_pepper::KIND];

static BORDER: Parameter = Parameter {
    name: "border",
    value: "MODE",
    default: Some("reflect-101"),
    help: "what lies around an image: reflect, reflect-101, replicate, wrap, constant or constant:VALUE",
};

/// Seed of noise.
const SEED: Parameter = Parameter {
    name: "seed",
    value: "N",
    default: Some("0"),
    help: "the noise is a function of it and of the image's number",
};

/// All kinds with their parameters.
pub(super) fn kinds() -> Vec<(&'static str, Vec<&'static Parameter>)> {
    let filters = FILTERS.iter().map(|kind| (kind.name, kind.parameters.iter().chain([&BORDER]).collect()));
    filters.chain(NOISES.iter().map(|kind| (kind.name, kind.parameters.iter().collect()))).collect()
}

/// A filter with what lies around an image.
struct Filtering {
    filter: Box<dyn Filter>,
    border: Border,
}

impl Preprocess for Filtering {
    fn apply(&self, _: Which, image: Image) -> Result<Image, FilterError> {
        self.filter.apply(&image, self.border)
    }
}

/// Makes what an entry describes.
///
/// # Errors   see [`List::check`]
pub(super) fn build(step: &Step) -> Result<Box<dyn Preprocess>, StepError> {
    if let Some(noise) = NOISES.iter().find(|kind| kind.name == step.kind) {
        return Ok((noise.build)(&Values::new(noise.name, noise.parameters, &step.values)?)?);
    }
    let filter = tandem_filter::kind(&step.kind).map_err(|_| List::Preprocess.unknown())?;
    let mut values: BTreeMap<_, _> = step.values.clone();
    let border = values.remove(BORDER.name).unwrap_or_else(|| BORDER.default.unwrap_or_default().to_owned());
    let border = border.parse().map_err(|problem| StepError { key: BORDER.name.to_owned(), problem })?;
    Ok(Box::new(Filtering { filter: filter.build(&values)?, border }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_filter::{Samples, Shape};

    /// A grey image of one value.
    pub(super) fn flat(height: usize, width: usize, value: u8) -> Image {
        Image::new(Shape { height, width, channels: 1 }, Samples::U8(vec![value; height * width])).unwrap()
    }

    /// The bytes that a kind with these parameters makes of an image.
    pub(super) fn run(kind: &str, values: &[(&str, &str)], test: bool, image: usize, of: Image) -> Vec<u8> {
        let values = values.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let made = build(&Step { kind: kind.to_owned(), values }).unwrap();
        match made.apply(Which { test, image }, of).unwrap().into_samples() {
            Samples::U8(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn filters_go_by_their_border() {
        let mut image = vec![0; 12];
        image[0] = 90;
        let image = Image::new(Shape { height: 3, width: 4, channels: 1 }, Samples::U8(image)).unwrap();
        let corner = |border| run("box", &[("size", "3"), ("border", border)], false, 0, image.clone())[0];
        assert_eq!([corner("replicate"), corner("constant:0"), corner("constant:9")], [40, 10, 15]);
    }

    #[test]
    fn every_kind_has_one_name() {
        let mut names: Vec<_> = kinds().into_iter().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
