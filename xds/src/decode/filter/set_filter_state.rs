//! Objects kept about a request (`envoy.extensions.filters.http.set_filter_state.v3`).

use envoy_types::pb::envoy::extensions::filters::http::set_filter_state::v3 as pb;

use super::super::filter_state;
use super::super::path::{Invalid, Path, absent};
use crate::model::SetFilterState;

/// The filter, in a chain or on a host or route.
pub(super) fn filter(path: &Path<'_>, filter: &pb::Config) -> Result<SetFilterState, Invalid> {
    let pb::Config { on_request_headers, clear_route_cache } = filter;
    absent!(path; clear_route_cache);
    Ok(SetFilterState {
        on_request_headers: path.field("on_request_headers").each(on_request_headers, filter_state::value)?,
    })
}
