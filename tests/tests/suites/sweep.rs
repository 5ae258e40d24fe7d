//! `tandem sweep`: every point is what a run of its own gives; parts in any order give the same; nothing is lost or mixed.

use crate::common::command::{Scratch, object, run, succeeds, text};
use crate::common::sweeps::{self, AXES};
use crate::common::{repository, tandem};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A sweep of two epochs; `more` stands before its settings.
fn small(s: &Scratch, name: &str, more: &str, axes: &str) -> String {
    sweeps::small(s, name, more, 2, axes)
}

fn results(s: &Scratch, folder: &str) -> Vec<String> {
    let text = std::fs::read_to_string(s.path(folder) + "/results.csv").unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn every_point_is_a_run_of_its_own() {
    let s = Scratch::new();
    let file = small(&s, "sweep.toml", "seeds = [1, 2]\ncheck = { points = 1, steps = 2 }", AXES);
    let report = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    let points = report["points"].as_array().unwrap();
    assert_eq!((points.len(), report["simulated"].as_array().unwrap().len()), (8, 1));
    for (i, point) in points.iter().enumerate().step_by(3) {
        let (weights, rows) = (point["levels"][0].as_str().unwrap(), point["levels"][1].as_str().unwrap());
        let accelerator = repository().join("configs/accelerators/default.toml");
        let accelerator = std::fs::read_to_string(accelerator).unwrap();
        let accelerator =
            s.write(&format!("a{i}.toml"), accelerator.replace("rows = 8", &format!("rows = {rows}")));
        let settings = [format!("bits.weights={weights}"), "train.epochs=2".into(), "data.images=320".into()];
        let seed = point["seed"].to_string();
        let experiment = repository().join("configs/experiments/digits-mlp.toml");
        let folder = s.path(&format!("run{i}"));
        let mut arguments = vec!["train", "-c", experiment.to_str().unwrap(), "--accelerator", &accelerator];
        arguments.extend(["--seed", &seed, "-o", &folder]);
        settings.iter().for_each(|setting| arguments.extend(["--set", setting]));
        let alone = succeeds(&arguments);
        assert_eq!(point["digest"], alone["weights_digest"], "{point}");
        assert_eq!(point["cycles"], alone["cycles"], "{point}");
        assert_eq!(point["accuracy"], alone["test_accuracy"], "{point}");
        // dense: what was predicted
        assert_eq!(point["cycles"], point["training_cycles"], "{point}");
    }
    // On the front no point is beaten; the mean of two seeds counts.
    let groups = report["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 4);
    let front = report["fronts"]["training cycles"].as_array().unwrap();
    let mean = |ids: &Value| groups.iter().find(|m| m["ids"] == *ids).unwrap();
    let of = |m: &Value| (m["cycles"].as_f64().unwrap(), m["accuracy"]["mean"].as_f64().unwrap());
    for ids in front {
        let (cycles, accuracy) = of(mean(ids));
        assert!(groups.iter().map(of).all(|(c, a)| c >= cycles || a < accuracy), "{ids}");
    }
}

#[test]
fn the_float_reference_is_a_float_run_of_its_own() {
    let s = Scratch::new();
    let pruned = r#"pruning = { method = "random", pattern = "1:4", layers = ["fc1"] }"#;
    let file = small(&s, "sweep.toml", "float = true\nseeds = [1, 2]", &format!("{pruned}\n{AXES}"));
    let report = succeeds(&["sweep", &file, "-o", &s.path("out")]);
    let points = report["float"]["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    for point in points {
        let (seed, folder) = (point["seed"].to_string(), s.path(&format!("run{}", point["seed"])));
        let experiment = repository().join("configs/experiments/digits-mlp.toml");
        let mut arguments = vec!["train", "-c", experiment.to_str().unwrap(), "--engine", "float"];
        arguments.extend(["--seed", &seed, "-o", &folder]);
        arguments.extend(["--set", "train.epochs=2", "--set", "data.images=320"]);
        let alone = succeeds(&arguments);
        assert_eq!(point["digest"], alone["weights_digest"]);
        assert_eq!(point["accuracy"], alone["test_accuracy"]);
    }
    let picture = || std::fs::read_to_string(s.path("out") + "/front.svg").unwrap();
    let drawn = picture();
    assert!(drawn.contains("float"));
    // made of what is there
    let collected = succeeds(&["sweep", "collect", &file, "-o", &s.path("out")]);
    assert_eq!(collected["float"], report["float"]);
    assert_eq!(picture(), drawn);
    let without = small(&s, "without.toml", "seeds = [1, 2]", AXES);
    let report = succeeds(&["sweep", &without, "-o", &s.path("other")]);
    assert!(report["float"].is_null());
    // one that fails is listed, and the points have their results
    let axes = "train.lr = 100.0\ntrain.weight_decay = 0.9\n[[axis]]\nname = \"rate\"\nchoices = [{ name = \"low\", set.train = { lr = 0.01, weight_decay = 0.0 } }]\n";
    let wild = sweeps::small(&s, "wild.toml", "float = true", 8, axes);
    let ran = run(&["--json"], &["sweep", &wild, "-o", &s.path("wild")], &[]);
    let report = object(&ran);
    assert_eq!(ran.status.code(), Some(1), "{report}");
    assert_eq!(report["points"].as_array().unwrap().len(), 1);
    assert!(report["float"].is_null());
    let failed = report["float_failed"][0].as_str().unwrap();
    assert!(failed.starts_with("float, seed 1: ") && failed.contains("step"), "{failed}");
    assert!(std::path::Path::new(&(s.path("wild") + "/results.csv")).exists());
    let collected = run(&["--json"], &["sweep", "collect", &wild, "-o", &s.path("wild")], &[]);
    assert_eq!(
        (collected.status.code(), &object(&collected)["float_failed"]),
        (Some(1), &report["float_failed"])
    );
    let cycles = small(&s, "cycles.toml", "float = true\ntrain = false", AXES);
    s.refuses(&["cycles.toml", "`float`", "nothing is trained"], &["sweep", &cycles, "--plan"]);
}

#[test]
fn parts_one_by_one_give_the_same_and_a_killed_sweep_goes_on() {
    let s = Scratch::new();
    let file = small(&s, "sweep.toml", "", AXES);
    succeeds(&["sweep", &file, "-o", &s.path("whole"), "--jobs", "2"]);
    // plan, run, collect
    let plan = run(&[], &["sweep", "plan", &file], &[]);
    let ids: Vec<String> = text(&plan.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 4);
    let parts = s.path("parts");
    for id in ids.iter().rev().chain([&ids[0]]) {
        succeeds(&["sweep", "run", &file, "-o", &parts, "--point", id]);
    }
    succeeds(&["sweep", "collect", &file, "-o", &parts]);
    assert_eq!(results(&s, "parts"), results(&s, "whole"));
    // killed twice
    let killed = s.path("killed");
    for moment in [150, 400] {
        let mut child = Command::new(tandem())
            .args(["sweep", &file, "-o", &killed, "--jobs", "1"])
            .current_dir(repository())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let collected = succeeds(&["sweep", "collect", &file, "-o", &killed]);
    let there = collected["points"].as_array().unwrap().len() as u64;
    assert_eq!(there + collected["missing"].as_u64().unwrap(), 4);
    succeeds(&["sweep", &file, "-o", &killed]);
    assert_eq!(results(&s, "killed"), results(&s, "whole"));
    // a name that there is not
    s.refuses(
        &["--point 0123", "no point has this name"],
        &["sweep", "run", &file, "-o", &parts, "--point", "0123"],
    );
}

/// `tools/sweep_parallel.sh`: GNU parallel drives plan, run and collect; what is there stays.
#[test]
fn gnu_parallel_gives_the_same() {
    let s = Scratch::new();
    // an accuracy that JSON has to give back to the last bit
    let file = small(&s, "a sweep.toml", "seeds = [1, 2]", AXES);
    let (whole, out) = (s.path("whole"), s.path("out of $parallel"));
    let set = ["--set", "data.images=256"];
    succeeds(&[&["sweep", &file, "-o", &whole][..], &set].concat());
    let path = format!("{}:{}", tandem().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let script = |arguments: &[&str]| {
        let mut command = Command::new(repository().join("tools/sweep_parallel.sh"));
        command.current_dir(repository()).env("PATH", &path).env("HOME", s.path(""));
        command.args(arguments).output().unwrap()
    };
    let trained = || std::fs::read_to_string(format!("{out}/parallel/log")).unwrap().lines().count() - 1;
    let files = |folder: &str| {
        ["results.csv", "summary.json", "front.svg"]
            .map(|f| std::fs::read_to_string(format!("{folder}/{f}")).unwrap())
    };
    for (kept, expected) in [(None, 8), (Some(3), 3)] {
        if let Some(lost) = kept {
            let outcomes = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
            let outcomes = outcomes.filter(|path| {
                path.extension().is_some_and(|e| e == "json") && !path.ends_with("summary.json")
            });
            outcomes.take(lost).for_each(|path| std::fs::remove_file(path).unwrap());
        }
        let ran = script(&[&[&file[..], &out][..], &set].concat());
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        assert_eq!((files(&out), trained()), (files(&whole), expected));
    }
    assert_eq!(script(&[&file]).status.code(), Some(2));
}

#[test]
fn points_that_cannot_matter_are_not_trained() {
    let s = Scratch::new();
    let planned = |more: &str, axes: &str| {
        let file = small(&s, "sweep.toml", more, axes);
        let report = succeeds(&["sweep", &file, "--plan"]);
        let reasons = report["left_out"].as_array().unwrap().iter();
        let reasons: Vec<String> = reasons.map(|r| r["reason"].as_str().unwrap().to_owned()).collect();
        (report["points"].as_array().unwrap().len(), reasons)
    };
    assert_eq!(planned("", AXES), (4, vec![]));
    let (n, reasons) = planned("budget = { weight_bits = 12000 }", AXES);
    assert!(n == 2 && reasons.iter().all(|r| r.contains("above the budget of 12000")), "{n}: {reasons:?}");
    assert_eq!(planned("require = [\"{weights} * 2 == {rows}\"]", AXES).0, 2);
    assert_eq!(planned("sample = { points = 3, seed = 5 }", AXES).0, 3);
    // the same network on an array that is larger and no faster; an array that there cannot be; a point twice
    let axes = r#"
[[axis]]
name = "array"
choices = [
  { name = "default" },
  { name = "again", set.accelerator.array.rows = 8 },
  { name = "wider digits", set.accelerator.array.row_digit = 8 },
  { name = "a thousand rows", set.accelerator.array.rows = 1000 },
]
"#;
    let (n, reasons) = planned("", axes);
    assert_eq!(n, 1, "{reasons:?}");
    let has = |text: &str| reasons.iter().any(|reason| reason.contains(text));
    assert!(
        has("the same as default") && has("no larger array: default") && has("array.rows"),
        "{reasons:?}"
    );
}

#[test]
fn what_fails_is_listed_and_the_others_go_on() {
    let s = Scratch::new();
    let axes = "[[axis]]\nname = \"decay\"\nchoices = [{ name = \"none\" }, { name = \"wild\", set.train = { lr = 100.0, weight_decay = 0.9, epochs = 8 } }]\n";
    let file = small(&s, "sweep.toml", "", axes);
    let out = s.path("out");
    let ran = run(&["--json"], &["sweep", &file, "-o", &out], &[]);
    let report = object(&ran);
    assert_eq!(ran.status.code(), Some(1), "{report}");
    assert_eq!(report["points"].as_array().unwrap().len(), 1);
    let failed = &report["failed"][0];
    assert!(failed["reason"].as_str().unwrap().contains("step"), "{failed}");
    assert_eq!(report["failed"].as_array().unwrap().len(), 1);
    // what is wrong with a sweep is named before anything runs
    let wrong = |more: &str, axes: &str, says: &[&str]| {
        let file = small(&s, "wrong.toml", more, axes);
        s.refuses(says, &["sweep", &file, "-o", &s.path("none")]);
    };
    wrong("require = [\"{weights} > 100\"]", AXES, &["no point meets `require`"]);
    wrong(
        "require = [\"{depth} > 100\"]",
        AXES,
        &["`require`", "no axis `depth`, expected one of weights, rows"],
    );
    wrong("budget = { watts = 1 }", AXES, &["`budget.watts`", "expected one of step_cycles"]);
    wrong("points = 3", AXES, &["unknown field `points`"]);
    let axis = |inner: &str| format!("[[axis]]\nname = \"a\"\n{inner}\n");
    wrong("", &axis("key = \"bits.weight\"\nvalues = [2]"), &["no point can run", "weight"]);
    wrong("", &axis("key = \"layer.fc9.outputs\"\nvalues = [2]"), &["no layer `fc9`, expected one of"]);
    wrong(
        "",
        &axis("key = \"bits.weights\"\nrange = { from = 8, to = 2, step = 1 }"),
        &["axis[0].range", "smaller one first"],
    );
    wrong(
        "",
        &axis("key = \"bits.weights\""),
        &["axis[0].name", "expected one of `values`, `range` and `choices`"],
    );
    s.refuses(&["nothing.toml"], &["sweep", "nothing.toml", "-o", &s.path("none")]);
    let file = small(&s, "fine.toml", "", AXES);
    s.refuses(&["--engine float"], &["sweep", &file, "-o", &s.path("none"), "--engine", "float"]);
}

#[test]
fn an_outcome_of_something_else_is_not_taken() {
    let s = Scratch::new();
    let file = small(&s, "sweep.toml", "", AXES);
    let out = s.path("out");
    succeeds(&["sweep", &file, "-o", &out]);
    let plan = succeeds(&["sweep", "plan", &file]);
    let ids: Vec<&str> =
        plan["points"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    let path = |id: &str| format!("{out}/{id}.json");
    std::fs::copy(path(ids[0]), path(ids[1])).unwrap();
    s.refuses(&[ids[1], "has changed", "nothing is overwritten"], &["sweep", &file, "-o", &out]);
    std::fs::write(path(ids[1]), "{").unwrap();
    s.refuses(&[ids[1]], &["sweep", &file, "-o", &out]);
}

/// Every point has the largest array of the candidates that fits, and its area in the results; what is impossible says where.
#[test]
fn arrays_of_equal_silicon() {
    let s = Scratch::new();
    let axes = r#"
[silicon]
board = "ulx3s"
luts = LUTS
grow = [
  { key = "accelerator.array.rows", values = [1, 2, 4] },
  { key = "accelerator.array.lanes", values = [2, 4] },
]

[[axis]]
name = "digits"
choices = [
  { name = "2", set.accelerator = { array = { cols = 4, drain = 1, row_digit = 2, col_digit = 2, select = 1 } } },
  { name = "8", set.accelerator = { array = { cols = 4, drain = 1, row_digit = 8, col_digit = 8, select = 1 } } },
]
"#;
    let with = |luts: &str| small(&s, "sweep.toml", "", &axes.replace("LUTS", luts));
    let plan = |luts: &str| {
        let report = succeeds(&["sweep", &with(luts), "--plan"]);
        let of = |p: &Value| {
            let levels = &p["levels"];
            let number = |key: &str| levels[key].as_str().unwrap().parse::<u64>().unwrap();
            let products = number("accelerator.array.rows") * number("accelerator.array.lanes");
            (levels["digits"].as_str().unwrap().to_owned(), products, p["cost"]["luts"].as_u64().unwrap())
        };
        report["points"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    // more LUTs, no smaller array; a point that another one beats is left out
    let mut before: BTreeMap<String, u64> = BTreeMap::new();
    for most in [11_000, 13_000, 20_000] {
        let found = plan(&most.to_string());
        assert!(!found.is_empty());
        for (digits, products, luts) in found {
            let less = before.insert(digits.clone(), products).unwrap_or(0);
            assert!(products >= less && luts * 11 <= most * 10, "{most}: {digits}, {products}, {luts}");
            assert!(most < 20_000 || products == 16, "{digits}: {products}");
        }
    }
    // so many, or a share of what the board has: 83,640
    assert_eq!(plan("0.5"), plan("41820"));
    let report = succeeds(&["sweep", &with("20000"), "-o", &s.path("out")]);
    let table = std::fs::read_to_string(s.path("out") + "/results.csv").unwrap();
    let header = table.lines().next().unwrap();
    assert!(header.contains(",digits,accelerator.array.rows,accelerator.array.lanes,seed,"), "{header}");
    assert!(header.ends_with(",luts,dsps,block_rams,ffs,lut_cycles"), "{header}");
    for group in report["groups"].as_array().unwrap() {
        let product = group["luts"].as_f64().unwrap() * group["cycles"].as_f64().unwrap();
        assert_eq!(group["lut_cycles"].as_f64().unwrap(), product);
    }
    assert!(!report["fronts"]["training cycles × LUTs"].as_array().unwrap().is_empty());
    // without `grow`, arrays as they are: what does not fit is left out
    let (head, rest) = axes.split_once("grow = [").unwrap();
    let rows = "key = \"accelerator.array.rows\"\nvalues = [2, 8]\n";
    let fixed = format!("{head}\n[[axis]]\nname = \"rows\"\n{rows}{}", rest.split_once("]\n\n").unwrap().1);
    let fixed = small(&s, "fixed.toml", "", &fixed.replace("LUTS", "20000"));
    let report = succeeds(&["sweep", &fixed, "--plan"]);
    let of = |key: &str| report[key].as_array().unwrap().clone();
    assert!(
        of("points").iter().all(|p| p["levels"]["rows"] == "2" && p["cost"]["luts"].as_u64().unwrap() > 0)
    );
    let unfit = |l: &Value| l["reason"].as_str().unwrap().contains("silicon.luts = 20000");
    assert!(of("left_out").iter().any(unfit) && !of("points").is_empty(), "{report}");
    for (luts, said) in [
        ("500", "silicon.luts = 500: no array of `silicon.grow` fits"),
        ("0", "`silicon.luts` = 0: expected 1 to 83640, or a fraction above 0.0 up to 1.0"),
        ("1.5", "`silicon.luts` = 1.5: expected 1 to 83640"),
    ] {
        s.refuses(&["sweep.toml", said], &["sweep", &with(luts), "--plan"]);
    }
    for (from, to, said) in [
        (
            "\"ulx3s\"",
            "\"icebreaker\"",
            "silicon.board` = \"icebreaker\": the area model knows boards with an ECP5 only",
        ),
        ("\"ulx3s\"", "\"nonesuch\"", "silicon.board"),
        ("accelerator.array.rows", "bits.weights", ": expected accelerator.KEY"),
        ("array.lanes", "array.rows", ": it stands there twice"),
        ("[silicon]", "[silicon]\nmargin = 2.0", "silicon.margin` = 2.0: expected 0.0 to 1.0"),
        ("[2, 4]", "[]", ": expected at least one"),
        ("array.lanes", "array.lane", "array.lane"),
    ] {
        let axes = axes.replace("LUTS", "20000").replacen(from, to, 1);
        let file = small(&s, "sweep.toml", "", &axes);
        s.refuses(&["sweep.toml", said], &["sweep", &file, "--plan"]);
    }
}

#[test]
fn halving_trains_the_better_points_longer() {
    let s = Scratch::new();
    let axes = "[[axis]]\nname = \"weights\"\nkey = \"bits.weights\"\nvalues = [2, 3, 4, 8]\n";
    let halving = "seeds = [1, 2]\nhalving = { epochs = [1], keep = 0.5 }";
    let whole =
        succeeds(&["sweep", &small(&s, "whole.toml", "seeds = [1, 2]", axes), "-o", &s.path("whole")]);
    let file = small(&s, "halved.toml", halving, axes);
    let halved = succeeds(&["sweep", &file, "-o", &s.path("halved")]);
    // both seeds of two of the four go on, and end as without halving
    let points = halved["points"].as_array().unwrap();
    assert_eq!((points.len(), whole["points"].as_array().unwrap().len()), (4, 8));
    for point in points {
        assert!(whole["points"].as_array().unwrap().contains(point), "{point}");
    }
    let left_out = halved["left_out"].as_array().unwrap();
    assert_eq!((left_out.len(), &halved["missing"]), (4, &Value::from(0)));
    let reason = "halving: after epochs = 1 not among the 2 of 4 that go on";
    assert!(left_out.iter().all(|point| point["reason"] == reason), "{left_out:?}");
    // the first rung is what one epoch gives, and of its fronts the best went on
    let short = ["--set", "train.epochs=1"];
    let first = succeeds(&[&["sweep", &s.path("whole.toml"), "-o", &s.path("short")], &short[..]].concat());
    let accuracy = |weights: &str| {
        let groups = first["groups"].as_array().unwrap();
        groups.iter().find(|g| g["levels"][0] == weights).unwrap()["accuracy"]["mean"].as_f64().unwrap()
    };
    let dropped: Vec<&str> = left_out.iter().map(|p| p["levels"][0].as_str().unwrap()).collect();
    let best = ["2", "3", "4", "8"].into_iter().max_by(|a, b| accuracy(a).total_cmp(&accuracy(b))).unwrap();
    assert!(!dropped.contains(&best), "{dropped:?} without {best}");
    for point in first["points"].as_array().unwrap() {
        let id = point["id"].as_str().unwrap();
        assert!(std::fs::exists(s.path(&format!("halved/{id}.json"))).unwrap(), "{id} is of the first rung");
    }
    // again, and collected: the same
    let lines = results(&s, "halved");
    assert_eq!(succeeds(&["sweep", &file, "-o", &s.path("halved")])["points"], halved["points"]);
    assert_eq!(
        succeeds(&["sweep", "collect", &file, "-o", &s.path("halved")])["left_out"],
        halved["left_out"]
    );
    assert_eq!(results(&s, "halved"), lines);

    for (halving, says) in [
        ("{ epochs = [] }", "halving.epochs"),
        ("{ epochs = [3, 1] }", "halving.epochs"),
        ("{ epochs = [1], keep = 1.5 }", "halving.keep"),
        ("{ epochs = [1], kept = 0.5 }", "kept"),
    ] {
        let file = small(&s, "wrong.toml", &format!("halving = {halving}"), axes);
        s.refuses(&["wrong.toml", says], &["sweep", &file, "-o", &s.path("wrong")]);
    }
    // a rung is shorter than the training that it comes before
    for (epochs, longest) in [("[1, 2]", 2), ("[5]", 5)] {
        let file = small(&s, "sweep.toml", &format!("halving = {{ epochs = {epochs} }}"), axes);
        let says = format!("`halving.epochs` = {longest}: expected less than `train.epochs` = 2");
        s.refuses(&["sweep.toml", &says], &["sweep", &file, "-o", &s.path("long")]);
        s.refuses(&["sweep.toml", &says], &["sweep", &file, "--plan"]);
        s.refuses(&["sweep.toml", &says], &["sweep", "collect", &file, "-o", &s.path("long")]);
        succeeds(&["sweep", &file, "--plan", "--set", "train.epochs=6"]);
    }
    let epochs = "[[axis]]\nname = \"epochs\"\nkey = \"train.epochs\"\nvalues = [2, 3]\n";
    let file = small(&s, "epochs.toml", "halving = { epochs = [1] }", epochs);
    s.refuses(&["epochs.toml", "train.epochs"], &["sweep", &file, "-o", &s.path("epochs")]);
}
