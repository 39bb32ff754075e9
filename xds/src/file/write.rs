//! Protobuf messages as JSON, the way Envoy's `config_dump` shows them: proto field names, defaults left out.
//!
//! The one rule: showing never fails on what was received. An `Any` that cannot be opened is shown closed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, SerializeOptions, Value as Proto};
use serde_json::{Map, Value as Json};

use super::catalog::{Catalog, is_special};
use super::error::{FileError, Position};
use super::limits::SHOWN_DEPTH_MAX;

/// The JSON form of a message.
pub(super) fn message(catalog: &Catalog, message: &DynamicMessage) -> Result<Json, FileError> {
    Writer { catalog, depth: 0 }.message(message)
}

/// The JSON form of the message inside an `Any`.
pub(super) fn any(catalog: &Catalog, type_url: &str, value: &[u8]) -> Result<Json, FileError> {
    Writer { catalog, depth: 0 }.any(type_url, value)
}

struct Writer<'a> {
    catalog: &'a Catalog,
    depth: usize,
}

impl Writer<'_> {
    fn message(&mut self, message: &DynamicMessage) -> Result<Json, FileError> {
        if self.depth >= SHOWN_DEPTH_MAX {
            let what = format!("the message nests deeper than {SHOWN_DEPTH_MAX} levels and is not shown");
            return Err(FileError::syntax(Position::default(), what));
        }
        self.depth += 1;
        let descriptor = message.descriptor();
        let json = match descriptor.full_name() {
            "google.protobuf.Any" => {
                let (type_url, value) = (message.get_field_by_number(1), message.get_field_by_number(2));
                let type_url = type_url.as_deref().and_then(Proto::as_str).unwrap_or_default();
                let value = value.as_deref().and_then(Proto::as_bytes).map(AsRef::as_ref).unwrap_or_default();
                self.any(type_url, value)
            }
            // The library knows the forms of durations, wrappers and free-form values; none of these holds an Any.
            name if is_special(name) => message
                .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
                .map_err(|error| {
                    FileError::syntax(Position::default(), format!("this {name} has no JSON form: {error}"))
                }),
            _ => self.fields(message).map(Json::Object),
        };
        self.depth -= 1;
        json
    }

    fn fields(&mut self, message: &DynamicMessage) -> Result<Map<String, Json>, FileError> {
        message
            .fields()
            .map(|(field, value)| Ok((field.name().to_owned(), self.value(&field.kind(), value)?)))
            .collect()
    }

    fn value(&mut self, kind: &Kind, value: &Proto) -> Result<Json, FileError> {
        Ok(match value {
            Proto::Bool(value) => (*value).into(),
            Proto::I32(number) => (*number).into(),
            Proto::U32(number) => (*number).into(),
            // JSON numbers are doubles to most readers, so the mapping writes 64-bit numbers as texts.
            Proto::I64(number) => number.to_string().into(),
            Proto::U64(number) => number.to_string().into(),
            // Through its text a float keeps the digits it was written with: 0.1, not 0.10000000149.
            Proto::F32(number) => real(number.to_string().parse().unwrap_or(f64::from(*number))),
            Proto::F64(number) => real(*number),
            Proto::String(text) => text.clone().into(),
            Proto::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Proto::EnumNumber(number) => enumeration(kind, *number),
            Proto::Message(message) => self.message(message)?,
            Proto::List(items) => {
                items.iter().map(|item| self.value(kind, item)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Proto::Map(entries) => {
                let Kind::Message(entry) = kind else {
                    return Ok(Json::Null);
                };
                let kind = entry.map_entry_value_field().kind();
                let mut map = Map::new();
                for (key, item) in entries {
                    let key = Proto::from(key.clone());
                    let key = match key.as_str() {
                        Some(text) => text.to_owned(),
                        None => self.value(&kind, &key)?.to_string().trim_matches('"').to_owned(),
                    };
                    map.insert(key, self.value(&kind, item)?);
                }
                Json::Object(map)
            }
        })
    }

    fn any(&mut self, type_url: &str, value: &[u8]) -> Result<Json, FileError> {
        if type_url.is_empty() && value.is_empty() {
            return Ok(Json::Object(Map::new()));
        }
        let full_name = type_url.rsplit_once('/').map_or(type_url, |(_, full_name)| full_name);
        let opened = self
            .catalog
            .message(full_name)
            .and_then(|descriptor| DynamicMessage::decode(descriptor, value).ok());
        let mut json = match &opened {
            Some(message) if is_special(full_name) => single("value", self.message(message)?),
            Some(message) => match self.message(message)? {
                Json::Object(fields) => fields,
                other => single("value", other),
            },
            None => single("value", STANDARD.encode(value).into()),
        };
        json.insert("@type".to_owned(), type_url.into());
        Ok(Json::Object(json))
    }
}

fn single(key: &str, value: Json) -> Map<String, Json> {
    Map::from_iter([(key.to_owned(), value)])
}

fn enumeration(kind: &Kind, number: i32) -> Json {
    match kind {
        Kind::Enum(descriptor) => {
            descriptor.get_value(number).map_or(number.into(), |value| value.name().to_owned().into())
        }
        _ => number.into(),
    }
}

fn real(number: f64) -> Json {
    match serde_json::Number::from_f64(number) {
        Some(finite) => Json::Number(finite),
        None if number.is_nan() => "NaN".into(),
        None if number > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
