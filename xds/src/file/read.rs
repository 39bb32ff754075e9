//! The walk from a YAML tree to a protobuf message, field by field along the descriptors.
//!
//! The one rule: the reader always knows its path, so that whatever it refuses is found again in the file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Proto};

use super::catalog::{Catalog, is_special};
use super::error::FileError;
use super::limits::{FIELD_NAMES_SHOWN_MAX, FOUND_SHOWN_CHARS_MAX};
use super::path::Path;
use super::scalar;
use super::yaml::{Node, Value};

/// Reads one message; made anew for every message so that the path begins at its top.
pub(super) struct Reader<'a> {
    catalog: &'a Catalog,
    path: Path,
}

impl<'a> Reader<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, path: Path::default() }
    }

    /// Reads the message that a whole document is.
    pub(super) fn top(
        mut self,
        descriptor: &MessageDescriptor,
        node: &Node,
    ) -> Result<DynamicMessage, FileError> {
        self.message(descriptor, node)
    }

    fn message(&mut self, descriptor: &MessageDescriptor, node: &Node) -> Result<DynamicMessage, FileError> {
        match descriptor.full_name() {
            "google.protobuf.Any" => self.any(descriptor, node),
            "google.protobuf.Duration" => {
                self.by_text(descriptor, node, "a duration such as \"1.5s\" (with the unit s)")
            }
            "google.protobuf.Timestamp" => {
                self.by_text(descriptor, node, "a time such as \"2030-01-31T12:00:00Z\"")
            }
            "google.protobuf.FieldMask" => self.by_text(descriptor, node, "field paths such as \"a.b,c\""),
            "google.protobuf.BoolValue"
            | "google.protobuf.BytesValue"
            | "google.protobuf.DoubleValue"
            | "google.protobuf.FloatValue"
            | "google.protobuf.Int32Value"
            | "google.protobuf.Int64Value"
            | "google.protobuf.StringValue"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.UInt64Value" => self.wrapper(descriptor, node),
            "google.protobuf.Struct" => match &node.value {
                Value::Map(_) => self.free_form(descriptor, node),
                _ => Err(self.expected(node, "a mapping")),
            },
            "google.protobuf.ListValue" => match &node.value {
                Value::List(_) => self.free_form(descriptor, node),
                _ => Err(self.expected(node, "a list")),
            },
            "google.protobuf.Value" => self.free_form(descriptor, node),
            _ => match &node.value {
                Value::Map(entries) => self.fields(descriptor, entries, None),
                _ => Err(self.expected(node, &format!("a mapping ({})", descriptor.full_name()))),
            },
        }
    }

    /// Reads the keys of a mapping as fields; `skip` is the key that is not a field (`@type`).
    fn fields(
        &mut self,
        descriptor: &MessageDescriptor,
        entries: &[(String, Node)],
        skip: Option<&str>,
    ) -> Result<DynamicMessage, FileError> {
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut seen = BTreeSet::new();
        let mut chosen = BTreeMap::new();
        for (key, node) in entries.iter().filter(|(key, _)| Some(key.as_str()) != skip) {
            let field = descriptor
                .get_field_by_name(key)
                .or_else(|| descriptor.get_field_by_json_name(key))
                .ok_or_else(|| self.unknown_field(descriptor, key, node))?;
            self.path.field(field.name());
            if !seen.insert(field.number()) {
                return Err(self.refuse(node, "this field is given twice, once in each spelling of its name"));
            }
            if node.value == Value::Null && !holds_null(&field) {
                self.path.up();
                continue;
            }
            if let Some(oneof) = field.containing_oneof()
                && let Some(other) = chosen.insert(oneof.full_name().to_owned(), field.name().to_owned())
            {
                return Err(self.refuse(
                    node,
                    format!("cannot be set together with {other}: only one of them is accepted"),
                ));
            }
            let value = self.field(&field, node)?;
            message.set_field(&field, value);
            self.path.up();
        }
        Ok(message)
    }

    fn field(&mut self, field: &FieldDescriptor, node: &Node) -> Result<Proto, FileError> {
        if field.is_map() {
            return self.map(field, node);
        }
        if !field.is_list() {
            return self.singular(&field.kind(), node);
        }
        let Value::List(items) = &node.value else {
            return Err(self.expected(node, "a list"));
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.index(index);
            list.push(self.singular(&field.kind(), item)?);
            self.path.up();
        }
        Ok(Proto::List(list))
    }

    fn map(&mut self, field: &FieldDescriptor, node: &Node) -> Result<Proto, FileError> {
        let Value::Map(entries) = &node.value else {
            return Err(self.expected(node, "a mapping"));
        };
        let Kind::Message(entry) = field.kind() else {
            return Err(self.refuse(node, "the descriptor of this map is damaged"));
        };
        let (key_kind, value_kind) =
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let mut map: HashMap<MapKey, Proto> = HashMap::with_capacity(entries.len());
        for (text, item) in entries {
            self.path.key(text);
            let key = scalar::key(&key_kind, text).map_err(|accepted| self.expected(item, &accepted))?;
            let value = self.singular(&value_kind, item)?;
            if map.insert(key, value).is_some() {
                return Err(self.refuse(item, "this key is given twice"));
            }
            self.path.up();
        }
        Ok(Proto::Map(map))
    }

    fn singular(&mut self, kind: &Kind, node: &Node) -> Result<Proto, FileError> {
        let value = &node.value;
        let read = match kind {
            Kind::Message(descriptor) => return self.message(descriptor, node).map(Proto::Message),
            Kind::Enum(descriptor) => scalar::enumeration(descriptor, value),
            Kind::Bool => scalar::boolean(value),
            Kind::String => scalar::string(value),
            Kind::Bytes => scalar::bytes(value),
            Kind::Double => scalar::double(value),
            Kind::Float => scalar::float(value),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => scalar::int32(value),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => scalar::int64(value),
            Kind::Uint32 | Kind::Fixed32 => scalar::uint32(value),
            Kind::Uint64 | Kind::Fixed64 => scalar::uint64(value),
        };
        read.map_err(|accepted| self.expected(node, &accepted))
    }

    /// An `Any` is a mapping with `@type`; its other keys are the fields of that type.
    fn any(&mut self, descriptor: &MessageDescriptor, node: &Node) -> Result<DynamicMessage, FileError> {
        let Value::Map(entries) = &node.value else {
            return Err(self.expected(node, "a mapping with \"@type\""));
        };
        if entries.is_empty() {
            return Ok(DynamicMessage::new(descriptor.clone()));
        }
        let Some((_, name)) = entries.iter().find(|(key, _)| key == "@type") else {
            return Err(
                self.refuse(node, "\"@type\" is missing: it says of which message the other keys are fields")
            );
        };
        let Value::Text(type_url) = &name.value else {
            return Err(self.expected(name, "a type URL under \"@type\""));
        };
        let full_name = type_url.rsplit_once('/').map_or(type_url.as_str(), |(_, full_name)| full_name);
        let Some(inner) = self.catalog.message(full_name) else {
            let known =
                if type_url.contains('/') { "" } else { " (a type URL is type.googleapis.com/<message>)" };
            return Err(self.refuse(name, format!("the @type {type_url:?} is not known here{known}")));
        };
        let message = if is_special(full_name) {
            self.any_value(&inner, entries, node)?
        } else {
            self.fields(&inner, entries, Some("@type"))?
        };
        let mut any = DynamicMessage::new(descriptor.clone());
        any.set_field_by_number(1, Proto::String(type_url.clone()));
        any.set_field_by_number(2, Proto::Bytes(message.encode_to_vec().into()));
        Ok(any)
    }

    /// A type with its own JSON form stands under `value` beside `@type`.
    fn any_value(
        &mut self,
        inner: &MessageDescriptor,
        entries: &[(String, Node)],
        node: &Node,
    ) -> Result<DynamicMessage, FileError> {
        match entries.iter().filter(|(key, _)| key != "@type").collect::<Vec<_>>().as_slice() {
            [(key, value)] if key == "value" => {
                self.path.field("value");
                let message = self.message(inner, value)?;
                self.path.up();
                Ok(message)
            }
            _ => Err(self.refuse(
                node,
                format!("expected the keys \"@type\" and \"value\" for a {}", inner.full_name()),
            )),
        }
    }

    fn wrapper(&mut self, descriptor: &MessageDescriptor, node: &Node) -> Result<DynamicMessage, FileError> {
        let mut message = DynamicMessage::new(descriptor.clone());
        if let Some(field) = descriptor.get_field(1) {
            message.set_field(&field, self.singular(&field.kind(), node)?);
        }
        Ok(message)
    }

    fn by_text(
        &self,
        descriptor: &MessageDescriptor,
        node: &Node,
        accepted: &str,
    ) -> Result<DynamicMessage, FileError> {
        let Value::Text(text) = &node.value else {
            return Err(self.expected(node, accepted));
        };
        DynamicMessage::deserialize(descriptor.clone(), serde_json::Value::String(text.clone()))
            .map_err(|_| self.expected(node, accepted))
    }

    fn free_form(&self, descriptor: &MessageDescriptor, node: &Node) -> Result<DynamicMessage, FileError> {
        DynamicMessage::deserialize(descriptor.clone(), json(node)).map_err(|error| {
            self.refuse(node, format!("cannot be held as {}: {error}", descriptor.full_name()))
        })
    }

    fn expected(&self, node: &Node, accepted: &str) -> FileError {
        self.refuse(node, format!("expected {accepted}, found {}", shown(&node.value)))
    }

    fn refuse(&self, node: &Node, reason: impl Into<String>) -> FileError {
        FileError::field(node.at, self.path.to_string(), reason)
    }

    fn unknown_field(&mut self, descriptor: &MessageDescriptor, key: &str, node: &Node) -> FileError {
        let short = key.char_indices().nth(FOUND_SHOWN_CHARS_MAX).map_or(key, |(end, _)| &key[..end]);
        let mut names: Vec<String> = descriptor.fields().map(|field| field.name().to_owned()).collect();
        names.sort_by_cached_key(|name| (distance(name, short), name.clone()));
        let more = names.len().saturating_sub(FIELD_NAMES_SHOWN_MAX);
        names.truncate(FIELD_NAMES_SHOWN_MAX);
        let accepted = match (names.is_empty(), more) {
            (true, _) => "it has no fields".to_owned(),
            (_, 0) => format!("accepted: {}", names.join(", ")),
            (_, more) => format!("accepted: {} and {more} more", names.join(", ")),
        };
        self.path.field(short);
        self.refuse(node, format!("{} has no such field; {accepted}", descriptor.full_name()))
    }
}

/// Whether `null` is a value of this field rather than its absence.
fn holds_null(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Message(descriptor) => !field.is_list() && descriptor.full_name() == "google.protobuf.Value",
        _ => false,
    }
}

/// The tree as free-form JSON, for `Struct` and its like.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Signed(number) => (*number).into(),
        Value::Unsigned(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            serde_json::Value::Object(entries.iter().map(|(key, item)| (key.clone(), json(item))).collect())
        }
    }
}

/// What was found, short enough for one line of an error.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Bool(value) => format!("the truth value {value}"),
        Value::Signed(number) => format!("the number {number}"),
        Value::Unsigned(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Text(text) => format!("the string {text:?}"),
        Value::Null | Value::List(_) | Value::Map(_) => return value.kind().to_owned(),
    };
    match text.char_indices().nth(FOUND_SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// How many edits apart two names are, so that the likeliest field is named first.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, to) in right.chars().enumerate() {
            let change = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
