use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_name_survives(name in "[^/\\p{Cc}]{1,50}".prop_filter("a folder", |n| n != "." && n != "..")) {
        let text = include_str!("../../../../configs/accelerators/default.toml");
        let c = Config { name, ..Config::from_toml("t", text).unwrap() };
        prop_assert_eq!(Config::from_toml("t", &c.to_toml()).unwrap(), c);
    }
}

const TINY: &str = "[array]\nrows=2\ncols=3\nlanes=2\nrow_digit=4\ncol_digit=4\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n";

#[test]
fn defaults_and_round_trip() {
    let c = Config::from_toml("t", TINY).unwrap();
    assert_eq!((c.link_bits, c.loops, c.array.drain, c.array.acc_bits), (128, 5, 4, 32));
    let again = Config::from_toml("t", &c.to_toml()).unwrap();
    assert_eq!(again, c);
    assert_eq!(again.hash(), c.hash());
}

#[test]
fn every_table_is_read() {
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    assert_eq!(sorted(READ.to_vec()), sorted(TABLES.iter().map(|t| t.name).collect()));
}

#[test]
fn hashes_of_built_bitstreams_stay() {
    // a bitstream holds its configuration's hash: a new key leaves those of configurations without it alone
    for (text, hash) in [
        (include_str!("../../../../configs/accelerators/default.toml"), 0x076e927d6b7dcdd7),
        (include_str!("../../../../configs/accelerators/codebook.toml"), 0xe865632d225a97f5),
        (include_str!("../../../../configs/accelerators/gaussian.toml"), 0xb80cbb037b585bc2),
        (include_str!("../../../../configs/accelerators/minimal.toml"), 0x3e9a136efc115b77),
        (include_str!("../../../../configs/accelerators/peer-8x8.toml"), 0xb570089841161c6d),
        (include_str!("../../../../configs/accelerators/sparse-8x8x4.toml"), 0xcf68b5b402093870),
        (include_str!("../../../../configs/accelerators/sparse-8x16x4.toml"), 0x0aa3ada56b00254d),
        (include_str!("../../../../configs/accelerators/spectral.toml"), 0x0870b4dd561cb166),
        (include_str!("../../../../configs/accelerators/ulx3s.toml"), 0x8c1f1e153d04bf35),
    ] {
        assert_eq!(Config::from_toml("t", text).unwrap().hash(), hash, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_drawn_is_valid_and_reaches_every_bound(picks in prop::collection::vec(any::<usize>(), 64)) {
        let mut picks = picks.into_iter().cycle();
        let mut pick = move |values: &[usize]| values[picks.next().unwrap() % values.len()];
        let c = Config::draw("drawn", |_| true, |_, _, values| pick(values));
        prop_assert_eq!(Config::from_toml("t", &c.to_toml()).unwrap(), c);
    }
}

#[test]
fn every_key_has_bounds_on_both_sides() {
    // every table is there
    let text = include_str!("../../../../configs/accelerators/spectral.toml");
    let c = Config::from_toml(
        "t",
        &format!("{text}\n[codebook]\ncode_bits = 3\ndepth = 64\n[gaussian]\nradius = 9\ndepth = 64\n"),
    )
    .unwrap();
    for table in TABLES {
        for key in table.keys {
            let allowed = (key.allowed)(&c);
            let beyond = match &allowed {
                Allowed::Switch | Allowed::Off(_) | Allowed::Words(..) => vec![toml::Value::from(2)],
                numbers => {
                    let values = numbers.values();
                    let (first, last) = (values[0] as i64, values[values.len() - 1] as i64);
                    vec![toml::Value::from(first - 1), toml::Value::from(last + 1)]
                }
            };
            for value in beyond.into_iter().chain([toml::Value::from("two")]) {
                let mut document: toml::Table = toml::from_str(&c.to_toml()).unwrap();
                document[table.name].as_table_mut().unwrap().insert(key.name.into(), value.clone());
                let said = Config::from_toml("t", &document.to_string()).unwrap_err().to_string();
                let expected = format!("t: {}.{} = {value}: expected {allowed}", table.name, key.name);
                assert_eq!(said, expected);
            }
        }
    }
}

#[test]
fn the_fft_unit_has_defaults_and_round_trips() {
    let c = Config::from_toml(
        "t",
        &format!("{}[fft]\npoints=64\ndepth=32\n", TINY.replace("result_depth=8", "result_depth=32")),
    )
    .unwrap();
    let f = c.fft.clone().unwrap();
    assert_eq!((f.samples, f.bits, f.block, f.tiles, f.any_size), (1, 16, true, true, true));
    assert_eq!((f.word_bits(128), f.groups(128)), (128, 4));
    assert_eq!(Config::from_toml("t", &c.to_toml()).unwrap(), c);
    assert_ne!(c.hash(), Config::from_toml("t", TINY).unwrap().hash());
}

#[test]
fn the_hash_sees_every_parameter_but_the_name() {
    let c = Config::from_toml("t", TINY).unwrap();
    let renamed = Config { name: "x".into(), ..c.clone() };
    assert_eq!(renamed.hash(), c.hash());
    let deeper = Config::from_toml("t", &TINY.replace("result_depth=8", "result_depth=16")).unwrap();
    assert_ne!(deeper.hash(), c.hash());
    let deep = Config::from_toml("t", &TINY.replace("rows=2", "rows=2\npipeline=9")).unwrap();
    assert_ne!(deep.hash(), c.hash());
    assert_eq!(Config::from_toml("t", &deep.to_toml()).unwrap(), deep);
    for (reduction, same) in [
        ("address_bits=16\ncounters=\"all\"\nnarrow=true\nreset=false", true),
        ("address_bits=9", false),
        ("counters=\"total\"", false),
        ("narrow=false", false),
        ("reset=true", false),
    ] {
        let text = format!("{TINY}[control]\n{reduction}\n");
        let reduced = Config::from_toml("t", &text).unwrap();
        assert_eq!(reduced.hash() == c.hash(), same, "{reduction}");
        assert_eq!(
            Config::from_toml("t", &reduced.to_toml()).unwrap(),
            Config { name: "unnamed".into(), ..reduced }
        );
    }
}

#[test]
fn results_of_the_largest_transform_fit() {
    // points, samples, drain: words of a spectrum and one more, as a power of two
    for (points, samples, drain, least) in
        [(4, 1, 4, 2), (4, 1, 1, 8), (64, 1, 4, 32), (64, 4, 4, 128), (256, 2, 4, 256), (16384, 1, 1, 32768)]
    {
        let with = |result: usize| {
            let text = format!(
                "{}drain={drain}\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth={result}\n\
                 [fft]\npoints={points}\nsamples={samples}\ndepth=32768\n",
                TINY.split("[memory]").next().unwrap()
            );
            Config::from_toml("t", &text)
        };
        assert_eq!(with(least).unwrap().memory.result, least);
        if least > 2 {
            let said = with(least / 2).unwrap_err().to_string();
            assert!(said.contains(&format!("expected a power of two from {least} to 32768")), "{said}");
        }
    }
}

#[test]
fn names_are_those_that_outputs_take() {
    let long = "x".repeat(LONGEST_NAME + 1);
    for name in [
        "a",
        "75 %",
        "mod\u{e8}le",
        "...",
        "-",
        "",
        ".",
        "..",
        "a/b",
        "../../../escape",
        "a\nb",
        "a\0b",
        &long,
    ] {
        let found = Config::from_toml_named("t", name, TINY).is_ok();
        assert_eq!(found, tandem_files::plain_name(name).is_ok(), "{name:?}");
    }
}

#[test]
fn refusals_name_file_key_value_and_range() {
    let say = |from: &str, to: &str| {
        Config::from_toml("accel.toml", &TINY.replace(from, to)).unwrap_err().to_string()
    };
    let all = [
        say("rows=2", "rows=0"),
        say("rows=2", "rows=-1"),
        say("cols=3", "cols=33"),
        say("lanes=2", "lanes=3"),
        say("row_digit=4", "row_digit=16"),
        say("result_depth=8", "result_depth=7"),
        say("rows=2", "rows=2\nhop=0"),
        say("rows=2", "rows=32\nhop=1"),
        say("rows=2", "rows=2\npipeline=6"),
        say("rows=2", "rows=2\ndrain=8"),
        say("rows=2", "rows=2\nraws=2"),
        say("rows=2", "rows=\"two\""),
        say("result_depth=8\n", "result_depth=8\n[control]\nqueue=0\n"),
        say("result_depth=8\n", "result_depth=8\n[control]\naddress_bits=3\n"),
        say("result_depth=8\n", "result_depth=8\n[control]\ncounters=\"some\"\n"),
        say("rows=2\n", ""),
        say("result_depth=8\n", "result_depth=8\n[fft]\npoints=48\ndepth=64\n"),
        say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=8\n"),
        say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=64\nsamples=8\n"),
        say("result_depth=8\n", "result_depth=8\n[fft]\npoints=8\ndepth=64\ntiles=true\n"),
        say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=64\nsizes=\"few\"\n"),
        say("result_depth=8\n", "result_depth=2\n[fft]\npoints=64\ndepth=64\n"),
        say("[array]", "name=\"../../../escape\"\n[array]"),
        say("[array]", "name=\"a\\nb\"\n[array]"),
    ];
    insta::assert_snapshot!(all.join("\n---\n"));
}
