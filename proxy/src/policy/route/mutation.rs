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
use crate::observe::access_log::{Environment, Needs};
use crate::observe::record::{Heads, Record, RequestView};
use crate::policy::facts;
use crate::policy::field_add::{Add, append, header_name};

/// One level's mutations.
#[derive(Debug, Default)]
pub struct Stage {
    remove: Vec<HeaderName>,
    add: Vec<Add>,
}

/// Stages in the order in which they are carried out.
#[derive(Debug, Default)]
pub struct Mutations {
    stages: Vec<Arc<Stage>>,
    needs: Needs,
}

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
            let add = Add::compile(model, environment);
            stage.add.push(add.map_err(|invalid| invalid.within(&format!("add[{index}].header")))?);
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
            let Some(value) = add.value(record, heads) else { continue };
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

impl Mutations {
    /// The stages in order, empty ones left out.
    #[must_use]
    pub fn new(stages: impl IntoIterator<Item = Arc<Stage>>) -> Self {
        let stages: Vec<_> = stages.into_iter().filter(|stage| !stage.is_empty()).collect();
        let mut needs = Needs::default();
        for add in stages.iter().flat_map(|stage| &stage.add) {
            add.needs(&mut needs);
        }
        Self { stages, needs }
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Whether a value looks at the request's head.
    #[must_use]
    pub fn needs_request(&self) -> bool {
        self.needs.request
    }

    /// Adds the fields that values look at.
    pub fn needs(&self, needs: &mut Needs) {
        needs.extend(&self.needs);
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
            let heads = Heads { request, response: Some(fields), ..Heads::default() };
            let plan = stage.plan(fields, record, &heads);
            plan.carry_out(fields);
        }
    }
}
