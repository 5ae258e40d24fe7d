//! The frame codec: every frame comes back, damage is seen, and the next frame after any damage is understood.

use proptest::prelude::*;
use tandem_link::{Damage, Frame, FrameReader};
use tandem_spec::link::{Kind, MAX_PAYLOAD};

fn frames() -> impl Strategy<Value = Frame> {
    // zeros and ones often, because COBS treats them apart
    let byte = prop_oneof![3 => Just(0u8), 1 => Just(1u8), 1 => Just(255u8), 5 => any::<u8>()];
    let kind = prop::sample::select(Kind::ALL);
    (kind, any::<u8>(), any::<u8>(), prop::collection::vec(byte, 0..=MAX_PAYLOAD))
        .prop_map(|(kind, session, seq, payload)| Frame { kind, session, seq, payload })
}

fn read(line: &[u8]) -> Vec<Result<Frame, Damage>> {
    let mut reader = FrameReader::default();
    line.iter().filter_map(|b| reader.push(*b)).collect()
}

fn good(line: &[u8]) -> Vec<Frame> {
    read(line).into_iter().flatten().collect()
}

/// Faults on a line: what the injector of the simulated board does, and bytes that come from nowhere.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Drop,
    Flip(u8),
    Duplicate,
    Split,
    Insert(u8),
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Drop),
        (0u8..8).prop_map(Fault::Flip),
        Just(Fault::Duplicate),
        Just(Fault::Split),
        any::<u8>().prop_map(Fault::Insert),
    ]
}

fn damage(line: &[u8], at: usize, fault: Fault) -> Vec<u8> {
    let (before, rest) = line.split_at(at);
    let byte = rest[0];
    let instead = match fault {
        Fault::Drop => vec![],
        Fault::Flip(bit) => vec![byte ^ 1 << bit],
        Fault::Duplicate => vec![byte; 2],
        Fault::Split => vec![byte & 15, byte >> 4],
        Fault::Insert(other) => vec![other, byte],
    };
    [before, &instead, &rest[1..]].concat()
}

#[test]
fn the_layout_is_that_of_the_page() {
    let frame = Frame { kind: Kind::Ack, session: 9, seq: 0, payload: vec![1, 0, 7] };
    // CRC-32 of 03 09 00 01 00 07, by `printf '\3\11\0\1\0\7' | gzip -c | tail -c8 | head -c4 | od -tx1`
    assert_eq!(frame.encode(), [3, 3, 9, 2, 1, 6, 7, CRC[0], CRC[1], CRC[2], CRC[3], 0]);
    let longest = Frame { kind: Kind::Data, session: 1, seq: 1, payload: vec![0xaa; MAX_PAYLOAD] };
    assert!(longest.encode().len() <= 256);
}

/// See above.
const CRC: [u8; 4] = [0xe8, 0x4e, 0xe0, 0xa5];

proptest! {
    #[test]
    fn frames_come_back(all in prop::collection::vec(frames(), 1..6), zeros in 0usize..4) {
        let line: Vec<u8> = all.iter().flat_map(|f| [f.encode(), vec![0; zeros]].concat()).collect();
        prop_assert_eq!(read(&line).into_iter().collect::<Result<Vec<_>, _>>(), Ok(all));
    }

    /// A reader that starts at any byte loses at most the frame it starts in.
    #[test]
    fn it_can_start_anywhere(all in prop::collection::vec(frames(), 1..4), start in any::<prop::sample::Index>()) {
        let lines: Vec<Vec<u8>> = all.iter().map(Frame::encode).collect();
        let line = lines.concat();
        let start = start.index(line.len());
        let mut end = 0;
        let whole = lines.iter().take_while(|l| { let begins = end; end += l.len(); begins < start }).count();
        let found = good(&line[start..]);
        // the rest of a frame may be whole only if nothing was cut
        prop_assert_eq!(&found[..], &all[whole..]);
    }

    /// Whatever happens to one byte: no frame comes that was not sent, and the frames beyond the next are untouched.
    #[test]
    fn one_fault_costs_at_most_two_frames(
        all in prop::collection::vec(frames(), 4..6),
        at in any::<prop::sample::Index>(),
        fault in faults(),
    ) {
        let lines: Vec<Vec<u8>> = all.iter().map(Frame::encode).collect();
        let line = lines.concat();
        let at = at.index(line.len());
        let mut end = 0;
        let hit = lines.iter().position(|l| { end += l.len(); at < end }).expect("inside");
        let found = good(&damage(&line, at, fault));
        prop_assert!(found.iter().all(|f| all.contains(f)), "a frame that was not sent");
        prop_assert_eq!(&found[..hit], &all[..hit]);
        let rest = &all[(hit + 2).min(all.len())..];
        prop_assert_eq!(&found[found.len() - rest.len()..], rest);
    }

    /// Noise is no frame, and ends with a zero.
    #[test]
    fn noise_is_dropped(noise in prop::collection::vec(any::<u8>(), 0..2000), frame in frames()) {
        let line = [&noise[..], &[0], &frame.encode()].concat();
        prop_assert_eq!(good(&line), [frame]);
    }
}

#[test]
fn what_is_wrong_is_told_apart() {
    let frame = Frame { kind: Kind::State, session: 1, seq: 2, payload: vec![3; 8] };
    let mut line = frame.encode();
    line[4] ^= 0x40;
    assert_eq!(read(&line), [Err(Damage::Check)]);
    assert_eq!(read(&[9, 1, 0]), [Err(Damage::Form)], "a code beyond the end");
    assert_eq!(read(&[2, 1, 0]), [Err(Damage::Form)], "too short");
    assert_eq!(read(&[[1; 400].as_slice(), &[0]].concat()), [Err(Damage::Form)], "too long");
    assert_eq!(read(&[0, 0, 0]), []);
    let unknown = [7u8, 0x77, 1, 1];
    let crc = tandem_spec::link::frame_crc(&unknown[1..]);
    let mut line = vec![8];
    line.extend(&unknown[1..]);
    line.extend(crc.to_le_bytes());
    line.push(0);
    assert_eq!(read(&line), [Err(Damage::Kind(0x77))]);
}
