//! The path and the authority that an upstream sees.

use http::{HeaderName, HeaderValue};
use xds::model::{self, Regex};

use super::path::PathTest;
use crate::body::{RequestHead, Text};
use crate::fields::Fields;
use crate::policy::facts::{self, path_only};

const ORIGINAL_PATH: HeaderName = HeaderName::from_static("x-envoy-original-path");
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-envoy-original-host");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// A compiled path rewrite.
#[derive(Debug)]
pub enum PathRewrite {
    /// The path stays.
    None,
    /// What matched is replaced.
    Prefix(String),
    /// Every match in the path is replaced; the query stays.
    Regex(Regex, String),
}

impl PathRewrite {
    pub(super) fn compile(model: &model::PathRewrite) -> Self {
        match model {
            model::PathRewrite::None => Self::None,
            // Envoy takes an empty prefix for none.
            model::PathRewrite::Prefix(prefix) if prefix.is_empty() => Self::None,
            model::PathRewrite::Prefix(prefix) => Self::Prefix(prefix.clone()),
            model::PathRewrite::Regex { regex, substitution } => {
                Self::Regex(regex.clone(), substitution.clone())
            }
        }
    }

    /// `path` rewritten; `None` leaves it.
    pub(super) fn rewrite(&self, path: &str, test: &PathTest) -> Option<String> {
        match self {
            Self::None => None,
            Self::Prefix(prefix) => {
                let rest = path.get(test.matched_len(path)..)?;
                Some(format!("{prefix}{rest}"))
            }
            Self::Regex(regex, substitution) => {
                let only = path_only(path);
                Some(format!("{}{}", regex.replace_all(only, substitution), &path[only.len()..]))
            }
        }
    }

    /// Rewrites the request's path; with `keep_original` the old one goes into `x-envoy-original-path`.
    pub(super) fn apply(&self, head: &mut RequestHead, test: &PathTest, keep_original: bool) {
        let Some(path) = self.rewrite(&head.path, test) else { return };
        if keep_original {
            insert(&mut head.headers, ORIGINAL_PATH, head.path.as_bytes().clone());
        }
        head.path = Text::from(path);
    }
}

/// A compiled authority rewrite.
#[derive(Debug)]
pub enum HostRewrite {
    /// The authority stays.
    None,
    /// This.
    Literal(Text),
    /// The endpoint's hostname, once it is chosen.
    Auto,
    /// What a request header says.
    Header(HeaderName),
    /// Made from the path.
    PathRegex(Regex, String),
}

impl HostRewrite {
    pub(super) fn compile(model: &model::HostRewrite) -> Result<Self, String> {
        Ok(match model {
            model::HostRewrite::None => Self::None,
            model::HostRewrite::Literal(host) if host.is_empty() => Self::None,
            model::HostRewrite::Literal(host) => Self::Literal(Text::from(host.as_str())),
            model::HostRewrite::Auto => Self::Auto,
            model::HostRewrite::Header(name) => Self::Header(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| format!("{name:?} is not a header name"))?,
            ),
            model::HostRewrite::PathRegex { regex, substitution } => {
                Self::PathRegex(regex.clone(), substitution.clone())
            }
        })
    }

    /// Whether the endpoint's hostname is to be the authority.
    #[must_use]
    pub fn is_auto(&self) -> bool {
        matches!(self, Self::Auto)
    }

    /// The new authority that is known before an endpoint is.
    pub(super) fn authority(&self, head: &RequestHead) -> Option<Text> {
        match self {
            Self::None | Self::Auto => None,
            Self::Literal(host) => Some(host.clone()),
            Self::Header(name) => {
                let value = facts::text(&head.headers, name.as_str())?;
                (!value.is_empty()).then(|| Text::from(value))
            }
            Self::PathRegex(regex, substitution) => {
                Some(Text::from(regex.replace_all(path_only(&head.path), substitution)))
            }
        }
    }
}

/// Gives the request a new authority. The old one is appended to `x-forwarded-host` if `append_forwarded`, unless
/// it stands last there already, and kept in `x-envoy-original-host` if `keep_original`.
pub fn set_authority(head: &mut RequestHead, authority: Text, append_forwarded: bool, keep_original: bool) {
    let before = std::mem::replace(&mut head.authority, authority);
    if append_forwarded && !before.is_empty() {
        let forwarded = facts::text(&head.headers, FORWARDED_HOST.as_str()).unwrap_or_default();
        let last = forwarded.rsplit(',').next().map(str::trim);
        if last != Some(&*before) {
            let separator = if forwarded.is_empty() { "" } else { "," };
            let appended = format!("{forwarded}{separator}{before}");
            insert(&mut head.headers, FORWARDED_HOST, appended.into());
        }
    }
    if keep_original {
        insert(&mut head.headers, ORIGINAL_HOST, before.as_bytes().clone());
    }
}

/// Sets a field to text that came from a valid head.
fn insert(headers: &mut Fields, name: HeaderName, value: bytes::Bytes) {
    if let Ok(value) = HeaderValue::from_maybe_shared(value) {
        headers.insert(name, value);
    }
}
