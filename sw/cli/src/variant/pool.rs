//! Jobs on a few threads, one of them each: several runs at a time use processors better than the loops of one.

use anyhow::{Result, anyhow};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Threads for `--jobs`: as many as processors if it is not given.
pub fn threads(jobs: Option<u16>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    jobs.map_or_else(all, usize::from)
}

/// Results of the jobs 0 to `count` − 1, in their order; no more begin once `stop` is set, which `work` may do.
///
/// # Errors   a job panicked
pub fn each<T: Send>(
    count: usize,
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(usize) -> T + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, T>> = Mutex::default();
    let thread = || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
        while !stop.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return;
            }
            let result = pool.install(|| work(place));
            results.lock().expect("no job panicked").insert(place, result);
        }
    };
    let panics = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.min(count)).map(|_| scope.spawn(thread)).collect();
        threads.into_iter().map(|thread| thread.join()).filter(Result::is_err).count()
    });
    let results = results.into_inner().map_err(|_| anyhow!("a job panicked"))?;
    if panics == 0 { Ok(results.into_values().collect()) } else { Err(anyhow!("a job panicked")) }
}
