//! The twin's results against a literal interpreter, on random programs.

#[path = "support/literal.rs"]
mod literal;

use literal::Literal;
use proptest::prelude::*;
use tandem_model::Twin;
use tandem_spec::engine::{Engine, RunOptions, Stall, Status};
use tandem_spec::packet::Kind;
use tandem_spec::{Packet, Stream};

fn results(twin: &mut Twin, stream: &Stream, options: &RunOptions) -> Vec<Packet> {
    let mut outcome = twin.run(stream, options).unwrap();
    assert_eq!(outcome.status, Status::Idle);
    outcome.packets.retain(|p| p.kind == Kind::Result);
    outcome.packets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn results_equal_those_of_a_literal_interpreter(
        c in any::<u64>(), p in any::<u64>(), size in 1usize..50, stall in 0u64..60
    ) {
        let config = tandem_stimuli::random_config(c);
        let options = RunOptions {
            stall_in: Stall::random(p, stall),
            stall_out: Stall::random(c, stall),
            ..RunOptions::default()
        };
        let (mut twin, mut literal) = (Twin::new(&config), Literal::new(&config));
        // A second program continues the first one's memories and accumulators.
        let mut numbered = 0;
        for program in [p, p ^ 1] {
            let stream = tandem_stimuli::random_program(&config, program, size);
            let mut expected = literal.run(&stream);
            for packet in &mut expected {
                packet.instruction += numbered;
            }
            prop_assert_eq!(results(&mut twin, &stream, &options), expected);
            numbered += stream.instructions().0.len() as u32;
        }
    }
}
