//! How a refusal looks: one line, an exit code, and what must stand in it.

use std::process::Command;
use std::time::Duration;

use harness::binaries::binary;
use harness::process::Process;

/// How long a program may take to say that it will not start.
const REFUSAL: Duration = Duration::from_secs(60);

/// One spoilt place in something good, and what must be said about it.
pub struct Case {
    pub from: &'static str,
    pub to: &'static str,
    pub said: &'static [&'static str],
}

pub const fn case(from: &'static str, to: &'static str, said: &'static [&'static str]) -> Case {
    Case { from, to, said }
}

/// Runs one of our programs, which must end by itself with exit code `code` after one line; gives that line
/// without its `error: `.
#[track_caller]
pub fn refused(program: &str, arguments: &[&str], code: i32) -> String {
    let mut command = Command::new(binary(program));
    command.args(arguments);
    refusal_of(&mut command, code)
}

/// The same for a command of any form.
#[track_caller]
pub fn refusal_of(command: &mut Command, code: i32) -> String {
    let shown = format!("{command:?}");
    let mut process = Process::spawn("refused", command);
    let status = process.wait_exit(REFUSAL);
    let log = process.log();
    assert_eq!(status.code(), Some(code), "{shown}: {log}");
    one_error(&log)
}

/// The one line that a program wrote, without its `error: `.
#[track_caller]
pub fn one_error(log: &str) -> String {
    let lines: Vec<_> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let [line] = lines.as_slice() else { panic!("not one line: {log}") };
    line.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {line}")).to_owned()
}

/// Asserts that `text` holds every one of `parts`.
#[track_caller]
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// `text` with the one place where `from` stands changed.
#[track_caller]
pub fn spoilt(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not there to be spoilt");
    text.replacen(from, to, 1)
}
