//! How long to wait for what.

use std::time::Duration;
use tandem_spec::link::{INITIAL_BAUD, RATES};

/// Rates and bounds of all waits; `docs/link.md`, "Bounded waits".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOptions {
    /// Initial rate.
    pub initial_baud: u32,
    /// Fastest rate to ask for; the initial one: none.
    pub max_baud: u32,
    /// Standstill before a poll; doubles while polls are not answered.
    pub poll: Duration,
    /// Longest interval between polls.
    pub poll_most: Duration,
    /// Silence after which the connection is given up.
    pub quiet: Duration,
    /// Standstill after which it is given up.
    pub stuck: Duration,
    /// How long a board may take to answer before a session is open, and a port to take what is sent until then.
    pub connect: Duration,
    /// How long faster rates are tried; one that is being tried may end later.
    pub rates: Duration,
    /// How long a connection that was lost is opened again, and runs on it go wrong, before it is given up; from the last
    /// time that anything moved.
    pub reopen: Duration,
    /// Times that a program which begins with a RESET is sent.
    pub attempts: u32,
}

impl Default for LinkOptions {
    fn default() -> Self {
        LinkOptions {
            initial_baud: INITIAL_BAUD,
            max_baud: RATES[0],
            poll: Duration::from_millis(25),
            poll_most: Duration::from_secs(1),
            quiet: Duration::from_secs(5),
            stuck: Duration::from_secs(60),
            connect: Duration::from_secs(3),
            rates: Duration::from_secs(10),
            reopen: Duration::from_secs(30),
            attempts: 5,
        }
    }
}
