//! One change of fields that configuration asks for (`HeaderMutation` of Envoy's mutation rules).

use http::HeaderName;
use xds::model::{HeaderChange, StringMatcher};

use super::facts;
use super::field_add::{Add, header_name};
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::access_log::Environment;
use crate::observe::record::Record;

/// A change, compiled.
#[derive(Debug)]
pub(super) enum Change {
    /// All fields of this name go.
    Remove(HeaderName),
    /// All fields go whose name matches.
    RemoveOnMatch(StringMatcher),
    /// A field is added.
    Add(Add),
}

impl Change {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names what of it cannot be used.
    pub(super) fn compile(model: &HeaderChange, environment: &Environment) -> Result<Self, Invalid> {
        Ok(match model {
            HeaderChange::Remove(name) => Self::Remove(header_name(name)?),
            HeaderChange::RemoveOnMatch(names) => Self::RemoveOnMatch(names.clone()),
            HeaderChange::Add(add) => Self::Add(Add::compile(add, environment)?),
        })
    }

    /// Compiles a list, which stands in the field `name`.
    ///
    /// # Errors
    /// Names the change that cannot be used.
    pub(super) fn compile_all(
        name: &str,
        models: &[HeaderChange],
        environment: &Environment,
    ) -> Result<Vec<Self>, Invalid> {
        let compile = |(index, model)| {
            Self::compile(model, environment)
                .map_err(|invalid: Invalid| invalid.within(&format!("{name}[{index}]")))
        };
        models.iter().enumerate().map(compile).collect()
    }

    /// Removes what goes, if that is the change.
    pub(super) fn remove(&self, fields: &mut Fields) {
        match self {
            Self::Remove(name) => {
                fields.remove(name);
            }
            Self::RemoveOnMatch(names) => fields.retain(|name, _| !names.is_match(name.as_str())),
            Self::Add(_) => {}
        }
    }

    /// Changes a request's head.
    pub(super) fn change_request(&self, head: &mut RequestHead, record: &Record) {
        match self {
            Self::Add(add) => {
                if let Some(value) = add.value(record, &facts::heads(head)) {
                    add.put(&mut head.headers, value);
                }
            }
            Self::Remove(_) | Self::RemoveOnMatch(_) => self.remove(&mut head.headers),
        }
    }
}
