//! What scores are derived with.

use super::Batch;
use crate::backend::ledger::Ledger;
use crate::backend::{Backend, Mode, Pass, ProductError};

/// What a forward pass is used for.
pub type Work<'a> = &'a mut dyn FnMut(&mut Pass<'_>) -> Result<(), ProductError>;

/// Batches, and an engine that networks run on. A closure that gives batches is one, with the host in floating point.
pub trait Source {
    /// The batches; none if they cannot be made.
    fn batches(&mut self) -> Vec<Batch>;

    /// Does `work` in a training pass on the engine; whether that succeeded.
    fn run(&mut self, work: Work<'_>) -> bool {
        work(&mut Pass::new(Mode::Train, 0, 0, &mut Backend::Float, &mut Ledger::default())).is_ok()
    }
}

impl<F: FnMut() -> Vec<Batch>> Source for F {
    fn batches(&mut self) -> Vec<Batch> {
        self()
    }
}
