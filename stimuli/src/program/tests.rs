//! What random programs are.

use super::random_program;
use crate::random_config;
use tandem_spec::{Compute, Instruction, Load, Smooth, Store, Transform};

#[test]
fn seeds_repeat_and_cover_the_instruction_set() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let config = random_config(seed);
        let stream = random_program(&config, seed, 30);
        assert_eq!(stream, random_program(&random_config(seed), seed, 30));
        let (list, end) = stream.instructions();
        assert_eq!(end, stream.words());
        assert!(list.len() > 30 && matches!(list[list.len() - 1].1, Instruction::Read(_)));
        for (_, i) in list {
            i.validate(&config).unwrap();
            seen.insert(match i {
                Instruction::Load(l) => format!("load {:?} broadcast {}", l.memory, l.broadcast),
                Instruction::Compute(c) => {
                    let coded = if c.coded { "codes " } else { "" };
                    format!("compute {coded}select {} hold {} keep {}", c.select.min(2), c.hold, c.keep)
                }
                Instruction::Transform(t) => {
                    format!("transform inverse {} block {} tile {}", t.inverse, t.block, t.tile)
                }
                Instruction::Smooth(s) => format!("smooth keep {} all skipped {}", s.keep, s.skip >= s.count),
                Instruction::Store(s) => format!("store {:?} lanes {}", s.format, s.lanes > 0),
                other => other.opcode().name.to_string(),
            });
        }
    }
    assert_eq!(seen.len(), 8 * 2 + 2 * 3 * 2 * 2 + 2 * 2 * 2 + 2 * 2 + 8 * 2 + 1, "{seen:#?}");
}

#[test]
fn every_pushed_token_is_popped() {
    for seed in 0..60 {
        let config = random_config(seed);
        let mut tokens = [0i32; 4];
        for (_, i) in random_program(&config, !seed, 50).instructions().0 {
            let count = |on: bool| i32::from(on);
            match i {
                Instruction::Load(Load { tokens: t, .. }) => {
                    tokens[0] += count(t.push_next);
                    tokens[1] -= count(t.pop_next);
                }
                Instruction::Compute(Compute { tokens: t, .. })
                | Instruction::Transform(Transform { tokens: t, .. })
                | Instruction::Smooth(Smooth { tokens: t, .. }) => {
                    tokens[0] -= count(t.pop_prev);
                    tokens[1] += count(t.push_prev);
                    tokens[2] += count(t.push_next);
                    tokens[3] -= count(t.pop_next);
                }
                Instruction::Store(Store { tokens: t, .. }) | Instruction::Read(t) => {
                    tokens[2] -= count(t.pop_prev);
                    tokens[3] += count(t.push_prev);
                }
                _ => {}
            }
        }
        assert_eq!(tokens, [0; 4]);
    }
}
