//! Engines that fail, links that damage words, requests that are wrong.

mod common;

use common::{Case, Random, config};
use ndarray::array;
use tandem_driver::{
    Device, DeviceError, Exact, Format, GemmRequest, Offload, Operand, Response, ResultFormat, Sparsity,
    mismatches,
};
use tandem_model::{CycleModel, Twin};
use tandem_spec::{Config, Engine, EngineError, Outcome, RunOptions, Stall, Status, Stream};

/// A twin behind a link that changes streams on some of its runs.
struct Damaging<F> {
    twin: Twin,
    config: Config,
    runs: usize,
    damage: F,
}

impl<F: FnMut(usize, &mut Stream) + Send> Engine for Damaging<F> {
    fn name(&self) -> &str {
        "damaging"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn run(&mut self, stream: &Stream, options: &RunOptions) -> Result<Outcome, EngineError> {
        let mut stream = stream.clone();
        (self.damage)(self.runs, &mut stream);
        self.runs += 1;
        self.twin.run(&stream, options)
    }
}

fn device<F: FnMut(usize, &mut Stream) + Send>(damage: F) -> Offload<Damaging<F>> {
    let config = config("default");
    let twin = Twin::new(&config);
    Offload::new(Damaging { twin, config, runs: 0, damage }, CycleModel).strict()
}

fn case() -> Case {
    Case::new(&mut Random(7), (20, 30, 20), [Format::unsigned(4), Format::signed(8)])
}

fn flip(stream: &mut Stream, bit: usize) {
    stream.bytes[bit / 8] ^= 1 << (bit % 8);
}

fn message(result: Result<Response, DeviceError>) -> String {
    let Err(DeviceError::Engine { engine, what }) = result else { panic!("{result:?}") };
    assert_eq!(engine, "damaging");
    what
}

#[test]
fn a_program_with_a_damaged_word_is_replayed() {
    let case = case();
    let words = {
        let mut probe = device(|_, _| ());
        probe.planner().lower(&case.request()).unwrap().stream.words()
    };
    let mut random = Random(8);
    for _ in 0..60 {
        let bit = random.below(words * 128);
        // Run 0 is the reset, run 1 the program, run 2 the reset after it, run 3 the replay.
        let mut d = device(move |run, s| {
            if run == 1 {
                flip(s, bit)
            }
        });
        let y = d.run(case.request().into()).unwrap_or_else(|e| panic!("bit {bit}: {e}")).into_gemm().y;
        assert_eq!(mismatches(&case.request(), &y), 0);
        assert_eq!(d.engine().runs, 4, "bit {bit}");
        assert_eq!(d.run(case.request().into()).unwrap().into_gemm().y, y, "and goes on");
        assert_eq!(d.engine().runs, 5);
    }
}

#[test]
fn lost_words_are_replayed() {
    let case = case();
    let mut d = device(|run, s: &mut Stream| {
        if run == 1 {
            let words = s.words() / 2;
            s.first.truncate(words);
            s.bytes.truncate(words * s.link_bytes);
        }
    });
    let y = d.run(case.request().into()).unwrap().into_gemm().y;
    assert_eq!(mismatches(&case.request(), &y), 0);
}

#[test]
fn a_link_that_keeps_failing_is_named() {
    let mut d = device(|run, s| {
        if run % 2 == 1 {
            flip(s, 128 + 7)
        }
    });
    let what = message(d.run(case().request().into()));
    assert!(what.contains("instruction 0 (LOAD"), "{what}");
    assert!(what.contains("the CRC-32 of the payload is wrong"), "{what}");
    assert!(what.contains("the link damaged it"), "{what}");
}

#[test]
fn an_engine_that_never_ends_is_named() {
    let options = RunOptions { max_cycles: 100, ..RunOptions::default() };
    let mut d = device(|_, _| ()).with_options(options);
    let what = message(d.run(case().request().into()));
    assert!(what.contains("cycle limit"), "{what}");
}

#[test]
fn another_accelerator_is_refused() {
    let other = config("peer");
    let engine = Damaging {
        twin: Twin::new(&config("default")),
        config: other,
        runs: 0,
        damage: |_: usize, _: &mut Stream| (),
    };
    let what = message(Offload::new(engine, CycleModel).run(case().request().into()));
    assert!(what.contains("configuration"), "{what}");
}

#[test]
fn stalls_change_cycles_and_nothing_else() {
    let (case, config) = (case(), config("select"));
    let plain = Offload::new(Twin::new(&config), CycleModel).run(case.request().into()).unwrap().into_gemm();
    for percent in [5, 40, 80] {
        let (stall_in, stall_out) = (Stall::random(1, percent), Stall::random(2, percent));
        let options = RunOptions { stall_in, stall_out, ..RunOptions::default() };
        let mut d = Offload::new(Twin::new(&config), CycleModel).with_options(options);
        let stalled = d.run(case.request().into()).unwrap().into_gemm();
        assert_eq!(stalled.y, plain.y);
        let slower = stalled.cost.cycles > plain.cost.cycles;
        assert!(slower || percent == 5 && stalled.cost.cycles == plain.cost.cycles, "{percent} %");
        assert_eq!(stalled.cost.predicted_cycles, plain.cost.cycles);
        assert_eq!(stalled.cost.products, plain.cost.products);
    }
}

#[test]
fn a_recorded_stream_runs_by_itself() {
    let (case, config) = (case(), config("default"));
    let lowered = Exact::new(config.clone(), CycleModel).planner().lower(&case.request()).unwrap();
    let outcome = Twin::new(&config).run(&lowered.stream, &RunOptions::default()).unwrap();
    assert_eq!(outcome.status, Status::Idle);
    assert_eq!(outcome.packets.len(), lowered.program.stores.len() + 1);
}

#[test]
fn wrong_requests_are_refused_by_every_device() {
    let config = config("default");
    let mut devices: [Box<dyn Device>; 2] = [
        Box::new(Exact::new(config.clone(), CycleModel)),
        Box::new(Offload::new(Twin::new(&config), CycleModel)),
    ];
    let (x, w) = (array![[1, 2, 3], [4, 5, 16]], array![[1, -8], [2, 7], [0, 0]]);
    let (u4, s4) = (Format::unsigned(4), Format::signed(4));
    fn operand(values: ndarray::ArrayView2<'_, i32>, format: Format) -> Operand<'_> {
        Operand::new(values, format)
    }
    let full = ResultFormat::Full;
    let odd = ResultFormat::Narrow { bits: 12, shift: 0 };
    let u5 = Format::unsigned(5);
    let wide = Format::signed(17);
    let cases = [
        (
            operand(x.view(), u4),
            operand(w.view(), s4),
            full,
            "X[1, 2] = 16: expected 0 to 15 (unsigned, 4 bits)",
        ),
        (
            operand(x.view(), u5),
            operand(w.view(), u4),
            full,
            "W[0, 1] = -8: expected 0 to 15 (unsigned, 4 bits)",
        ),
        (operand(x.t(), u5), operand(w.view(), s4), full, "X is 3 × 2 and W is 3 × 2: expected 2 rows of W"),
        (operand(x.view(), wide), operand(w.view(), s4), full, "X has 17 bits: expected 1 to 16"),
        (
            operand(x.view(), u5),
            operand(w.view(), s4),
            odd,
            "results of 12 bits, shift 0: expected 8 or 16 bits, shift 0 to 31",
        ),
    ];
    for (x, w, result, expected) in cases {
        for device in &mut devices {
            let refused = device.run(GemmRequest { x, w, result, sparsity: Sparsity::Dense }.into());
            let Err(DeviceError::Request { what }) = refused else { panic!("{refused:?}") };
            assert_eq!(what, expected);
        }
    }
    let right = GemmRequest {
        x: operand(x.view(), u5),
        w: operand(w.view(), s4),
        result: full,
        sparsity: Sparsity::Dense,
    };
    for device in &mut devices {
        assert_eq!(device.run(right.into()).unwrap().into_gemm().y, array![[5, 6], [14, 3]]);
    }
}

#[test]
fn empty_products_are_empty() {
    let config = config("default");
    let mut devices: [Box<dyn Device>; 2] = [
        Box::new(Exact::new(config.clone(), CycleModel)),
        Box::new(Offload::new(Twin::new(&config), CycleModel)),
    ];
    for shape in [(0, 3, 2), (3, 0, 2), (3, 2, 0)] {
        let case = Case::new(&mut Random(1), shape, [Format::signed(4), Format::signed(4)]);
        for device in &mut devices {
            let result = device.run(case.request().into()).unwrap().into_gemm();
            assert_eq!(result.y.dim(), (shape.0, shape.2));
            assert!(result.y.to_long().iter().all(|v| *v == 0));
            assert_eq!(result.cost.cycles, 0);
        }
    }
}

#[test]
fn row_offsets_of_an_earlier_program_do_not_reach_a_product() {
    for (name, _) in common::CONFIGS {
        let config = common::config(name);
        let mut stream = Stream::new(&config);
        stream.push_row_offsets(&config, 0x101);
        let mut twin = Twin::new(&config);
        twin.run(&stream, &RunOptions::default()).unwrap();
        let case = Case::new(&mut Random(3), (5, 9, 7), [Format::unsigned(4), Format::signed(4)]);
        let request = case.request();
        let result = Offload::new(twin, CycleModel).strict().run(request.into()).unwrap().into_gemm();
        assert_eq!(mismatches(&request, &result.y), 0, "{name}");
    }
}
