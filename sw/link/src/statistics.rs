//! What a link has carried, and what that took.

use std::time::Duration;

/// Counts since the engine was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// DATA frames sent, each counted once.
    pub frames_sent: u64,
    /// DATA frames sent again.
    pub frames_resent: u64,
    /// WORDS and STATUS frames received, each counted once.
    pub frames_received: u64,
    /// WORDS and STATUS frames asked for again.
    pub frames_requested: u64,
    /// WORDS and STATUS frames that came twice.
    pub duplicates: u64,
    /// Damaged frames seen here.
    pub damaged: u64,
    /// Damaged frames seen by the board, in sessions until now.
    pub damaged_at_board: u64,
    /// Polls.
    pub polls: u64,
    /// Bytes to the board, all told.
    pub bytes_out: u64,
    /// Bytes from the board, all told.
    pub bytes_in: u64,
    /// Bytes of link words in both directions, each counted once.
    pub payload: u64,
    /// Sessions that were opened after the first.
    pub reconnects: u64,
    /// Programs sent again from their start.
    pub replays: u64,
    /// Time spent in runs.
    pub busy: Duration,
    /// The present rate.
    pub baud: u32,
}

impl Statistics {
    /// Bytes of link words a second of run time.
    pub fn throughput(&self) -> f64 {
        self.payload as f64 / self.busy.as_secs_f64().max(1e-9)
    }

    /// Frames that had to be carried again, in both directions.
    pub fn retransmissions(&self) -> u64 {
        self.frames_resent + self.frames_requested
    }
}
