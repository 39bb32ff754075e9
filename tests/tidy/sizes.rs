//! Files of 400 lines at most (`tests.rs` and files of a `tests` module 900), functions of 70 lines at most; generated files excepted.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::finding::{Finding, assert_none};
use crate::tree::{Source, sources};

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 900;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn files_stay_short_enough_to_hold_in_mind() {
    let findings = sources().iter().filter(|source| !is_generated(source)).filter_map(too_long).collect();
    assert_none(findings);
}

#[test]
fn functions_stay_short_enough_to_see_at_once() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !is_generated(source)) {
        let mut reader = Functions { source, findings: &mut findings };
        reader.visit_file(&source.ast);
    }
    assert_none(findings);
}

fn is_generated(source: &Source) -> bool {
    source.text.lines().take(3).any(|line| line.contains("@generated"))
}

fn too_long(source: &Source) -> Option<Finding> {
    let is_test = source.test
        && (source.path.ends_with("tests.rs") || source.module.iter().any(|name| name == "tests"));
    let limit = if is_test { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
    let lines = source.text.lines().count();
    (lines > limit).then(|| Finding::new(&source.path, limit + 1, format!("{lines} lines, {limit} at most")))
}

struct Functions<'a> {
    source: &'a Source,
    findings: &'a mut Vec<Finding>,
}

impl Functions<'_> {
    fn check(&mut self, name: &syn::Ident, start: Span, end: Span) {
        let lines = end.end().line + 1 - start.start().line;
        if lines > FUNCTION_LINES_MAX {
            let message = format!("`{name}` has {lines} lines, {FUNCTION_LINES_MAX} at most");
            self.findings.push(Finding::new(&self.source.path, start.start().line, message));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.check(&function.sig.ident, function.sig.span(), function.block.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.check(&function.sig.ident, function.sig.span(), function.block.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.check(&function.sig.ident, function.sig.span(), block.span());
        }
        visit::visit_trait_item_fn(self, function);
    }
}
