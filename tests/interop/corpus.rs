//! Configurations that people use, in `tests/corpus`: each is accepted, or refused naming the field and the type.
//!
//! One rule: what is refused, and in which words, stands in the table of `tests/corpus/README.md`; one file more or
//! less is a failure until the table says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::binaries::binary;
use harness::workspace::root;

const FILES_MIN: usize = 43;

#[test]
fn the_corpus_is_accepted_or_refused_as_the_table_says() {
    let folder = root().join("tests/corpus");
    let files = configurations(&folder);
    assert!(files.len() >= FILES_MIN, "{} files, {FILES_MIN} at least", files.len());
    let mut refused = BTreeMap::new();
    for path in &files {
        if let Some(reason) = refusal(path) {
            let text = std::fs::read_to_string(path).expect("it was just read");
            assert!(
                names_what_is_there(&reason, &text),
                "{}: names neither field nor type: {reason}",
                path.display()
            );
            let name = path.strip_prefix(&folder).expect("it lies inside").display().to_string();
            refused.insert(name, reason);
        }
    }
    println!(
        "corpus: {} files, {} accepted, {} refused",
        files.len(),
        files.len() - refused.len(),
        refused.len()
    );
    let known = known(&folder.join("README.md"));
    let names: BTreeSet<&String> = known.keys().chain(refused.keys()).collect();
    let wrong: Vec<String> = names.into_iter().filter_map(|name| changed(name, &known, &refused)).collect();
    assert!(wrong.is_empty(), "tests/corpus/README.md:\n{}", wrong.join("\n"));
}

/// A line ready for the table, or what is to be deleted from it.
fn changed(
    name: &str,
    known: &BTreeMap<String, String>,
    refused: &BTreeMap<String, String>,
) -> Option<String> {
    match (known.get(name), refused.get(name)) {
        (known, Some(reason)) if known != Some(reason) => Some(format!("| {name} | `{reason}` | |")),
        (Some(_), None) => Some(format!("accepted now, delete: {name}")),
        _ => None,
    }
}

fn configurations(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the tests") {
        let path = entry.expect("its folders can be read").path();
        if path.is_dir() {
            found.extend(configurations(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The first thing that is refused, without the file's name and without what would be accepted, which grows.
fn refusal(path: &Path) -> Option<String> {
    let (folder, name) =
        (path.parent().expect("it lies in a folder"), path.file_name().expect("it is a file"));
    let mut command = Command::new(binary("tombolo-proxy"));
    let output = command.args(["--mode", "validate", "-c"]).arg(name).current_dir(folder).output();
    let output = output.expect("a built binary starts");
    if output.status.success() {
        return None;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let beginning = format!("error: {}: ", name.to_string_lossy());
    let line = said.lines().find_map(|line| line.strip_prefix(&beginning));
    let line = line.unwrap_or_else(|| panic!("{}: {}: {said}", path.display(), output.status));
    Some(line.split("; ").next().unwrap_or_default().to_owned())
}

/// Whether the path ends at a field that the file sets, and if the field holds what differs by type, whether that type
/// is the file's too.
fn names_what_is_there(reason: &str, text: &str) -> bool {
    let Some((path, why)) = reason.split_once(": ") else { return false };
    let last = path.rsplit('.').next().unwrap_or_default();
    let field = last.split('[').next().unwrap_or_default();
    let types = why.split('"').find(|word| word.starts_with("type.googleapis.com/"));
    let has_type = types.is_some_and(|name| text.contains(name));
    text.contains(&format!("{field}:")) && (field != "typed_config" || has_type)
}

/// The first two columns of every row.
fn known(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).expect("the table lies in the corpus");
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains(".yaml |"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [file, reason, missing] = cells.as_slice() else { panic!("three columns are wanted: {line}") };
        assert!(!missing.is_empty(), "what is missing is wanted: {line}");
        ((*file).to_owned(), reason.trim_matches('`').to_owned())
    };
    rows.map(row).collect()
}

#[test]
fn a_refusal_names_a_field_and_a_type_of_the_file() {
    let text = "a:\n  typed_config:\n    \"@type\": type.googleapis.com/x.Y\n  off: 1\n";
    for (reason, wanted) in [
        ("a.off: is not supported here", true),
        ("a.on: is not supported here", false),
        ("a.typed_config: \"z\" has the type \"type.googleapis.com/x.Y\", which is not supported", true),
        ("a.typed_config: \"z\" has the type \"type.googleapis.com/x.Z\", which is not supported", false),
        ("a.typed_config: is not supported", false),
        ("is not supported", false),
    ] {
        assert_eq!(names_what_is_there(reason, text), wanted, "{reason}");
    }
}
