//! Times filters on raw samples: what benches/peers/opencv_filters.py compares with OpenCV.
//!
//! ```text
//! time_filter HEIGHT WIDTH CHANNELS u8|u16|f32 INPUT.raw OUTPUT.raw THREADS REPEATS BORDER KIND [NAME=VALUE …]
//! ```
//! Prints the seconds of each repetition, one a line; writes the last result. A line on stdin starts each repetition.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;
use tandem_filter::{Border, Image, Samples, Shape, kind};

/// That of `tandem`. glibc's gives 8 MB back to the system after some calls and not after others: 4 ms of page faults at σ = 8, none at 2 and 32.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [height, width, channels, of, input, output, threads, repeats, border, name, rest @ ..] =
        &arguments[..]
    else {
        return Err("see the top of examples/time_filter.rs".into());
    };
    // this thread is one of them: no other needs to wake up
    rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).use_current_thread().build_global()?;
    let shape = Shape { height: height.parse()?, width: width.parse()?, channels: channels.parse()? };
    let bytes = std::fs::read(input)?;
    let samples = match of.as_str() {
        "u8" => Samples::U8(bytes),
        "u16" => Samples::U16(bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect()),
        _ => Samples::F32(
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
        ),
    };
    let image = Image::new(shape, samples)?;
    let split = |text: &String| text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let parameters: BTreeMap<_, _> = rest.iter().filter_map(split).collect();
    let (border, filter) = (border.parse::<Border>()?, kind(name)?.build(&parameters)?);
    let mut lines = std::io::stdin().lock().lines();
    let mut result = None;
    for _ in 0..repeats.parse::<usize>()? {
        lines.next().transpose()?;
        let start = Instant::now();
        result = Some(filter.apply(&image, border)?);
        println!("{}", start.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    let bytes = match result.map(Image::into_samples) {
        Some(Samples::U8(v)) => v,
        Some(Samples::U16(v)) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Some(Samples::F32(v)) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        None => vec![],
    };
    Ok(std::fs::write(output, bytes)?)
}
