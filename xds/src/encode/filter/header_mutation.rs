//! Changes of fields.

use core::key_value_append::KeyValueAppendAction;
use envoy_types::pb::envoy::config::common::mutation_rules::v3 as rules;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::filters::http::header_mutation::v3 as pb;
use envoy_types::pb::google::protobuf::Value;
use envoy_types::pb::google::protobuf::value::Kind;
use rules::header_mutation::{Action, RemoveOnMatch};

use super::super::{headers, matcher};
use crate::model::{AppendAction, FilterMutations, HeaderChange, HeaderMutationFilter, QueryChange};

pub(super) fn filter(filter: &HeaderMutationFilter) -> pb::HeaderMutation {
    let HeaderMutationFilter { mutations, most_specific_header_mutations_wins } = filter;
    pb::HeaderMutation {
        mutations: Some(self::mutations(mutations)),
        most_specific_header_mutations_wins: *most_specific_header_mutations_wins,
    }
}

pub(super) fn per_route(mutations: &FilterMutations) -> pb::HeaderMutationPerRoute {
    pb::HeaderMutationPerRoute { mutations: Some(self::mutations(mutations)) }
}

fn mutations(mutations: &FilterMutations) -> pb::Mutations {
    let FilterMutations { request, query, response, request_trailers, response_trailers } = mutations;
    let each = |changes: &[HeaderChange]| changes.iter().map(header_change).collect();
    pb::Mutations {
        request_mutations: each(request),
        query_parameter_mutations: query.iter().map(query_change).collect(),
        response_mutations: each(response),
        response_trailers_mutations: each(response_trailers),
        request_trailers_mutations: each(request_trailers),
    }
}

pub(in crate::encode) fn header_change(change: &HeaderChange) -> rules::HeaderMutation {
    let action = match change {
        HeaderChange::Remove(name) => Action::Remove(name.clone()),
        HeaderChange::RemoveOnMatch(names) => {
            Action::RemoveOnMatch(RemoveOnMatch { key_matcher: Some(matcher::string(names)) })
        }
        HeaderChange::Add(add) => Action::Append(headers::option(add)),
    };
    rules::HeaderMutation { action: Some(action) }
}

fn query_change(change: &QueryChange) -> core::KeyValueMutation {
    let (key, value, action) = match change {
        QueryChange::Remove(name) => {
            return core::KeyValueMutation { append: None, remove: name.clone() };
        }
        QueryChange::Add { key, value, action } => (key, value, action),
    };
    let action = match action {
        AppendAction::AppendIfExistsOrAdd => KeyValueAppendAction::AppendIfExistsOrAdd,
        AppendAction::AddIfAbsent => KeyValueAppendAction::AddIfAbsent,
        AppendAction::OverwriteIfExistsOrAdd => KeyValueAppendAction::OverwriteIfExistsOrAdd,
        AppendAction::OverwriteIfExists => KeyValueAppendAction::OverwriteIfExists,
    };
    let value = Value { kind: Some(Kind::StringValue(value.as_str().to_owned())) };
    let record = core::KeyValuePair { key: key.clone(), value: Some(value) };
    let append = core::KeyValueAppend { record: Some(record), action: action.into(), ..Default::default() };
    core::KeyValueMutation { append: Some(append), remove: String::new() }
}
