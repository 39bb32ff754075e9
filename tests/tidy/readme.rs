//! The README promises only what exists: cargo commands, our commands and their flags, files it links to.

use std::path::Path;

use harness::binaries::help;

use crate::finding::{Finding, assert_none};
use crate::tree::{metadata, root};

const README: &str = "README.md";
const OUR_BINARIES: &[&str] = &["tombolo", "tombolo-proxy"];

#[test]
fn every_command_in_the_readme_exists() {
    let mut findings = Vec::new();
    for (line, command) in commands(&readme()) {
        if let Err(reason) = check(&command) {
            findings.push(Finding::new(
                Path::new(README),
                line,
                format!("`{}`: {reason}", command.join(" ")),
            ));
        }
    }
    assert_none(findings);
}

#[test]
fn every_file_the_readme_links_to_exists() {
    let mut findings = Vec::new();
    for (index, line) in readme().lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or("");
            if !path.is_empty() && !path.contains("://") && !root().join(path).exists() {
                findings.push(Finding::new(Path::new(README), index + 1, format!("`{path}` does not exist")));
            }
        }
    }
    assert_none(findings);
}

fn readme() -> String {
    std::fs::read_to_string(root().join(README)).unwrap_or_else(|e| panic!("{README}:1: {e}"))
}

/// Every command of ours in fenced blocks and in inline code: its line and its words.
fn commands(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.extend(command(line).map(|words| (index + 1, words)));
        } else {
            let code = line.split('`').skip(1).step_by(2);
            found.extend(code.filter_map(command).map(|words| (index + 1, words)));
        }
    }
    found
}

/// The words of a line that calls cargo, one of our binaries, or a script of ours; comments are cut off.
fn command(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ").split(" #").next()?;
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let start = words.iter().position(|word| !word.contains('='))?;
    let words = words[start..].to_vec();
    let first = words.first()?.trim_start_matches("./");
    let ours = OUR_BINARIES.contains(&first) || first == ".ci/run" || first.starts_with("tests/");
    let cargo = first == "cargo" && words.get(1).is_some_and(|word| word == "run" || word == "test");
    (ours || cargo).then_some(words)
}

fn check(words: &[String]) -> Result<(), String> {
    let program = words[0].trim_start_matches("./");
    match program {
        "cargo" => check_cargo(&words[1..]),
        name if OUR_BINARIES.contains(&name) => check_ours(name, &words[1..]),
        path if root().join(path).exists() => Ok(()),
        path => Err(format!("{path} does not exist")),
    }
}

fn check_cargo(words: &[String]) -> Result<(), String> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (cargo, rest) = (&words[1..end], words.get(end + 1..).unwrap_or(&[]));
    let value = |flags: &[&str]| {
        let at = cargo.iter().position(|word| flags.contains(&word.as_str()));
        at.and_then(|at| cargo.get(at + 1)).map(String::as_str)
    };
    let package = value(&["-p", "--package"]);
    if let Some(name) =
        package.filter(|name| !metadata().packages.iter().any(|known| known.name.as_str() == *name))
    {
        return Err(format!("no package `{name}`"));
    }
    for flags in [["--bin", "bin"], ["--test", "test"]] {
        let Some(name) = value(&flags[..1]) else { continue };
        let mut targets = metadata().packages.iter().flat_map(|known| &known.targets);
        if !targets.any(|target| target.name == name) {
            return Err(format!("no {} target `{name}`", flags[1]));
        }
    }
    if words[0] == "test" {
        return Ok(());
    }
    match (value(&["--bin"]), package) {
        (Some(name), _) if OUR_BINARIES.contains(&name) => check_ours(name, rest),
        (None, None | Some("cli")) => check_ours("tombolo", rest),
        (None, Some("bench")) => check_scenario(rest),
        _ => Ok(()),
    }
}

/// The subcommand must be listed, and each flag must stand in its help.
fn check_ours(name: &str, words: &[String]) -> Result<(), String> {
    let listed = subcommands(&help(name, &[]));
    let subcommand = words.first().filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    let subcommand = subcommand.filter(|word| !word.starts_with('-'));
    if let Some(word) = subcommand.filter(|word| !listed.contains(word)) {
        return Err(format!("`{name}` has no command `{word}`; it has {listed:?}"));
    }
    let help = help(name, &subcommand.map(|word| vec![word.as_str()]).unwrap_or_default());
    for flag in words.iter().filter(|word| word.starts_with('-') && word.len() > 1) {
        let flag = flag.split('=').next().unwrap_or(flag);
        let mut known = help.split(|c: char| c.is_whitespace() || ",[]=<>".contains(c));
        if !known.any(|word| word == flag) {
            return Err(format!("no flag `{flag}`"));
        }
    }
    Ok(())
}

/// What bench takes besides the name of a scenario.
const BENCH_COMMANDS: &[&str] = &["all", "instructions", "soak"];

fn check_scenario(words: &[String]) -> Result<(), String> {
    let Some(name) = words.first().filter(|word| !word.starts_with('-')) else { return Ok(()) };
    if BENCH_COMMANDS.contains(&name.as_str()) {
        return Ok(());
    }
    let scenario = root().join("bench/scenarios").join(format!("{name}.json"));
    if scenario.exists() { Ok(()) } else { Err(format!("no scenario {}", scenario.display())) }
}

/// The names under "Commands:" of a help text.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with("  "));
    listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn commands_are_read_from_blocks_and_from_inline_code() {
    let text = "Run `tombolo get -o wide`, not `foo`.\n```sh\n$ FOO=1 cargo run --release -- up # now\ncargo build\n```\n";
    let found = commands(text);
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(found, [(1, words("tombolo get -o wide")), (3, words("cargo run --release -- up"))]);
}
