//! What is said of a port that is no board, or not the right one.

use crate::common::command::Scratch;
use crate::common::{config, tandem};
use crate::emulated::Board;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tandem_link::LinkError;
use tandem_sim::board::pty::Pty;
use tandem_spec::Config;

/// A device that is no board: answers whatever comes with `answer`.
fn foreign(answer: &'static [u8]) -> Board {
    let pty = Pty::open().unwrap();
    let port = pty.path().to_str().unwrap().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while !flag.load(Ordering::Relaxed) {
            pty.wait(false, Duration::from_millis(20)).unwrap();
            if pty.read(&mut buffer).unwrap() > 0 {
                pty.write(answer).unwrap();
            }
        }
        None
    });
    Board { port, stop, thread: Some(thread) }
}

fn hash(config: &Config) -> String {
    format!("{:#018x}", config.hash())
}

#[test]
fn each_mistake_has_its_own_message() {
    let s = Scratch::new();
    let fails = |says: &[&str], arguments: &[&str]| s.fails(3, says, arguments, &[]);
    let probe = |place: &str, says: &[&str]| fails(says, &["board", "probe", place]);

    let board = Board::perfect("minimal");
    let port = board.port.clone();
    let engine = format!("serial:{port}");
    let (found, expected) = (hash(&config("minimal")), hash(&config("peer-8x8")));
    fails(
        &[&port, "wrong bitstream", &found, &expected],
        &["gemm", "-c", "peer-8x8", "--engine", &engine, "--random", "1", "1", "1"],
    );
    probe(&format!("{port}@57600"), &[&port, "wrong baud rate", "115200", "57600"]);
    probe("/dev/no-such-port", &["/dev/no-such-port", "no such port"]);
    let text = s.write("text", "no port");
    probe(&text, &["text", "cannot be opened as a serial port"]);

    let holder = board.engine("minimal");
    probe(&port, &[&port, "busy"]);
    drop(holder);

    let login = foreign(b"login: ");
    probe(&login.port, &[&login.port, "another device", "6c 6f 67 69 6e"]);
    let silent = foreign(b"");
    probe(&silent.port, &[&silent.port, "no answer at 115200 baud"]);

    s.refuses(&["baud rate `fast`"], &["board", "probe", "/dev/ttyUSB0@fast"]);
    s.refuses(&["serial:PORT"], &["gemm", "--engine", "serial", "--random", "1", "1", "1"]);
    s.refuses(&["board.slots = 3"], &["board", "emulate", "--slots", "3"]);
    s.refuses(&["board.baud = 9000000"], &["board", "emulate", "--baud", "9000000"]);
    s.refuses(&["1 of 0"], &["board", "emulate", "--faults", "1/0"]);
    s.refuses(&["BYTES/SECONDS"], &["board", "emulate", "--noise", "20"]);
    s.refuses(&["1 to 1000 bytes"], &["board", "emulate", "--noise", "0/1"]);
    s.refuses(&["every 0.001 seconds"], &["board", "emulate", "--noise", "20/0"]);
    s.refuses(&["low/SECONDS"], &["board", "emulate", "--stick", "open/1", "--stick-after", "0"]);
    s.refuses(&["--stick-after"], &["board", "emulate", "--stick", "low/1"]);
}

/// A user who is not the superuser and may not open the port is told so.
#[test]
fn no_permission() {
    let s = Scratch::new();
    let silent = foreign(b"");
    std::fs::set_permissions(&silent.port, Permissions::from_mode(0o000)).unwrap();
    let folder = Path::new(&s.path("x")).parent().unwrap().to_path_buf();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let program = s.path("tandem");
    std::fs::copy(tandem(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["board", "probe", &silent.port]).current_dir("/");
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&silent.port) && said.contains("no permission"), "{said}");
}

#[test]
fn errors_know_whether_waiting_helps() {
    let port = || "p".to_owned();
    assert!(LinkError::Lost { port: port(), what: String::new() }.is_passing());
    assert!(LinkError::NoPort { port: port() }.is_passing());
    assert!(!LinkError::Gone { port: port(), limit: Duration::ZERO, last: String::new() }.is_passing());
    assert!(!LinkError::Busy { port: port() }.is_passing());
    assert!(!LinkError::Mismatch { port: port(), expected: 1, found: 2 }.is_passing());
}
