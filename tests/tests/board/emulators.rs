//! `tandem board emulate` as a program: its port's link, and how it ends.

use crate::common::command::{Scratch, object, text};
use crate::common::{repository, tandem};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A running emulator.
struct Running {
    child: Option<Child>,
    /// What its link points to.
    port: PathBuf,
}

impl Running {
    /// Starts one, and waits for its port.
    fn new(link: &str) -> Self {
        let mut command = Command::new(tandem());
        command.current_dir(repository()).args(["--json", "board", "emulate", "--link", link]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tandem starts");
        let mut line = String::new();
        // the rest of its output is one line, which the pipe holds
        let mut out = BufReader::with_capacity(1, child.stdout.as_mut().unwrap());
        out.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), link);
        let port = std::fs::read_link(link).unwrap();
        Running { child: Some(child), port }
    }

    /// Sends it a signal and waits for its end.
    fn end(mut self, signal: &str) -> Output {
        let child = self.child.take().unwrap();
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        child.wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_signal_ends_it_with_its_code_and_a_report_and_without_its_link() {
    let s = Scratch::new();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let link = s.path("board");
        let output = Running::new(&link).end(signal);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert_eq!(object(&output)["port"], link.as_str());
        assert!(!Path::new(&link).is_symlink(), "{signal}");
    }
}

#[test]
fn a_link_belongs_to_one_emulator() {
    // links apart: to look into a port would wait for its bytes
    let (s, links) = (Scratch::new(), Scratch::new());
    let (one, two) = (links.path("one"), links.path("two"));
    let (first, second) = (Running::new(&one), Running::new(&two));
    let port = first.port.to_str().unwrap().to_owned();
    s.refuses(&[&one, &port, "in use"], &["board", "emulate", "--link", &one]);
    assert_eq!(std::fs::read_link(&one).unwrap(), first.port);
    // a link that points to another port by now is not the first one's
    std::fs::remove_file(&one).unwrap();
    std::os::unix::fs::symlink(&second.port, &one).unwrap();
    first.end("-TERM");
    assert_eq!(std::fs::read_link(&one).unwrap(), second.port);
    std::fs::remove_file(&one).unwrap();
    second.end("-TERM");
}

#[test]
fn only_a_link_whose_port_is_gone_is_replaced() {
    let (s, links) = (Scratch::new(), Scratch::new());
    let link = links.path("board");
    std::os::unix::fs::symlink("/dev/pts/no-such-port", &link).unwrap();
    let killed = Running::new(&link);
    let port = killed.port.clone();
    assert_ne!(port, Path::new("/dev/pts/no-such-port"));
    // no time to remove it
    killed.end("-KILL");
    assert_eq!(std::fs::read_link(&link).unwrap(), port, "left behind");
    let file = s.write("file", "mine");
    s.refuses(&[&file, "nothing is overwritten"], &["board", "emulate", "--link", &file]);
    let other = links.path("other");
    std::os::unix::fs::symlink(&file, &other).unwrap();
    s.refuses(&[&other, "nothing is overwritten"], &["board", "emulate", "--link", &other]);
    assert_eq!(std::fs::read_link(&other).unwrap(), Path::new(&file));
}
