//! Prunes the descriptor set that `envoy-types` ships to what our files may hold, at build time.
//!
//! The full set is 3.4 MB and costs 55 MB of memory once loaded; most of that is options (validation
//! rules, annotations), services and messages that no configuration names. The one rule: what is left
//! must still be a closed set, every type that a kept message refers to is kept too.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, FileDescriptorSet, MessageOptions,
};

/// What a file, a discovery response or an `Any` inside one may name; types reached from these follow.
///
/// An entry that ends in a dot keeps every message below that package, so that the `Any` of an extension
/// which we do not implement still parses and is refused by its name rather than by a parse error.
const ROOTS: &[&str] = &[
    "envoy.config.bootstrap.v3.Bootstrap",
    "envoy.config.cluster.v3.Cluster",
    "envoy.config.core.v3.TypedExtensionConfig",
    "envoy.config.endpoint.v3.ClusterLoadAssignment",
    "envoy.config.listener.v3.Listener",
    "envoy.config.rbac.v3.",
    "envoy.config.route.v3.",
    "envoy.config.trace.v3.",
    "envoy.extensions.",
    "envoy.service.discovery.v3.DeltaDiscoveryResponse",
    "envoy.service.discovery.v3.DiscoveryResponse",
    "envoy.service.runtime.v3.Runtime",
    "envoy.type.matcher.v3.",
    "google.protobuf.Any",
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.Duration",
    "google.protobuf.Empty",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.ListValue",
    "google.protobuf.StringValue",
    "google.protobuf.Struct",
    "google.protobuf.Timestamp",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Value",
    "xds.type.matcher.v3.",
    "xds.type.v3.",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let source = envoy_types_folder()?.join("src/generated/types.bin");
    println!("cargo::rerun-if-changed={}", source.display());
    let full = FileDescriptorSet::decode(fs::read(&source)?.as_slice())?;
    let kept = reachable(&full)?;
    let pruned = prune(full, &kept);
    let target = Path::new(&env::var("OUT_DIR")?).join("types.bin");
    fs::write(target, pruned.encode_to_vec())?;
    Ok(())
}

/// Asks cargo where the sources of `envoy-types` are.
///
/// Offline first: whoever compiles this crate has the dependency already, and a build must not wait for a
/// network that it does not need. Only a checkout whose unused dependencies were never fetched needs the second try.
fn envoy_types_folder() -> Result<PathBuf, Box<dyn Error>> {
    let ask = |extra: &[&str]| {
        let mut options = vec!["--filter-platform".to_owned(), env::var("TARGET").unwrap_or_default()];
        options.extend(extra.iter().map(|option| (*option).to_owned()));
        cargo_metadata::MetadataCommand::new()
            .manifest_path(Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("Cargo.toml"))
            .other_options(options)
            .exec()
    };
    let metadata = ask(&["--offline"]).or_else(|_| ask(&[]))?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "envoy-types")
        .ok_or("cargo metadata lists no package envoy-types, which xds depends on")?;
    let manifest = package.manifest_path.as_std_path();
    Ok(manifest.parent().ok_or("the manifest of envoy-types has no folder")?.to_owned())
}

/// The full names of all messages and enums that the roots reach, with the messages that enclose them.
fn reachable(set: &FileDescriptorSet) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut graph = BTreeMap::new();
    for file in &set.file {
        let scope = format!(".{}", file.package());
        file.message_type.iter().for_each(|message| index_message(&scope, message, &mut graph));
        file.enum_type.iter().for_each(|item| index_enum(&scope, item, &mut graph));
    }
    let mut open = Vec::new();
    for root in ROOTS {
        let before = open.len();
        let matches = |name: &str| {
            let name = &name[1..];
            if root.ends_with('.') { name.starts_with(root) } else { name == *root }
        };
        open.extend(graph.keys().filter(|name| matches(name)).cloned());
        if open.len() == before {
            return Err(
                format!("this envoy-types has nothing named {root}: mend ROOTS in xds/build.rs").into()
            );
        }
    }
    let mut kept = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !kept.insert(name.clone()) {
            continue;
        }
        open.extend(graph.get(&name).into_iter().flatten().cloned());
        // A nested type needs its parents to exist as names; what their own fields refer to comes along.
        if let Some((parent, _)) = name.rsplit_once('.')
            && graph.contains_key(parent)
        {
            open.push(parent.to_owned());
        }
    }
    Ok(kept)
}

fn index_message(scope: &str, message: &DescriptorProto, graph: &mut BTreeMap<String, Vec<String>>) {
    let name = format!("{scope}.{}", message.name());
    let uses = message.field.iter().filter_map(|field| field.type_name.clone()).collect();
    message.nested_type.iter().for_each(|nested| index_message(&name, nested, graph));
    message.enum_type.iter().for_each(|item| index_enum(&name, item, graph));
    graph.insert(name, uses);
}

fn index_enum(scope: &str, item: &EnumDescriptorProto, graph: &mut BTreeMap<String, Vec<String>>) {
    graph.insert(format!("{scope}.{}", item.name()), Vec::new());
}

/// Keeps the named types only, without options, services, extensions and source locations.
fn prune(full: FileDescriptorSet, kept: &BTreeSet<String>) -> FileDescriptorSet {
    let mut home = BTreeMap::new();
    for file in &full.file {
        let mut graph = BTreeMap::new();
        let scope = format!(".{}", file.package());
        file.message_type.iter().for_each(|message| index_message(&scope, message, &mut graph));
        file.enum_type.iter().for_each(|item| index_enum(&scope, item, &mut graph));
        home.extend(graph.into_keys().map(|name| (name, file.name().to_owned())));
    }
    let files = full.file.into_iter().filter_map(|file| prune_file(file, kept, &home));
    FileDescriptorSet { file: files.collect() }
}

fn prune_file(
    file: FileDescriptorProto,
    kept: &BTreeSet<String>,
    home: &BTreeMap<String, String>,
) -> Option<FileDescriptorProto> {
    let scope = format!(".{}", file.package());
    let message_type = prune_messages(file.message_type, &scope, kept);
    let enum_type = prune_enums(file.enum_type, &scope, kept);
    if message_type.is_empty() && enum_type.is_empty() {
        return None;
    }
    let mut graph = BTreeMap::new();
    message_type.iter().for_each(|message| index_message(&scope, message, &mut graph));
    let dependency: BTreeSet<String> = graph
        .into_values()
        .flatten()
        .filter_map(|name| home.get(&name).cloned())
        .filter(|other| Some(other) != file.name.as_ref())
        .collect();
    Some(FileDescriptorProto {
        name: file.name,
        package: file.package,
        dependency: dependency.into_iter().collect(),
        message_type,
        enum_type,
        syntax: file.syntax,
        ..FileDescriptorProto::default()
    })
}

fn prune_messages(
    messages: Vec<DescriptorProto>,
    scope: &str,
    kept: &BTreeSet<String>,
) -> Vec<DescriptorProto> {
    let prune_one = |message: DescriptorProto| {
        let name = format!("{scope}.{}", message.name());
        kept.contains(&name).then(|| DescriptorProto {
            field: message.field.into_iter().map(prune_field).collect(),
            nested_type: prune_messages(message.nested_type, &name, kept),
            enum_type: prune_enums(message.enum_type, &name, kept),
            oneof_decl: message
                .oneof_decl
                .into_iter()
                .map(|mut oneof| {
                    oneof.options = None;
                    oneof
                })
                .collect(),
            options: message
                .options
                .filter(MessageOptions::map_entry)
                .map(|options| MessageOptions { map_entry: options.map_entry, ..MessageOptions::default() }),
            name: message.name,
            ..DescriptorProto::default()
        })
    };
    messages.into_iter().filter_map(prune_one).collect()
}

fn prune_field(field: FieldDescriptorProto) -> FieldDescriptorProto {
    // `packed` changes the encoding; every other option is for people or for code generators.
    let packed = field.options.as_ref().and_then(|options| options.packed);
    FieldDescriptorProto {
        options: packed.map(|packed| FieldOptions { packed: Some(packed), ..FieldOptions::default() }),
        ..field
    }
}

fn prune_enums(
    enums: Vec<EnumDescriptorProto>,
    scope: &str,
    kept: &BTreeSet<String>,
) -> Vec<EnumDescriptorProto> {
    let prune_one = |mut item: EnumDescriptorProto| {
        kept.contains(&format!("{scope}.{}", item.name())).then(|| {
            item.value.iter_mut().for_each(|value| value.options = None);
            EnumDescriptorProto {
                name: item.name,
                value: item.value,
                options: item.options.filter(EnumOptions::allow_alias).map(|options| EnumOptions {
                    allow_alias: options.allow_alias,
                    ..EnumOptions::default()
                }),
                ..EnumDescriptorProto::default()
            }
        })
    };
    enums.into_iter().filter_map(prune_one).collect()
}
