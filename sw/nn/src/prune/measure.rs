//! Power spectra of the inputs of all prunable tensors, measured by forward passes of the network as it is.
//!
//! Passes are those of training, with statistics of the batch, but nothing is dropped; what they leave in statistics, scales and shifts is undone.

use super::probe::ProbeError;
use super::scores::{Batch, Source};
use crate::layers::prunable::Domain;
use crate::network::Network;
use crate::spectral::power::Power;
use crate::tensor::Slot;
use ndarray::Array2;

/// The spectra, first tensor to last; `None` if there are no batches or a pass failed.
///
/// # Errors   a layer with a prunable tensor that does not know its input's power
pub fn measure(
    network: &mut Network,
    batches: &[Batch],
    source: &mut dyn Source,
) -> Result<Option<Vec<Power>>, ProbeError> {
    let layers = owners(network);
    let state = state(network);
    let wanted = want_dense_gradients(network);
    let mut sums: Vec<Option<Power>> = vec![None; layers.len()];
    let mut measured = !batches.is_empty();
    for (images, _) in batches {
        measured &= source.run(&mut |pass| {
            let input = network.input_mut(images.nrows());
            input.zip_mut_with(images, |to, &from| *to = from as f32);
            pass.keep_all();
            network.forward(pass)?;
            for (&layer, sum) in layers.iter().zip(&mut sums) {
                match (network.input_power(layer, pass)?, sum) {
                    (Some(more), Some(sum)) => sum.add(&more),
                    (first, sum) => *sum = first,
                }
            }
            Ok(())
        });
        if !measured {
            break;
        }
    }
    restore(network, state, &wanted);
    if !measured {
        return Ok(None);
    }
    let of = |(power, &layer): (Option<Power>, &usize)| {
        let plan = &network.plan().layers[layer];
        power.ok_or_else(|| ProbeError { layer: plan.name.clone(), kind: plan.kind })
    };
    sums.into_iter().zip(&layers).map(of).collect::<Result<_, _>>().map(Some)
}

/// The layer of each prunable tensor.
fn owners(network: &mut Network) -> Vec<usize> {
    let names: Vec<_> = network.plan().layers.iter().map(|layer| layer.name.clone()).collect();
    let prunables = network.prunables();
    let owner = |name: &str| names.iter().position(|other| other == name).expect("a tensor has a layer");
    prunables.iter().map(|(name, _)| owner(name)).collect()
}

/// The values of all parameters and buffers.
fn state(network: &mut Network) -> Vec<Array2<f32>> {
    let value = |(_, slot): (String, Slot<'_>)| match slot {
        Slot::Parameter(parameter) => Some(parameter.value.clone()),
        Slot::Statistic(buffer) | Slot::Buffer(buffer) => Some(buffer.value.clone()),
        Slot::Mask { .. } => None,
    };
    network.slots().into_iter().filter_map(value).collect()
}

/// Lets spectral layers transform bins whose masks keep nothing, too; what was wanted before.
fn want_dense_gradients(network: &mut Network) -> Vec<bool> {
    let mut want = |(_, prunable): (&str, &mut dyn crate::layers::prunable::Prunable)| {
        let wanted = prunable.dense_gradient().is_some();
        if prunable.domain() == Domain::Complex {
            prunable.want_dense_gradient(true);
        }
        wanted
    };
    network.prunables().into_iter().map(&mut want).collect()
}

fn restore(network: &mut Network, state: Vec<Array2<f32>>, wanted: &[bool]) {
    let mut state = state.into_iter();
    for (_, slot) in network.slots() {
        match slot {
            Slot::Parameter(parameter) => parameter.value = state.next().expect("as many as before"),
            Slot::Statistic(buffer) | Slot::Buffer(buffer) => {
                buffer.value = state.next().expect("as many as before")
            }
            Slot::Mask { .. } => {}
        }
    }
    for ((_, prunable), wanted) in network.prunables().into_iter().zip(wanted) {
        prunable.want_dense_gradient(*wanted);
    }
}
