//! No cycle between the files of a target, and no file that imports the `mod.rs` it stands under.
//!
//! One rule: code in tests may look anywhere; code that ships may not.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, assert_none};
use crate::imports::{PassedOn, named_paths, passed_on};
use crate::tree::{Source, sources};

/// One file's import of another file of the same target.
struct Edge<'a> {
    from: &'a Source,
    to: &'a Source,
    line: usize,
    text: String,
}

#[test]
fn no_two_files_import_each_other_even_in_a_circle() {
    let mut findings = Vec::new();
    for files in targets() {
        let edges = edges(&files);
        let cyclic = in_a_cycle(files.len(), &indices(&files, &edges));
        for edge in &edges {
            let ends = (position(&files, edge.from), position(&files, edge.to));
            if cyclic.contains(&ends) {
                let message = format!("`{}` closes a cycle with {}", edge.text, edge.to.path.display());
                findings.push(Finding::new(&edge.from.path, edge.line, message));
            }
        }
    }
    assert_none(findings);
}

#[test]
fn children_never_import_the_module_they_stand_under() {
    let mut findings = Vec::new();
    for files in targets() {
        for edge in edges(&files) {
            let under = edge.from.module.len() > edge.to.module.len();
            if under && edge.from.module.starts_with(&edge.to.module) {
                let parent = edge.to.path.display();
                let message =
                    format!("`{}` imports its own parent {parent}: move it to a leaf file", edge.text);
                findings.push(Finding::new(&edge.from.path, edge.line, message));
            }
        }
    }
    assert_none(findings);
}

/// The shipped files of each target.
fn targets() -> Vec<Vec<&'static Source>> {
    let mut targets: BTreeMap<_, Vec<&Source>> = BTreeMap::new();
    for source in sources().iter().filter(|source| !source.test) {
        targets.entry(&source.root).or_default().push(source);
    }
    targets.into_values().collect()
}

fn edges<'a>(files: &[&'a Source]) -> Vec<Edge<'a>> {
    let target = Target::new(files);
    let mut edges = Vec::new();
    for from in files {
        for named in named_paths(from).into_iter().filter(|named| !named.test) {
            let Some(path) = named.inside() else { continue };
            let Some(to) = target.file_of(path, PASSED_ON_MAX) else { continue };
            if to.path != from.path {
                edges.push(Edge { from, to, line: named.line, text: named.text() });
            }
        }
    }
    edges
}

/// How often a name may be passed on before its file.
const PASSED_ON_MAX: usize = 8;

/// The files of a target by module, with the names each passes on.
struct Target<'a> {
    files: BTreeMap<&'a [String], (&'a Source, Vec<PassedOn>)>,
}

impl<'a> Target<'a> {
    fn new(files: &[&'a Source]) -> Self {
        let entry = |source: &&'a Source| (source.module.as_slice(), (*source, passed_on(source)));
        Self { files: files.iter().map(entry).collect() }
    }

    /// The file that holds a path: the longest module prefix that is a file of its own, and from there along
    /// `pub use` to the file that has the thing. A path that is a module as a whole is that module's file.
    fn file_of(&self, path: &[String], hops: usize) -> Option<&'a Source> {
        let length = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let (source, passed_on) = self.files.get(&path[..length])?;
        let Some(name) = path.get(length).filter(|_| hops > 0) else { return Some(source) };
        let follow = |passed: &PassedOn| {
            let (_, inside) = passed.segments.split_first().filter(|(first, _)| *first == "crate")?;
            let rest = path[length + 1..].iter().cloned();
            self.file_of(&inside.iter().cloned().chain(rest).collect::<Vec<_>>(), hops - 1)
        };
        if let Some(passed) = passed_on.iter().find(|passed| passed.name == *name) {
            return Some(follow(passed).unwrap_or(source));
        }
        let globs = passed_on.iter().filter(|passed| passed.name == "*");
        let named = globs.map(|glob| {
            let mut segments = glob.segments.clone();
            segments.pop();
            PassedOn { name: name.clone(), segments: segments.into_iter().chain([name.clone()]).collect() }
        });
        let mut holders = named.filter_map(|passed| follow(&passed)).filter(|holder| defines(holder, name));
        Some(holders.next().unwrap_or(source))
    }
}

/// Whether a file has an item of this name at its top level.
fn defines(source: &Source, name: &str) -> bool {
    source.ast.items.iter().any(|item| match item {
        syn::Item::Struct(item) => item.ident == name,
        syn::Item::Enum(item) => item.ident == name,
        syn::Item::Fn(item) => item.sig.ident == name,
        syn::Item::Trait(item) => item.ident == name,
        syn::Item::Type(item) => item.ident == name,
        syn::Item::Const(item) => item.ident == name,
        syn::Item::Static(item) => item.ident == name,
        _ => false,
    })
}

fn position(files: &[&Source], wanted: &Source) -> usize {
    files.iter().position(|source| source.path == wanted.path).expect("edges join files of the target")
}

fn indices(files: &[&Source], edges: &[Edge<'_>]) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for edge in edges {
        next.entry(position(files, edge.from)).or_default().insert(position(files, edge.to));
    }
    next
}

/// The pairs (from, to) where `to` leads back to `from`.
fn in_a_cycle(count: usize, next: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<(usize, usize)> {
    let reach: Vec<BTreeSet<usize>> = (0..count).map(|start| reachable(start, next)).collect();
    let pairs = next.iter().flat_map(|(from, ends)| ends.iter().map(move |to| (*from, *to)));
    pairs.filter(|(from, to)| reach[*to].contains(from)).collect()
}

fn reachable(start: usize, next: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for to in next.get(&at).into_iter().flatten() {
            if seen.insert(*to) {
                open.push(*to);
            }
        }
    }
    seen
}

#[test]
fn a_circle_of_three_is_found_and_a_diamond_is_not() {
    let circle =
        BTreeMap::from([(0, BTreeSet::from([1])), (1, BTreeSet::from([2])), (2, BTreeSet::from([0]))]);
    assert_eq!(in_a_cycle(3, &circle), BTreeSet::from([(0, 1), (1, 2), (2, 0)]));
    let diamond =
        BTreeMap::from([(0, BTreeSet::from([1, 2])), (1, BTreeSet::from([3])), (2, BTreeSet::from([3]))]);
    assert_eq!(in_a_cycle(4, &diamond), BTreeSet::new());
}
