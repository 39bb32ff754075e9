//! Changes of fields (`envoy.extensions.filters.http.header_mutation.v3`).

use crate::model::{FormatString, HeaderAdd, StringMatcher};

/// The filter in a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMutationFilter {
    /// What it changes everywhere.
    pub mutations: FilterMutations,
    /// Whether of what table, host and route add the most specific is carried out last and so wins.
    pub most_specific_header_mutations_wins: bool,
}

/// Changes, each list carried out in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FilterMutations {
    /// Of requests.
    pub request: Vec<HeaderChange>,
    /// Of the path's query.
    pub query: Vec<QueryChange>,
    /// Of responses.
    pub response: Vec<HeaderChange>,
    /// Of the trailers of requests.
    pub request_trailers: Vec<HeaderChange>,
    /// Of the trailers of responses.
    pub response_trailers: Vec<HeaderChange>,
}

/// One change of fields.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderChange {
    /// All fields of this name go; lower case.
    Remove(String),
    /// All fields go whose name matches.
    RemoveOnMatch(StringMatcher),
    /// A field is added.
    Add(HeaderAdd),
}

/// One change of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryChange {
    /// All parameters of this name go.
    Remove(String),
    /// A parameter is added.
    Add {
        /// Its name.
        key: String,
        /// Its value, may hold commands.
        value: FormatString,
        /// What is done when it is there already.
        action: crate::model::AppendAction,
    },
}
