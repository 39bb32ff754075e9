//! Changes of fields (`envoy.filters.http.header_mutation`), each carried out on what the one before it left.

use xds::model::{AppendAction, FilterMutations, HeaderChange, HeaderMutationFilter, QueryChange};

use crate::body::{RequestHead, Text};
use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::access_log::{Environment, Format, Needs};
use crate::observe::record::{Heads, Record, RequestView};
use crate::policy::facts;
use crate::policy::field_change::Change;

/// The filter in a chain.
#[derive(Debug)]
pub struct HeaderMutation {
    changes: Changes,
    specific_wins: bool,
}

/// Compiled changes.
#[derive(Debug)]
pub struct Changes {
    request: Vec<Change>,
    query: Vec<Query>,
    response: Vec<Change>,
    request_trailers: Vec<Change>,
    response_trailers: Vec<Change>,
    needs_request: bool,
}

#[derive(Debug)]
enum Query {
    Remove(String),
    Add { key: String, value: Format, action: AppendAction },
}

/// Which section of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// A response's head.
    Response,
    /// The trailers of a request.
    RequestTrailers,
    /// The trailers of a response.
    ResponseTrailers,
}

impl HeaderMutation {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the change that cannot be used.
    pub fn compile(model: &HeaderMutationFilter, environment: &Environment) -> Result<Self, Invalid> {
        let HeaderMutationFilter { mutations, most_specific_header_mutations_wins } = model;
        let changes = Changes::compile(mutations, environment);
        Ok(Self {
            changes: changes.map_err(|invalid| invalid.within("mutations"))?,
            specific_wins: *most_specific_header_mutations_wins,
        })
    }

    /// The filter's own changes, then those of `levels`, which come the most specific first; what comes last wins.
    fn stages<'a>(
        &'a self,
        levels: impl DoubleEndedIterator<Item = &'a Changes> + Clone,
    ) -> impl Iterator<Item = &'a Changes> {
        let (reversed, straight) = match self.specific_wins {
            true => (Some(levels.rev()), None),
            false => (None, Some(levels)),
        };
        let levels = reversed.into_iter().flatten().chain(straight.into_iter().flatten());
        std::iter::once(&self.changes).chain(levels)
    }

    /// Changes a request's head.
    pub fn change_request<'a>(
        &'a self,
        levels: impl DoubleEndedIterator<Item = &'a Changes> + Clone,
        head: &mut RequestHead,
        record: &Record,
    ) {
        for changes in self.stages(levels) {
            for change in &changes.request {
                change.change_request(head, record);
            }
            for change in &changes.query {
                change.carry_out(head, record);
            }
        }
    }

    /// Changes another section; `request` is the request it belongs to, where that is wanted.
    pub fn change<'a>(
        &'a self,
        section: Section,
        levels: impl DoubleEndedIterator<Item = &'a Changes> + Clone,
        fields: &mut Fields,
        request: Option<RequestView<'_>>,
        record: &Record,
    ) {
        for changes in self.stages(levels) {
            for change in changes.section(section) {
                let Change::Add(add) = change else {
                    change.remove(fields);
                    continue;
                };
                let heads = match section {
                    Section::Response => Heads { request, response: Some(fields), ..Heads::default() },
                    Section::ResponseTrailers => {
                        Heads { request, trailers: Some(fields), ..Heads::default() }
                    }
                    Section::RequestTrailers => Heads { request, ..Heads::default() },
                };
                if let Some(value) = add.value(record, &heads) {
                    add.put(fields, value);
                }
            }
        }
    }

    /// Whether there is anything to do in `section`.
    #[must_use]
    pub fn changes<'a>(
        &'a self,
        section: Section,
        levels: impl DoubleEndedIterator<Item = &'a Changes> + Clone,
    ) -> bool {
        self.stages(levels).any(|changes| !changes.section(section).is_empty())
    }

    /// Whether what is done to a response is made of its request.
    #[must_use]
    pub fn needs_request<'a>(&'a self, levels: impl DoubleEndedIterator<Item = &'a Changes> + Clone) -> bool {
        self.stages(levels).any(|changes| changes.needs_request)
    }
}

impl Changes {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the change that cannot be used.
    pub fn compile(model: &FilterMutations, environment: &Environment) -> Result<Self, Invalid> {
        let FilterMutations { request, query, response, request_trailers, response_trailers } = model;
        let mut needs = Needs::default();
        let mut each = |name: &str, changes: &[HeaderChange]| -> Result<Vec<Change>, Invalid> {
            let changes = Change::compile_all(name, changes, environment)?;
            for change in &changes {
                if let Change::Add(add) = change {
                    add.needs(&mut needs);
                }
            }
            Ok(changes)
        };
        Ok(Self {
            request: each("request_mutations", request)?,
            response: each("response_mutations", response)?,
            request_trailers: each("request_trailers_mutations", request_trailers)?,
            response_trailers: each("response_trailers_mutations", response_trailers)?,
            query: query
                .iter()
                .map(|change| Query::compile(change, environment))
                .collect::<Result<_, _>>()?,
            needs_request: needs.request,
        })
    }

    fn section(&self, section: Section) -> &[Change] {
        match section {
            Section::Response => &self.response,
            Section::RequestTrailers => &self.request_trailers,
            Section::ResponseTrailers => &self.response_trailers,
        }
    }
}

impl Query {
    fn compile(model: &QueryChange, environment: &Environment) -> Result<Self, Invalid> {
        Ok(match model {
            QueryChange::Remove(key) => Self::Remove(key.clone()),
            QueryChange::Add { key, value, action } => Self::Add {
                key: key.clone(),
                value: Format::compile(value, environment)
                    .map_err(|reason| Invalid::new("query_parameter_mutations", reason))?,
                action: *action,
            },
        })
    }

    fn carry_out(&self, head: &mut RequestHead, record: &Record) {
        let (path, query) = head.path.split_once('?').unwrap_or((&head.path, ""));
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        let named = |pair: &str, key: &str| pair.split_once('=').map_or(pair, |(name, _)| name) == key;
        let added;
        match self {
            Self::Remove(key) => pairs.retain(|pair| !named(pair, key)),
            Self::Add { key, value, action } => {
                let mut text = String::new();
                value.render(&mut text, record, &facts::heads(head), "");
                added = format!("{}={}", encoded(key), encoded(&text));
                let exists = pairs.iter().any(|pair| named(pair, key));
                match action {
                    AppendAction::AddIfAbsent if exists => return,
                    AppendAction::OverwriteIfExists if !exists => return,
                    AppendAction::AppendIfExistsOrAdd | AppendAction::AddIfAbsent => {}
                    AppendAction::OverwriteIfExists | AppendAction::OverwriteIfExistsOrAdd => {
                        pairs.retain(|pair| !named(pair, key));
                    }
                }
                pairs.push(&added);
            }
        }
        // Envoy keeps parameters by name, and writes them in that order.
        pairs.sort_by_key(|pair| pair.split_once('=').map_or(*pair, |(name, _)| name));
        let separator = if pairs.is_empty() { "" } else { "?" };
        head.path = Text::from(format!("{path}{separator}{}", pairs.join("&")));
    }
}

/// A text as it may stand in a query (RFC 3986 §2.3: all but unreserved characters are percent-encoded).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
