//! What a board's file may ask of the tools: options that choose how, never ones that name files or scripts.

use crate::board::Family;

/// What follows an option, as an entry of its own.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A number without sign, at most this.
    Number(f64),
}

use Takes::{Nothing, Number, Word};

type Table = &'static [(&'static str, Takes)];

/// Of all `synth_…`.
const YOSYS: Table = &[
    ("-abc2", Nothing),
    ("-abc9", Nothing),
    ("-dff", Nothing),
    ("-flatten", Nothing),
    ("-nobram", Nothing),
    ("-noflatten", Nothing),
    ("-no-rw-check", Nothing),
    ("-retime", Nothing),
];
const YOSYS_ECP5: Table = &[
    ("-asyncprld", Nothing),
    ("-iopad", Nothing),
    ("-noccu2", Nothing),
    ("-nodffe", Nothing),
    ("-nodsp", Nothing),
    ("-nolutram", Nothing),
    ("-nowidelut", Nothing),
];
const YOSYS_ICE40: Table = &[
    ("-device", Word(&["hx", "lp", "u"])),
    ("-dffe_min_ce_use", Number(1000.0)),
    ("-dsp", Nothing),
    ("-nocarry", Nothing),
    ("-nodffe", Nothing),
    ("-spram", Nothing),
];
const YOSYS_XC7: Table = &[
    ("-nocarry", Nothing),
    ("-noclkbuf", Nothing),
    ("-nodsp", Nothing),
    ("-noiopad", Nothing),
    ("-nolutram", Nothing),
    ("-nosrl", Nothing),
    ("-nowidelut", Nothing),
    ("-widemux", Number(1000.0)),
];

/// Of all nextpnr-….
const NEXTPNR: Table = &[
    ("--cstrweight", Number(1e6)),
    ("--ignore-loops", Nothing),
    ("--no-promote-globals", Nothing),
    ("--no-tmdriv", Nothing),
    ("--placer", Word(&["heap", "sa", "static"])),
    ("--placer-heap-alpha", Number(1e6)),
    ("--placer-heap-beta", Number(1.0)),
    ("--placer-heap-cell-placement-timeout", Number(1e6)),
    ("--placer-heap-critexp", Number(100.0)),
    ("--placer-heap-no-ctrl-set", Nothing),
    ("--placer-heap-timingweight", Number(1e6)),
    ("--router", Word(&["router1", "router2"])),
    ("--router2-alt-weights", Nothing),
    ("--router2-tmg-ripup", Nothing),
    ("--starttemp", Number(1e6)),
    ("--threads", Number(1024.0)),
    ("--tmg-ripup", Nothing),
];
const NEXTPNR_ECP5: Table = &[("--disable-router-lutperm", Nothing), ("--speed", Word(&["6", "7", "8"]))];
const NEXTPNR_ICE40: Table =
    &[("--no-promote-ce", Nothing), ("--opt-timing", Nothing), ("--promote-logic", Nothing)];

/// A program that a board may give options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Yosys' `synth_…`.
    Yosys,
    /// nextpnr-….
    Nextpnr,
}

impl Program {
    /// Its options for devices of `family`.
    fn tables(self, family: Family) -> [Table; 2] {
        match (self, family) {
            (Program::Yosys, Family::Ecp5) => [YOSYS, YOSYS_ECP5],
            (Program::Yosys, Family::Ice40) => [YOSYS, YOSYS_ICE40],
            (Program::Yosys, Family::Xc7) => [YOSYS, YOSYS_XC7],
            (Program::Nextpnr, Family::Ecp5) => [NEXTPNR, NEXTPNR_ECP5],
            (Program::Nextpnr, Family::Ice40) => [NEXTPNR, NEXTPNR_ICE40],
            (Program::Nextpnr, Family::Xc7) => [&[], &[]],
        }
    }
}

/// The first entry of `options` that is not allowed, with what is.
pub fn refused(options: &[String], program: Program, family: Family) -> Option<(&str, String)> {
    let tables = program.tables(family);
    let mut entries = options.iter();
    while let Some(option) = entries.next() {
        let found = tables.iter().flat_map(|t| t.iter()).find(|(name, _)| name == option);
        let Some((name, takes)) = found else {
            let mut names: Vec<&str> = tables.iter().flat_map(|t| t.iter()).map(|(name, _)| *name).collect();
            names.sort_unstable();
            let allowed = if names.is_empty() { "no options".into() } else { names.join(", ") };
            return Some((option, format!("{allowed}; values are entries of their own")));
        };
        let (fits, wanted): (fn(&str, Takes) -> bool, String) = match takes {
            Nothing => continue,
            Word(words) => (is_word, words.join(", ")),
            Number(most) => (is_number, format!("a number from 0 to {most}")),
        };
        match entries.next() {
            Some(value) if fits(value, *takes) => {}
            Some(value) => return Some((value, format!("{wanted} after {name}"))),
            None => return Some((option, format!("{wanted} after it"))),
        }
    }
    None
}

fn is_word(value: &str, takes: Takes) -> bool {
    matches!(takes, Word(words) if words.contains(&value))
}

fn is_number(value: &str, takes: Takes) -> bool {
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain && matches!(takes, Number(most) if value.parse::<f64>().is_ok_and(|v| v <= most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(options: &[&str], program: Program, family: Family) -> String {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        refused(&options, program, family).map_or("fine".into(), |(bad, allowed)| format!("{bad}: {allowed}"))
    }

    #[test]
    fn only_what_is_in_the_tables_is_allowed() {
        let nextpnr = |options: &[&str]| say(options, Program::Nextpnr, Family::Ecp5);
        assert_eq!(nextpnr(&["--placer", "static", "--router", "router2", "--no-tmdriv"]), "fine");
        assert_eq!(nextpnr(&["--placer-heap-beta", "0.9", "--speed", "8"]), "fine");
        assert_eq!(nextpnr(&["--placer", "x"]), "x: heap, sa, static after --placer");
        assert_eq!(nextpnr(&["--threads"]), "--threads: a number from 0 to 1024 after it");
        assert_eq!(nextpnr(&["--threads", "-1"]), "-1: a number from 0 to 1024 after --threads");
        assert_eq!(say(&["-dsp", "-device", "u"], Program::Yosys, Family::Ice40), "fine");
        assert!(say(&["-dsp"], Program::Yosys, Family::Ecp5).starts_with("-dsp: -abc2, -abc9,"));
        assert!(say(&["--threads", "1"], Program::Nextpnr, Family::Xc7).starts_with("--threads: no options"));
    }

    #[test]
    fn whatever_reads_or_writes_files_is_refused() {
        let files = [
            "--write",
            "--json",
            "--report",
            "--sdf",
            "--sdc",
            "--textcfg",
            "--asc",
            "--read",
            "--lpf",
            "--pcf",
            "--basecfg",
            "--override-basecfg",
            "--placed-svg",
            "--routed-svg",
            "--router2-heatmap",
            "--static-dump-density",
            "--log",
            "--run",
            "--pre-pack",
            "--pre-place",
            "--pre-route",
            "--post-route",
            "--on-failure",
            "--top",
            "--package",
            "--freq",
            "--seed",
            "--placer=heap",
            "design.json",
            "",
        ];
        for family in [Family::Ecp5, Family::Ice40, Family::Xc7] {
            for option in files {
                assert!(say(&[option, "x"], Program::Nextpnr, family).starts_with(option), "{option}");
                assert_ne!(say(&[option, "x"], Program::Nextpnr, family), "fine", "{option}");
            }
            for option in
                ["-json", "-blif", "-edif", "-top", "-run", "-family", "-script", "-abc9;", "x", "-vpr"]
            {
                assert_ne!(say(&[option, "x"], Program::Yosys, family), "fine", "{option}");
            }
        }
    }
}
