//! One program of each kind, and what is said of it.

use tandem_model::Twin;
use tandem_spec::engine::{Engine, RunOptions, Status};
use tandem_spec::{Compute, Config, Instruction, Load, Loop, Memory, Store, Stream, Tokens, Transform};

const NONE: Tokens = Tokens { pop_prev: false, pop_next: false, push_prev: false, push_next: false };

/// Waits for the engine before and gives the one behind a token.
const FORWARD: Tokens = Tokens { pop_prev: true, pop_next: false, push_prev: false, push_next: true };

const GIVE: Tokens = Tokens { push_next: true, ..NONE };

const WAIT: Tokens = Tokens { pop_prev: true, ..NONE };

fn config() -> Config {
    let toml = "[array]\nrows=2\ncols=2\nlanes=4\nrow_digit=8\ncol_digit=8\nselect=4\n\
                [memory]\nrow_depth=8\ncol_depth=16\nindex_depth=16\nresult_depth=16\n[link]\nbits=128\n\
                [fft]\npoints=16\ndepth=8\n";
    Config::from_toml("t", toml).unwrap()
}

fn load(tokens: Tokens, memory: Memory, address: u16, count: u16) -> Instruction {
    let load = Load { tokens, broadcast: true, memory, address, count, words: 1, mask: 3 };
    Instruction::Load(load)
}

/// Rows @2, columns @4, indices @6, three turns each, the result of one tile @0.
fn compute(tokens: Tokens) -> Compute {
    let mut loops = [Loop::default(); 7];
    loops[0] = Loop { count: 3, row_stride: 4, col_stride: 1 };
    Compute {
        tokens,
        row_base: 8,
        col_base: 4,
        index_base: 6,
        rows: 2,
        rows_last: 2,
        cols: 2,
        cols_last: 2,
        select: 2,
        loops,
        ..Compute::default()
    }
}

/// Samples @1 to @4; results @0 to @16, of which the last is the first again.
fn transform(tokens: Tokens) -> Instruction {
    let (inverse, block, tile) = (false, false, false);
    Instruction::Transform(Transform {
        tokens,
        inverse,
        block,
        tile,
        address: 1,
        count: 1,
        result_base: 0,
        log_points: 4,
    })
}

fn store(tokens: Tokens, address: u16, count: u16) -> Instruction {
    Instruction::Store(Store { tokens, address, count, ..Store::default() })
}

fn stream(config: &Config, list: &[Instruction]) -> Stream {
    let mut s = Stream::new(config);
    for i in list {
        match i {
            Instruction::Load(l) => {
                let bytes = usize::from(l.count) * usize::from(l.words) * config.link_bytes();
                s.push_load(*l, &vec![0; bytes]);
            }
            other => s.push(other),
        }
    }
    s
}

/// What a program's hazards are called, in the order in which they are found.
fn hazards(list: &[Instruction]) -> Vec<String> {
    let config = config();
    let mut twin = Twin::checked(&config);
    let outcome = twin.run(&stream(&config, list), &RunOptions::default()).unwrap();
    assert_eq!(outcome.status, Status::Idle);
    twin.hazards().iter().map(ToString::to_string).collect()
}

#[test]
fn a_load_into_what_a_compute_reads() {
    let computed = Instruction::Compute(compute(NONE));
    for (memory, from, name) in [
        (Memory::Row, 4, "row memory of row 0, address 4"),
        (Memory::Col, 6, "column memory of column 0, address 6"),
        (Memory::Index, 8, "index memory of column 0, address 8"),
    ] {
        let text = format!(
            "hazard: {name}: instruction 1 (load engine) writes it, instruction 0 (compute engine) reads it, \
             and no token orders them"
        );
        assert_eq!(hazards(&[computed, load(NONE, memory, from, 2)]), [text]);
        // next to it, on either side
        assert_eq!(hazards(&[computed, load(NONE, memory, from + 1, 2)]), [""; 0]);
        assert_eq!(hazards(&[computed, load(NONE, memory, 0, 2)]), [""; 0]);
    }
    let text = "hazard: row offsets of row 0, address 0: instruction 1 (load engine) writes it, instruction 0 \
                (compute engine) reads it, and no token orders them";
    assert_eq!(hazards(&[computed, load(NONE, Memory::Offset, 0, 1)]), [text]);
}

#[test]
fn the_order_of_the_stream_is_no_token() {
    let program = [load(NONE, Memory::Col, 6, 2), Instruction::Compute(compute(NONE))];
    let text = "hazard: column memory of column 0, address 6: instruction 0 (load engine) writes it, instruction 1 \
                (compute engine) reads it, and no token orders them";
    assert_eq!(hazards(&program), [text]);
    let program = [load(GIVE, Memory::Col, 6, 2), Instruction::Compute(compute(WAIT))];
    assert_eq!(hazards(&program), [""; 0]);
}

#[test]
fn a_token_orders_what_its_engine_has_done_before_it() {
    // the second LOAD's token covers the first, and the first COMPUTE's wait the second
    let program = [
        load(NONE, Memory::Col, 6, 2),
        load(GIVE, Memory::Row, 2, 2),
        Instruction::Compute(compute(WAIT)),
        Instruction::Compute(compute(NONE)),
    ];
    assert_eq!(hazards(&program), [""; 0]);
    // a token that comes from before the conflict covers nothing
    let program =
        [load(GIVE, Memory::Row, 2, 2), load(NONE, Memory::Col, 6, 2), Instruction::Compute(compute(WAIT))];
    assert_eq!(hazards(&program).len(), 1);
}

#[test]
fn rows_that_a_load_leaves_alone_are_no_hazard() {
    let config = config();
    let only = |mask, broadcast, words| {
        let load = Load { tokens: NONE, broadcast, memory: Memory::Row, address: 2, count: 1, words, mask };
        let mut twin = Twin::checked(&config);
        let program = stream(&config, &[Instruction::Compute(compute(NONE)), Instruction::Load(load)]);
        twin.run(&program, &RunOptions::default()).unwrap();
        twin.hazards().iter().map(|h| h.element).collect::<Vec<_>>()
    };
    assert_eq!(only(3, true, 1), [0]);
    assert_eq!(only(2, true, 1), [1]);
    assert_eq!(only(0, true, 1), [0; 0]);
    // one word holds a window of row 0 only
    assert_eq!(only(2, false, 1), [0; 0]);
    assert_eq!(only(2, false, 2), [1]);
}

#[test]
fn indices_that_select_nothing_are_not_read() {
    let dense = Instruction::Compute(Compute { select: 0, ..compute(NONE) });
    assert_eq!(hazards(&[dense, load(NONE, Memory::Index, 6, 3)]), [""; 0]);
    // one word a tile instead of one a step
    let held = Compute { held: true, tiles: 0, ..compute(NONE) };
    assert_eq!(hazards(&[Instruction::Compute(held), load(NONE, Memory::Index, 6, 1)]).len(), 1);
    assert_eq!(hazards(&[Instruction::Compute(held), load(NONE, Memory::Index, 7, 2)]), [""; 0]);
}

#[test]
fn a_store_of_what_a_compute_writes() {
    let text = "hazard: result memory, address 1: instruction 0 (compute engine) writes it, instruction 1 (store \
                engine) reads it, and no token orders them";
    assert_eq!(hazards(&[Instruction::Compute(compute(NONE)), store(NONE, 1, 3)]), [text]);
    assert_eq!(hazards(&[Instruction::Compute(compute(NONE)), store(NONE, 2, 3)]), [""; 0]);
    let held = Compute { hold: true, ..compute(NONE) };
    assert_eq!(hazards(&[Instruction::Compute(held), store(NONE, 0, 3)]), [""; 0]);
    // the store's token comes too late for the second COMPUTE
    let overwrites = "hazard: result memory, address 0: instruction 2 (compute engine) writes it, instruction 1 \
                      (store engine) reads it, and no token orders them";
    let computed = |tokens| Instruction::Compute(compute(tokens));
    assert_eq!(hazards(&[computed(GIVE), store(WAIT, 0, 2), computed(NONE)]), [overwrites]);
    let back = Tokens { pop_prev: true, push_prev: true, ..NONE };
    let waits = Tokens { pop_next: true, ..NONE };
    assert_eq!(hazards(&[computed(GIVE), store(back, 0, 2), computed(waits)]), [""; 0]);
}

#[test]
fn a_load_into_what_a_transform_reads() {
    let samples = |address| load(NONE, Memory::Sample, address, 1);
    let text = "hazard: sample memory, address 4: instruction 1 (load engine) writes it, instruction 0 (compute \
                engine) reads it, and no token orders them";
    assert_eq!(hazards(&[transform(NONE), samples(4)]), [text]);
    assert_eq!(hazards(&[transform(NONE), samples(5), samples(0)]), [""; 0]);
}

#[test]
fn a_store_of_what_a_transform_writes() {
    let text = |address, store| {
        format!(
            "hazard: result memory, address {address}: instruction 0 (compute engine) writes it, instruction \
             {store} (store engine) reads it, and no token orders them"
        )
    };
    assert_eq!(hazards(&[transform(NONE), store(NONE, 7, 1)]), [text(7, 1)]);
    // the last sample, and the status word behind it
    assert_eq!(hazards(&[transform(NONE), store(NONE, 8, 1)]), [text(8, 1)]);
    assert_eq!(hazards(&[transform(NONE), store(NONE, 9, 2)]), [""; 0]);
    assert_eq!(hazards(&[transform(GIVE), store(WAIT, 8, 1)]), [""; 0]);
}

#[test]
fn a_run_s_end_and_a_reset_order_everything() {
    let config = config();
    let mut twin = Twin::checked(&config);
    let mut run = |list: &[Instruction]| {
        twin.run(&stream(&config, list), &RunOptions::default()).unwrap();
        twin.hazards().len()
    };
    let computed = Instruction::Compute(compute(NONE));
    assert_eq!(run(&[computed]), 0);
    assert_eq!(run(&[load(NONE, Memory::Col, 6, 2), Instruction::Reset]), 0);
    assert_eq!(run(&[computed, load(NONE, Memory::Col, 6, 2)]), 1);
    assert_eq!(run(&[computed, Instruction::Reset, load(NONE, Memory::Col, 6, 2)]), 0);
}

#[test]
fn an_unchecked_twin_names_none() {
    let config = config();
    let mut twin = Twin::new(&config);
    let program = [Instruction::Compute(compute(NONE)), load(NONE, Memory::Col, 6, 2)];
    twin.run(&stream(&config, &program), &RunOptions::default()).unwrap();
    assert_eq!(twin.hazards(), []);
}

#[test]
fn tokens_through_a_third_engine_count() {
    // COMPUTE 1 waits for STORE 2, which waits for COMPUTE 0: what the LOAD then overwrites is read
    let gives_both = Tokens { push_prev: true, push_next: true, ..NONE };
    let list = [
        load(GIVE, Memory::Col, 4, 3),
        Instruction::Compute(compute(FORWARD)),
        store(Tokens { pop_prev: true, push_prev: true, ..NONE }, 0, 2),
        Instruction::Compute(compute(Tokens { pop_next: true, ..gives_both })),
        load(Tokens { pop_next: true, ..NONE }, Memory::Col, 4, 3),
        store(WAIT, 0, 2),
    ];
    assert_eq!(hazards(&list), [""; 0]);
}
