//! Sweeps that train nothing: every point is what `tandem estimate` says of it; and seconds, whose clock says where it is from.

use crate::common::command::{Scratch, run, succeeds, text};
use crate::common::repository;
use crate::common::sweeps::{AXES, small};
use serde_json::{Value, json};

const TOPOLOGY: &str =
    "header\nc1, 18, 18, 3, 3, 4, 32, 1,\nc2, 16, 16, 3, 3, 32, 16, 1, 2:4\nfc, 1, 10, 3136,\n";

const SWEEP: &str = r#"
name = "cycles"
topology = "net.csv"
set = { batch = 8, accelerator = "sparse-8x8x4" }

[[axis]]
name = "bits"
choices = [
  { name = "W4 A4 G8" },
  { name = "W3 A8 G5", set.bits = { weights = 3, activations = 8, gradients = 5 } },
]

[[axis]]
name = "pattern"
key = "pattern"
values = ["1:1", "1:4"]

[[axis]]
name = "batch"
key = "batch"
values = [8, 3]

[[axis]]
name = "rows"
key = "accelerator.array.rows"
values = [4, 8]
"#;

fn lines(report: &Value) -> &Vec<Value> {
    report["points"].as_array().unwrap()
}

/// Every combination, by the command that estimates one.
#[test]
fn every_point_is_what_estimate_says() {
    let s = Scratch::new();
    let net = s.write("net.csv", TOPOLOGY);
    let file = s.write("sweep.toml", SWEEP);
    let report = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    assert_eq!((lines(&report).len(), &report["left_out"]), (16, &json!([])));
    for point in lines(&report) {
        let [bits, pattern, batch, rows] = [0, 1, 2, 3].map(|i| point["levels"][i].as_str().unwrap());
        let (bits, gradients) = if bits == "W4 A4 G8" { ("4x4", "8") } else { ("8x3", "5") };
        let rows = format!("array.rows={rows}");
        let accelerator = ["-c", "sparse-8x8x4", "--set", &rows];
        let network = ["--bits", bits, "--gradients", gradients, "--pattern", pattern, "--batch", batch];
        let estimate =
            |more: &[&str]| succeeds(&[&["estimate", &net][..], &accelerator, &network, more].concat());
        assert_eq!(point["step_cycles"], estimate(&["--training"])["cycles"], "{point}");
        let images = batch.parse::<f64>().unwrap();
        let forward = estimate(&[])["cycles"].as_f64().unwrap() / images;
        assert_eq!(point["inference_cycles"].as_f64(), Some(forward), "{point}");
        // c2 has a pattern of its own
        let width = bits.split_once('x').unwrap().1.parse::<u64>().unwrap();
        let kept = |weights: u64| if pattern == "1:4" { weights / 4 } else { weights };
        let weights = kept(3 * 3 * 4 * 32) + 3 * 3 * 32 * 16 / 2 + kept(3136 * 10);
        assert_eq!(point["weight_bits"], width * weights, "{point}");
        for key in ["seed", "accuracy", "cycles", "training_cycles", "digest", "mhz"] {
            assert!(point.get(key).is_none(), "{key}: {point}");
        }
    }
    // fronts by their definition: no other point has no more of both and less of one
    let groups = report["groups"].as_array().unwrap();
    let of = |g: &Value| (g["step_cycles"].as_f64().unwrap(), g["weight_bits"].as_f64().unwrap());
    let beaten =
        |g: &Value| groups.iter().map(of).any(|(c, w)| (c, w) != of(g) && c <= of(g).0 && w <= of(g).1);
    let front = report["fronts"]["cycles of a step, weight bits"].as_array().unwrap();
    for group in groups {
        assert_eq!(front.contains(&group["ids"]), !beaten(group), "{group}");
    }
    assert!(report["fronts"].get("cycles of a step, LUTs").is_none(), "no [silicon], no LUTs");
    // the parts: the same points, the same results, nothing to run
    let planned = text(&run(&[], &["sweep", "plan", &file], &[]).stdout);
    assert_eq!(planned.lines().count(), 16);
    let first: Value = serde_json::from_str(planned.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["id"], &first["cost"]["step_cycles"]),
        (&lines(&report)[0]["id"], &lines(&report)[0]["step_cycles"])
    );
    succeeds(&["sweep", "collect", &file, "-o", &s.path("collected")]);
    for name in ["results.csv", "summary.json", "front.svg", "report.html"] {
        let of = |folder: &str| std::fs::read_to_string(s.path(&format!("{folder}/{name}"))).unwrap();
        assert_eq!(of("collected"), of("out"), "{name}");
    }
    let id = lines(&report)[0]["id"].as_str().unwrap();
    s.refuses(&[id, "trains nothing"], &["sweep", "run", &file, "-o", &s.path("out"), "--point", id]);
    // a budget, and settings that win
    let budget =
        s.write("budget.toml", SWEEP.replacen("set = ", "budget = { weight_bits = 60_000 }\nset = ", 1));
    let left = succeeds(&["sweep", &budget, "--plan", "--set", "batch=5"]);
    let reasons: Vec<_> =
        left["left_out"].as_array().unwrap().iter().map(|l| l["reason"].as_str().unwrap()).collect();
    assert!(reasons.iter().any(|r| r.contains("above the budget of 60000")), "{reasons:?}");
    assert!(reasons.iter().any(|r| r.contains("the same as")), "one batch for all: {reasons:?}");
}

/// The shipped sweep's own network and arrays, the last point of its grid.
#[test]
fn the_shipped_sweep_is_what_estimate_says() {
    let s = Scratch::new();
    let shipped = repository().join("configs/sweeps/estimate-resnet20.toml");
    let shipped = std::fs::read_to_string(shipped).unwrap();
    let topology = repository().join("configs/topologies/resnet20.csv");
    let path = topology.to_str().unwrap();
    // one point of 60
    let sample = format!("topology = \"{path}\"\nsample = {{ points = 1, seed = 3 }}");
    let file = s.write("sweep.toml", shipped.replace("topology = \"../topologies/resnet20.csv\"", &sample));
    let report = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    let point = &lines(&report)[0];
    let level = |name: &str| {
        let place = report["axes"].as_array().unwrap().iter().position(|axis| axis == name).unwrap();
        point["levels"][place].as_str().unwrap()
    };
    let number = |letter: char| {
        let part = level("bits").split(' ').find(|part| part.starts_with(letter)).unwrap();
        part[1..].to_owned()
    };
    let bits = format!("{}x{}", number('A'), number('W'));
    let gradients = number('G');
    let pattern = if level("pattern") == "dense" { "1:1" } else { level("pattern") };
    let select = pattern.split_once(':').unwrap().1;
    let digits = level("digits");
    let mut arguments = vec!["estimate", path, "--training", "--batch", "32", "--bits", &bits];
    arguments.extend(["--gradients", &gradients, "--pattern", pattern, "-c", "default"]);
    let settings = [
        format!("array.row_digit={digits}"),
        format!("array.col_digit={digits}"),
        format!("array.select={select}"),
        format!("array.rows={}", level("accelerator.array.rows")),
        format!("array.cols={}", level("accelerator.array.cols")),
        format!("array.lanes={}", level("accelerator.array.lanes")),
        "array.drain=2".to_owned(),
        "link.bits=32".to_owned(),
    ];
    settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
    assert_eq!(point["step_cycles"], succeeds(&arguments)["cycles"], "{point}");
    let product = point["luts"].as_u64().unwrap() * point["step_cycles"].as_u64().unwrap();
    let table = std::fs::read_to_string(s.path("out/results.csv")).unwrap();
    let cells: Vec<_> = table.lines().map(|line| line.rsplit(',').next().unwrap().to_owned()).collect();
    assert_eq!(cells, ["lut_cycles".to_owned(), product.to_string()]);
}

/// An experiment in cycles: no data is read, and cycles of a step are those of the sweep that trains.
#[test]
fn an_experiment_without_its_training() {
    let s = Scratch::new();
    let cycles = small(&s, "cycles.toml", "train = false", 2, AXES);
    let report = succeeds(&["sweep", &cycles, "-o", &s.path("out")]);
    let trains = succeeds(&["sweep", &small(&s, "trains.toml", "", 2, AXES), "--plan"]);
    let of_trained: Vec<_> = lines(&trains).iter().map(|p| p["cost"]["step_cycles"].clone()).collect();
    let of_cycles: Vec<_> = lines(&report).iter().map(|p| p["step_cycles"].clone()).collect();
    assert_eq!(of_cycles, of_trained);
    assert!(of_cycles.len() == 4 && report["fronts"].get("training cycles").is_none());
    // what another point with the same network beats stays in the table
    let array = |rows: u64| {
        format!("{{ name = \"{rows}\", set.accelerator.array = {{ rows = 8, row_digit = {rows} }} }}")
    };
    let axis = format!("[[axis]]\nname = \"digits\"\nchoices = [{}, {}]\n", array(4), array(8));
    let report = succeeds(&["sweep", &small(&s, "all.toml", "train = false", 2, &axis), "--plan"]);
    assert_eq!((lines(&report).len(), &report["left_out"]), (2, &json!([])));
    // MNIST, which is nowhere
    let experiment = repository().join("configs/experiments/mnist-lenet5-1of4.toml");
    let experiment = experiment.to_str().unwrap();
    let text = format!(
        "name = \"lenet\"\nexperiment = \"{experiment}\"\ntrain = false\n[[axis]]\nname = \"rows\"\nkey = \"accelerator.array.rows\"\nvalues = [8]\n"
    );
    let file = s.write("lenet.toml", text);
    let nowhere = [("TANDEM_DATA", "nowhere")];
    let ran = run(&["--json"], &["sweep", &file, "-o", &s.path("lenet")], &nowhere);
    let point = crate::common::command::object(&ran)["points"][0].clone();
    assert_eq!(point["step_cycles"], succeeds(&["estimate", experiment, "--training"])["cycles"]);
}

#[test]
fn keys_that_make_no_sense_without_training_are_refused() {
    let s = Scratch::new();
    s.write("net.csv", TOPOLOGY);
    let refuses = |from: &str, to: &str, says: &[&str]| {
        assert!(SWEEP.contains(from), "{from}");
        let file = s.write("sweep.toml", SWEEP.replacen(from, to, 1));
        s.refuses(&[&["sweep.toml"][..], says].concat(), &["sweep", &file, "--plan"]);
    };
    let top =
        |key: &str, says: &[&str]| refuses("name = \"cycles\"", &format!("{key}\nname = \"cycles\""), says);
    top("seeds = [1]", &["`seeds`", "nothing is trained"]);
    top("halving = { epochs = [1] }", &["`halving`", "nothing is trained"]);
    top("check = { points = 1, steps = 1 }", &["`check`", "nothing is trained"]);
    top("budget = { training_cycles = 1 }", &["`budget.training_cycles` = 1", "nothing is trained"]);
    top("train = true", &["`train` = true", "no data to train on"]);
    top("experiment = \"e.toml\"", &["`topology`", "one of `experiment` and `topology`"]);
    refuses("topology = \"net.csv\"", "", &["`experiment`", "expected `experiment` or `topology`"]);
    let set = "set = { batch = 8";
    refuses(set, "set = { bits.weight = 3, batch = 8", &["`bits.weight`", "unknown field"]);
    refuses("key = \"pattern\"", "key = \"pruning.pattern\"", &["`pruning`", "unknown field"]);
    let file = s.write("sweep.toml", SWEEP);
    for (set, says) in [
        ("bits.weights=17", "`bits.weights` = 17: expected 1 to 16"),
        ("batch=0", "`batch` = 0: expected 1 to 65536"),
        ("pattern=1:3", "`pattern` = \"1:3\": expected N:M"),
        ("accelerator=nonesuch", "accelerator `nonesuch`"),
    ] {
        s.refuses(&["sweep.toml", says], &["sweep", &file, "--plan", "--set", set]);
    }
    for option in [&["--seeds", "2"][..], &["--data", "d"], &["--engine", "sim"]] {
        s.refuses(&[option[0], "sweep.toml trains nothing"], &[&["sweep", &file, "--plan"], option].concat());
    }
    s.refuses(&["--slurm", "trains nothing"], &["sweep", &file, "--slurm", "-o", &s.path("none")]);
    let none = s.write("none.toml", SWEEP.replace("net.csv", "none.csv"));
    s.refuses(&["none.csv: "], &["sweep", &none, "--plan"]);
    s.write("net.csv", "header\nc1, 2, 2, 3, 3, 1, 1, 1,\n");
    s.refuses(&["net.csv: line 2", "does not fit"], &["sweep", &file, "--plan"]);
}

/// Seconds are cycles over a clock that is measured, the board's or given, and say which.
#[test]
fn seconds_say_where_their_clock_is_from() {
    let s = Scratch::new();
    let with = |clock: &str| small(&s, "sweep.toml", &format!("clock = {clock}"), 2, AXES);
    // what `tandem synth -o` leaves of the accelerator with 8 rows, which is `default`
    let hash = succeeds(&["generate", "-c", "default", "-o", &s.path("verilog")])["config_hash"].clone();
    let count = json!({ "used": 1, "available": null });
    let result = json!({
        "config_hash": hash, "board": "ulx3s", "core": false, "fmax_mhz": 62.5, "critical": null, "seed": 1,
        "fmax_by_seed": [[1, 62.5]], "bitstream": null,
        "resources": { "lut": count, "ff": count, "dsp": count, "ram": count },
    });
    std::fs::create_dir_all(s.path("synth/default")).unwrap();
    s.write("synth/default/result.json", result.to_string());
    let report =
        succeeds(&["sweep", &with("{ board = \"ulx3s\", synth = \"synth\" }"), "-o", &s.path("out")]);
    let mut from = vec![];
    for point in lines(&report) {
        let rows = point["levels"][1].as_str().unwrap();
        let (mhz, place) = if rows == "8" { (62.5, "synth") } else { (25.0, "board") };
        assert_eq!((point["mhz"].as_f64(), point["mhz_from"].as_str()), (Some(mhz), Some(place)), "{point}");
        from.push(place);
    }
    assert!(from.contains(&"synth") && from.contains(&"board"), "{from:?}");
    let table = std::fs::read_to_string(s.path("out/results.csv")).unwrap();
    let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().unwrap();
    assert_eq!(head[head.len() - 3..], ["mhz", "mhz_from", "seconds"]);
    for row in rows {
        let cell = |name: &str| row[head.iter().position(|h| *h == name).unwrap()].parse::<f64>().unwrap();
        assert_eq!(cell("seconds"), cell("cycles") / (cell("mhz") * 1e6), "{row:?}");
    }
    // on the front no group is beaten in seconds and accuracy
    let groups = report["groups"].as_array().unwrap();
    let of = |g: &Value| (g["seconds"].as_f64().unwrap(), g["accuracy"]["mean"].as_f64().unwrap());
    let front = report["fronts"]["training seconds"].as_array().unwrap();
    assert!(!front.is_empty());
    for ids in front {
        let own = of(groups.iter().find(|g| g["ids"] == *ids).unwrap());
        assert!(groups.iter().map(of).all(|(s, a)| s > own.0 || a <= own.1), "{ids}");
    }
    let given = succeeds(&["sweep", &with("{ mhz = 50 }"), "--plan"]);
    assert!(lines(&given).iter().all(|p| p["cost"]["mhz"] == 50.0 && p["cost"]["mhz_from"] == "given"));
    for (clock, says) in [
        ("{}", "`clock.board`: expected `board` or `mhz`"),
        ("{ mhz = 0 }", "`clock.mhz` = 0: expected a positive number"),
        ("{ mhz = 9, board = \"ulx3s\" }", "`clock.mhz` = 9: expected one of `mhz` and `board`"),
        ("{ board = \"icebreaker\", synth = \"synth\" }", "`clock.synth` = \"synth\": "),
        ("{ board = \"ulx3s\", synth = \"none\" }", "`clock.synth` = \"none\": "),
        ("{ speed = 9 }", "unknown field `speed`"),
    ] {
        s.refuses(&["sweep.toml", says], &["sweep", &with(clock), "--plan"]);
    }
}
