//! Nothing half done and nothing of one machine: leftover macros, ignored tests, reminders, local paths.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::finding::{Finding, assert_none};
use crate::tree::{Source, root, sources, tracked_files};

/// Reminders to oneself; spelled apart, because this file is read too.
const REMINDERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

#[test]
fn no_macro_or_attribute_is_left_over() {
    let mut findings = Vec::new();
    for source in sources() {
        let mut reader = Leftovers { source, findings: &mut findings };
        reader.visit_file(&source.ast);
    }
    assert_none(findings);
}

#[test]
fn no_reminder_is_left_over() {
    assert_none(lines_with(REMINDERS, contains_word, "open an issue or do it"));
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    assert_none(lines_with(MACHINE_PATHS, contains_path, "it exists on one machine only"));
}

struct Leftovers<'a> {
    source: &'a Source,
    findings: &'a mut Vec<Finding>,
}

impl<'ast> Visit<'ast> for Leftovers<'_> {
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if matches!(name.as_str(), "todo" | "unimplemented" | "dbg") {
            let line = call.path.span().start().line;
            self.findings.push(Finding::new(&self.source.path, line, format!("`{name}!` is left over")));
        }
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("ignore") {
            let message = "an ignored test: assert today's behaviour and say so";
            self.findings.push(Finding::new(&self.source.path, attribute.span().start().line, message));
        }
    }
}

fn lines_with(words: &[&str], has: impl Fn(&str, &str) -> bool, remedy: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tracked_files() {
        // A file that is not text has no lines to look at.
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (index, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| has(line, word)) {
                findings.push(Finding::new(&path, index + 1, format!("`{word}`: {remedy}")));
            }
        }
    }
    findings
}

fn contains_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        !is_part(line[..at].chars().next_back()) && !is_part(line[at + word.len()..].chars().next())
    })
}

/// The path as a whole path: `https://host/home/` and `framework/` do not count.
fn contains_path(line: &str, path: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_-.*}".contains(c));
    line.match_indices(path).any(|(at, _)| !is_part(line[..at].chars().next_back()))
}

#[test]
fn words_are_found_whole_and_paths_from_their_beginning() {
    assert!(contains_word("// FOO: later", "FOO"));
    assert!(!contains_word("FOOD and aFOO", "FOO"));
    assert!(contains_path("in `/foo/x`", "/foo/"));
    assert!(!contains_path("see http://a.b/foo/x", "/foo/"));
}
