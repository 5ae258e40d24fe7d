//! SIGINT and SIGTERM: the command stops where its results can be kept; a second signal ends it at once.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a command that can stop early looks at.
#[derive(Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// From now on a signal is noted; a second one ends the process.
    ///
    /// # Errors   the system refuses the handler
    pub fn install() -> Result<Self> {
        let stop = Self::install_at_once()?;
        stop.note();
        Ok(stop)
    }

    /// From now on a signal ends the process, with its exit code: while there is nothing to save.
    ///
    /// # Errors   the system refuses the handler
    pub fn install_at_once() -> Result<Self> {
        let stop = Stop { asked: Arc::new(AtomicBool::new(true)), ..Stop::default() };
        for signal in [SIGINT, SIGTERM] {
            let install = || -> std::io::Result<()> {
                // in this order: the first signal that is noted finds the flag unset
                flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop.asked))?;
                flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize)?;
                flag::register(signal, Arc::clone(&stop.asked))?;
                Ok(())
            };
            install().context("signal handler")?;
        }
        Ok(stop)
    }

    /// From now on a signal is noted; a second one ends the process.
    pub fn note(&self) {
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Set once a signal came.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.asked
    }

    /// Whether a signal came.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The exit code of the signal that came: 130 for SIGINT, 143 for SIGTERM; 0 if none came.
    pub fn exit_code(&self) -> u8 {
        match self.signal.load(Ordering::Relaxed) {
            0 => 0,
            signal => 128 + signal as u8,
        }
    }
}
