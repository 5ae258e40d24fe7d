//! Batches made ahead of the trainer.
//!
//! ```text
//! thread `data`: batch ─► batch ─► … ─► queue ─► trainer          buffers go back
//!                  │ images of a batch on a pool of as many threads as the trainer has
//! ```
//! One thread makes one batch after the other, so their order is that of the run; what it fails or panics with comes in place of a batch. It
//! ends when the last epoch does, or when nobody takes its batches any more, at the latest after the one that it is making.

use super::batches::{Maker, Order};
use crate::data::DataError;
use ndarray::Array2;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Batches that wait for the trainer, at most: so many that a busy machine, which lets a thread wait for some time, does not let them run out.
const AHEAD: usize = 32;
/// At least.
const LEAST: usize = 2;
/// Most bytes of batches that wait, if that is more than the fewest.
const BYTES: usize = 64 << 20;

/// A batch, or what happened instead.
type Made = Result<(Array2<f32>, Vec<u8>), Failure>;

enum Failure {
    Error(DataError),
    Panic(Box<dyn Any + Send>),
}

/// Makes the batches from a position on.
pub(super) struct Pipeline {
    next: (u64, usize),
    images: usize,
    batch: usize,
    /// None only while it is dropped.
    made: Option<Receiver<Made>>,
    used: Sender<Array2<f32>>,
    thread: Option<JoinHandle<()>>,
}

/// The position after that of a batch: the next one of the epoch that is whole, or the first of the next epoch.
fn after((epoch, position): (u64, usize), batch: usize, images: usize) -> (u64, usize) {
    let position = position + batch;
    if position + batch > images { (epoch + 1, 0) } else { (epoch, position) }
}

impl Pipeline {
    /// Begins with the batch at `(epoch, position)`, and ends after `epochs`.
    ///
    /// # Errors   the system has no thread left
    pub fn start(maker: Arc<Maker>, next: (u64, usize), epochs: u64) -> Result<Self, DataError> {
        let threads = |reason: String| DataError::Threads { reason };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(rayon::current_num_threads())
            .thread_name(|i| format!("data {i}"))
            .build()
            .map_err(|e| threads(e.to_string()))?;
        let bytes = maker.batch * maker.features() * size_of::<f32>();
        let (made_to, made) = sync_channel((BYTES / bytes).clamp(LEAST, AHEAD));
        let (used, used_from) = channel();
        let (images, batch) = (maker.images, maker.batch);
        let work = move || pool.install(move || make(&maker, next, epochs, made_to, used_from));
        let thread = std::thread::Builder::new().name("data".to_owned()).spawn(work);
        let thread = Some(thread.map_err(|e| threads(e.to_string()))?);
        Ok(Pipeline { next, images, batch, made: Some(made), used, thread })
    }

    /// Epoch and position of the next batch.
    pub fn next(&self) -> (u64, usize) {
        self.next
    }

    /// Exchanges `input` for the next batch, and returns its labels. Waits for it.
    ///
    /// # Errors   an image cannot be read or prepared
    /// # Panics   if making it did; after the last epoch
    pub fn take(&mut self, input: &mut Array2<f32>) -> Result<Vec<u8>, DataError> {
        let made = self.made.as_ref().expect("it is not dropped").recv();
        match made.expect("a batch of the run") {
            Ok((mut batch, labels)) => {
                std::mem::swap(input, &mut batch);
                // nobody needs it after the last batch
                let _ = self.used.send(batch);
                self.next = after(self.next, self.batch, self.images);
                Ok(labels)
            }
            Err(Failure::Error(error)) => Err(error),
            Err(Failure::Panic(panic)) => resume_unwind(panic),
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.made = None;
        if let Some(thread) = self.thread.take() {
            // its panics were handed over
            let _ = thread.join();
        }
    }
}

fn make(
    maker: &Maker,
    mut next: (u64, usize),
    epochs: u64,
    made: SyncSender<Made>,
    used: Receiver<Array2<f32>>,
) {
    let mut order = Order::default();
    while next.0 < epochs {
        let one = || {
            let size = (maker.batch, maker.features());
            let buffer = used.try_recv().ok().filter(|buffer: &Array2<f32>| buffer.dim() == size);
            let mut input = buffer.unwrap_or_else(|| Array2::zeros(size));
            let labels = maker.training(&mut order, next.0, next.1..next.1 + maker.batch, &mut input)?;
            Ok((input, labels))
        };
        let one = match catch_unwind(AssertUnwindSafe(one)) {
            Ok(one) => one.map_err(Failure::Error),
            Err(panic) => Err(Failure::Panic(panic)),
        };
        let is_last = one.is_err();
        if made.send(one).is_err() || is_last {
            return;
        }
        next = after(next, maker.batch, maker.images);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_are_not_whole_are_left_out() {
        assert_eq!(after((0, 0), 16, 40), (0, 16));
        assert_eq!(after((0, 16), 16, 40), (1, 0));
        assert_eq!(after((0, 16), 16, 48), (0, 32));
        assert_eq!(after((3, 0), 16, 16), (4, 0));
    }
}
