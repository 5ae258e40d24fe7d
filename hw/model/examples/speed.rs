//! How fast the twin and the cycle model are: `cargo run --release -p tandem-model --example speed`.

use std::time::Instant;
use tandem_model::{CycleModel, Twin};
use tandem_spec::engine::{Engine, Predict, RunOptions, Stall};
use tandem_spec::{Compute, Config, Instruction, Load, Loop, Memory, Store, Stream, Tokens};

fn config(array: &str) -> Config {
    let toml = format!(
        "[array]\nrows=8\ncols=8\nlanes=8\nrow_digit=4\ncol_digit=4\n{array}[memory]\nrow_depth=1024\ncol_depth=2048\n\
         result_depth=2048\n"
    );
    Config::from_toml("speed", &toml).expect("legal")
}

/// 16 × 8 tiles of K = 64 turns, `planes` digit planes each, in one COMPUTE.
fn product(planes: (u8, u8), signed: bool, select: u8) -> Compute {
    let level = |count, row_stride, col_stride| Loop { count, row_stride, col_stride };
    let mut loops = [Loop::default(); 7];
    loops[0] = level(8, 0, 64);
    loops[1] = level(16, 64, 0);
    loops[4] = level(64, 1, 1);
    Compute {
        tokens: Tokens { pop_prev: true, push_prev: true, push_next: true, ..Tokens::default() },
        row_signed: signed,
        col_signed: signed,
        rows: 8,
        rows_last: 5,
        row_edge: 1,
        cols: 8,
        cols_last: 3,
        col_edge: 0,
        row_planes: planes.0,
        col_planes: planes.1,
        tiles: 2,
        select,
        row_plane_stride: 1024,
        col_plane_stride: 512,
        loops,
        ..Compute::default()
    }
}

fn seconds(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut n = 0;
    while start.elapsed().as_secs_f64() < 0.5 {
        f();
        n += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(n)
}

fn twin(name: &str, config: &Config, compute: Compute) {
    let compute = Compute { tokens: Tokens::default(), ..compute };
    let mut stream = Stream::new(config);
    for _ in 0..10 {
        stream.push(&Instruction::Compute(compute));
    }
    let planes = f64::from(compute.row_planes) * f64::from(compute.col_planes);
    let steps = 10.0 * 8.0 * 16.0 * 64.0 * planes;
    for (how, mut twin) in [("", Twin::new(config)), (", looking for hazards", Twin::checked(config))] {
        let t = seconds(|| {
            twin.run(&stream, &RunOptions::default()).expect("runs");
        });
        println!("{name}{how}: {:.1} ns a step, {:.1} M steps/s", t / steps * 1e9, steps / t / 1e6);
    }
}

fn main() {
    let (dense, pruned) = (config(""), config("select=4\n"));
    twin("4 × 4 bits", &dense, product((1, 1), true, 0));
    twin("8 × 8 bits", &dense, product((2, 2), true, 0));
    twin("16 × 16 bits, unsigned", &dense, product((4, 4), false, 0));
    twin("4 × 4 bits, 1:4", &pruned, product((1, 1), true, 2));
    let mut odd = product((1, 1), true, 0);
    (odd.loops[0].row_stride, odd.loops[1].col_stride) = (1, 1);
    twin("4 × 4 bits, every tile packed", &dense, odd);

    let load = Load {
        tokens: Tokens { push_next: true, ..Tokens::default() },
        broadcast: false,
        memory: Memory::Row,
        address: 0,
        count: 512,
        words: 2,
        mask: u32::MAX,
    };
    let again = Load { tokens: Tokens { pop_next: true, ..load.tokens }, ..load };
    let store = |count| {
        let tokens = Tokens { pop_prev: true, ..Tokens::default() };
        Instruction::Store(Store { tokens, count, ..Store::default() })
    };
    let compute = Instruction::Compute(product((2, 2), true, 0));
    let mut program = vec![Instruction::Load(load), compute, store(1000)];
    while program.len() < 99 {
        program.extend([Instruction::Load(again), compute, store(1000)]);
    }
    program.push(Instruction::Read(Tokens::default()));
    let t = seconds(|| {
        CycleModel.predict(&dense, &program);
    });
    println!("predict: {} instructions in {:.1} µs", program.len(), t * 1e6);
    let options = RunOptions {
        stall_in: Stall::random(1, 30),
        stall_out: Stall::random(2, 30),
        ..RunOptions::default()
    };
    let t = seconds(|| {
        CycleModel.registers(&dense, &program, &options);
    });
    println!("with stalls (patterns of 4093 cycles prepared each time): {:.1} µs", t * 1e6);
    let mut stream = Stream::new(&dense);
    stream.push_load(Load { tokens: Tokens::default(), ..load }, &vec![0x5a; 1024 * 16]);
    for (how, mut twin) in [("", Twin::new(&dense)), (", looking for hazards", Twin::checked(&dense))] {
        let t = seconds(|| {
            twin.run(&stream, &RunOptions::default()).expect("runs");
        });
        println!("load{how}: {:.1} ns a link word of 128 bits", t / 1024.0 * 1e9);
    }
}
