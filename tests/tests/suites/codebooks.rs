//! Codes of a table on the simulated accelerator: what is refused, by twin and simulator alike; products, whose counters
//! are as predicted; and the table, read back through the array.

use crate::common::command::{Scratch, run, succeeds};
use crate::common::{Random, config};
use ndarray::{Array2, array};
use ndarray_npy::{read_npy, write_npy};
use tandem_driver::gemm::search;
use tandem_driver::{
    Codebook, Device, Format, GemmRequest, Offload, Operand, RequestKind, ResultFormat, Sparsity, mismatches,
};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::isa::words_per_address;
use tandem_spec::packet::Kind;
use tandem_spec::{
    Compute, Config, Engine, Instruction, Load, Memory, Reason, RunOptions, Status, Stream, Tokens,
};

/// Twin and simulator of one accelerator.
struct Pair {
    config: Config,
    sim: Sim,
    twin: Twin,
}

impl Pair {
    fn new(name: &str) -> Self {
        let config = config(name);
        let sim = Sim::new(&config, &SimOptions::default()).expect("simulator");
        Pair { twin: Twin::new(&config), sim, config }
    }

    /// The number of the instruction that fails, if one does; both say the same.
    fn fails(&mut self, make: impl FnOnce(&mut Stream, &Config)) -> Option<u32> {
        let mut stream = Stream::new(&self.config);
        stream.push(&Instruction::Reset);
        make(&mut stream, &self.config);
        stream.push(&Instruction::Read(Tokens::default()));
        let options = RunOptions { max_cycles: 100_000, ..RunOptions::default() };
        let twin = self.twin.run(&stream, &options).expect("twin");
        let sim = self.sim.run(&stream, &options).expect("simulator");
        assert_eq!((&sim.status, &sim.packets), (&twin.status, &twin.packets));
        let error = twin.packets.iter().find(|p| p.kind == Kind::Error);
        assert_eq!(error.is_some(), twin.status == Status::Failed);
        error.map(|packet| {
            assert_eq!((packet.reason, packet.summary[0]), (Some(Reason::Field), 1));
            packet.instruction
        })
    }
}

fn coded(col_planes: u8) -> Instruction {
    Instruction::Compute(Compute { coded: true, col_planes, ..Compute::default() })
}

fn levels(stream: &mut Stream, config: &Config, mask: u32, is_right: bool) {
    let words = words_per_address(config, Memory::Level, config.array.cols);
    let load = Load { memory: Memory::Level, mask, words: words as u16, ..Load::default() };
    stream.push_load(load, &vec![0x5a; words * config.link_bytes()]);
    if !is_right {
        *stream.bytes.last_mut().expect("a checksum") ^= 1;
    }
}

#[test]
fn codes_need_levels() {
    let mut pair = Pair::new("codebook");
    let all = u32::MAX;
    assert_eq!(pair.fails(|s, _| s.push(&coded(1))), Some(0), "no table was ever loaded");
    let some = pair.fails(|s, c| {
        levels(s, c, 0x7f, true);
        s.push(&coded(1));
    });
    assert_eq!(some, Some(1), "the last column has none");
    // a RESET changes nothing about that, a wrong payload gives no levels
    let mut stream = Stream::new(&pair.config);
    stream.push(&Instruction::Reset);
    levels(&mut stream, &pair.config, 0x80, false);
    let options = RunOptions::default();
    let failed = [pair.twin.run(&stream, &options).unwrap(), pair.sim.run(&stream, &options).unwrap()];
    assert_eq!(failed[0].packets, failed[1].packets);
    assert_eq!(failed[0].packets[1].reason, Some(Reason::PayloadCheck));
    assert_eq!(pair.fails(|s, _| s.push(&coded(1))), Some(0), "still none");
    assert_eq!(pair.fails(|s, c| levels(s, c, 0x80, true)), None);
    assert_eq!(pair.fails(|s, _| s.push(&coded(1))), None, "now all have");
    assert_eq!(pair.fails(|s, _| s.push(&coded(2))), Some(0), "levels of one digit");
    let again = pair.fails(|s, c| {
        levels(s, c, all, true);
        s.push(&coded(1));
    });
    assert_eq!(again, None);
}

#[test]
fn an_accelerator_without_codebooks_knows_no_codes() {
    let mut pair = Pair::new("default");
    assert_eq!(pair.fails(|s, _| s.push(&coded(1))), Some(0));
    assert_eq!(pair.fails(|s, _| s.push(&Instruction::Compute(Compute::default()))), None);
}

/// Products as codes, all counters as predicted; and 1 · level for every code, which reads a table back.
#[test]
fn products_of_codes_and_a_table_read_back() {
    let config = config("codebook");
    let sim = Sim::new(&config, &SimOptions::default()).expect("simulator");
    let mut device = Offload::new(sim, CycleModel).strict();
    let mut random = Random(5);
    let tables = [
        vec![-7, -4, -2, -1, 0, 2, 4, 7],
        vec![-5, -1, 0, 6],
        vec![-8, 0],
        vec![-7, -3, -1, 1, 3, 7],
        vec![3],
    ];
    for table in tables {
        let book = Codebook::new(table.clone(), Format::signed(4)).expect("a table");
        let mut product = |x: &Array2<i32>, w: &Array2<i32>| {
            let request = GemmRequest {
                x: Operand::new(x.view(), Format::signed(8)),
                w: Operand { codebook: Some(&book), ..Operand::new(w.view(), Format::signed(4)) },
                result: ResultFormat::Full,
                sparsity: Sparsity::Dense,
            };
            let problem = request.problem().expect("a problem");
            let planned = search(&config, &CycleModel, &problem).expect("a plan");
            assert!(planned.plan.codes().is_some());
            device.planner().adopt(&problem, planned);
            let ran = device.run(request.into()).expect("a product").into_gemm();
            assert_eq!((mismatches(&request, &ran.y), ran.cost.cycles), (0, ran.cost.predicted_cycles));
            ran.y
        };
        for shape in [(20, 70, 30), (9, 200, 65), (64, 25, 8)] {
            let x = random.matrix((shape.0, shape.1), (-128, 127));
            let w = random
                .matrix((shape.1, shape.2), (0, table.len() as i32 - 1))
                .mapv(|code| table[code as usize]);
            product(&x, &w);
        }
        let all = Array2::from_shape_fn((1, table.len()), |(_, code)| table[code]);
        let read: Vec<i32> =
            product(&Array2::ones((1, 1)), &all).to_long().iter().map(|v| *v as i32).collect();
        assert_eq!(read, table);
    }
}

/// `tandem gemm --w-levels`: W in a file of codes; fewer link words where there is a codebook; what is none says so.
#[test]
fn codes_in_files() {
    let s = Scratch::new();
    let (x, w) = (array![[1i32, 2, 3], [-4, 0, 7]], array![[0i32, 1], [2, 3], [1, 1]]);
    write_npy(s.path("x.npy"), &x).expect("written");
    write_npy(s.path("w.npy"), &w).expect("written");
    let (x, w, y) = (s.path("x.npy"), s.path("w.npy"), s.path("y.npy"));
    let files = ["gemm", "-c", "codebook", "--x", &x, "--w", &w];
    let done = succeeds(&[&files[..], &["--w-levels", "-5,0,1,6", "-o", &y]].concat());
    assert_eq!((&done["mismatches"], &done["cycles"]), (&0.into(), &done["predicted_cycles"]));
    let y: Array2<i32> = read_npy(&y).expect("int32");
    // levels [[-5, 0], [1, 6], [0, 0]]
    assert_eq!(y, array![[-3, 12], [20, 0]]);

    let links = |accelerator: &str| {
        let random = ["--random", "8", "512", "256", "--w-levels", "-7,-4,-2,-1,0,2,4,7"];
        let done = succeeds(&[&["gemm", "-c", accelerator][..], &random].concat());
        (done["link_words"].as_u64().expect("words"), done["plan"].as_str().expect("a plan").to_owned())
    };
    let (codes, levels) = (links("codebook"), links("default"));
    assert!(codes.1.contains("W as codes of 3 bits") && !levels.1.contains("codes"), "{codes:?}, {levels:?}");
    assert!(codes.0 < levels.0);

    let refused = |rest: &[&str]| {
        let out = run(&[], &[&files[..], rest].concat(), &[]);
        assert_eq!(out.status.code(), Some(2), "{rest:?}");
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    for (levels, why) in [
        ("-5,0,1", "code [1, 1] = 3: expected 0 to 2, the levels of --w-levels"),
        ("-5,0,1,8", "level 3 is 8: expected -8 to 7"),
        ("-5,0,0,1", "level 2 is 0: expected more than the one before, 0"),
    ] {
        let said = refused(&["--w-levels", levels]);
        assert!(said.contains(why), "{said}");
    }
    let said = refused(&["--w-levels", "-5,1,2,6", "--pattern", "1:2", "--pattern-run", "3"]);
    assert!(said.contains("expected 0 among them"), "{said}");
}

/// Training with a table: simulator = twin, weights as codes cost fewer link words than as levels, and the weights are the same.
#[test]
fn training_moves_codes() {
    let s = Scratch::new();
    let train = |name: &str, accelerator: &str, engine: &str| {
        let out = s.path(name);
        let of = [
            "train",
            "-c",
            "configs/experiments/digits-mlp.toml",
            "--accelerator",
            accelerator,
            "--engine",
            engine,
        ];
        let quantizer =
            ["--set", "bits.weights=3", "--set", "bits.weight_clip=lloyd-max", "--steps", "6", "-o", &out];
        let done = succeeds(&[&of[..], &quantizer].concat());
        let forward = &done["cycles_by_layer"][0]["forward"];
        (
            done["weights_digest"].clone(),
            done["cycles"].clone(),
            forward["link_words"].as_u64().expect("words"),
        )
    };
    let [model, sim] = ["model", "sim"].map(|engine| train(engine, "codebook", engine));
    assert_eq!(model, sim);
    let levels = train("levels", "default", "model");
    assert_eq!(model.0, levels.0);
    assert!(model.2 < levels.2, "{} of {}", model.2, levels.2);
}
