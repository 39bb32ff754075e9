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
    let mut reader = Reader {
        module: source.module.clone(),
        children: vec![child_names(&source.ast.items)],
        test: source.test,
        found: Vec::new(),
    };
    reader.visit_file(&source.ast);
    reader.found
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
        let Some(first) = written.first() else { return };
        let mut module = self.module.clone();
        let mut rest = written;
        match first.as_str() {
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
            _ => {
                self.found.push(Named { line, segments: written.to_vec(), test: self.test });
                return;
            }
        }
        let inside = module.into_iter().chain(rest.iter().cloned());
        let segments = std::iter::once("crate".to_owned()).chain(inside).collect();
        self.found.push(Named { line, segments, test: self.test });
    }

    fn record_use(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let line = tree.span().start().line;
        let with = |name: String| prefix.iter().cloned().chain([name]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.record_use(&with(path.ident.to_string()), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => self.record(line, prefix),
            syn::UseTree::Name(name) => self.record(line, &with(name.ident.to_string())),
            syn::UseTree::Rename(name) if name.ident == "self" => self.record(line, prefix),
            syn::UseTree::Rename(name) => self.record(line, &with(name.ident.to_string())),
            syn::UseTree::Glob(_) => self.record(line, &with("*".to_owned())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.record_use(prefix, item)),
        }
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
        self.scoped(&item.attrs, |reader| reader.record_use(&[], &item.tree));
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
