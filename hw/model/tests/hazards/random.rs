//! Random programs have no hazards; those with tokens taken out have the ones that the graph has.

use super::graph::{CHANNELS, Step, channel, hazards, number, steps, tokens};
use proptest::prelude::*;
use tandem_model::Twin;
use tandem_model::hazard::Place;
use tandem_spec::engine::{Engine, RunOptions, Stall, Status};
use tandem_spec::{Config, Instruction, Memory, Stream};
use tandem_stimuli::{random_config, random_program};

fn stream(config: &Config, steps: &[Step]) -> Stream {
    let mut s = Stream::new(config);
    for step in steps {
        match &step.instruction {
            Instruction::Load(l) => s.push_load(*l, &step.payload),
            other => s.push(other),
        }
    }
    s
}

/// Takes token number `at` out of a channel, if it has any.
fn drop_token(steps: &mut [Step], which: usize, at: usize) {
    let (from, to) = CHANNELS[which];
    let pairs = channel(steps, from, to);
    if pairs.is_empty() {
        return;
    }
    let (push, pop) = pairs[at % pairs.len()];
    let forward = (from as usize) < to as usize;
    let t = tokens(&mut steps[push].instruction);
    *(if forward { &mut t.push_next } else { &mut t.push_prev }) = false;
    let t = tokens(&mut steps[pop].instruction);
    *(if forward { &mut t.pop_prev } else { &mut t.pop_next }) = false;
}

fn run(config: &Config, stream: &Stream, seed: u64, percent: u64) -> Twin {
    let mut twin = Twin::checked(config);
    let options = RunOptions {
        stall_in: Stall::random(seed, percent),
        stall_out: Stall::random(!seed, percent),
        ..RunOptions::default()
    };
    assert_eq!(twin.run(stream, &options).unwrap().status, Status::Idle);
    twin
}

#[test]
fn random_programs_have_none() {
    for seed in 0..400 {
        let config = random_config(seed);
        let stream = random_program(&config, seed ^ 0x5eed, 60);
        let twin = run(&config, &stream, seed, seed % 3 * 30);
        assert_eq!(twin.hazards(), [], "seed {seed}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn without_some_tokens_they_are_those_of_the_graph(
        c in any::<u64>(), p in any::<u64>(), size in 1usize..40, stall in 0u64..60,
        drops in prop::collection::vec((0usize..4, any::<prop::sample::Index>()), 0..6)
    ) {
        let config = random_config(c);
        let mut program = steps(&random_program(&config, p, size));
        for (which, at) in drops {
            drop_token(&mut program, which, at.index(1 << 16));
        }
        let all = hazards(&config, &mut program);
        let twin = run(&config, &stream(&config, &program), p, stall);
        // which rows a COMPUTE reads is unknown while its offsets are being written
        let known = !all.iter().any(|h| h.0.0 == number(Place::Operand(Memory::Offset)));
        prop_assert_eq!(twin.hazards().is_empty(), all.is_empty());
        for h in twin.hazards().iter().filter(|h| known || h.place != Place::Operand(Memory::Row)) {
            let word = (number(h.place), h.element, h.address);
            prop_assert!(all.contains(&(word, h.writer.instruction, h.reader.instruction)), "{}", h);
        }
    }
}

#[test]
fn tokens_of_every_channel_are_missed() {
    for (which, channel) in CHANNELS.iter().enumerate() {
        let missed = (0..60).any(|seed| {
            let config = random_config(seed);
            let mut program = steps(&random_program(&config, seed, 30));
            drop_token(&mut program, which, seed as usize);
            !run(&config, &stream(&config, &program), 0, 0).hazards().is_empty()
        });
        assert!(missed, "{channel:?}");
    }
}
