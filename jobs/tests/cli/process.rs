//! Runs the binary and keeps what it said.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What a finished process left.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn last_error(&self) -> &str {
        self.err.lines().last().unwrap_or_default()
    }
}

/// The command, in a folder of its own, without the caller's settings.
pub fn tagmill(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tagmill"));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("TAGMILL_CONFIG")
        .env_remove("TAGMILL_LOG")
        .env_remove("COLUMNS")
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME");
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Done {
    done(tagmill(folder).args(arguments).output().unwrap())
}

pub fn done(output: Output) -> Done {
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// A process that has not ended yet.
pub struct Running {
    child: Child,
    /// Lines that nobody has waited for yet; it ends with the process.
    lines: Receiver<(Stream, String)>,
    done: Done,
}

pub fn start(command: &mut Command) -> Running {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let (sender, lines) = channel();
    send_lines(child.stdout.take().unwrap(), Stream::Out, sender.clone());
    send_lines(child.stderr.take().unwrap(), Stream::Err, sender);
    let done = Done {
        code: None,
        out: String::new(),
        err: String::new(),
    };
    Running { child, lines, done }
}

fn send_lines(pipe: impl Read + Send + 'static, stream: Stream, sender: Sender<(Stream, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            // A test that has failed listens no more.
            let _ = sender.send((stream, line.unwrap()));
        }
    });
}

impl Running {
    /// Returns when the process has written a line with these words, however long it takes.
    pub fn wait_for(&mut self, stream: Stream, words: &str) {
        while let Some((from, line)) = self.next_line() {
            if from == stream && line.contains(words) {
                return;
            }
        }
        panic!("it ended without {words:?}: {:?}", self.done);
    }

    /// Sends the signal of this name and waits for the end.
    pub fn end_by(mut self, signal: &str) -> Done {
        let mut kill = Command::new("kill");
        kill.args([format!("-{signal}"), self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
        while self.next_line().is_some() {}
        self.done.code = self.child.wait().unwrap().code();
        self.done
    }

    fn next_line(&mut self) -> Option<(Stream, String)> {
        let (stream, line) = self.lines.recv().ok()?;
        let text = match stream {
            Stream::Out => &mut self.done.out,
            Stream::Err => &mut self.done.err,
        };
        text.push_str(&line);
        text.push('\n');
        Some((stream, line))
    }
}
