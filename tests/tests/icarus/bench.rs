//! Files for the bench, Icarus, and what it writes.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tandem_spec::{Config, Packet, RunOptions, Stream};

/// Cycles of a stall pattern.
const PATTERN: usize = 4093;

/// Cycles after which a program counts as endless.
const LIMIT: usize = 200_000;

/// What a program gave.
pub struct Run {
    /// Its packets.
    pub packets: Vec<Packet>,
    /// Whether no instruction is pending, failed or cut.
    pub at_rest: bool,
}

/// The Verilog with memories whose words have no value at the start. Tables keep theirs.
fn without_zeros(verilog: &str) -> String {
    let lines: Vec<&str> = verilog.lines().collect();
    let is_fill = |i: usize| {
        let line = lines[i].trim_start().trim_start_matches("initial ");
        let table = lines.get(i + 1).is_some_and(|next| next.trim_start().starts_with("mem["));
        line.starts_with("for (i = 0; i <= ") && line.contains("mem") && !table
    };
    let kept: Vec<&str> = (0..lines.len()).filter(|i| !is_fill(*i)).map(|i| lines[i]).collect();
    assert!(kept.len() < lines.len(), "memories are filled with zeros");
    kept.join("\n") + "\n"
}

/// A link word as hexadecimal digits.
fn hex(word: &[u8]) -> String {
    word.iter().rev().map(|b| format!("{b:02x}")).collect()
}

fn tool(dir: &Path, program: &str, arguments: &[String]) -> String {
    let output =
        Command::new(program).current_dir(dir).args(arguments).output().expect("Icarus is installed");
    let text = |b: &[u8]| String::from_utf8_lossy(b).trim().to_owned();
    assert!(output.status.success(), "{program}: {}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs programs one after the other.
///
/// # Panics
/// If something is X that counts, a program does not end, or the output is not whole packets.
pub fn simulate(config: &Config, list: &[(Stream, RunOptions)], memories_start_as_x: bool) -> Vec<Run> {
    let verilog = tandem_rtl::emit(config).expect("it is described").text();
    simulate_design(&verilog, config, list, memories_start_as_x)
}

/// The same with other Verilog, whose top module has the name and the ports of the accelerator's.
///
/// # Panics
/// As [`simulate`].
pub fn simulate_design(
    verilog: &str,
    config: &Config,
    list: &[(Stream, RunOptions)],
    memories_start_as_x: bool,
) -> Vec<Run> {
    let dir = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("it can be written");
    write("dut.v", &if memories_start_as_x { without_zeros(verilog) } else { verilog.to_owned() });
    write("bench.v", include_str!("bench.v"));
    let (mut words, mut stalls, mut ends, mut total) = (String::new(), String::new(), String::new(), 0);
    for (stream, options) in list {
        for (word, first) in stream.bytes.chunks(stream.link_bytes).zip(&stream.first) {
            writeln!(words, "{}{}", u8::from(*first), hex(word)).expect("a string");
        }
        for cycle in 0..PATTERN as u64 {
            let stall = u8::from(options.stall_in.at(cycle)) | u8::from(options.stall_out.at(cycle)) << 1;
            writeln!(stalls, "{stall}").expect("a string");
        }
        total += stream.words();
        writeln!(ends, "{total:x}").expect("a string");
    }
    for (name, text) in [("words.hex", &words), ("stalls.hex", &stalls), ("ends.hex", &ends)] {
        write(name, text);
    }

    let lane = config.link_bits.min(32);
    let lanes = |port: &str| {
        let one = |i: usize| format!(".{port}_{i}({port}[{}:{}])", (i + 1) * lane - 1, i * lane);
        (0..config.link_bits / lane).map(one).collect::<Vec<_>>().join(",")
    };
    let mut arguments: Vec<String> = ["-g2005", "-o", "bench.vvp", "bench.v", "dut.v"].map(Into::into).into();
    for (name, value) in [
        ("LINK", config.link_bits.to_string()),
        ("IN", lanes("in_data")),
        ("OUT", lanes("out_data")),
        ("WORDS", total.to_string()),
        ("PATTERN", PATTERN.to_string()),
        ("RUNS", list.len().to_string()),
        ("LIMIT", LIMIT.to_string()),
    ] {
        arguments.push(format!("-D{name}={value}"));
    }
    if memories_start_as_x {
        arguments.push("-DSYNTHESIS".into());
    }
    tool(dir.path(), "iverilog", &arguments);
    let said = tool(dir.path(), "vvp", &["-n".into(), "bench.vvp".into()]);
    assert_eq!(said, "done", "{}", config.name);
    runs(config, &std::fs::read_to_string(dir.path().join("output.hex")).expect("the bench writes it"))
}

/// Words in lines, each run ended by `end control cycles`.
fn runs(config: &Config, text: &str) -> Vec<Run> {
    let (mut all, mut bytes) = (vec![], vec![]);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("end ") {
            // in_ready, closed, out_valid, waiting, boundary, failed, quiet, compute_pending, store_pending
            let control = rest.split(' ').next().expect("the control outputs");
            let packets = Packet::parse_all(&bytes, config.link_bytes()).expect("whole packets");
            all.push(Run { packets, at_rest: &control[3..] == "110100" });
            bytes.clear();
        } else {
            let digit = |i: usize| u8::from_str_radix(&line[i..i + 2], 16).expect("two digits");
            bytes.extend((0..line.len()).step_by(2).rev().map(digit));
        }
    }
    all
}
