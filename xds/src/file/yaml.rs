//! YAML or JSON text to a tree that remembers where every value stood.
//!
//! The one rule: what the text says is never guessed at twice. Quoted scalars stay strings; plain ones follow
//! YAML 1.1 as Envoy's parser (yaml-cpp) reads them; the protobuf type decides afterwards what is accepted.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, Spanned};

use super::error::{FileError, Position};
use super::limits::{
    ALIAS_REPLAY_DEPTH_MAX, ALIAS_REPLAY_EVENTS_MAX, DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, PARSE_STACK_BYTES,
};

/// A value and the place in the text where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) at: Position,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Value {
    /// What this is, in words that fit behind "found".
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing (null)",
            Self::Bool(_) => "a truth value",
            Self::Signed(_) | Self::Unsigned(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads a text that holds exactly one document.
pub(super) fn document(text: &str) -> Result<Node, FileError> {
    let mut all = documents(text)?;
    match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(FileError::syntax(Position::default(), "the text holds no document")),
        (Some(_), others) => Err(FileError::syntax(
            Position::default(),
            format!("the text holds {} documents, one is accepted here", others + 1),
        )),
    }
}

/// Reads all documents of a text (separated by `---`), leaving out the empty ones.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, FileError> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("the text has {} bytes, at most {FILE_BYTES_MAX} are accepted", text.len());
        return Err(FileError::syntax(Position::default(), what));
    }
    // The parser recurses per level, with frames that outgrow an ordinary stack before DEPTH_MAX is reached.
    std::thread::scope(|scope| {
        let parse =
            std::thread::Builder::new().stack_size(PARSE_STACK_BYTES).spawn_scoped(scope, || parse(text));
        match parse.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(_)) => Err(FileError::syntax(Position::default(), "the YAML parser failed on this text")),
            Err(error) => Err(FileError::syntax(
                Position::default(),
                format!("no thread to parse the text on: {error}"),
            )),
        }
    })
}

fn parse(text: &str) -> Result<Vec<Node>, FileError> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| {
        let at = error.location().map(Position::from).unwrap_or_default();
        FileError::syntax(at, plain_message(&error))
    })
}

/// The parser's message without the place, which stands in the error's own fields, and without its advice to
/// programmers.
fn plain_message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key:?} is given twice")
        }
        Error::DuplicateMappingKey { key: None, .. } => "a key is given twice".to_owned(),
        Error::Budget { breach, .. } => {
            format!("the text is too large or too deep to be read: {breach:?}")
        }
        other => {
            let message = other.to_string();
            if message.contains("recursion limit exceeded") {
                return format!("lists and mappings nest too deep, {DEPTH_MAX} levels are accepted");
            }
            message.split_once(" at line ").map_or(message.clone(), |(what, _)| what.to_owned())
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: NODES_MAX * 2,
            max_documents: 1024,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIAS_REPLAY_EVENTS_MAX,
            max_replay_stack_depth: ALIAS_REPLAY_DEPTH_MAX,
        },
        // yaml-cpp reads `mode: 0755` as octal, and files rely on it for the mode of a socket file.
        legacy_octal_numbers: true,
        emit_comments: false,
        with_snippet: false,
    }
}

impl From<serde_saphyr::Location> for Position {
    fn from(location: serde_saphyr::Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, at: spanned.referenced.into() })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping, a list or a scalar")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
