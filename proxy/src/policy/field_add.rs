//! A field that configuration adds: its name, its value once rendered, and what is done when it is there already.

use http::{HeaderName, HeaderValue};
use xds::model::{AppendAction, HeaderAdd};

use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::access_log::{Environment, Format, Needs};
use crate::observe::record::{Heads, Record};

/// A field to add.
#[derive(Debug)]
pub(super) struct Add {
    pub(super) name: HeaderName,
    value: Value,
    pub(super) action: AppendAction,
    keep_empty: bool,
}

#[derive(Debug)]
enum Value {
    Fixed(HeaderValue),
    Format(Format),
}

/// Single-valued request fields: Envoy keeps one of each and joins what is appended to it.
const JOINED: [HeaderName; 8] = [
    http::header::USER_AGENT,
    http::header::CONTENT_TYPE,
    http::header::ACCEPT,
    http::header::AUTHORIZATION,
    http::header::CACHE_CONTROL,
    http::header::REFERER,
    http::header::VIA,
    HeaderName::from_static("x-forwarded-for"),
];

impl Add {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names what of it cannot be used.
    pub(super) fn compile(model: &HeaderAdd, environment: &Environment) -> Result<Self, Invalid> {
        let HeaderAdd { name, value, action, keep_empty_value } = model;
        let format = Format::compile(value, environment).map_err(|reason| Invalid::new("value", reason))?;
        let value = match format.as_literal() {
            Some(text) => Value::Fixed(
                HeaderValue::from_str(text)
                    .map_err(|_| Invalid::new("value", format!("{text:?} cannot stand in a header")))?,
            ),
            None => Value::Format(format),
        };
        let name = header_name(name).map_err(|bad| bad.within("key"))?;
        Ok(Self { name, value, action: *action, keep_empty: *keep_empty_value })
    }

    /// Adds to `needs` what the value is made of.
    pub(super) fn needs(&self, needs: &mut Needs) {
        if let Value::Format(format) = &self.value {
            format.needs(needs);
        }
    }

    /// The value now; `None` for one that is left out: it is empty, or came from bytes that are no field's value.
    pub(super) fn value(&self, record: &Record, heads: &Heads<'_>) -> Option<HeaderValue> {
        let value = match &self.value {
            Value::Fixed(value) => value.clone(),
            Value::Format(format) => {
                let mut text = String::new();
                format.render(&mut text, record, heads, "");
                HeaderValue::try_from(text).ok()?
            }
        };
        (self.keep_empty || !value.is_empty()).then_some(value)
    }

    /// Puts `value`, which is the value now, where it belongs.
    pub(super) fn put(&self, fields: &mut Fields, value: HeaderValue) {
        let exists = || fields.contains_key(&self.name);
        match self.action {
            AppendAction::AppendIfExistsOrAdd => append(fields, self.name.clone(), value),
            AppendAction::AddIfAbsent if exists() => {}
            AppendAction::OverwriteIfExists if !exists() => {}
            AppendAction::AddIfAbsent
            | AppendAction::OverwriteIfExists
            | AppendAction::OverwriteIfExistsOrAdd => {
                fields.insert(self.name.clone(), value);
            }
        }
    }
}

/// Adds a field, or joins it to the one that may only stand once.
pub(super) fn append(fields: &mut Fields, name: HeaderName, value: HeaderValue) {
    if JOINED.contains(&name)
        && let Some(before) = fields.get(&name)
        && !before.is_empty()
    {
        let joined = [before.as_bytes(), b",", value.as_bytes()].concat();
        if let Ok(joined) = HeaderValue::from_bytes(&joined) {
            fields.insert(name, joined);
        }
        return;
    }
    fields.append(name, value);
}

/// A name that configuration gives.
///
/// # Errors
/// When it is none.
pub(super) fn header_name(name: &str) -> Result<HeaderName, Invalid> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Invalid::new("", format!("{name:?} is not a header name")))
}
