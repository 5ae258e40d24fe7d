//! What a run tells while it runs, on stderr.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use tandem_nn::train::{Observer, StepReport, Trainer};

/// A bar on a terminal, and lines.
pub struct Progress {
    bar: Option<ProgressBar>,
    begun: Instant,
    images: usize,
    /// Of the steps of this process, and how much of it they waited for images.
    stepping: Duration,
    waiting: Duration,
}

impl Progress {
    /// Before the first step of this process.
    pub fn new(trainer: &Trainer) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let total = trainer.steps_per_epoch() * trainer.experiment().train.epochs;
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} eta {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style).with_position(trainer.steps());
            bar.reset_eta();
            bar
        });
        Progress { bar, begun: Instant::now(), images: 0, stepping: Duration::ZERO, waiting: Duration::ZERO }
    }

    /// Training begins now.
    pub fn begin(&mut self) {
        self.begun = Instant::now();
    }

    /// Training has ended.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Seconds of training in this process.
    pub fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Images a second in this process.
    pub fn images_per_s(&self) -> f64 {
        self.images as f64 / self.seconds()
    }

    /// Share of the steps of this process in which they waited for images, 0 to 1.
    pub fn data_wait(&self) -> f64 {
        // a clock may stand still
        self.waiting.as_secs_f64() / self.stepping.as_secs_f64().max(1e-9)
    }

    /// The line of the epoch that was tested last.
    pub fn epoch(&self, trainer: &Trainer) {
        let Some(e) = trainer.history().epochs().last() else { return };
        self.line(&format!(
            "epoch {:>3}: loss {:.4}, train {:.2} %, test {:.2} %, {:.0} images/s, {:.1} % waiting for data, {:.3e} cycles",
            e.report.epoch + 1,
            e.report.loss,
            100.0 * e.report.accuracy,
            100.0 * e.test.map_or(f64::NAN, |t| t.accuracy),
            e.report.images_per_s,
            100.0 * e.report.data_wait,
            e.cycles as f64
        ));
    }

    /// A line.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

impl Observer for Progress {
    fn step(&mut self, s: &StepReport) {
        self.images += s.images;
        self.stepping += s.wall;
        self.waiting += s.wait;
        if let Some(bar) = &self.bar {
            bar.set_position(s.step);
            bar.set_message(format!(
                "epoch {}/{} loss {:.3} acc {:.1} % {:.0} images/s {:.2e} cycles",
                s.epoch + 1,
                s.epochs,
                s.loss,
                100.0 * s.accuracy,
                self.images_per_s(),
                s.cycles as f64
            ));
        }
    }
}
