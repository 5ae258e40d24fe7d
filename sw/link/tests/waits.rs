//! Every wait of the host has the bound of docs/link.md, in a time of its own: nothing sleeps, and bounds are met to the millisecond.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tandem_link::{Frame, FrameReader, LinkError, LinkOptions, Port, SerialEngine, Transport};
use tandem_spec::link::{Kind, VERSION};
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Config, Engine, Instruction, RunOptions, Stream};

/// What is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Board {
    /// No port.
    Absent,
    /// A port that takes no bytes.
    Deaf,
    /// A line that is cut, or sticks.
    Silent,
    /// It answers CONNECT and SPEED, nothing else.
    Greets,
    /// The same, but nothing comes at any rate but the initial one.
    GreetsSlowly,
    /// It answers CONNECT only.
    HasNoRates,
    /// It answers CONNECT, and is busy.
    Restless,
    /// It answers CONNECT and polls, and consumes nothing.
    Polite,
}

/// What host and board share.
struct World {
    begun: Instant,
    time: Duration,
    board: Board,
    /// From some time on: another board.
    then: Option<(Duration, Board)>,
    rated: bool,
    baud: u32,
    reader: FrameReader,
    answers: Vec<u8>,
    /// Whole writes, and when they were made.
    writes: Vec<(Duration, Vec<u8>)>,
}

#[derive(Clone)]
struct Line(Arc<Mutex<World>>);

const INITIAL: u32 = 115_200;
/// How long a board takes to answer.
const PROMPT: Duration = Duration::from_millis(1);

impl World {
    fn board(&self) -> Board {
        self.then.filter(|(from, _)| self.time >= *from).map_or(self.board, |(_, board)| board)
    }

    fn answer(&mut self, frame: &Frame) {
        let (board, session, slow) = (self.board(), frame.session, self.baud == INITIAL);
        let (kind, seq, payload) = match (frame.kind, board) {
            (_, Board::Silent) => return,
            (_, Board::GreetsSlowly) if !slow => return,
            (Kind::Connect, _) => {
                let mut hello = vec![u8::from(board == Board::Restless), 4, 4, 0];
                hello.extend(IDENTITY.to_le_bytes());
                hello.extend(config().hash().to_le_bytes());
                hello.extend(12_000_000u32.to_le_bytes());
                hello.extend(1667u16.to_le_bytes());
                hello.extend(if slow { 1667u16.to_le_bytes() } else { [64, 0] });
                (Kind::Hello, VERSION, hello)
            }
            (Kind::Speed, Board::Greets | Board::GreetsSlowly) => (Kind::Rate, 0, frame.payload.clone()),
            (Kind::Ack, Board::Polite) => (Kind::State, 0, vec![0, 0, 0, 0, 0, frame.payload[2], 0, 0]),
            _ => return,
        };
        self.answers.extend(Frame { kind, session, seq, payload }.encode());
    }
}

impl Line {
    fn new(board: Board, rated: bool) -> Self {
        Line(Arc::new(Mutex::new(World {
            begun: Instant::now(),
            time: Duration::ZERO,
            board,
            then: None,
            rated,
            baud: INITIAL,
            reader: FrameReader::default(),
            answers: vec![],
            writes: vec![],
        })))
    }

    fn time(&self) -> Duration {
        self.0.lock().unwrap().time
    }

    /// From now on; the time.
    fn becomes(&self, board: Board) -> Duration {
        let mut world = self.0.lock().unwrap();
        world.board = board;
        world.writes.clear();
        world.time
    }

    fn engine(&self) -> Result<SerialEngine, LinkError> {
        SerialEngine::open(Box::new(self.clone()), &config(), LinkOptions::default())
    }

    /// An engine on a board that then becomes another one.
    fn engine_before(board: Board) -> (Line, SerialEngine) {
        let line = Line::new(Board::Greets, false);
        let engine = line.engine().unwrap();
        line.becomes(board);
        (line, engine)
    }

    /// Runs a program; how long that took, and the error.
    fn run(&self, engine: &mut SerialEngine) -> (Duration, String) {
        let begun = self.time();
        let error = engine.run(&reset(), &RunOptions::default()).unwrap_err();
        (self.time() - begun, error.to_string())
    }

    /// Zeros before what was written, write by write.
    fn zeros(&self) -> Vec<usize> {
        let zeros = |line: &[u8]| line.iter().take_while(|b| **b == 0).count();
        self.0.lock().unwrap().writes.iter().map(|w| zeros(&w.1)).collect()
    }
}

impl Transport for Line {
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let mut world = self.0.lock().unwrap();
        if world.board() == Board::Absent {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let n = buffer.len().min(world.answers.len());
        world.time += if n > 0 { PROMPT.min(limit) } else { limit };
        buffer[..n].copy_from_slice(&world.answers[..n]);
        world.answers.drain(..n);
        Ok(n)
    }

    fn write(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        let mut world = self.0.lock().unwrap();
        match world.board() {
            Board::Absent => return Err(io::ErrorKind::BrokenPipe.into()),
            Board::Deaf => {
                world.time += limit;
                return Err(io::ErrorKind::TimedOut.into());
            }
            _ => {}
        }
        let now = world.time;
        world.writes.push((now, bytes.to_vec()));
        for byte in bytes {
            if let Some(Ok(frame)) = world.reader.push(*byte) {
                world.answer(&frame);
            }
        }
        Ok(())
    }

    fn has_rate(&self) -> bool {
        self.0.lock().unwrap().rated
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.0.lock().unwrap().baud = baud;
        Ok(())
    }

    fn discard(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().answers.clear();
        Ok(())
    }

    fn now(&self) -> Instant {
        let world = self.0.lock().unwrap();
        world.begun + world.time
    }
}

impl Port for Line {
    fn name(&self) -> &str {
        "port"
    }

    fn open(&mut self, baud: u32) -> Result<Box<dyn Transport>, LinkError> {
        let mut world = self.0.lock().unwrap();
        if world.board() == Board::Absent {
            return Err(LinkError::NoPort { port: "port".into() });
        }
        world.baud = baud;
        Ok(Box::new(self.clone()))
    }

    fn now(&self) -> Instant {
        Transport::now(self)
    }

    fn pause(&mut self, time: Duration) {
        self.0.lock().unwrap().time += time;
    }
}

fn config() -> Config {
    let text = include_str!("../../../configs/accelerators/minimal.toml");
    Config::from_toml("minimal.toml", text).unwrap()
}

/// A program that is sent again by itself.
fn reset() -> Stream {
    let mut stream = Stream::new(&config());
    stream.push(&Instruction::Reset);
    stream
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Lines that are logged meanwhile.
fn logged(act: impl FnOnce()) -> Vec<String> {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, act);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_connection_that_is_lost_is_given_up_after_30_s_whatever_was_lost() {
    for (board, last) in [
        (Board::Absent, "no such port (is the board plugged in?)"),
        (Board::Deaf, "connection lost: timed out"),
        (Board::Silent, "no answer at 115200 baud: nothing is sent (no board, or no tandem bitstream on it)"),
    ] {
        let (line, mut engine) = Line::engine_before(board);
        let log = logged(|| {
            let (took, said) = line.run(&mut engine);
            assert_eq!(said, format!("port: lost, and not back within 30 s: {last}"), "{board:?}");
            assert_eq!(took, s(30), "{board:?}");
        });
        let [once] = &log[..] else { panic!("{board:?}: {log:?}") };
        assert!(once.contains("opened again for at most 30 s"), "{board:?}: {once}");
        // who asks again begins anew
        assert_eq!(line.run(&mut engine).0, s(30), "{board:?}");
    }
}

/// A board that comes back every time and every time does nothing: opening and running are one outage.
#[test]
fn an_outage_does_not_begin_anew_when_the_port_opens() {
    let (line, mut engine) = Line::engine_before(Board::Greets);
    let opened = 2 * PROMPT;
    let (first, said) = line.run(&mut engine);
    assert!(said.contains("no frame for 5 s"), "{said}");
    assert_eq!(first, 5 * s(5) + 4 * opened, "sent five times");
    // whoever knows what came before sends it again
    let (second, said) = line.run(&mut engine);
    assert!(said.contains("not back within 30 s"), "{said}");
    assert_eq!(first + second, s(30) + 5 * opened);
}

#[test]
fn a_port_that_is_back_in_time_is_used() {
    let (line, mut engine) = Line::engine_before(Board::Absent);
    line.0.lock().unwrap().then = Some((line.time() + ms(29_500), Board::Polite));
    let (took, said) = line.run(&mut engine);
    assert!(said.contains("the board answers, but nothing moves for 60 s"), "{said}");
    // tried after 50, 150, 350, 750, 1550, 2550 ms and so on
    assert_eq!(took, ms(29_550) + 2 * PROMPT + s(60));
    assert_eq!(engine.statistics().reconnects, 1);
}

#[test]
fn a_board_that_answers_and_consumes_nothing_is_given_up_after_60_s() {
    let (line, mut engine) = Line::engine_before(Board::Polite);
    let (took, said) = line.run(&mut engine);
    assert!(said.contains("the board answers, but nothing moves for 60 s"), "{said}");
    assert_eq!(took, s(60), "and not sent again");
}

#[test]
fn polls_come_after_25_ms_and_at_doubling_intervals_up_to_1_s() {
    let (line, mut engine) = Line::engine_before(Board::Silent);
    let begun = line.time();
    engine.run(&Stream::new(&config()), &RunOptions::default()).unwrap_err();
    assert_eq!(line.time() - begun, s(5), "nothing that can be sent again by itself");
    let world = line.0.lock().unwrap();
    let polls: Vec<u128> = world.writes[1..].iter().map(|(t, _)| (*t - begun).as_millis()).collect();
    assert_eq!(polls, [25, 75, 175, 375, 775, 1575, 2575, 3575, 4575]);
}

#[test]
fn a_board_that_does_not_answer_at_first_is_given_up_after_3_s() {
    let opened = |board, rated| {
        let line = Line::new(board, rated);
        (line.engine().err().expect("no board").to_string(), line.time())
    };
    let (said, took) = opened(Board::Silent, false);
    assert!(said.contains("no answer"), "{said}");
    assert_eq!(took, s(3));
    let (said, took) = opened(Board::Silent, true);
    assert!(said.contains("no answer"), "{said}");
    assert_eq!(took, s(3) + 7 * ms(150), "seven other rates are tried, for a better message");
    let (said, took) = opened(Board::Deaf, false);
    assert!(said.contains("connection lost: timed out"), "{said}");
    assert_eq!(took, s(3));
    let (said, took) = opened(Board::Absent, false);
    assert!(said.contains("no such port"), "{said}");
    assert_eq!(took, s(0));
}

#[test]
fn an_accelerator_that_does_not_come_to_rest_is_given_up_after_60_s() {
    let line = Line::new(Board::Restless, false);
    assert!(matches!(line.engine(), Err(LinkError::Restless { .. })));
    // asked again 25 ms after every answer
    let round = ms(25) + PROMPT;
    assert!((s(60)..=s(60) + round + PROMPT).contains(&line.time()), "{:?}", line.time());
}

#[test]
fn rates_are_tried_for_10_s() {
    // all eight rates are met at 12 MHz; at each, a RATE, three greetings in vain, and a HELLO at the initial rate
    let line = Line::new(Board::GreetsSlowly, true);
    assert_eq!(line.engine().unwrap().statistics().baud, INITIAL);
    assert_eq!(line.time(), 2 * PROMPT + 8 * (3 * ms(250) + 2 * PROMPT));
    // a SPEED that is not answered says nothing of the rate, and is sent again, the last time before 10 s are over
    let line = Line::new(Board::HasNoRates, true);
    assert_eq!(line.engine().unwrap().statistics().baud, INITIAL);
    assert_eq!(line.time(), 2 * PROMPT + ms(250 + 500 + 1000 + 2000 + 3 * 3000) + 7 * PROMPT);
}

/// Noise on a silent line ends with the zero, before the frame.
#[test]
fn a_zero_leads_after_silence_and_only_then() {
    let line = Line::new(Board::Greets, true);
    let mut engine = line.engine().unwrap();
    assert_eq!(line.zeros(), [4, 1, 1, 1], "CONNECT, CONNECT, SPEED, CONNECT");
    line.becomes(Board::Greets);
    let stream = Stream { link_bytes: 1, bytes: vec![0xff; 600], first: vec![true; 600] };
    engine.run(&stream, &RunOptions::default()).unwrap_err();
    assert_eq!(line.zeros()[..6], [1, 0, 0, 0, 1, 1], "four frames one after the other, then polls");
}
