//! Numbers that are none: caught where they arise, never saved, never gone on from.
//!
//! A quantizer turns a weight that is not a number into 0, so that a broken network may still have a finite loss.

use super::{TrainError, Trainer};
use crate::checkpoint::{CheckpointError, Dtype, State};
use crate::tensor::blocks::{BLOCK, map_blocks};
use crate::tensor::{Slot, slice};
use ndarray::Array2;

/// The exponent of f32 values that are infinite or not a number.
const EXPONENT: u32 = 0x7f80_0000;

/// Whether no value is infinite or not a number.
fn is_finite(array: &Array2<f32>) -> bool {
    let values = slice(array);
    let largest = |v: &[f32]| v.iter().fold(0, |most, v| most.max(v.to_bits() & (u32::MAX >> 1)));
    map_blocks(values.len(), BLOCK, |block| largest(&values[block]) < EXPONENT)
        .into_iter()
        .all(|finite| finite)
}

impl Trainer {
    /// Checks parameters, moments and buffers.
    ///
    /// # Errors   [`TrainError::NotFinite`]
    pub(super) fn check_finite(&mut self) -> Result<(), TrainError> {
        let moments = self.experiment.train.optimizer.moments();
        let step = self.step;
        let fail = |tensor| Err(TrainError::NotFinite { tensor, step });
        for (name, slot) in self.network.slots() {
            match slot {
                Slot::Parameter(parameter) => {
                    if !is_finite(&parameter.value) {
                        return fail(name);
                    }
                    for (moment, kind) in parameter.moments.iter().zip(moments) {
                        if !is_finite(moment) {
                            return fail(format!("{name}.{kind}"));
                        }
                    }
                }
                Slot::Statistic(buffer) | Slot::Buffer(buffer) if !is_finite(&buffer.value) => {
                    return fail(name);
                }
                Slot::Statistic(_) | Slot::Buffer(_) | Slot::Mask { .. } => {}
            }
        }
        Ok(())
    }
}

/// Checks all real tensors of a state.
///
/// # Errors   [`CheckpointError::NotFinite`]
pub(super) fn check(state: &State) -> Result<(), CheckpointError> {
    for (name, tensor) in state.tensors() {
        let finite = match tensor.dtype {
            Dtype::F32 => state.array::<f32>(name)?.iter().all(|v| v.is_finite()),
            Dtype::F64 => state.array::<f64>(name)?.iter().all(|v| v.is_finite()),
            Dtype::I64 | Dtype::U8 => true,
        };
        if !finite {
            return Err(CheckpointError::NotFinite {
                file: state.origin().to_owned(),
                tensor: name.to_owned(),
            });
        }
    }
    Ok(())
}
