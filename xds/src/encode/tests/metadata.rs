//! Models of filters that write dynamic metadata and filter state.

use super::choices::Choices;
use super::common;
use crate::model::{
    AccessLogFormat, FilterStateFactory, FilterStateValue, FormatString, HeaderToMetadata, MetadataContent,
    MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule, MetadataSource, MetadataText,
    MetadataWithoutValue, SetFilterState, SetMetadata, SetMetadataEntry,
};

pub(super) fn set_metadata(from: &mut Choices<'_>) -> SetMetadata {
    SetMetadata {
        entries: from.list(3, |from| SetMetadataEntry {
            namespace: from.name(),
            allow_overwrite: from.flag(),
            value: if from.flag() {
                MetadataContent::Fields(common::object(from, 2))
            } else {
                MetadataContent::Typed { type_url: from.name(), bytes: from.text().into_bytes() }
            },
        }),
    }
}

pub(super) fn header_to_metadata(from: &mut Choices<'_>) -> HeaderToMetadata {
    HeaderToMetadata {
        request_rules: from.list(2, rule),
        response_rules: from.list(2, rule),
        stat_prefix: from.text(),
    }
}

pub(super) fn rule(from: &mut Choices<'_>) -> MetadataRule {
    let source = if from.flag() {
        MetadataSource::Header { name: from.name(), remove: from.flag() }
    } else {
        MetadataSource::Cookie(from.name())
    };
    let on_present = from.maybe(|from| MetadataFromValue {
        place: place(from),
        value: match from.between(0, 2) {
            0 => MetadataText::Own,
            1 => MetadataText::Fixed(from.name()),
            _ => {
                let (regex, substitution) = common::substitution(from);
                MetadataText::Rewritten { regex, substitution }
            }
        },
    });
    let missing = |from: &mut Choices<'_>| MetadataWithoutValue { place: place(from), value: from.name() };
    let on_missing = if on_present.is_some() { from.maybe(missing) } else { Some(missing(from)) };
    MetadataRule { source, on_present, on_missing }
}

fn place(from: &mut Choices<'_>) -> MetadataPlace {
    MetadataPlace {
        namespace: from.text(),
        key: from.name(),
        kind: from.one_of(&[MetadataKind::Text, MetadataKind::Number, MetadataKind::Encoded]),
        base64: from.flag(),
    }
}

pub(super) fn set_filter_state(from: &mut Choices<'_>) -> SetFilterState {
    SetFilterState { on_request_headers: from.list(3, filter_state_value) }
}

pub(super) fn filter_state_value(from: &mut Choices<'_>) -> FilterStateValue {
    FilterStateValue {
        key: from.name(),
        factory: from.one_of(&FilterStateFactory::ALL).1,
        value: if from.flag() {
            let format = FormatString::parse("").unwrap();
            AccessLogFormat::Text { format, omit_empty_values: from.flag() }
        } else {
            common::body_format(from)
        },
        skip_if_empty: from.flag(),
    }
}
