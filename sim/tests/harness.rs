//! The harness on a stand-in accelerator: words, stalls, ends of runs, refusals.

mod fixture;

use fixture::{command, config, echo, packet, sim};
use tandem_spec::isa::Who;
use tandem_spec::{Engine, EngineError, RunOptions, Stall, Status, Stream};

/// Cycles in which a word passes the stand-in's pipeline: two stages and the FIFO.
const LATENCY: u64 = 3;

#[test]
fn every_link_width_carries_every_byte() {
    for link in [8, 16, 32, 64, 128] {
        let packets = [packet(link, 40, 7), packet(link, 0, 8), packet(link, 3, 9)];
        let stream = echo(link, &packets);
        let mut sim = sim(link);
        let outcome = sim.run(&stream, &RunOptions::default()).unwrap();
        assert_eq!(outcome.status, Status::Idle, "link {link}");
        assert_eq!(outcome.packets, packets, "link {link}");
        // one word a cycle; the run ends with the cycle after the last output word
        assert_eq!(sim.cycles(), stream.words() as u64 + LATENCY, "link {link}");
    }
}

/// What the stand-in does under stalls, by the rules in its head comment.
fn predicted_cycles(words: u64, options: &RunOptions) -> u64 {
    let (mut taken, mut level, mut sent, mut stages) = (0, 0, 0, [false; 2]);
    for cycle in 0.. {
        let quiet = stages == [false; 2] && level == 0;
        if taken == words && quiet {
            assert_eq!(sent, words - 1, "all but the command come back");
            return cycle;
        }
        let take = level > 0 && !options.stall_out.at(cycle);
        let pass = taken < words && !options.stall_in.at(cycle) && level < 13;
        let echoed = pass && taken > 0;
        level = level + u64::from(stages[1]) - u64::from(take);
        stages = [echoed, stages[0]];
        taken += u64::from(pass);
        sent += u64::from(take);
    }
    unreachable!()
}

#[test]
fn stalls_change_the_time_exactly_as_given_and_nothing_else() {
    let link = 32;
    let packets = [packet(link, 500, 1), packet(link, 700, 2)];
    let stream = echo(link, &packets);
    let pattern = |bits: &[u8]| Stall { pattern: bits.iter().map(|b| *b == 1).collect() };
    let patterns = [
        (Stall::default(), Stall::default()),
        (pattern(&[0, 1]), Stall::default()),
        (Stall::default(), pattern(&[0, 1, 1])),
        (pattern(&[1, 1, 1, 1, 1, 0]), pattern(&[1, 0])),
        (Stall::random(3, 40), Stall::random(4, 60)),
        (Stall::random(5, 95), Stall::random(6, 90)),
    ];
    // one simulation for all: the pattern starts anew with each run
    let mut sim = sim(link);
    for (stall_in, stall_out) in patterns {
        let options = RunOptions { stall_in, stall_out, ..RunOptions::default() };
        let before = sim.cycles();
        let outcome = sim.run(&stream, &options).unwrap();
        assert_eq!(outcome.packets, packets);
        assert_eq!(sim.cycles() - before, predicted_cycles(stream.words() as u64, &options), "{options:?}");
    }
}

#[test]
fn output_beyond_the_first_buffer_is_complete_also_under_stalls() {
    let link = 8;
    // the first buffer has 65,536 words
    let packets = [packet(link, 65_519, 1), packet(link, 100_000, 2), packet(link, 1, 3)];
    let stream = echo(link, &packets);
    let mut sim = sim(link);
    let options = RunOptions { stall_out: Stall::random(1, 30), ..RunOptions::default() };
    let outcome = sim.run(&stream, &options).unwrap();
    assert_eq!(outcome.packets, packets);
    assert_eq!(sim.cycles(), predicted_cycles(stream.words() as u64, &options));
}

#[test]
fn the_last_cycle_is_not_clocked() {
    let mut sim = sim(32);
    let empty = Stream::new(&config(32));
    let outcome = sim.run(&empty, &RunOptions::default()).unwrap();
    assert_eq!((outcome.status, sim.cycles()), (Status::Idle, 0));
    let one = echo(32, &[]);
    sim.run(&one, &RunOptions::default()).unwrap();
    assert_eq!(sim.cycles(), 1, "a command is done at the end of its cycle");
}

#[test]
fn a_cut_run_continues_with_the_next() {
    let link = 32;
    let packets = [packet(link, 30, 1), packet(link, 30, 2)];
    let stream = echo(link, &packets);
    let whole = stream.words() as u64 + LATENCY;
    let empty = Stream::new(&config(link));
    // at `words` cycles all words are taken, so nothing is lost
    for limit in stream.words() as u64..=whole {
        let mut sim = sim(link);
        let options = RunOptions { max_cycles: limit, ..RunOptions::default() };
        let first = sim.run(&stream, &options).unwrap();
        let expected = if limit < whole { Status::CycleLimit } else { Status::Idle };
        assert_eq!((first.status, sim.cycles()), (expected, limit));
        let rest = sim.run(&empty, &RunOptions::default()).unwrap();
        assert_eq!(rest.status, Status::Idle);
        assert_eq!([first.packets, rest.packets].concat(), packets, "limit {limit}");
        assert_eq!(sim.cycles(), whole);
    }
}

#[test]
fn a_run_that_never_ends_is_ended() {
    let mut sim = sim(32);
    let mut stream = Stream::new(&config(32));
    command(&mut stream, command::BUSY);
    let options = RunOptions { max_cycles: 1000, ..RunOptions::default() };
    assert_eq!(sim.run(&stream, &options).unwrap().status, Status::CycleLimit);
    assert_eq!(sim.cycles(), 1000);
    // the same with a host that never takes a word
    let mut sim = fixture::sim(32);
    let dead = Stall { pattern: vec![true] };
    let options = RunOptions { stall_out: dead.clone(), max_cycles: 500, ..RunOptions::default() };
    let outcome = sim.run(&echo(32, &[packet(32, 1, 1)]), &options).unwrap();
    assert_eq!((outcome.status, outcome.packets.len()), (Status::CycleLimit, 0));
    let options = RunOptions { stall_in: dead, max_cycles: 500, ..RunOptions::default() };
    assert_eq!(fixture::sim(32).run(&echo(32, &[]), &options).unwrap().status, Status::CycleLimit);
}

#[test]
fn the_status_says_where_it_stands() {
    use command::*;
    let status = |codes: &[u8]| {
        let mut stream = Stream::new(&config(16));
        codes.iter().for_each(|c| command(&mut stream, *c));
        sim(16).run(&stream, &RunOptions::default()).unwrap().status
    };
    assert_eq!(status(&[ECHO, ECHO]), Status::Idle);
    assert_eq!(status(&[ECHO, STARVE]), Status::Starved { instruction: 1 });
    let blocked = |engine, instruction| Status::Blocked { engine, instruction };
    assert_eq!(status(&[ECHO, BLOCK_COMPUTE, ECHO]), blocked(Who::Compute, 1));
    assert_eq!(status(&[BLOCK_STORE]), blocked(Who::Store, 0));
    assert_eq!(status(&[BLOCK_COMPUTE, BLOCK_STORE]), blocked(Who::Compute, 0));
    assert_eq!(status(&[BLOCK_STORE, BLOCK_COMPUTE]), blocked(Who::Store, 0));
    // a word with `first` does not pass inside; it is dropped after the failure
    assert_eq!(status(&[STARVE, ECHO]), Status::Failed);
    assert_eq!(status(&[STARVE, ECHO, RESET]), Status::Idle);
    assert_eq!(status(&[STARVE, RESET, ECHO, STARVE]), Status::Starved { instruction: 1 });
}

#[test]
fn state_lives_on_between_runs_and_a_new_simulation_starts_clean() {
    let mut stream = Stream::new(&config(64));
    command(&mut stream, command::STARVE);
    let mut first = sim(64);
    assert_eq!(
        first.run(&stream, &RunOptions::default()).unwrap().status,
        Status::Starved { instruction: 0 }
    );
    let more = echo(64, &[]);
    assert_eq!(first.run(&more, &RunOptions::default()).unwrap().status, Status::Failed);
    assert_eq!(sim(64).run(&more, &RunOptions::default()).unwrap().status, Status::Idle);
}

#[test]
fn simulations_run_in_parallel() {
    let expected = packet(32, 2000, 5);
    let stream = echo(32, std::slice::from_ref(&expected));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut sim = sim(32);
            let (stream, expected) = (&stream, &expected);
            scope.spawn(move || {
                for _ in 0..20 {
                    let outcome = sim.run(stream, &RunOptions::default()).unwrap();
                    assert_eq!(outcome.packets, std::slice::from_ref(expected));
                }
            });
        }
    });
}

fn link_error<T: std::fmt::Debug>(r: Result<T, EngineError>) -> String {
    match r {
        Err(EngineError::Link(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_packet_or_no_stream_is_refused() {
    let mut sim = sim(32);
    let mut garbage = Stream::new(&config(32));
    garbage.push_words(&[1; 64], false);
    let what = link_error(sim.run(&garbage, &RunOptions::default()));
    assert_eq!(what, "byte 0: not a packet header");
    let mut cut = echo(32, &[packet(32, 8, 1)]);
    cut.bytes.truncate(cut.bytes.len() - 4);
    cut.first.pop();
    let what = link_error(sim.run(&cut, &RunOptions::default()));
    assert!(what.contains("is cut after"), "{what}");
    // the refused bytes are gone
    let good = [packet(32, 8, 2)];
    assert_eq!(sim.run(&echo(32, &good), &RunOptions::default()).unwrap().packets, good);

    let before = sim.cycles();
    let what = link_error(sim.run(&echo(64, &[]), &RunOptions::default()));
    assert_eq!(what, "1 words of 8 bytes in 8 bytes: expected words of 4 bytes");
    let mut short = echo(32, &good);
    short.bytes.pop();
    link_error(sim.run(&short, &RunOptions::default()));
    link_error(sim.raw_cycles(&short, 1));
    assert_eq!(sim.cycles(), before, "nothing was simulated");
}

#[test]
fn the_bare_loop_does_the_same_work() {
    // whatever the loop leaves in the FIFO comes out of a run behind it
    let expected = packet(128, 1, 1);
    let stream = echo(128, std::slice::from_ref(&expected));
    let words = stream.words() as u64;
    let mut sim = sim(128);
    sim.raw_cycles(&stream, 2).unwrap();
    sim.raw_cycles(&Stream::new(&config(128)), 0).unwrap();
    let outcome = sim.run(&echo(128, &[]), &RunOptions::default());
    assert!(matches!(outcome, Err(EngineError::Link(_))), "one word is no packet: {outcome:?}");
    let mut sim = fixture::sim(128);
    sim.raw_cycles(&stream, words + LATENCY).unwrap();
    assert_eq!(sim.cycles(), words + LATENCY);
    let outcome = sim.run(&Stream::new(&config(128)), &RunOptions::default()).unwrap();
    assert_eq!((outcome.status, outcome.packets.len()), (Status::Idle, 0), "the loop dropped the output");
    assert_eq!(sim.cycles(), words + LATENCY, "it was at its end");
}
