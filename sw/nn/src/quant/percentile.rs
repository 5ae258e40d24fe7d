//! A grid that ends at a percentile of the magnitudes.
//!
//! ```text
//! clip = the smallest magnitude that p % of the magnitudes above 0 do not exceed          key `percentile`
//! ```

use super::clipped::Clipped;
use super::sorted::Sorted;
use super::{Clip, Role};

/// This quantizer under its name.
pub const CLIP: Clip = Clip::fitted("percentile", |role| Box::new(Clipped::new(role, clip)));

fn clip(magnitudes: &Sorted, role: &Role) -> f64 {
    let rank = (role.fitting.percentile * magnitudes.len() as f64 / 100.0).ceil() as usize;
    magnitudes.at(rank.clamp(1, magnitudes.len()) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::Fitting;
    use tandem_driver::Format;

    #[test]
    fn so_many_percent_are_not_clipped() {
        let magnitudes = Sorted::new((1..=1000).map(|i| i as f32));
        let of = |percentile| {
            let fitting = Fitting { percentile, ..Fitting::DEFAULT };
            clip(&magnitudes, &Role { fitting, ..Role::new("weight", Format::signed(4), 1000) })
        };
        assert_eq!((of(99.9), of(50.0), of(100.0), of(0.01)), (999.0, 500.0, 1000.0, 1.0));
    }
}
