//! The workspace as the compiler sees it: every target's root file, and from there every `mod x;`.
//!
//! One rule: a file is known by the target and the module path it is compiled as, never by its folder alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cargo_metadata::{Metadata, MetadataCommand, TargetKind};

/// One source file inside one target.
pub struct Source {
    /// Package that owns the target, as in its manifest.
    pub package: String,
    /// The target's root file, from the workspace root: tells targets of one package apart.
    pub root: PathBuf,
    /// What the target is.
    pub kind: Kind,
    /// Path from the workspace root.
    pub path: PathBuf,
    /// Module path inside the target; empty for the root file.
    pub module: Vec<String>,
    /// Compiled for tests only.
    pub test: bool,
    /// The text of the file.
    pub text: String,
    /// Its syntax.
    pub ast: syn::File,
}

/// The kinds of target that rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Library,
    Binary,
    Test,
    BuildScript,
}

impl Source {
    /// The module path as it is written in code: `upstream::pool`.
    pub fn module_name(&self) -> String {
        self.module.join("::")
    }

    /// The first segment of the module path, or nothing for a root file.
    pub fn top(&self) -> Option<&str> {
        self.module.first().map(String::as_str)
    }
}

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    harness::workspace::root()
}

/// Cargo's own account of the workspace, without dependencies.
pub fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        MetadataCommand::new()
            .current_dir(root())
            .no_deps()
            .exec()
            .expect("cargo metadata describes the workspace")
    })
}

/// The same of the fuzz targets, which are a workspace of their own.
fn fuzz_metadata() -> Metadata {
    let manifest = root().join("tests/fuzz/Cargo.toml");
    let described = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    described.expect("cargo metadata describes the fuzz targets")
}

/// Every source file of every target of the workspace. Syntax trees do not cross threads, so each test's thread
/// reads for itself.
pub fn sources() -> &'static [Source] {
    thread_local! {
        static SOURCES: &'static [Source] = Box::leak(read_all().into_boxed_slice());
    }
    SOURCES.with(|sources| *sources)
}

fn read_all() -> Vec<Source> {
    let mut sources = Vec::new();
    for package in metadata().packages.iter().chain(&fuzz_metadata().packages) {
        for target in &package.targets {
            let root_file = relative(target.src_path.as_std_path());
            let unit = Unit { package: package.name.to_string(), root: root_file, kind: kind(&target.kind) };
            let folder = unit.root.parent().map(Path::to_path_buf).unwrap_or_default();
            load(&unit, &unit.root, Vec::new(), false, &folder, &mut sources);
        }
    }
    sources
}

/// Every file that git tracks or would track, from the workspace root.
pub fn tracked_files() -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|p| root().join(p).is_file())
        .collect()
}

/// The `.rs` files that no target reaches.
pub fn orphans() -> Vec<PathBuf> {
    let reached: BTreeSet<&Path> = sources().iter().map(|source| source.path.as_path()).collect();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    tracked_files().into_iter().filter(is_rust).filter(|path| !reached.contains(path.as_path())).collect()
}

/// True for `#[cfg(test)]` and for `#[test]`-like attributes.
pub fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("cfg") {
            return attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test");
        }
        path.segments.last().is_some_and(|last| last.ident == "test")
    })
}

struct Unit {
    package: String,
    root: PathBuf,
    kind: Kind,
}

fn kind(kinds: &[TargetKind]) -> Kind {
    match kinds.first() {
        Some(TargetKind::Bin) => Kind::Binary,
        Some(TargetKind::Test | TargetKind::Bench | TargetKind::Example) => Kind::Test,
        Some(TargetKind::CustomBuild) => Kind::BuildScript,
        _ => Kind::Library,
    }
}

fn relative(path: &Path) -> PathBuf {
    path.strip_prefix(root()).expect("targets lie inside the workspace").to_owned()
}

/// Loads one file and the files of its `mod x;` lines; `children` is the folder they are looked for in.
fn load(unit: &Unit, path: &Path, module: Vec<String>, test: bool, children: &Path, into: &mut Vec<Source>) {
    let text =
        std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{}:1: {e}", path.display()));
    let ast = syn::parse_file(&text)
        .unwrap_or_else(|e| panic!("{}:{}: cannot parse: {e}", path.display(), e.span().start().line));
    let declared = declared_modules(&ast.items, children, test);
    into.push(Source {
        package: unit.package.clone(),
        root: unit.root.clone(),
        kind: unit.kind,
        path: path.to_owned(),
        module: module.clone(),
        test,
        text,
        ast,
    });
    for child in declared {
        let child_module = module.iter().cloned().chain(child.names.iter().cloned()).collect();
        load(unit, &child.path, child_module, child.test, &child.children, into);
    }
}

struct Declared {
    names: Vec<String>,
    path: PathBuf,
    children: PathBuf,
    test: bool,
}

fn declared_modules(items: &[syn::Item], folder: &Path, test: bool) -> Vec<Declared> {
    let mut found = Vec::new();
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let test = test || is_test_only(&module.attrs);
        if let Some((_, inner)) = &module.content {
            for mut deeper in declared_modules(inner, &folder.join(&name), test) {
                deeper.names.insert(0, name.clone());
                found.push(deeper);
            }
        } else if let Some((path, children)) = module_file(folder, &name, path_attribute(&module.attrs)) {
            found.push(Declared { names: vec![name], path, children, test });
        }
    }
    found
}

/// The file of `mod name;` and the folder of its own children. Nothing when the file is generated at build time.
fn module_file(folder: &Path, name: &str, named: Option<String>) -> Option<(PathBuf, PathBuf)> {
    let candidates = match named {
        Some(file) => vec![(folder.join(&file), folder.join(&file).parent()?.to_owned())],
        None => vec![
            (folder.join(format!("{name}.rs")), folder.join(name)),
            (folder.join(name).join("mod.rs"), folder.join(name)),
        ],
    };
    candidates.into_iter().find(|(file, _)| root().join(file).is_file())
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(literal) = &pair.value else { return None };
        let syn::Lit::Str(text) = &literal.lit else { return None };
        Some(text.value())
    })
}

#[test]
fn every_rust_file_belongs_to_a_target() {
    let findings = orphans()
        .iter()
        .map(|path| {
            crate::finding::Finding::new(path, 1, "no target reaches this file: declare it or delete it")
        })
        .collect();
    crate::finding::assert_none(findings);
}
