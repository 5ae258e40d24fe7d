//! The queue.

use crate::claim::{Claim, Mutant, Proofs, caught, design};

const PROPERTIES: &str = include_str!("formal/fifo.sv");

const MUTANTS: [Mutant; 5] = [
    ("a full queue takes an entry", "do_push = push & ~full", "do_push = push"),
    ("an empty queue gives one", "do_pop = pop & ~empty", "do_pop = pop"),
    ("a field is not written", "if (do_push) mem_3[wptr] <= d_3", "if (do_push) mem_3[wptr] <= d_2"),
    ("an entry comes twice", "rptr <= rptr + 1'd1", "rptr <= rptr"),
    ("an entry passes another", "none_behind = count <= 2'd1", "none_behind = count <= 2'd2"),
];

/// A queue of two entries.
fn queue() -> Claim {
    let (_, v) = design(1);
    let name = &v.modules.iter().find(|m| m.name.starts_with("fifo_2x96")).unwrap().name;
    let fields: Vec<usize> = (0..5).rev().collect();
    let all = |what: &dyn Fn(usize) -> String| {
        format!("{{{}}}", fields.iter().map(|i| what(*i)).collect::<Vec<_>>().join(", "))
    };
    let wires = format!(
        "localparam F_BITS = 96, F_DEPTH = 2, F_PTR = 1;\nwire [95:0] f_d = {};\nwire [95:0] f_head = {};\n\
         wire [95:0] f_stored = {};\n",
        all(&|i| format!("d_{i}")),
        all(&|i| format!("head_{i}")),
        all(&|i| format!("mem_{i}[f_at]")),
    );
    // names are declared before they are used
    let (head, rest) = PROPERTIES.split_once("reg f_past").unwrap();
    let (parameters, wires) = wires.split_once('\n').unwrap();
    Claim::new(&v, name, &format!("{parameters}\n{head}{wires}reg f_past{rest}"))
}

#[test]
fn the_queue_keeps_order_and_content() {
    Proofs::new().prove(&queue()).unwrap();
}

#[test]
fn broken_queues_are_caught() {
    caught(&queue(), &MUTANTS);
}
