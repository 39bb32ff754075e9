//! Fields that configuration adds and removes.
//!
//! Each level (weighted cluster, route, virtual host, table) is a stage. Within a stage Envoy removes first, then
//! renders every value from the fields as they are, overwrites, and adds last; a later stage wins.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use xds::model::{AppendAction, HeaderMutations};

use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::access_log::{Environment, Format, Needs};
use crate::observe::record::{Heads, Record, RequestView};
use crate::policy::facts;

/// One level's mutations.
#[derive(Debug, Default)]
pub struct Stage {
    remove: Vec<HeaderName>,
    add: Vec<Add>,
}

#[derive(Debug)]
struct Add {
    name: HeaderName,
    value: Value,
    action: AppendAction,
    keep_empty: bool,
}

#[derive(Debug)]
enum Value {
    Fixed(HeaderValue),
    Format(Format),
}

/// Stages in the order in which they are carried out.
#[derive(Debug, Default)]
pub struct Mutations {
    stages: Vec<Arc<Stage>>,
    needs_request: bool,
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

impl Stage {
    /// Compiles one level.
    ///
    /// # Errors
    /// Names the field whose name or value cannot be used.
    pub fn compile(model: &HeaderMutations, environment: &Environment) -> Result<Self, Invalid> {
        let mut stage = Self::default();
        for (index, name) in model.remove.iter().enumerate() {
            stage.remove.push(header_name(name).map_err(|bad| bad.within(&format!("remove[{index}]")))?);
        }
        for (index, model) in model.add.iter().enumerate() {
            let at = |invalid: Invalid| invalid.within(&format!("add[{index}].header"));
            let format = Format::compile(&model.value, environment)
                .map_err(|reason| at(Invalid::new("value", reason)))?;
            let value =
                match format.as_literal() {
                    Some(text) => Value::Fixed(HeaderValue::from_str(text).map_err(|_| {
                        at(Invalid::new("value", format!("{text:?} cannot stand in a header")))
                    })?),
                    None => Value::Format(format),
                };
            stage.add.push(Add {
                name: header_name(&model.name).map_err(|bad| at(bad.within("key")))?,
                value,
                action: model.action,
                keep_empty: model.keep_empty_value,
            });
        }
        Ok(stage)
    }

    fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }

    /// Removes, and says what is then overwritten and added.
    fn plan(&self, fields: &Fields, record: &Record, heads: &Heads<'_>) -> Plan {
        let mut plan = Plan::default();
        for add in &self.add {
            let value = match &add.value {
                Value::Fixed(value) => value.clone(),
                Value::Format(format) => {
                    let mut text = String::new();
                    format.render(&mut text, record, heads, "");
                    // A value that may not stand in a field (it came from bytes that are not text) is left out.
                    let Ok(value) = HeaderValue::try_from(text) else { continue };
                    value
                }
            };
            if value.is_empty() && !add.keep_empty {
                continue;
            }
            let exists = fields.contains_key(&add.name);
            match add.action {
                AppendAction::AppendIfExistsOrAdd => plan.add.push((add.name.clone(), value)),
                AppendAction::AddIfAbsent if exists => {}
                AppendAction::AddIfAbsent => plan.add.push((add.name.clone(), value)),
                AppendAction::OverwriteIfExists if !exists => {}
                AppendAction::OverwriteIfExists | AppendAction::OverwriteIfExistsOrAdd => {
                    plan.overwrite.push((add.name.clone(), value));
                }
            }
        }
        plan
    }
}

#[derive(Default)]
struct Plan {
    overwrite: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
}

impl Plan {
    fn carry_out(self, fields: &mut Fields) {
        for (name, value) in self.overwrite {
            fields.insert(name, value);
        }
        for (name, value) in self.add {
            append(fields, name, value);
        }
    }
}

/// Adds a field, or joins it to the one that may only stand once.
fn append(fields: &mut Fields, name: HeaderName, value: HeaderValue) {
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

impl Mutations {
    /// The stages in order, empty ones left out.
    #[must_use]
    pub fn new(stages: impl IntoIterator<Item = Arc<Stage>>) -> Self {
        let stages: Vec<_> = stages.into_iter().filter(|stage| !stage.is_empty()).collect();
        let mut needs = Needs::default();
        for add in stages.iter().flat_map(|stage| &stage.add) {
            if let Value::Format(format) = &add.value {
                format.needs(&mut needs);
            }
        }
        Self { stages, needs_request: needs.request }
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Whether a value looks at the request's head.
    #[must_use]
    pub fn needs_request(&self) -> bool {
        self.needs_request
    }

    /// Carries the stages out on a request.
    pub fn apply_to_request(&self, head: &mut RequestHead, record: &Record) {
        for stage in &self.stages {
            for name in &stage.remove {
                head.headers.remove(name);
            }
            let plan = stage.plan(&head.headers, record, &facts::heads(head));
            plan.carry_out(&mut head.headers);
        }
    }

    /// Carries the stages out on a response's fields; `request` is the request it answers.
    pub fn apply_to_response(&self, fields: &mut Fields, request: Option<RequestView<'_>>, record: &Record) {
        for stage in &self.stages {
            for name in &stage.remove {
                fields.remove(name);
            }
            let heads = Heads { request, response: Some(fields), trailers: None };
            let plan = stage.plan(fields, record, &heads);
            plan.carry_out(fields);
        }
    }
}

fn header_name(name: &str) -> Result<HeaderName, Invalid> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Invalid::new("", format!("{name:?} is not a header name")))
}
