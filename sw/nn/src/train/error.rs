//! Why a run stopped.

use crate::backend::{Product, ProductError};
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::network::plan::NetworkPlan;
use crate::prune::PruneError;
use crate::train::identity::IdentityError;
use std::path::PathBuf;
use tandem_driver::DeviceError;

/// Why a run did not start, go on or resume.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The experiment is wrong, or does not suit the data.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A checkpoint cannot be read or written, or belongs to another network.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The device failed.
    #[error("layer `{layer}`, {} product: {source}", product.name())]
    Product {
        /// Name of the layer.
        layer: String,
        /// Which of its products.
        product: Product,
        /// What the device said.
        source: DeviceError,
    },
    /// Masks could not be chosen.
    #[error("pruning: {0}")]
    Prune(#[from] PruneError),
    /// The loss is infinite or not a number.
    #[error("the loss is not a finite number in step {step}: try a smaller `train.lr`")]
    Diverged {
        /// The step, from 0.
        step: u64,
    },
    /// A parameter, moment or statistic is infinite or not a number.
    #[error("`{tensor}` has values that are not finite numbers after step {step}: try a smaller `train.lr`")]
    NotFinite {
        /// Layer and tensor.
        tensor: String,
        /// Steps taken.
        step: u64,
    },
    /// The loss of an evaluation is infinite or not a number.
    #[error("evaluation: the loss of images {first} to {last} is not a finite number")]
    Unfit {
        /// The first image of the batch.
        first: usize,
        /// The last one.
        last: usize,
    },
    /// A checkpoint was made from something else.
    #[error("checkpoint {}: {difference}", file.display())]
    Identity {
        /// The checkpoint.
        file: PathBuf,
        /// What differs.
        difference: IdentityError,
    },
}

impl TrainError {
    /// Gives a failed product its layer's name.
    pub(super) fn naming(plan: &NetworkPlan) -> impl Fn(ProductError) -> TrainError + use<> {
        let names: Vec<_> = plan.layers.iter().map(|layer| layer.name.clone()).collect();
        move |error| TrainError::Product {
            layer: names[error.layer].clone(),
            product: error.product,
            source: error.source,
        }
    }
}
