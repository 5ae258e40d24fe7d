//! A board for the tests of this suite.

use crate::common::config;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tandem_link::{LinkOptions, SerialEngine, SerialPort};
use tandem_sim::SimOptions;
use tandem_sim::board::{Emulator, EmulatorOptions, Totals};

/// A board that is simulated in a thread.
pub struct Board {
    pub port: String,
    pub stop: Arc<AtomicBool>,
    /// Gives the emulator back, so that its port stays open until then.
    pub thread: Option<JoinHandle<Option<Emulator>>>,
}

impl Board {
    pub fn new(accelerator: &str, options: EmulatorOptions) -> Self {
        let mut emulator = Emulator::new(&config(accelerator), options, &SimOptions::default()).unwrap();
        let port = emulator.port().to_str().unwrap().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            emulator.run(&flag).expect("the pseudo-terminal works");
            Some(emulator)
        });
        Board { port, stop, thread: Some(thread) }
    }

    pub fn perfect(accelerator: &str) -> Self {
        Board::new(accelerator, EmulatorOptions::default())
    }

    pub fn engine(&self, accelerator: &str) -> SerialEngine {
        let port = Box::new(SerialPort::new(&self.port));
        SerialEngine::open(port, &config(accelerator), LinkOptions::default()).unwrap()
    }

    pub fn end(mut self) -> Totals {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().expect("the simulation has not failed").expect("a board").totals()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
