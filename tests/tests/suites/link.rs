//! The link's hardware against the host's code, unit by unit, on damaged lines.

use crate::common::{Random, config};
use rust_hdl::prelude::*;
use std::collections::VecDeque;
use tandem_link::{Frame, FrameReader};
use tandem_rtl::board::frame_reader;
use tandem_rtl::board::uart_rx::UartRx;
use tandem_rtl::board::uart_tx::UartTx;
use tandem_rtl::hdl::trace::Trace;
use tandem_sim::SimOptions;
use tandem_sim::board::faults::{Injector, Item};
use tandem_sim::board::line::{LineIn, LineOut};
use tandem_sim::board::{BoardModel, FaultRate};
use tandem_spec::link::{BoardLink, Kind, MAX_PAYLOAD, VERSION};

/// A frame of any kind; zeros are frequent in some.
fn frame(random: &mut Random, longest: usize) -> Frame {
    let kind = Kind::ALL[random.below(Kind::ALL.len())];
    let zeros = random.below(4);
    let payload = (0..random.below(longest + 1))
        .map(|_| if random.below(4) < zeros { 0 } else { random.below(256) as u8 });
    let payload = payload.collect();
    Frame { kind, session: random.below(3) as u8, seq: random.below(256) as u8, payload }
}

/// Frames, now and then noise and lone zeros, through an injector.
fn damaged_line(seed: u64, frames: usize, longest: usize, among: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut injector = Injector::new(FaultRate { count: 1, among, seed }, 0);
    let mut line = VecDeque::new();
    for _ in 0..frames {
        frame(&mut random, longest).encode().into_iter().for_each(|b| injector.pass(b, &mut line));
        match random.below(8) {
            0 => (0..random.below(300)).for_each(|_| injector.pass(random.below(256) as u8, &mut line)),
            1 => injector.pass(0, &mut line),
            _ => {}
        }
    }
    let byte = |i| match i {
        Item::Byte(b) => Some(b),
        Item::Pause(_) | Item::Low(_) => None,
    };
    line.into_iter().filter_map(byte).chain([0]).collect()
}

/// What a reader saw: frames, and `None` for damage.
type Seen = Vec<Option<Frame>>;

/// The hardware's reader on a line, a byte every three cycles.
fn hardware(line: &[u8], mut trace: Option<&mut Trace>) -> Seen {
    let mut unit = frame_reader::FrameReader::new();
    unit.connect_all();
    let (mut seen, mut content) = (vec![], vec![]);
    for (i, byte) in line.iter().flat_map(|b| [Some(*b), None, None]).enumerate() {
        unit.line.valid.next = byte.is_some();
        unit.line.unframed.next = false;
        unit.line.data.set(byte.unwrap_or((i % 256) as u8).into());
        assert!(simulate(&mut unit, 100));
        if unit.header.good.val() || unit.header.damaged.val() {
            assert_ne!(unit.header.good.val(), unit.header.damaged.val());
            seen.push(unit.header.good.val().then(|| {
                let length = unit.arrival.length.val().get() as usize;
                let kind = Kind::ALL.iter().copied().find(|k| *k as i128 == unit.header.kind.val().get());
                for (i, argument) in unit.header.argument.iter().enumerate().take(length) {
                    assert_eq!(argument.val().get(), i128::from(content[i]));
                }
                Frame {
                    kind: kind.expect("a kind"),
                    session: unit.header.session.val().get() as u8,
                    seq: unit.arrival.seq.val().get() as u8,
                    payload: content[..length].to_vec(),
                }
            }));
        }
        if unit.arrival.content.we.val() {
            content.truncate(unit.arrival.content.place.val().get() as usize);
            assert_eq!(content.len(), unit.arrival.content.place.val().get() as usize, "no byte is left out");
            content.push(unit.arrival.content.value.val().get() as u8);
        }
        match &mut trace {
            Some(trace) => trace.cycle(&mut unit, |u, level| u.clock.next = level.into()),
            None => {
                for level in [true, false] {
                    unit.clock.next = level.into();
                    assert!(simulate(&mut unit, 100));
                }
            }
        }
    }
    seen
}

fn host(line: &[u8]) -> Seen {
    let mut reader = FrameReader::default();
    line.iter().filter_map(|b| reader.push(*b)).map(Result::ok).collect()
}

#[test]
fn readers_of_board_and_host_see_the_same_frames_on_damaged_lines() {
    let (mut whole, mut damaged) = (0, 0);
    for seed in 0..6 {
        let line = damaged_line(seed, 60, MAX_PAYLOAD, 150);
        let (board, host) = (hardware(&line, None), host(&line));
        assert_eq!(board, host, "seed {seed}");
        whole += host.iter().flatten().count();
        damaged += host.iter().filter(|f| f.is_none()).count();
    }
    assert!(whole > 60 && damaged > 60, "{whole} whole, {damaged} damaged");
}

#[test]
fn icarus_agrees_with_the_reader() {
    let mut trace = Trace::new();
    hardware(&damaged_line(9, 12, 40, 60), Some(&mut trace));
    let design = tandem_rtl::hdl::verilog("reader", &mut frame_reader::FrameReader::new()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    trace.check("reader", &design.text(), dir.path()).unwrap();
}

/// Both UARTs back to back, the receiver's clock a little off.
#[test]
fn uarts_agree_at_every_divider() {
    let link = BoardLink::new(12_000_000);
    for (divider, off) in [(64, 0), (64, 1), (64, -1), (133, -4), (1667, 50), (1667, -50)] {
        let (mut tx, mut rx) = (UartTx::new(), UartRx::new(&link));
        tx.connect_all();
        rx.connect_all();
        let bytes = [0x00, 0xff, 0x55, 0xaa, 0x01, 0x80, 0x7e];
        let (mut sent, mut got) = (0, vec![]);
        for _ in 0..bytes.len() * 11 * divider / 16 + 40 {
            tx.divider.set(divider as i128);
            rx.rate.divider.set(divider as i128 + off);
            tx.bytes.valid.next = sent < bytes.len();
            tx.bytes.data.set(bytes.get(sent).copied().unwrap_or(0).into());
            assert!(simulate(&mut tx, 100));
            rx.rx.next = tx.tx.val();
            assert!(simulate(&mut rx, 100));
            assert!(!rx.line.unframed.val(), "divider {divider}, {off} off");
            sent += usize::from(tx.bytes.ready.val() && sent < bytes.len());
            if rx.line.valid.val() {
                got.push(rx.line.data.val().get() as u8);
            }
            for level in [true, false] {
                (tx.clock.next, rx.clock.next) = (level.into(), level.into());
                assert!(simulate(&mut tx, 100) && simulate(&mut rx, 100));
            }
        }
        assert_eq!(got, bytes, "divider {divider}, {off} off");
    }
}

/// A verilated board without a pseudo-terminal: bytes in, frames out.
struct Bench {
    model: BoardModel,
    out: LineOut,
    input: LineIn,
    reader: FrameReader,
    cycles: u64,
}

impl Bench {
    fn new() -> Self {
        let link = BoardLink { slots: 4, ..BoardLink::new(12_000_000) };
        let model = BoardModel::new(&config("minimal"), &link, &SimOptions::default()).unwrap();
        let (out, input) = (LineOut::new(12_000_000), LineIn::new(12_000_000));
        Bench { model, out, input, reader: FrameReader::default(), cycles: 0 }
    }

    /// Sends bytes at a rate, and some time later gives the frames that came until then.
    fn send(&mut self, bytes: &[u8], baud: u32) -> Vec<Frame> {
        let bytes = self.exchange(bytes, baud);
        bytes.into_iter().filter_map(|b| self.reader.push(b)).filter_map(Result::ok).collect()
    }

    /// The same with the bytes that came.
    fn exchange(&mut self, bytes: &[u8], baud: u32) -> Vec<u8> {
        self.out.queue.extend(bytes.iter().map(|b| Item::Byte(*b)));
        let (mut samples, mut came) = (vec![], vec![]);
        let mut rest = 150;
        while rest > 0 {
            let levels: Vec<u8> = (0..1000).map(|_| self.out.level(baud)).collect();
            self.model.clock(&levels, &mut samples);
            self.cycles += 1000;
            for s in &samples {
                came.extend(self.input.level(*s, baud));
            }
            rest -= u32::from(self.out.is_idle());
        }
        came
    }
}

fn connect(session: u8) -> Vec<u8> {
    Frame { kind: Kind::Connect, session, seq: VERSION, payload: vec![] }.encode()
}

/// In any state, at any rate, after any bytes: zeros at the initial rate and a CONNECT open a session.
#[test]
fn a_board_is_understood_again_whatever_came_before() {
    let mut bench = Bench::new();
    let mut random = Random(5);
    for session in 1..=12u8 {
        let noise: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
        bench.send(&noise, [9600, 115_200, 1_000_000, 3_000_000][random.below(4)]);
        // data of the session before, cut anywhere
        let data = frame(&mut random, MAX_PAYLOAD);
        let data = Frame { kind: Kind::Data, session: session - 1, seq: 0, ..data }.encode();
        bench.send(&data[..random.below(data.len())], 115_200);
        let frames = bench.send(&[&[0; 4][..], &connect(session)].concat(), 115_200);
        let hello = frames.iter().find(|f| f.kind == Kind::Hello && f.session == session);
        assert!(hello.is_some(), "session {session}: {frames:?}");
        // up to 4 clocks a bit, where the next round leaves it
        let speed = Frame { kind: Kind::Speed, session, seq: 0, payload: vec![64, 0] }.encode();
        let frames = bench.send(&speed, 115_200);
        let rate = frames.iter().find(|f| f.kind == Kind::Rate).expect("an answer to SPEED");
        assert_eq!(rate.payload, [64, 0]);
        let frames = bench.send(&connect(session), 3_000_000);
        let hello = frames.iter().find(|f| f.kind == Kind::Hello).expect("an answer at the new rate");
        assert_eq!(hello.payload[22..24], [64, 0], "divider");
    }
}

/// A zero leads after silence: whatever came before it, the frame is whole. At the initial rate it is low for as long as what
/// brings a board back to that rate, and changes nothing.
#[test]
fn noise_on_a_silent_line_costs_no_frame() {
    let mut bench = Bench::new();
    let mut random = Random(11);
    let led = |frame: &[u8]| [&[0], frame].concat();
    for (session, baud) in [(1u8, 115_200), (2, 3_000_000)] {
        bench.send(&[&[0; 4][..], &connect(session)].concat(), 115_200);
        let divider = if baud == 115_200 { 1667u16 } else { 64 };
        let speed = Frame { kind: Kind::Speed, session, seq: 0, payload: divider.to_le_bytes().to_vec() };
        let frames = bench.send(&led(&speed.encode()), 115_200);
        let rate = frames.iter().find(|f| f.kind == Kind::Rate).expect("an answer to SPEED");
        assert_eq!(rate.payload, divider.to_le_bytes());
        for poll in 1..=20u8 {
            let noise: Vec<u8> = (0..1 + random.below(20)).map(|_| 1 + random.below(255) as u8).collect();
            let ack = Frame { kind: Kind::Ack, session, seq: 0, payload: vec![0, 0, poll] }.encode();
            // the first bytes come alone; what they are is known once a zero ends them
            bench.exchange(&noise, baud);
            let came = bench.exchange(&led(&ack), baud);
            assert_eq!(came[0], 0, "a zero leads");
            let mut reader = FrameReader::default();
            let seen: Vec<_> = noise.iter().chain(&came).filter_map(|b| reader.push(*b)).collect();
            assert!(seen[0].is_err(), "noise is no frame");
            let mut states = seen[1..].iter().map(|f| f.clone().expect("nothing else is damaged"));
            let last = states.rfind(|f| f.kind == Kind::State).expect("an answer");
            assert_eq!((last.payload[5], last.payload[6]), (poll, poll), "{baud}: last poll, damaged frames");
        }
    }
}

/// Frames that are ready one after the other follow without a zero at the initial rate, where a byte takes longer than
/// to make a frame.
#[test]
fn frames_without_silence_between_them_have_no_zero_between_them() {
    let mut bench = Bench::new();
    bench.send(&[&[0; 4][..], &connect(3)].concat(), 115_200);
    let data = |seq| Frame { kind: Kind::Data, session: 3, seq, payload: vec![0] }.encode();
    // marks that come together: STATE and STATUS go out together
    let came = bench.exchange(&[&[0][..], &data(3), &data(2), &data(1), &data(0)].concat(), 115_200);
    let mut reader = FrameReader::default();
    let frames: Vec<_> = came.iter().filter_map(|b| reader.push(*b)).collect();
    assert!(frames.iter().all(Result::is_ok), "{frames:?}");
    let bytes: usize = frames.iter().map(|f| f.as_ref().unwrap().encode().len()).sum();
    let zeros = came.len() - bytes;
    assert!((1..frames.len()).contains(&zeros), "{zeros} zeros lead {} frames", frames.len());
}

#[test]
fn a_divider_out_of_range_changes_nothing() {
    let mut bench = Bench::new();
    bench.send(&connect(1), 115_200);
    let speed = Frame { kind: Kind::Speed, session: 1, seq: 0, payload: vec![63, 0] }.encode();
    let frames = bench.send(&speed, 115_200);
    assert_eq!(frames.iter().find(|f| f.kind == Kind::Rate).unwrap().payload, 1667u16.to_le_bytes());
    assert!(bench.send(&connect(1), 115_200).iter().any(|f| f.kind == Kind::Hello));
}

/// Frames out of order, twice and damaged: the board consumes each once, in order, and says what it has.
#[test]
fn the_window_takes_any_order_and_tells_what_it_has() {
    let mut bench = Bench::new();
    bench.send(&connect(7), 115_200);
    // a word that starts nothing is dropped by an accelerator that has failed; marks come back as STATUS
    let data = |seq: u8, payload: &[u8]| {
        Frame { kind: Kind::Data, session: 7, seq, payload: payload.to_vec() }.encode()
    };
    let state = |frames: &[Frame]| {
        let last = frames.iter().rev().find(|f| f.kind == Kind::State).expect("a STATE");
        (last.seq, u16::from_le_bytes([last.payload[0], last.payload[1]]), last.payload[4])
    };
    let frames = bench.send(&[data(2, &[0]), data(1, &[0]), data(2, &[0]), data(5, &[0])].concat(), 115_200);
    assert_eq!(state(&frames), (0, 0b0110, 0), "2 and 1 are here, once; 5 is beyond the window");
    assert!(frames.iter().all(|f| f.kind != Kind::Status));
    let other = Frame { kind: Kind::Data, session: 6, seq: 0, payload: vec![0] }.encode();
    assert!(bench.send(&other, 115_200).is_empty(), "another session");
    let mut broken = data(0, &[0]);
    broken[2] ^= 1;
    let frames = bench.send(&broken, 115_200);
    let damaged = |frames: &[Frame]| {
        let last = frames.iter().rev().find(|f| f.kind == Kind::State).expect("a STATE");
        u16::from_le_bytes([last.payload[6], last.payload[7]])
    };
    assert_eq!(damaged(&frames), 1);
    let frames = bench.send(&data(0, &[0]), 115_200);
    assert_eq!(state(&frames), (3, 0, 3), "three marks, three answers");
    let statuses: Vec<u8> = frames.iter().filter(|f| f.kind == Kind::Status).map(|f| f.seq).collect();
    assert_eq!(statuses, [0, 1, 2]);

    // not acknowledged: they can be asked for again, until they are acknowledged
    let ack = |base: u8, resend: u8, poll: u8| {
        Frame { kind: Kind::Ack, session: 7, seq: base, payload: vec![resend, 0, poll] }.encode()
    };
    let again = |frames: &[Frame]| -> Vec<u8> {
        let mut seqs: Vec<u8> = frames.iter().filter(|f| f.kind == Kind::Status).map(|f| f.seq).collect();
        seqs.sort_unstable();
        seqs
    };
    assert_eq!(again(&bench.send(&ack(0, 0b0101, 1), 115_200)), [0, 2]);
    assert_eq!(
        again(&bench.send(&ack(2, 0b1111, 2), 115_200)),
        [2],
        "0 and 1 are acknowledged, 3 is not made"
    );
    let behind = bench.send(&ack(1, 0b0100, 3), 115_200);
    assert!(again(&behind).is_empty(), "a base that is behind is ignored");
    assert!(again(&bench.send(&ack(3, 0b0100, 4), 115_200)).is_empty());
}
