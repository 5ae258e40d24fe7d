//! How far variants are, on stderr: a bar on a terminal, elsewhere a line now and then.

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At least this long between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// Variants done of all, and the time left.
pub struct Progress {
    bar: Option<ProgressBar>,
    begun: Instant,
    count: Mutex<Count>,
}

struct Count {
    /// What they are called.
    what: &'static str,
    total: usize,
    /// Those that were there before.
    kept: usize,
    done: usize,
    told: Duration,
}

impl Progress {
    /// Of `total` variants, called `what`, `kept` of them done before.
    pub fn new(what: &'static str, total: usize, kept: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = format!("{{bar:30}} {{pos}} of {{len}} {what}, {{elapsed}}, {{eta}} left{{msg}}");
            let style = ProgressStyle::with_template(&template);
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total as u64).with_style(style).with_position(kept as u64);
            bar.reset_eta();
            bar
        });
        let count = Mutex::new(Count { what, total, kept, done: kept, told: Duration::ZERO });
        Progress { bar, begun: Instant::now(), count }
    }

    /// So many more are done; `note` says how the others are.
    pub fn add(&self, more: usize, note: &str) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.done += more;
        match &self.bar {
            Some(bar) => {
                bar.set_message(if note.is_empty() { String::new() } else { format!(", {note}") });
                bar.set_position(count.done as u64);
            }
            None => {
                if let Some(text) = count.line(self.begun.elapsed(), note) {
                    eprintln!("{text}");
                }
            }
        }
    }

    /// A line of something else.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Nothing more is done.
    pub fn end(&self) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None => eprintln!("{}", count.text(self.begun.elapsed(), "")),
        }
    }
}

impl Count {
    /// A line, if the last one is long ago.
    fn line(&mut self, now: Duration, note: &str) -> Option<String> {
        let due = now.saturating_sub(self.told) >= PAUSE;
        due.then(|| {
            self.told = now;
            self.text(now, note)
        })
    }

    fn text(&self, now: Duration, note: &str) -> String {
        let (new, left) = (self.done - self.kept, self.total.saturating_sub(self.done));
        let mut text = format!("{} of {} {}, {:#}", self.done, self.total, self.what, HumanDuration(now));
        if new > 0 && left > 0 {
            let left = now.mul_f64(left as f64 / new as f64);
            text += &format!(", {:#} left", HumanDuration(left));
        }
        if !note.is_empty() {
            text += &format!(", {note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_ten_seconds_tells_the_time_left() {
        let mut count = Count { what: "points", total: 20, kept: 4, done: 4, told: Duration::ZERO };
        let at = Duration::from_secs;
        assert_eq!(count.line(at(9), ""), None);
        assert_eq!(count.line(at(10), "2 running").as_deref(), Some("4 of 20 points, 10s, 2 running"));
        count.done = 8;
        assert_eq!(count.line(at(19), ""), None);
        // 4 in 20 s; those that were there took none
        assert_eq!(count.line(at(20), "").as_deref(), Some("8 of 20 points, 20s, 60s left"));
        count.done = 20;
        assert_eq!(count.line(at(29), ""), None);
        assert_eq!(count.text(at(29), ""), "20 of 20 points, 29s");
    }
}
