//! Objects kept about a request.

use envoy_types::pb::envoy::extensions::filters::http::set_filter_state::v3 as pb;

use super::super::filter_state;
use crate::model::SetFilterState;

pub(super) fn filter(filter: &SetFilterState) -> pb::Config {
    let SetFilterState { on_request_headers } = filter;
    pb::Config {
        on_request_headers: on_request_headers.iter().map(filter_state::value).collect(),
        ..Default::default()
    }
}
