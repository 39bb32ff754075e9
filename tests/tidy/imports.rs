//! Every path that a source file names, resolved to whole segments: `use` trees, paths in code, and paths
//! inside macro calls, which syn leaves as tokens.
//!
//! One rule: what the compiler would resolve through `crate`, `super` or a child module comes out as `crate::…`.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::tree::{Source, is_test_only};

/// One path that a file names.
#[derive(Debug, Clone)]
pub struct Named {
    /// Line in the file, from 1.
    pub line: usize,
    /// Segments; the first is `crate` or the name of another crate (or of a local thing).
    pub segments: Vec<String>,
    /// Named by test code only.
    pub test: bool,
}

impl Named {
    /// The path as it is written, with `crate` spelled out.
    pub fn text(&self) -> String {
        self.segments.join("::")
    }

    /// True when the path begins with these segments.
    pub fn starts_with(&self, prefix: &[&str]) -> bool {
        self.segments.len() >= prefix.len()
            && self.segments.iter().zip(prefix).all(|(have, want)| have == want)
    }

    /// The segments after `crate`, for a path inside the same target.
    pub fn inside(&self) -> Option<&[String]> {
        (self.segments.first()? == "crate").then(|| &self.segments[1..])
    }
}

/// All paths of a file.
pub fn named_paths(source: &Source) -> Vec<Named> {
    let mut reader = reader(source);
    reader.visit_file(&source.ast);
    reader.found
}

/// A name that a file passes on with `pub use`.
#[derive(Debug, Clone)]
pub struct PassedOn {
    /// The name it is passed on as; `*` for all names.
    pub name: String,
    /// What it is, from `crate` on.
    pub segments: Vec<String>,
}

/// What a file passes on from elsewhere, at its top level.
pub fn passed_on(source: &Source) -> Vec<PassedOn> {
    let reader = reader(source);
    let mut leaves = Vec::new();
    for item in &source.ast.items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            flatten(&[], &item.tree, &mut leaves);
        }
    }
    leaves
        .iter()
        .map(|leaf| PassedOn { name: leaf.name.clone(), segments: reader.resolve(&leaf.written) })
        .collect()
}

fn reader(source: &Source) -> Reader {
    Reader {
        module: source.module.clone(),
        children: vec![child_names(&source.ast.items)],
        test: source.test,
        found: Vec::new(),
    }
}

/// One name of a `use` tree.
struct Leaf {
    line: usize,
    name: String,
    written: Vec<String>,
}

fn flatten(prefix: &[String], tree: &syn::UseTree, into: &mut Vec<Leaf>) {
    let line = tree.span().start().line;
    let with = |ident: &syn::Ident| prefix.iter().cloned().chain([ident.to_string()]).collect::<Vec<_>>();
    let last = || prefix.last().cloned().unwrap_or_default();
    let leaf = match tree {
        syn::UseTree::Path(path) => return flatten(&with(&path.ident), &path.tree, into),
        syn::UseTree::Group(group) => return group.items.iter().for_each(|item| flatten(prefix, item, into)),
        syn::UseTree::Name(name) if name.ident == "self" => {
            Leaf { line, name: last(), written: prefix.to_vec() }
        }
        syn::UseTree::Name(name) => Leaf { line, name: name.ident.to_string(), written: with(&name.ident) },
        syn::UseTree::Rename(name) if name.ident == "self" => {
            Leaf { line, name: name.rename.to_string(), written: prefix.to_vec() }
        }
        syn::UseTree::Rename(name) => {
            Leaf { line, name: name.rename.to_string(), written: with(&name.ident) }
        }
        syn::UseTree::Glob(_) => {
            let written = prefix.iter().cloned().chain(["*".to_owned()]).collect();
            Leaf { line, name: "*".to_owned(), written }
        }
    };
    into.push(leaf);
}

fn child_names(items: &[syn::Item]) -> BTreeSet<String> {
    let names = items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    });
    names.collect()
}

struct Reader {
    module: Vec<String>,
    /// The child modules of each module that the reader stands in, innermost last.
    children: Vec<BTreeSet<String>>,
    test: bool,
    found: Vec<Named>,
}

impl Reader {
    fn record(&mut self, line: usize, written: &[String]) {
        if !written.is_empty() {
            let segments = self.resolve(written);
            self.found.push(Named { line, segments, test: self.test });
        }
    }

    /// Spells out `crate`, `self`, `super` and child modules; leaves every other path as it is.
    fn resolve(&self, written: &[String]) -> Vec<String> {
        let mut module = self.module.clone();
        let mut rest = written;
        match written[0].as_str() {
            "crate" => {
                module.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            child if self.children.last().is_some_and(|names| names.contains(child)) => {}
            _ => return written.to_vec(),
        }
        let inside = module.into_iter().chain(rest.iter().cloned());
        std::iter::once("crate".to_owned()).chain(inside).collect()
    }

    fn record_use(&mut self, tree: &syn::UseTree) {
        let mut leaves = Vec::new();
        flatten(&[], tree, &mut leaves);
        leaves.iter().for_each(|leaf| self.record(leaf.line, &leaf.written));
    }

    /// Finds `a::b::c` in tokens that nobody has parsed.
    fn record_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.flush(line, &mut path);
                    }
                    if path.is_empty() {
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.flush(line, &mut path);
                    colons = 0;
                    self.record_tokens(group.stream());
                }
                _ => {
                    self.flush(line, &mut path);
                    colons = 0;
                }
            }
        }
        self.flush(line, &mut path);
    }

    fn flush(&mut self, line: usize, path: &mut Vec<String>) {
        if path.len() > 1 {
            self.record(line, path);
        }
        path.clear();
    }

    fn scoped(&mut self, attributes: &[syn::Attribute], visit: impl FnOnce(&mut Self)) {
        let outer = self.test;
        self.test = outer || is_test_only(attributes);
        visit(self);
        self.test = outer;
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let Some((_, items)) = &module.content else { return };
        self.scoped(&module.attrs, |reader| {
            reader.module.push(module.ident.to_string());
            reader.children.push(child_names(items));
            visit::visit_item_mod(reader, module);
            reader.children.pop();
            reader.module.pop();
        });
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.scoped(&function.attrs, |reader| visit::visit_item_fn(reader, function));
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.scoped(&item.attrs, |reader| reader.record_use(&item.tree));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.scoped(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }

    /// `pub(super)` and `pub(in crate::x)` say who may look, not what is used.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.record(path.span().start().line, &segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // `crate::name!` is where macro_rules puts its name, whichever file holds it: only longer paths count.
        if call.path.segments.len() > 2 {
            self.visit_path(&call.path);
        }
        self.record_tokens(call.tokens.clone());
    }
}
