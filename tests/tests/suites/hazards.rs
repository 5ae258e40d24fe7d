//! `tandem run` on programs with hazards: refused with both instructions, memory and address, on every engine.

use crate::common::command::{Scratch, run, succeeds, text};
use crate::common::config;
use std::path::Path;
use tandem_spec::{Instruction, Stream, Tokens};

/// A copy of a recorded program in which instructions of one kind have no tokens.
fn without_tokens(from: &str, to: &str, of: &str) {
    let (stream, _) = Stream::load(Path::new(from)).unwrap();
    let config = config("default");
    let mut out = Stream::new(&config);
    for (at, mut i) in stream.instructions().0 {
        if i.opcode().name == of {
            match &mut i {
                Instruction::Load(l) => l.tokens = Tokens::default(),
                Instruction::Compute(c) => c.tokens = Tokens::default(),
                Instruction::Store(s) => s.tokens = Tokens::default(),
                other => panic!("{other}"),
            }
        }
        match &i {
            Instruction::Load(l) => {
                let bytes = usize::from(l.count) * usize::from(l.words) * stream.link_bytes;
                let payload = &stream.bytes[at * stream.link_bytes + 16..][..bytes];
                out.push_load(*l, payload);
            }
            other => out.push(other),
        }
    }
    std::fs::write(to, out.encode(&config)).unwrap();
}

#[test]
fn a_program_with_hazards_is_refused_by_replay_and_diff() {
    let s = Scratch::new();
    let recorded = s.path("recorded");
    succeeds(&["run", "record", "--random", "40", "40", "40", "-o", &recorded]);
    for engine in ["model", "sim"] {
        succeeds(&["run", "replay", "--engine", engine, &recorded]);
    }
    succeeds(&["run", "diff", &recorded]);
    // a STORE that does not wait for the COMPUTE whose results it sends
    let file = s.path("store");
    without_tokens(&recorded, &file, "STORE");
    let says = [
        "store: hazard: result memory, address",
        "(compute engine) writes it",
        "(store engine) reads it",
        "STORE",
    ];
    for engine in ["model", "sim"] {
        s.fails(1, &says, &["run", "replay", "--engine", engine, &file], &[]);
    }
    s.fails(1, &says, &["run", "diff", &file], &[]);
}

#[test]
fn a_program_that_takes_too_long_is_given_up() {
    let s = Scratch::new();
    let file = s.path("recorded");
    succeeds(&["run", "record", "--random", "9", "9", "9", "-o", &file]);
    for engine in ["model", "sim"] {
        let replay = ["run", "replay", "--engine", engine, "--max-cycles", "20", &file];
        s.fails(1, &["--max-cycles 20", engine, "not done"], &replay, &[]);
    }
    s.fails(1, &["--max-cycles 20", "not done"], &["run", "diff", "--max-cycles", "20", &file], &[]);
    let cycles = succeeds(&["run", "replay", &file])["cycles"].as_u64().unwrap();
    assert!(cycles > 20);
    let enough = (cycles + 1000).to_string();
    assert!(run(&[], &["run", "replay", "--max-cycles", &enough, &file], &[]).status.success());
    let help = text(&run(&[], &["run", "replay", "--help"], &[]).stdout);
    assert!(help.contains("[default: 1000000000]"), "{help}");
}
