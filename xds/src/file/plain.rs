//! YAML or JSON text to plain JSON values, for documents that are no protobuf messages.
//!
//! One rule: the text is read by the same parser, within the same limits, and refused in the same words as
//! every other file.

use serde_json::{Map, Number, Value as Json};

use super::error::FileError;
use super::yaml::{self, Node, Value};

/// One document of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainDocument {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// What it says.
    pub value: Json,
}

/// All documents of `text`, which `---` separates, leaving out the empty ones.
pub(super) fn documents(text: &str) -> Result<Vec<PlainDocument>, FileError> {
    let nodes = yaml::documents(text)?;
    nodes.into_iter().map(|node| Ok(PlainDocument { line: node.at.line, value: json(node)? })).collect()
}

fn json(node: Node) -> Result<Json, FileError> {
    Ok(match node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => value.into(),
        Value::Signed(value) => value.into(),
        Value::Unsigned(value) => value.into(),
        Value::Float(value) => Json::Number(Number::from_f64(value).ok_or_else(|| {
            FileError::syntax(node.at, format!("{value} is not accepted: a number must be finite"))
        })?),
        Value::Text(value) => value.into(),
        Value::List(items) => Json::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((key, json(value)?)));
            Json::Object(entries.collect::<Result<Map<_, _>, _>>()?)
        }
    })
}
