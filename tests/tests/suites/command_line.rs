//! The program `tandem`: a user's mistake ends with exit code 2, a tool's failure with 3, a message that
//! names what is wrong, one JSON object if asked, and nothing overwritten.

use crate::common::command::{Scratch, run, succeeds, text};
use crate::common::{config, repository};
use flate2::{Compression, write::GzEncoder};
use ndarray::{Array1, Array2};
use ndarray_npy::write_npy;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const DIGITS: &str = "configs/experiments/digits-mlp.toml";

fn shipped(file: &str) -> String {
    std::fs::read_to_string(repository().join(file)).unwrap()
}

#[test]
fn wrong_accelerators() {
    let s = Scratch::new();
    let valid = shipped("configs/accelerators/peer-8x8.toml");
    for (name, from, to, says) in [
        ("unknown", "rows = 8", "rows = 8\nspeed = 9", &["unknown.toml", "speed"][..]),
        ("range", "rows = 8", "rows = 33", &["range.toml", "array.rows", "33", "1 to 32"]),
        ("zero", "cols = 8", "cols = 0", &["zero.toml", "array.cols", "0", "1 to 32"]),
        ("digit", "row_digit = 4", "row_digit = 3", &["digit.toml", "array.row_digit", "3"]),
        ("depth", "result_depth = 512", "result_depth = 500", &["depth.toml", "memory.result_depth", "500"]),
        ("type", "rows = 8", "rows = \"8\"", &["type.toml", "rows"]),
        ("missing", "lanes = 1\n", "", &["missing.toml", "lanes"]),
    ] {
        assert!(valid.contains(from));
        let file = s.write(&format!("{name}.toml"), valid.replace(from, to));
        s.refuses(says, &["gemm", "-c", &file, "--random", "1", "1", "1"]);
        s.refuses(says, &["generate", "-c", &file, "-o", &s.path("never")]);
    }
    s.refuses(&["`no-such`"], &["gemm", "-c", "no-such", "--random", "1", "1", "1"]);
    s.refuses(&["no-such.toml"], &["gemm", "-c", "no-such.toml", "--random", "1", "1", "1"]);
    assert!(!Path::new(&s.path("never")).exists());
}

#[test]
fn wrong_experiments_and_an_occupied_folder() {
    let s = Scratch::new();
    let valid = shipped(DIGITS);
    let new = s.path("never");
    for (name, from, to, says) in [
        ("unknown", "batch = 32", "batch = 32\nbatches = 1", &["unknown.toml", "batches"][..]),
        ("range", "batch = 32", "batch = 0", &["range.toml", "data.batch", "0", "1 to"]),
        ("bits", "weights = 4", "weights = 17", &["bits.toml", "bits.weights", "17"]),
        ("set", "\"digits\"", "\"dogs\"", &["dogs"]),
        ("outputs", "outputs = 10", "outputs = 11", &["outputs.toml", "10"]),
    ] {
        assert!(valid.contains(from));
        let file = s.write(&format!("{name}.toml"), valid.replace(from, to));
        s.refuses(says, &["train", "-c", &file, "-o", &new]);
    }
    assert!(!Path::new(&new).exists(), "a refused run leaves no folder");
    let folder = s.path("mine");
    s.write("mine/report.json", "precious");
    s.refuses(&["mine", "exists"], &["train", "-c", DIGITS, "-o", &folder]);
    s.refuses(&["mine", "exists"], &["generate", "-c", "default", "-o", &folder]);
    s.write("stream", "precious");
    let stream = s.path("stream");
    s.refuses(&["stream"], &["run", "record", "--random", "2", "2", "2", "-o", &stream]);
    for threads in ["0", "5000"] {
        s.refuses(&["--threads"], &["train", "-c", DIGITS, "-o", &new, "--threads", threads]);
    }
    assert!(!Path::new(&new).exists());
}

fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    file.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    file.extend(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn wrong_data() {
    let pixels: Vec<u8> = (0..64 * 784).map(|i| (i * 7 % 251) as u8).collect();
    let images = idx(&[64, 28, 28], &pixels);
    let labels = idx(&[64], &(0..64).map(|i| i % 10).collect::<Vec<u8>>());
    let mut bad_label = labels.clone();
    bad_label[8 + 33] = 10;
    let cut = gzip(&images)[..300].to_vec();
    type Damage<'a> = (&'a str, Option<Vec<u8>>, &'a [&'a str]);
    let cases: [Damage<'_>; 7] = [
        ("train-images-idx3-ubyte", None, &["mnist", "train-images-idx3-ubyte", "data fetch"]),
        (
            "train-images-idx3-ubyte",
            Some(images[..5000].to_vec()),
            &["train-images-idx3-ubyte", "5000", "50192"],
        ),
        ("train-images-idx3-ubyte.gz", Some(cut), &["train-images-idx3-ubyte.gz", "gzip"]),
        ("train-labels-idx1-ubyte", Some(bad_label), &["train-labels-idx1-ubyte", "33", "10"]),
        ("train-labels-idx1-ubyte", Some(idx(&[63], &[0; 63])), &["train-labels-idx1-ubyte", "63", "64"]),
        ("t10k-images-idx3-ubyte", Some(labels.clone()), &["t10k-images-idx3-ubyte"]),
        ("t10k-labels-idx1-ubyte", Some(vec![]), &["t10k-labels-idx1-ubyte", "0"]),
    ];
    for (file, content, says) in cases {
        let s = Scratch::new();
        for part in ["train", "t10k"] {
            s.write(&format!("{part}-images-idx3-ubyte"), &images);
            s.write(&format!("{part}-labels-idx1-ubyte"), &labels);
        }
        let (data, new) = (s.path(""), s.path("run"));
        let train = ["train", "-c", "configs/experiments/mnist-mlp.toml", "--data", &data, "-o", &new];
        std::fs::remove_file(s.path(file.trim_end_matches(".gz"))).unwrap();
        if let Some(content) = content {
            s.write(file, content);
        }
        s.refuses(says, &train);
        assert!(!Path::new(&new).exists(), "{file}");
    }
}

#[test]
fn wrong_operands() {
    let s = Scratch::new();
    let (x, w, y) = (s.path("x.npy"), s.path("w.npy"), s.path("y.npy"));
    write_npy(&w, &Array2::<i8>::from_elem((3, 2), -8)).unwrap();
    let gemm = ["gemm", "--x", &x, "--w", &w, "-o", &y];
    write_npy(&x, &Array2::<i8>::from_elem((2, 3), 7)).unwrap();
    assert_eq!(succeeds(&gemm)["mismatches"], 0);
    std::fs::write(&y, "precious").unwrap();
    s.refuses(&["y.npy", "exists", "--force"], &gemm);
    // also where it may be replaced, a mistake replaces nothing
    let gemm = ["gemm", "--x", &x, "--w", &w, "-o", &y, "--force"];

    write_npy(&x, &Array2::<i8>::from_shape_fn((2, 3), |(i, j)| if (i, j) == (1, 2) { 8 } else { 7 }))
        .unwrap();
    s.refuses(&["X[1, 2] = 8", "-8 to 7"], &gemm);
    write_npy(&x, &Array2::<u8>::from_elem((2, 4), 1)).unwrap();
    s.refuses(&["[2, 4]", "[3, 2]"], &gemm);
    write_npy(&x, &Array1::<i32>::zeros(6)).unwrap();
    s.refuses(&["x.npy", "[6]", "two dimensions"], &gemm);
    write_npy(&x, &Array2::<f32>::zeros((2, 3))).unwrap();
    s.refuses(&["x.npy", "integer"], &gemm);
    write_npy(&x, &Array2::<i64>::from_elem((2, 3), 1 << 40)).unwrap();
    s.refuses(&["x.npy", "1099511627776"], &gemm);
    s.write("x.npy", "no npy at all");
    s.refuses(&["x.npy"], &gemm);
    std::fs::remove_file(&x).unwrap();
    s.refuses(&["x.npy"], &gemm);
    s.refuses(&["at least 1"], &["gemm", "--random", "2", "0", "2"]);
    s.refuses(&["--result-bits"], &["gemm", "--random", "2", "2", "2", "--shift", "3"]);
}

/// Also what the argument parser refuses.
#[test]
fn wrong_arguments() {
    let s = Scratch::new();
    s.refuses(&["17"], &["gemm", "--random", "2", "2", "2", "--x-bits", "17"]);
    s.refuses(&["--speed"], &["gemm", "--speed", "9"]);
    s.refuses(&["bake"], &["bake"]);
}

#[test]
fn the_checkpoint_of_another_network() {
    let s = Scratch::new();
    let other = s.write("other.toml", shipped(DIGITS).replace("outputs = 64", "outputs = 48"));
    let (a, b) = (s.path("a"), s.path("b"));
    succeeds(&["train", "-c", DIGITS, "-o", &a, "--steps", "2"]);
    succeeds(&["train", "-c", &other, "-o", &b, "--steps", "2"]);
    std::fs::copy(s.path("b/checkpoint.safetensors"), s.path("a/checkpoint.safetensors")).unwrap();
    let says = ["checkpoint.safetensors", "`layer[1].outputs` was 48, now 64"];
    s.refuses(&says, &["train", "--resume", &a]);
    s.refuses(&says, &["eval", &a]);
    let whole = std::fs::read(s.path("b/checkpoint.safetensors")).unwrap();
    s.write("b/checkpoint.safetensors", &whole[..whole.len() / 2]);
    s.refuses(&["checkpoint.safetensors"], &["train", "--resume", &b]);
    s.refuses(&["nothing-here"], &["train", "--resume", &s.path("nothing-here")]);
    // weights of others, to start from
    let from = |run: &str| ["train", "-c", DIGITS, "-o", &s.path("from"), "--from", run].map(str::to_owned);
    let refused = |says: &[&str], run: &str| {
        let arguments = from(run);
        s.refuses(says, &arguments.each_ref().map(String::as_str));
        assert!(!std::path::Path::new(&s.path("from")).exists(), "nothing is left");
    };
    refused(&["b/checkpoint.safetensors", "truncated"], &b);
    s.write("b/checkpoint.safetensors", &whole);
    refused(&["b/checkpoint.safetensors", "weight", "[64, 64]", "[64, 48]"], &b);
    refused(&["nothing-here"], &s.path("nothing-here"));
    refused(&["not a tandem safetensors file"], DIGITS);
    s.refuses(&["--from", "--resume"], &["train", "--resume", &a, "--from", &b]);
}

#[test]
fn missing_and_failing_tools() {
    let s = Scratch::new();
    let accelerator = s.write("tiny.toml", config("tiny").to_toml());
    let gemm = ["gemm", "-c", &accelerator, "--engine", "sim", "--random", "2", "2", "2"];
    let (empty, cache) = (s.path("empty"), s.path("cache"));
    std::fs::create_dir(&empty).unwrap();
    s.fails(3, &["verilator"], &gemm, &[("PATH", &empty), ("TANDEM_CACHE", &cache)]);

    // tells its version, then fails
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 'Verilator 5.006'\necho '%Error: out of gas' >&2\nexit 9\n";
    let fake = s.write("fake/verilator", script);
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", s.path("fake"), std::env::var("PATH").unwrap());
    s.fails(3, &["verilator", "out of gas", "9"], &gemm, &[("PATH", &path), ("TANDEM_CACHE", &cache)]);
    let left = std::fs::read_dir(&cache).map(|d| d.filter(|e| e.as_ref().unwrap().path().is_dir()).count());
    assert_eq!(left.unwrap_or(0), 0, "a failed build leaves no entry");

    // a file where the folder should be: not writable for root either
    let file = s.write("file", "precious");
    s.fails(3, &[&file, "TANDEM_CACHE"], &gemm, &[("TANDEM_CACHE", &file)]);
    let below = s.path("file/below");
    s.fails(3, &["file/below", "TANDEM_CACHE"], &gemm, &[("TANDEM_CACHE", &below)]);
    // the default accelerator is part of the program
    let sim = ["gemm", "--engine", "sim", "--random", "2", "2", "2"];
    assert!(run(&[], &sim, &[("PATH", &empty), ("TANDEM_CACHE", &file)]).status.success());
    s.fails(3, &["verilator", "apt-get"], &["doctor"], &[("PATH", &empty)]);
}

#[test]
fn a_stream_is_recorded_replayed_listed_and_compared() {
    let s = Scratch::new();
    let file = s.path("stream");
    let recorded = succeeds(&["run", "record", "--random", "9", "20", "11", "--x-bits", "5", "-o", &file]);
    let count = recorded["instructions"].as_u64().expect("a count");
    let listed = run(&[], &["run", "disasm", &file], &[]);
    assert!(listed.status.success());
    let list = text(&listed.stdout);
    for name in ["LOAD", "COMPUTE", "STORE", "READ"] {
        assert!(list.contains(name), "no {name} in {list}");
    }
    let named = |l: &&str| ["LOAD", "COMPUTE", "STORE", "READ"].iter().any(|n| l.contains(n));
    assert_eq!(list.lines().filter(named).count() as u64, count, "{list}");
    assert!(succeeds(&["run", "disasm", &file]).is_object());
    let replay = |engine| succeeds(&["run", "replay", "--engine", engine, &file]);
    assert_eq!(replay("model"), replay("sim"));
    succeeds(&["run", "diff", &file]);

    s.refuses(&["stream", "configuration"], &["run", "replay", "-c", "peer-8x8", &file]);
    let bytes = std::fs::read(&file).unwrap();
    let cut = s.write("cut", &bytes[..bytes.len() - 3]);
    s.refuses(&["cut", "bytes"], &["run", "disasm", &cut]);
    let other = s.write("other", "not a stream");
    s.refuses(&["other", "not an instruction stream"], &["run", "replay", &other]);
    // a flipped bit in the last instruction: an error packet, alike on both engines
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let damaged = s.write("damaged", damaged);
    s.fails(1, &["instruction"], &["run", "replay", &damaged], &[]);
    succeeds(&["run", "diff", &damaged]);
}

#[test]
fn check_writes_a_junit_report() {
    let s = Scratch::new();
    let file = s.path("junit.xml");
    let report = succeeds(&["check", "--seconds", "1", "--seed", "5", "--junit", &file]);
    let cases = report["cases"].as_u64().expect("a count");
    assert!(cases > 0 && report["failures"] == 0, "{report}");
    let xml = std::fs::read_to_string(&file).unwrap();
    assert!(
        xml.starts_with("<?xml") && xml.contains("tests=\"2\" skipped=\"0\" errors=\"0\" failures=\"0\""),
        "{xml}"
    );
    for (suite, name) in [("programs", "programs"), ("products", "products")] {
        let count = &report["configurations"][0][suite];
        assert!(xml.contains(&format!("<testcase name=\"{name}\" classname=\"default\"")), "{xml}");
        assert!(xml.contains(&format!("<property name=\"cases\" value=\"{count}\"/>")), "{count} in {xml}");
    }
}

#[test]
fn check_takes_several_accelerators_and_reports_those_that_cannot_be_built() {
    let s = Scratch::new();
    let name = "a \"<&>\" größer";
    let odd = config("tiny").to_toml().replace("name = \"tiny\"", &format!("name = {name:?}"));
    let odd = s.write("odd.toml", odd);
    let (file, cache, empty) = (s.path("junit.xml"), s.path("cache"), s.path("empty"));
    std::fs::create_dir(&empty).unwrap();
    // the default one is part of the program, the other would have to be built
    let arguments = ["check", "-c", "default", "-c", &odd, "--seconds", "2", "--junit", &file];
    let output = run(&[], &arguments, &[("PATH", &empty), ("TANDEM_CACHE", &cache)]);
    assert_eq!(output.status.code(), Some(3), "{}", text_of(&output));
    assert!(text(&output.stderr).contains("verilator"), "{}", text_of(&output));
    let xml = std::fs::read_to_string(&file).unwrap();
    assert!(xml.contains("tests=\"2\" skipped=\"0\" errors=\"2\" failures=\"0\""), "{xml}");
    assert!(xml.contains("größer") && !xml.contains("<&>") && xml.contains("verilator"), "{xml}");

    let report = succeeds(&["check", "-c", "default", "-c", "default", "--seconds", "2"]);
    assert_eq!(report["configurations"].as_array().unwrap().len(), 2);
}

/// All that a run has printed.
fn text_of(output: &std::process::Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn every_command_gives_one_json_object() {
    let s = Scratch::new();
    let run = s.path("run");
    succeeds(&["generate", "-c", "default", "-o", &s.path("rtl")]);
    assert_eq!(succeeds(&["gemm", "--engine", "sim", "--random", "5", "6", "7"])["mismatches"], 0);
    let trained = succeeds(&["train", "-c", DIGITS, "-o", &run, "--steps", "3"]);
    let evaluated = succeeds(&["eval", &run]);
    assert_eq!(trained["weights_digest"], evaluated["weights_digest"]);
    assert_eq!(trained["test_accuracy"], evaluated["test_accuracy"]);
    assert_eq!(succeeds(&["quantize", &run])["layers"].as_array().map(Vec::len), Some(2));
    assert_eq!(succeeds(&["data", "info", "digits"])["train"], 1437);
    succeeds(&["doctor"]);
    assert!(succeeds(&["completions", "bash"])["script"].as_str().unwrap().contains("tandem"));
}
