//! Training is the same bits on every engine, accelerator and thread count, after a kill, and only as
//! long as the engine's results are right.

use crate::common::{config, repository, tandem};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tandem_driver::gemm::{GemmProblem, ResultWidth, Shape};
use tandem_driver::{
    Device, DeviceError, Exact, Offload, Planner, Problem, Request, RequestKind, Response, Selection,
};
use tandem_model::CycleModel;
use tandem_nn::backend::Backend;
use tandem_nn::config::{Document, Experiment, Setting};
use tandem_nn::layers::ProductPlan;
use tandem_nn::tensor;
use tandem_nn::train::Trainer;
use tandem_sim::{Sim, SimOptions};

/// Weights of digits-mlp after 20 steps, as printed by
/// `tandem train -c configs/experiments/digits-mlp.toml --seed 1 --steps 20 -o /tmp/golden`.
const GOLDEN: &str = "a8d7e3a38e253bdf7dba673efc2bb465cd483f48d834faf9225e141fc82af0a3";

fn experiment(name: &str) -> PathBuf {
    repository().join(format!("configs/experiments/{name}.toml"))
}

fn trainer(device: Box<dyn Device>) -> Trainer {
    let experiment = Experiment::load(&experiment("digits-mlp")).expect("valid");
    assert_eq!(experiment.train.seed, 1);
    let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
    Trainer::new(experiment, data, Backend::Device(device)).expect("suits the data")
}

fn digest(device: Box<dyn Device>, steps: usize) -> String {
    let mut trainer = trainer(device);
    for _ in 0..steps {
        trainer.step().expect("a step");
    }
    trainer.digest()
}

/// An experiment on the digits with these settings.
fn digits(name: &str, settings: impl Iterator<Item = String>) -> Experiment {
    let settings = settings.map(|setting| Setting::parse(&setting).expect("KEY=VALUE")).collect();
    let document = Document::read_file(&experiment(name)).expect("a file").with(settings);
    Experiment::parse(document.expect("keys")).expect("valid")
}

/// Digest and cycles of its first 20 steps.
fn twenty_steps(experiment: &Experiment, device: Box<dyn Device>) -> (String, u64) {
    let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
    let trainer = Trainer::new(experiment.clone(), data, Backend::Device(device));
    let mut trainer = trainer.expect("suits the data");
    for _ in 0..20 {
        trainer.step().expect("a step");
    }
    let cost = trainer.training_cost().total().cost;
    assert_eq!(cost.cycles, cost.predicted_cycles);
    (trainer.digest(), cost.cycles)
}

fn model(accelerator: &str) -> Box<dyn Device> {
    Box::new(Exact::new(config(accelerator), CycleModel))
}

fn sim(accelerator: &str) -> Box<dyn Device> {
    let sim = Sim::new(&config(accelerator), &SimOptions::default()).expect("simulator");
    Box::new(Offload::new(sim, CycleModel).strict())
}

#[test]
fn twenty_steps_are_golden_on_model_with_any_number_of_threads() {
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| digest(model("default"), 20)), GOLDEN, "{threads} threads");
    }
}

#[test]
fn twenty_steps_are_golden_on_sim_and_model_of_three_accelerators() {
    for accelerator in ["default", "peer-8x8", "narrow-acc"] {
        assert_eq!(digest(model(accelerator), 20), GOLDEN, "model of {accelerator}");
        assert_eq!(digest(sim(accelerator), 20), GOLDEN, "sim of {accelerator}");
    }
}

/// Tables of levels, scales by channel and by axis: the integers that reach the engines are others, what they make of them is not.
#[test]
fn twenty_steps_with_quantizers_that_are_fitted_are_the_same_on_sim_and_model() {
    let forms = [
        "weights = 3\nweight_clip = \"lloyd-max\"\nweight_scale = \"channel\"\ngradients = 4\ngradient_quantizer = \"per-axis\"",
        "weights = 2\nweight_clip = \"lloyd-max\"\nactivation_clip = \"octav\"\ngradients = 3\ngradient_quantizer = \"luq\"",
        "weights = 1\nweight_clip = \"sign\"\nactivation_clip = \"lloyd-max\"\ngradients = 4\ngradient_quantizer = \"clipped\"",
    ];
    for form in forms {
        let settings = form.lines().map(|line| format!("bits.{line}"));
        let experiment = digits("digits-mlp", settings.chain(["bits.refit_steps=4".to_owned()]));
        let run = |device| twenty_steps(&experiment, device);
        assert_eq!(run(model("default")), run(sim("default")), "{form}");
    }
}

/// Two blocks with every layer of ordinary convolutional networks, in three forms: dense, with N:M patterns in grouped and depthwise layers,
/// with scales by channel and narrow results.
#[test]
fn twenty_steps_of_a_convolutional_network_are_the_same_on_sim_and_model() {
    let nm = [
        "pruning.method=random",
        "pruning.pattern=transposable 1:4",
        "pruning.layers=[\"depthwise\", \"pointwise\", \"grouped\"]",
    ];
    let scales = ["bits.weight_scale=channel", "bits.results=16", "bits.gradient_quantizer=per-axis"];
    for form in [&[][..], &nm, &scales] {
        let settings = form.iter().chain(&["data.batch=4"]).map(ToString::to_string);
        let experiment = digits("digits-cnn", settings);
        let run = |device| twenty_steps(&experiment, device);
        let (digest, cycles) = run(model("default"));
        assert_eq!((digest.clone(), cycles), run(sim("default")), "{form:?}");
        // a block a request, where no cost is known: the same bits, and more cycles
        let (apart, more) = run(Box::new(Unpredicted(model("default"))));
        assert_eq!(apart, digest, "{form:?}");
        assert!(more > cycles, "{form:?}: {more}, {cycles}");
    }
}

/// A device that does not tell costs beforehand.
struct Unpredicted(Box<dyn Device>);

impl Device for Unpredicted {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        self.0.run(request)
    }
}

/// Adds 1 to one result element of the first product that looks like `product`.
struct OffByOne {
    device: Box<dyn Device>,
    product: ProductPlan,
    element: usize,
    seen: Arc<AtomicUsize>,
}

impl Device for OffByOne {
    fn name(&self) -> &str {
        self.device.name()
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        let mut response = self.device.run(request)?;
        let (problem, y): (Problem, _) = match (request, &mut response) {
            (Request::Gemm(request), Response::Gemm(result)) => (request.problem()?.into(), &mut result.y),
            (Request::Conv(request), Response::Conv(result)) => (request.problem()?.into(), &mut result.y),
            _ => return Ok(response),
        };
        let looks = problem == self.product.problem(None);
        if looks && self.seen.fetch_add(1, Ordering::Relaxed) == 0 {
            let mut wrong = y.to_long();
            let element = self.element % wrong.len();
            *wrong.iter_mut().nth(element).expect("below the length") += 1;
            *y = wrong.into();
        }
        Ok(response)
    }
}

/// A trainer that ignores its engine fails here. An input gradient's element may end at an inactive
/// rectifier, and a 4-bit activation may round an error of 1 away: so 16 elements are tried, and one
/// must be noticed.
#[test]
fn one_wrong_element_changes_the_digest_for_every_layer_and_product() {
    const STEPS: usize = 2;
    let honest = digest(model("default"), STEPS);
    let plan = trainer(model("default")).network().plan().clone();
    let mut products = 0;
    for layer in &plan.layers {
        for &product in &layer.products {
            let noticed = (0..16).any(|i| {
                let seen = Arc::new(AtomicUsize::new(0));
                let device =
                    OffByOne { device: model("default"), product, element: 97 * i, seen: Arc::clone(&seen) };
                let changed = digest(Box::new(device), STEPS) != honest;
                assert_eq!(seen.load(Ordering::Relaxed), STEPS, "{}: {product:?} is not unique", layer.name);
                changed
            });
            assert!(noticed, "{}: {product:?} does not reach the weights", layer.name);
            products += 1;
        }
    }
    assert_eq!(products, 2 * 3 - 1, "the first layer needs no input gradient");
}

/// `tandem train … --json`, from the repository's root.
fn train(arguments: &[&str]) -> Command {
    let mut command = Command::new(tandem());
    command.current_dir(repository()).arg("--json").arg("train").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn weights(arguments: &[&str]) -> String {
    let output = train(arguments).output().expect("tandem starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    report["weights_digest"].as_str().expect("a digest").to_owned()
}

/// Starts a run and kills it (SIGKILL) after its checkpoint has changed `saves` times.
fn killed(folder: &Path, arguments: &[&str], saves: usize) {
    let checkpoint = folder.join("checkpoint.safetensors");
    let mut child = train(arguments).spawn().expect("tandem starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    let (mut last, mut seen) = (None, 0);
    while seen <= saves {
        assert!(Instant::now() < deadline, "no {saves} checkpoints within a minute");
        assert!(child.try_wait().expect("a child").is_none(), "ended before it was killed");
        // the checkpoint is replaced by renaming: whatever is there is whole
        let now = std::fs::read(&checkpoint).ok();
        if now.is_some() && now != last {
            (last, seen) = (now, seen + 1);
        }
        std::thread::yield_now();
    }
    child.kill().expect("killed");
    let status = child.wait().expect("a child");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    assert!(!folder.join("report.json").exists(), "killed in mid-run");
}

#[test]
fn a_killed_run_that_is_resumed_ends_with_the_same_bits() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("run.toml");
    let text = std::fs::read_to_string(experiment("digits-mlp")).unwrap();
    std::fs::write(&file, text.replace("epochs = 20", "epochs = 6")).unwrap();
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let (file, whole) = (path(&file), path(&scratch.path().join("whole")));
    let expected = weights(&["-c", &file, "-o", &whole]);
    for saves in [1, 9] {
        let folder = scratch.path().join(format!("killed-{saves}"));
        let name = path(&folder);
        killed(&folder, &["-c", &file, "-o", &name, "--checkpoint-every", "3"], saves);
        assert_eq!(weights(&["--resume", &name]), expected, "killed after {saves} checkpoints");
    }
    let folder = scratch.path().join("killed-twice");
    let name = path(&folder);
    killed(&folder, &["-c", &file, "-o", &name, "--checkpoint-every", "2"], 3);
    killed(&folder, &["--resume", &name, "--checkpoint-every", "2"], 3);
    assert_eq!(weights(&["--resume", &name]), expected, "killed twice");
}

/// Vector units of the host change no bit, of a device's training nor of the float reference's; what is none is refused.
#[test]
fn weights_do_not_depend_on_vector_units() {
    let scratch = tempfile::tempdir().unwrap();
    let file = experiment("digits-cnn");
    for engine in ["model", "float"] {
        let run = |kernels: &str| {
            let folder = scratch.path().join(format!("{engine}-{kernels}"));
            let folder = folder.to_str().unwrap();
            let arguments =
                ["-c", file.to_str().unwrap(), "-o", folder, "--force", "--engine", engine, "--steps", "5"];
            let output = train(&arguments).env("TANDEM_KERNELS", kernels).output().expect("tandem runs");
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
            (output.status.code(), report["weights_digest"].clone(), report["error"].clone())
        };
        let expected = run("portable");
        assert_eq!(expected.0, Some(0), "{expected:?}");
        for level in tandem_kernels::Level::all() {
            assert_eq!(run(level.name()), expected, "{engine}, {}", level.name());
        }
        let (code, _, error) = run("sse9");
        let error = error.as_str().expect("a message");
        assert_eq!(code, Some(2));
        assert!(error.starts_with("TANDEM_KERNELS: `sse9`: expected portable"), "{error}");
    }
}

/// Ctrl-C: the run ends in good order, says how to go on, and goes on to the same bits.
#[test]
fn an_interrupted_run_that_is_resumed_ends_with_the_same_bits() {
    let scratch = tempfile::tempdir().unwrap();
    let text = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let (file, whole, cut) = (experiment("digits-mlp"), text("whole"), text("cut"));
    let file = file.to_str().unwrap();
    // enough that it does not end before the signal arrives
    let longer = ["--set", "train.epochs=400"];
    let expected = weights(&[&["-c", file, "-o", &whole], &longer[..]].concat());
    let child = train(&[&["-c", file, "-o", &cut], &longer[..]].concat()).spawn().expect("tandem starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    // the log is there, empty, before a signal is noted; its first line comes after
    let log = scratch.path().join("cut/log.jsonl");
    while std::fs::read(&log).map_or(true, |lines| lines.is_empty()) {
        assert!(Instant::now() < deadline, "no epoch within a minute");
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("a child");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("--resume {cut}")), "{:?}: {said}", output.status);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert!(report["epochs"].as_u64() < Some(400), "{report}");
    assert_eq!(weights(&["--resume", &cut]), expected);
}

#[test]
fn the_command_line_trains_to_the_golden_digest() {
    let scratch = tempfile::tempdir().unwrap();
    let file = experiment("digits-mlp");
    for (engine, threads) in [("model", "1"), ("model", "4"), ("sim", "2")] {
        let folder = scratch.path().join(format!("{engine}-{threads}"));
        let arguments = ["-c", file.to_str().unwrap(), "-o", folder.to_str().unwrap(), "--seed", "1"];
        let more = ["--steps", "20", "--engine", engine, "--threads", threads];
        assert_eq!(weights(&[&arguments[..], &more[..]].concat()), GOLDEN, "{engine}, {threads} threads");
    }
}

/// Float, then 4 bits, then 1:4: each from the weights of the one before.
#[test]
fn a_run_starts_from_the_weights_of_another() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let file = experiment("digits-mlp");
    let run = |name: &str, more: &[&str]| {
        let folder = path(name);
        let arguments = ["-c", file.to_str().unwrap(), "-o", &folder, "--steps", "40"];
        weights(&[&arguments[..], more].concat());
        let report = std::fs::read(Path::new(&folder).join("report.json")).expect("a report");
        let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
        (report["initial_digest"].clone(), report["test_loss"].as_f64().expect("a loss"))
    };
    let (none, drawn) = run("float", &["--engine", "float"]);
    assert!(none.is_null());
    let (first, dense) = run("dense", &["--from", &path("float")]);
    let pruning = r#"pruning={ method = "magnitude", pattern = "1:4", layers = ["fc1"] }"#;
    let checkpoint = path("dense/checkpoint.safetensors");
    let (second, sparse) = run("sparse", &["--from", &checkpoint, "--set", pruning]);
    assert!(first.is_string() && second.is_string() && first != second);
    assert!(dense < 0.7 * drawn && sparse < 0.7 * drawn, "{drawn}, then {dense}, then {sparse}");
    // the sources are not needed any more
    std::fs::remove_dir_all(path("float")).unwrap();
    std::fs::remove_dir_all(path("dense")).unwrap();
    weights(&["--resume", &path("sparse"), "--steps", "60"]);
}

/// Instructions are less than 2 % of the link words of every product of LeNet-5, batch 64.
#[test]
fn instructions_are_less_than_two_percent_of_the_link_words_of_lenets_large_products() {
    let experiment = Experiment::load(&experiment("mnist-lenet5")).expect("valid");
    assert_eq!(experiment.data.batch, 64);
    let plan = experiment.plan(tensor::Shape { h: 28, w: 28, c: 1 }, 10).expect("suits MNIST");
    let mut planner = Planner::new(config("default"), Arc::new(CycleModel));
    let (mut products, mut over) = (0, vec![]);
    for layer in &plan.layers {
        for p in &layer.products {
            let shape = Shape { m: p.m, k: p.k, n: p.n };
            let problem = GemmProblem {
                shape,
                x: p.x,
                w: p.w,
                result: ResultWidth::Full,
                selection: Selection::Dense,
                codes: None,
            };
            let planned = planner.plan(&problem).expect("fits");
            let traffic = planned.traffic;
            products += 1;
            // Small ones take fewer cycles with more instructions, now that results cross at their own width.
            if traffic.instruction_share() >= 0.02 && planned.cost.cycles >= 1_000 {
                let share = 100.0 * traffic.instruction_share();
                over.push(format!("{} {}: {share:.2} %, {traffic:?}", layer.name, p.product.name()));
            }
        }
    }
    assert_eq!(products, 5 * 3 - 1);
    assert!(over.is_empty(), "{over:#?}");
}

/// Results of 8 bits whose shift follows the step before: the same weights on both engines, other ones than exact results give.
#[test]
fn narrow_results_are_the_same_on_sim_and_model() {
    let digest = |device: Box<dyn Device>, settings: &[&str]| {
        let settings = settings.iter().map(|s| Setting::parse(s).expect("a setting")).collect();
        let document =
            Document::read_file(&experiment("digits-mlp")).expect("a file").with(settings).expect("settings");
        let data = Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
        let experiment = Experiment::parse(document).expect("valid");
        let mut trainer = Trainer::new(experiment, data, Backend::Device(device)).expect("suits the data");
        for _ in 0..20 {
            trainer.step().expect("a step");
        }
        trainer.digest()
    };
    let narrow = digest(model("default"), &["bits.results=8"]);
    assert_eq!(digest(sim("default"), &["bits.results=8"]), narrow);
    assert_ne!(narrow, GOLDEN);
    let one = digest(model("default"), &["bits.input_gradients=16"]);
    assert_eq!(digest(sim("default"), &["bits.input_gradients=16"]), one);
}
