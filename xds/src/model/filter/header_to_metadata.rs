//! Dynamic metadata made of fields and cookies (`envoy.extensions.filters.http.header_to_metadata.v3`).

use crate::model::Regex;

/// What is made of requests and of responses, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeaderToMetadata {
    /// Of requests.
    pub request_rules: Vec<MetadataRule>,
    /// Of responses.
    pub response_rules: Vec<MetadataRule>,
    /// Under which name it is counted; empty: it is not.
    pub stat_prefix: String,
}

/// What is made of one field or cookie.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataRule {
    /// Where the value comes from.
    pub source: MetadataSource,
    /// If it is there; at least one of the two is said.
    pub on_present: Option<MetadataFromValue>,
    /// If it is not there.
    pub on_missing: Option<MetadataWithoutValue>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataSource {
    /// All fields of a name, joined with commas.
    Header {
        /// The name, lower case; of a request also a pseudo-header's.
        name: String,
        /// Whether they are taken away; never with a pseudo-header.
        remove: bool,
    },
    /// A cookie; an empty one counts as missing.
    Cookie(String),
}

/// What is made of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataFromValue {
    /// Where it goes.
    pub place: MetadataPlace,
    /// What stands there.
    pub value: MetadataText,
}

/// What is made of a missing value.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataWithoutValue {
    /// Where it goes.
    pub place: MetadataPlace,
    /// What stands there; never empty.
    pub value: String,
}

/// Where a value goes, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataPlace {
    /// The namespace; empty for the filter's own.
    pub namespace: String,
    /// The member; never empty.
    pub key: String,
    /// Its type.
    pub kind: MetadataKind,
    /// Whether it is Base64.
    pub base64: bool,
}

/// A value before it is read.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataText {
    /// As it came.
    Own,
    /// This, whatever came; never empty.
    Fixed(String),
    /// As it came, every match replaced.
    Rewritten {
        /// The expression.
        regex: Regex,
        /// With `\1` groups.
        substitution: String,
    },
}

/// A value's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MetadataKind {
    /// A text.
    #[default]
    Text,
    /// A number.
    Number,
    /// An encoded `google.protobuf.Value`.
    Encoded,
}
