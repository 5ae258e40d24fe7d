//! Trains an experiment with exact integer products on the host, or in float.
//!
//! ```sh
//! cargo run --release -p tandem-nn --example train -- configs/experiments/digits-mlp.toml [seed] [float]
//! ```

#[path = "../tests/network/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;
use tandem_driver::{Device, DeviceError, Request, Response};
use tandem_nn::backend::Backend;
use tandem_nn::config::Experiment;
use tandem_nn::data;
use tandem_nn::train::{Part, Trainer};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("usage: train EXPERIMENT.toml [seed] [float]")?;
    let mut experiment = Experiment::load(Path::new(path))?;
    if let Some(seed) = arguments.get(1) {
        experiment.train.seed = seed.parse()?;
    }
    let device_time = Arc::new(AtomicU64::new(0));
    let backend = if arguments.get(2).is_some_and(|engine| engine == "float") {
        Backend::Float
    } else {
        Backend::Device(Box::new(Timed(Arc::clone(&device_time))))
    };
    let data = Arc::new(data::load(&experiment.data.set, None)?);
    let mut trainer = Trainer::new(experiment, data, backend)?;
    let go_on = AtomicBool::new(false);
    while !trainer.is_finished() {
        let Some(epoch) = trainer.epoch(&mut (), &go_on)? else { break };
        let device = device_time.swap(0, Ordering::Relaxed) as f64 / 1e3;
        let Some(test) = trainer.evaluate(Part::Test, &mut (), &go_on)? else { break };
        let Some(held_back) = trainer.evaluate(Part::Validation, &mut (), &go_on)? else { break };
        device_time.store(0, Ordering::Relaxed);
        println!(
            "epoch {:3}  loss {:.4}  accuracy {:.4}  test {:.4}  validation {:.4}  {:.0} images/s, {:.0} µs an image on the device",
            epoch.epoch + 1,
            epoch.loss,
            epoch.accuracy,
            test.accuracy,
            held_back.accuracy,
            epoch.images_per_s,
            device / epoch.images as f64
        );
    }
    for line in trainer.pruning_report() {
        println!(
            "{:8} {:20} {} of {} kept, {:.4}",
            line.layer, line.pattern, line.kept, line.weights, line.density
        );
    }
    println!("weights_digest {}", trainer.digest());
    Ok(())
}

/// Counts the nanoseconds that the device takes.
struct Timed(Arc<AtomicU64>);

impl Device for Timed {
    fn name(&self) -> &str {
        "plain"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        let start = Instant::now();
        let result = common::PlainDevice.run(request);
        self.0.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }
}
