//! Objects that configuration wants to be kept about a request or a connection.

use std::sync::Arc;

use xds::model::{ConnectionState, FilterStateFactory, FilterStateValue};

use crate::error::Invalid;
use crate::observe::access_log::{Environment, Line, Needs};
use crate::observe::record::{Heads, Record};

/// Compiled objects, in order.
#[derive(Debug, Default)]
pub struct Objects(Vec<Object>);

#[derive(Debug)]
struct Object {
    key: Arc<str>,
    factory: FilterStateFactory,
    value: Line,
    skip_if_empty: bool,
}

/// What is kept about a connection.
#[derive(Debug, Default)]
pub struct ConnectionObjects {
    /// When it begins; nothing is known of its TLS then.
    pub begun: Objects,
    /// After its TLS handshake.
    pub secured: Objects,
}

impl ConnectionObjects {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the object whose format cannot be used.
    pub fn compile(model: &ConnectionState, environment: &Environment) -> Result<Self, Invalid> {
        let ConnectionState { on_new_connection, on_downstream_tls_handshake } = model;
        Ok(Self {
            begun: Objects::compile(on_new_connection, environment)
                .map_err(|invalid| invalid.within("on_new_connection"))?,
            secured: Objects::compile(on_downstream_tls_handshake, environment)
                .map_err(|invalid| invalid.within("on_downstream_tls_handshake"))?,
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.begun.0.is_empty() && self.secured.0.is_empty()
    }
}

impl Objects {
    /// Compiles `models`.
    ///
    /// # Errors
    /// Names the object whose format cannot be used.
    pub fn compile(models: &[FilterStateValue], environment: &Environment) -> Result<Self, Invalid> {
        let objects = models.iter().enumerate().map(|(index, model)| {
            let FilterStateValue { key, factory, value, skip_if_empty } = model;
            let value = Line::compile(value, environment)
                .map_err(|invalid| invalid.within(&format!("[{index}].format_string")))?;
            Ok(Object { key: key.as_str().into(), factory: *factory, value, skip_if_empty: *skip_if_empty })
        });
        objects.collect::<Result<_, _>>().map(Self)
    }

    /// Keeps them in `attributes`; each is made of what `record` and `heads` say, and of those before it.
    pub fn keep(&self, record: &mut Record, heads: &Heads<'_>) {
        for Object { key, factory, value, skip_if_empty } in &self.0 {
            let text = value.render(record, heads);
            if !(text.is_empty() && *skip_if_empty) {
                record.attributes.keep(key, *factory, &text);
            }
        }
    }

    /// What they are made of.
    pub fn needs(&self, needs: &mut Needs) {
        self.0.iter().for_each(|object| object.value.needs(needs));
    }
}
