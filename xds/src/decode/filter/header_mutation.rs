//! Changes of fields (`envoy.extensions.filters.http.header_mutation.v3`).

use core::key_value_append::KeyValueAppendAction;
use envoy_types::pb::envoy::config::common::mutation_rules::v3 as rules;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3 as pb;
use envoy_types::pb::google::protobuf::value::Kind;
use rules::header_mutation::{Action, RemoveOnMatch};

use super::super::headers;
use super::super::matcher;
use super::super::path::{Invalid, Path};
use crate::model::{
    AppendAction, FilterMutations, FormatString, HeaderChange, HeaderMutationFilter, QueryChange,
};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::HeaderMutation) -> Result<HeaderMutationFilter, Invalid> {
    let pb::HeaderMutation { mutations, most_specific_header_mutations_wins } = filter;
    Ok(HeaderMutationFilter {
        mutations: self::mutations(&path.field("mutations"), mutations)?,
        most_specific_header_mutations_wins: *most_specific_header_mutations_wins,
    })
}

/// The filter on a host or route.
pub(super) fn per_route(
    path: &Path<'_>,
    settings: &pb::HeaderMutationPerRoute,
) -> Result<FilterMutations, Invalid> {
    let pb::HeaderMutationPerRoute { mutations } = settings;
    self::mutations(&path.field("mutations"), mutations)
}

fn mutations(path: &Path<'_>, mutations: &Option<pb::Mutations>) -> Result<FilterMutations, Invalid> {
    let Some(pb::Mutations {
        request_mutations,
        query_parameter_mutations,
        response_mutations,
        response_trailers_mutations,
        request_trailers_mutations,
    }) = mutations
    else {
        return Ok(FilterMutations::default());
    };
    let each = |name: &str, changes: &[rules::HeaderMutation]| path.field(name).each(changes, header_change);
    Ok(FilterMutations {
        request: each("request_mutations", request_mutations)?,
        query: path.field("query_parameter_mutations").each(query_parameter_mutations, query_change)?,
        response: each("response_mutations", response_mutations)?,
        request_trailers: each("request_trailers_mutations", request_trailers_mutations)?,
        response_trailers: each("response_trailers_mutations", response_trailers_mutations)?,
    })
}

/// One change.
pub(in crate::decode) fn header_change(
    path: &Path<'_>,
    change: &rules::HeaderMutation,
) -> Result<HeaderChange, Invalid> {
    let rules::HeaderMutation { action } = change;
    Ok(match action {
        Some(Action::Remove(name)) => HeaderChange::Remove(headers::mutable(&path.field("remove"), name)?),
        Some(Action::Append(option)) => HeaderChange::Add(headers::add(&path.field("append"), option)?),
        Some(Action::RemoveOnMatch(RemoveOnMatch { key_matcher })) => {
            let path = path.field("remove_on_match");
            let at = path.field("key_matcher");
            HeaderChange::RemoveOnMatch(matcher::string(&at, at.required(key_matcher)?)?)
        }
        None => return path.refuse("is empty; accepted: remove, append, remove_on_match"),
    })
}

fn query_change(path: &Path<'_>, change: &core::KeyValueMutation) -> Result<QueryChange, Invalid> {
    let core::KeyValueMutation { append, remove } = change;
    match (append, remove.as_str()) {
        (Some(append), "") => query_append(&path.field("append"), append),
        (None, remove) => Ok(QueryChange::Remove(path.field("remove").non_empty(remove)?)),
        (Some(_), _) => path.refuse("has both append and remove; keep one"),
    }
}

fn query_append(path: &Path<'_>, append: &core::KeyValueAppend) -> Result<QueryChange, Invalid> {
    let core::KeyValueAppend { record, entry, action } = append;
    let (key, text) = match (record, entry) {
        (Some(core::KeyValuePair { key, value }), None) => {
            match value.as_ref().and_then(|value| value.kind.as_ref()) {
                Some(Kind::StringValue(text)) => (key, text.clone()),
                _ => return path.field("record").field("value").refuse("must be a text"),
            }
        }
        (None, Some(core::KeyValue { key, value })) => match std::str::from_utf8(value) {
            Ok(text) => (key, text.to_owned()),
            Err(_) => return path.field("entry").field("value").refuse("is not UTF-8"),
        },
        _ => return path.refuse("needs one of record and entry"),
    };
    let at = path.field("action");
    let action = match at.known(*action)? {
        KeyValueAppendAction::AppendIfExistsOrAdd => AppendAction::AppendIfExistsOrAdd,
        KeyValueAppendAction::AddIfAbsent => AppendAction::AddIfAbsent,
        KeyValueAppendAction::OverwriteIfExistsOrAdd => AppendAction::OverwriteIfExistsOrAdd,
        KeyValueAppendAction::OverwriteIfExists => AppendAction::OverwriteIfExists,
    };
    let at = path.field("record");
    let value = FormatString::parse(&text).map_err(|reason| at.field("value").invalid(reason))?;
    Ok(QueryChange::Add { key: at.field("key").non_empty(key)?, value, action })
}
