//! Objects kept about a request (`envoy.extensions.filters.http.set_filter_state.v3`).

use crate::model::FilterStateValue;

/// What is kept, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetFilterState {
    /// When the request's head is here.
    pub on_request_headers: Vec<FilterStateValue>,
}
