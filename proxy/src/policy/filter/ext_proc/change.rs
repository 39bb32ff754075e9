//! Changes of fields that a service asks for, as far as they are allowed (`envoy.config.common.mutation_rules.v3`).
//!
//! One rule: what is refused changes nothing from there on, and is counted.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use xds::model::{FieldMutation, FieldSet, MutationRules};

use super::metric::ProcessorMetric;
use crate::body::{RequestHead, ResponseHead, Scheme, Text};
use crate::fields::Fields;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_COUNT_MAX};
use crate::observe::metrics::Counters;

/// What is changed.
#[derive(Debug)]
pub enum Section<'a> {
    /// A request's head.
    Request(&'a mut RequestHead),
    /// A response's head.
    Response(&'a mut ResponseHead),
    /// Fields alone.
    Fields(&'a mut Fields),
}

/// Under which circumstances.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    /// The whole message is replaced, so that its method may be another.
    pub replaces: bool,
    /// `content-length` was taken away, and stays so.
    pub without_length: bool,
}

/// What is done to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Set,
    Append,
    Remove,
}

const INVALID_SET: &str = "header_mutation_set_contains_invalid_character";
const INVALID_REMOVE: &str = "header_mutation_remove_contains_invalid_character";
const REFUSED_SET: &str = "header_mutation_set_headers_failed";
const REFUSED_REMOVE: &str = "header_mutation_remove_headers_failed";
const TOO_MANY: &str = "header_mutation_operation_count_exceeds_limit";
const TOO_LARGE: &str = "header_mutation_result_exceeds_limit";

/// Which fields may be changed, and how often what may not be was tried.
#[derive(Debug)]
pub struct Rules {
    rules: MutationRules,
    stats: Arc<Counters<ProcessorMetric>>,
}

impl Rules {
    /// Refusals are counted in `stats`.
    #[must_use]
    pub fn new(rules: MutationRules, stats: Arc<Counters<ProcessorMetric>>) -> Self {
        Self { rules, stats }
    }

    /// Changes `section`.
    ///
    /// # Errors
    /// Why the message fails, in Envoy's words.
    pub fn change(
        &self,
        mut section: Section<'_>,
        mutation: &FieldMutation,
        how: Change,
    ) -> Result<(), &'static str> {
        let FieldMutation { set, remove } = mutation;
        if set.len().max(remove.len()) > HEADERS_COUNT_MAX {
            return self.reject(TOO_MANY);
        }
        for name in remove {
            if !is_name(name) {
                return self.reject(INVALID_REMOVE);
            }
            let name = name.to_ascii_lowercase();
            if self.may(&name, Act::Remove, b"").map_err(|()| REFUSED_REMOVE)? {
                section.remove(&name);
            }
        }
        for field in set {
            self.set(&mut section, field, how)?;
        }
        let fields = section.fields();
        let bytes: usize = fields.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if bytes > HEAD_BYTES_MAX || fields.len() > HEADERS_COUNT_MAX {
            return self.reject(TOO_LARGE);
        }
        Ok(())
    }

    fn set(&self, section: &mut Section<'_>, field: &FieldSet, how: Change) -> Result<(), &'static str> {
        let FieldSet { name, value, append } = field;
        let valid = HeaderValue::from_bytes(value).ok().filter(|_| is_name(name));
        let Some(value) = valid else { return self.reject(INVALID_SET) };
        let name = name.to_ascii_lowercase();
        if how.without_length && name == "content-length" {
            return Ok(());
        }
        let act = if *append && section.contains(&name) { Act::Append } else { Act::Set };
        let allowed = (how.replaces && name == ":method")
            || self.may(&name, act, value.as_bytes()).map_err(|()| REFUSED_SET)?;
        if allowed && !section.put(&name, value, act) {
            self.stats.inc(ProcessorMetric::RejectedHeaderMutations);
        }
        Ok(())
    }

    fn reject<T>(&self, why: &'static str) -> Result<T, &'static str> {
        self.stats.inc(ProcessorMetric::RejectedHeaderMutations);
        Err(why)
    }

    /// Whether the field may be changed so; an error where trying alone is one.
    fn may(&self, name: &str, act: Act, value: &[u8]) -> Result<bool, ()> {
        if is_valid(name, act, value) && self.is_allowed(name) {
            return Ok(true);
        }
        self.stats.inc(ProcessorMetric::RejectedHeaderMutations);
        if self.rules.disallow_is_error { Err(()) } else { Ok(false) }
    }

    fn is_allowed(&self, name: &str) -> bool {
        let rules = &self.rules;
        if rules.disallow_expression.as_ref().is_some_and(|disallowed| disallowed.is_match(name)) {
            return false;
        }
        if rules.allow_expression.as_ref().is_some_and(|allowed| allowed.is_match(name)) {
            return true;
        }
        let routing = matches!(name, "host" | ":authority" | ":method" | ":scheme");
        let forbidden = rules.disallow_all
            || (routing && !rules.allow_all_routing)
            || (rules.disallow_system && name.starts_with(':'))
            || (!rules.allow_envoy && name.starts_with("x-envoy"));
        !forbidden
    }
}

/// Whether the change is one that can be made at all.
fn is_valid(name: &str, act: Act, value: &[u8]) -> bool {
    match (act, name) {
        (Act::Remove, "host") => false,
        (Act::Set, ":status") => std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok())
            .is_some_and(|code: u16| code >= 200),
        (Act::Set, ":scheme") => matches!(value, b"http" | b"https"),
        (Act::Set, name) => !name.is_empty(),
        (Act::Append | Act::Remove, name) => !name.starts_with(':'),
    }
}

/// Whether a field, or a pseudo-field, can be called so.
fn is_name(name: &str) -> bool {
    // One without a name is none either, but does not fail the request, as in Envoy.
    name.is_empty() || HeaderName::from_bytes(name.strip_prefix(':').unwrap_or(name).as_bytes()).is_ok()
}

impl Section<'_> {
    /// The fields, pseudo-fields left out.
    fn fields(&mut self) -> &mut Fields {
        match self {
            Self::Request(head) => &mut head.headers,
            Self::Response(head) => &mut head.headers,
            Self::Fields(fields) => fields,
        }
    }

    fn contains(&mut self, name: &str) -> bool {
        match (&*self, name) {
            (Self::Request(_), ":method" | ":path" | ":scheme" | ":authority" | "host") => true,
            (Self::Response(_), ":status") => true,
            (_, name) => self.fields().contains_key(name),
        }
    }

    fn remove(&mut self, name: &str) {
        self.fields().remove(name);
    }

    /// Sets or appends a field; gives whether there can be such a one.
    fn put(&mut self, name: &str, value: HeaderValue, act: Act) -> bool {
        match self {
            Self::Request(head) if name.starts_with(':') || name == "host" => {
                return set_pseudo(head, name, &value).is_some();
            }
            Self::Response(head) if name == ":status" => {
                let status = StatusCode::from_bytes(value.as_bytes());
                return status.map(|status| head.status = status).is_ok();
            }
            // An answer's own status stays, and trailers have none; as in Envoy, trying is no failure.
            Self::Fields(_) if name.starts_with(':') => return true,
            _ => {}
        }
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
        if act == Act::Append {
            self.fields().append(name, value);
        } else {
            self.fields().insert(name, value);
        }
        true
    }
}

fn set_pseudo(head: &mut RequestHead, name: &str, value: &HeaderValue) -> Option<()> {
    let text = std::str::from_utf8(value.as_bytes()).ok()?;
    match name {
        ":method" => head.method = Method::from_bytes(text.as_bytes()).ok()?,
        ":path" if text.is_empty() => return None,
        ":path" => head.path = Text::from(text),
        ":authority" | "host" => head.authority = Text::from(text),
        ":scheme" => head.scheme = if text == "https" { Scheme::Https } else { Scheme::Http },
        _ => return None,
    }
    Some(())
}
