//! A format string compiled: names parsed, constants folded, values looked up per request.

use std::fmt::Write as _;

use http::HeaderName;
use xds::model::{self, FormatPart, FormatString, Operator};

use super::clock::TimeFormat;
use super::environment::Environment;
use super::shown;
use super::value::{Lookup, Value};
use crate::observe::field::Field;
use crate::observe::record::{Heads, Record};

/// A compiled format string.
#[derive(Debug, Clone)]
pub struct Format {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(String),
    Command { lookup: Lookup, bytes_max: usize },
}

/// Which fields of the heads somebody wants to see after the heads are gone.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Whether the request's head is looked at, at all.
    pub request: bool,
    /// Request fields.
    pub request_headers: Vec<HeaderName>,
    /// Response fields.
    pub response_headers: Vec<HeaderName>,
    /// Response trailers.
    pub response_trailers: Vec<HeaderName>,
}

impl Needs {
    /// Adds what `other` needs.
    pub fn extend(&mut self, other: &Self) {
        self.request |= other.request;
        for (list, more) in [
            (&mut self.request_headers, &other.request_headers),
            (&mut self.response_headers, &other.response_headers),
            (&mut self.response_trailers, &other.response_trailers),
        ] {
            more.iter().for_each(|name| add(list, name));
        }
    }
}

impl Format {
    /// Compiles `model`; what the environment decides becomes constant.
    ///
    /// # Errors
    /// Says which time format or header name cannot be used.
    pub fn compile(model: &FormatString, environment: &Environment) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in model.parts() {
            match part {
                FormatPart::Literal(text) => push_literal(&mut parts, text),
                FormatPart::Command(command) => {
                    let bytes_max = command.max_length.unwrap_or(usize::MAX);
                    match compile_operator(&command.operator, environment)? {
                        Compiled::Constant(text) => push_literal(&mut parts, cut(&text, bytes_max)),
                        Compiled::Lookup(lookup) => parts.push(Part::Command { lookup, bytes_max }),
                    }
                }
            }
        }
        Ok(Self { parts })
    }

    /// Appends the rendering to `out`; `missing` stands for values that are not there.
    pub fn render(&self, out: &mut String, record: &Record, heads: &Heads<'_>, missing: &str) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Command { lookup, bytes_max } => match lookup.find(record, heads) {
                    Value::Missing => out.push_str(missing),
                    Value::Text(text) => out.push_str(cut(&text, *bytes_max)),
                    Value::Metadata(value) => out.push_str(cut(&shown::text(&value), *bytes_max)),
                    Value::Quoted(text) => out.push_str(cut(&shown::message(text), *bytes_max)),
                    Value::Number(number) if *bytes_max == usize::MAX => {
                        out.write_fmt(format_args!("{number}")).expect("writing to a string cannot fail");
                    }
                    Value::Number(number) => out.push_str(cut(&number.to_string(), *bytes_max)),
                },
            }
        }
    }

    /// The text, when no command stands in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The value of a lone command, which JSON shows with its type; `None` if this is a longer text.
    pub(super) fn lone<'a>(&'a self, record: &'a Record, heads: &Heads<'a>) -> Option<Value<'a>> {
        let [Part::Command { lookup, bytes_max }] = self.parts.as_slice() else { return None };
        Some(match lookup.find(record, heads) {
            Value::Text(text) if text.len() > *bytes_max => {
                Value::Text(cut(&text, *bytes_max).to_owned().into())
            }
            Value::Metadata(found) => match &*found {
                model::Value::String(text) if text.len() > *bytes_max => {
                    Value::Text(cut(text, *bytes_max).to_owned().into())
                }
                _ => Value::Metadata(found),
            },
            value => value,
        })
    }

    /// Adds the fields this format looks at.
    pub fn needs(&self, needs: &mut Needs) {
        for part in &self.parts {
            let Part::Command { lookup, .. } = part else { continue };
            let (fields, fallback, list) = match lookup {
                Lookup::Request(field, fallback) => {
                    needs.request = true;
                    (field, fallback, &mut needs.request_headers)
                }
                Lookup::Response(field, fallback) => (field, fallback, &mut needs.response_headers),
                Lookup::Trailer(field, fallback) => (field, fallback, &mut needs.response_trailers),
                Lookup::Started(_)
                | Lookup::LocalReplyBody
                | Lookup::Metadata(_)
                | Lookup::Object(..)
                | Lookup::Plain(_) => continue,
            };
            for field in [Some(fields), fallback.as_ref()].into_iter().flatten() {
                if let Field::Name(name) = field {
                    add(list, name);
                }
            }
        }
    }
}

/// Adds `name` once.
pub(super) fn add(list: &mut Vec<HeaderName>, name: &HeaderName) {
    if !list.contains(name) {
        list.push(name.clone());
    }
}

enum Compiled {
    Constant(String),
    Lookup(Lookup),
}

fn compile_operator(operator: &Operator, environment: &Environment) -> Result<Compiled, String> {
    let pair = |name: &str, fallback: &Option<String>| {
        Ok::<_, String>((Field::parse(name)?, fallback.as_deref().map(Field::parse).transpose()?))
    };
    Ok(Compiled::Lookup(match operator {
        Operator::RequestHeader { name, fallback } => {
            let (field, fallback) = pair(name, fallback)?;
            Lookup::Request(field, fallback)
        }
        Operator::ResponseHeader { name, fallback } => {
            let (field, fallback) = pair(name, fallback)?;
            Lookup::Response(field, fallback)
        }
        Operator::ResponseTrailer { name, fallback } => {
            let (field, fallback) = pair(name, fallback)?;
            Lookup::Trailer(field, fallback)
        }
        Operator::StartTime(None) => Lookup::Started(TimeFormat::iso()),
        Operator::StartTime(Some(format)) => Lookup::Started(TimeFormat::parse(format)?),
        Operator::LocalReplyBody => Lookup::LocalReplyBody,
        Operator::DynamicMetadata(key) => Lookup::Metadata(key.clone()),
        Operator::FilterState { key, form } => Lookup::Object(key.clone(), *form),
        Operator::Hostname => {
            let known = Some(environment.hostname.clone()).filter(|name| !name.is_empty());
            return Ok(Compiled::Constant(known.unwrap_or_else(|| "-".to_owned())));
        }
        Operator::Environment(name) => {
            let value = environment.variables.get(name).filter(|value| !value.is_empty());
            return Ok(Compiled::Constant(value.cloned().unwrap_or_else(|| "-".to_owned())));
        }
        plain => Lookup::Plain(plain.clone()),
    }))
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Literal(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

/// At most `bytes_max` bytes of `text`, never half a character.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
