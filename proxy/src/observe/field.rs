//! Looking a header up by a name that was parsed once, pseudo-headers included.

use std::borrow::Cow;

use http::HeaderName;
use xds::model::HeaderMatcher;

use super::record::RequestView;

use crate::fields::Fields;

/// A header that a format or a matcher names, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `:method`.
    Method,
    /// `:path`.
    Path,
    /// `:authority`, and `host`.
    Authority,
    /// `:scheme`.
    Scheme,
    /// Any other.
    Name(HeaderName),
}

impl Field {
    /// The header called `name`, in lower case.
    ///
    /// # Errors
    /// When that is no header's name.
    pub fn parse(name: &str) -> Result<Self, String> {
        Ok(match name {
            ":method" => Self::Method,
            ":path" => Self::Path,
            ":authority" | "host" => Self::Authority,
            ":scheme" => Self::Scheme,
            name => Self::Name(
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| format!("{name:?} is not a header name"))?,
            ),
        })
    }

    /// Its value in a request; all fields of the name joined with commas.
    #[must_use]
    pub fn of_request<'a>(&self, request: &RequestView<'a>) -> Option<Cow<'a, str>> {
        let pseudo = match self {
            Self::Method => request.method,
            Self::Path => request.path,
            Self::Authority => request.authority,
            Self::Scheme => request.scheme,
            Self::Name(name) => return joined(request.headers, name),
        };
        (!pseudo.is_empty()).then_some(Cow::Borrowed(pseudo))
    }

    /// Whether a request passes `matcher`, each field of the name by itself.
    #[must_use]
    pub fn passes(&self, matcher: &HeaderMatcher, request: &RequestView<'_>) -> bool {
        match self {
            Self::Name(name) => matcher.is_match_any(each(request.headers, name)),
            _ => matcher.is_match(self.of_request(request).as_deref()),
        }
    }

    /// The same for a response or trailer section.
    #[must_use]
    pub fn passes_fields(&self, matcher: &HeaderMatcher, fields: &Fields) -> bool {
        match self {
            Self::Name(name) => matcher.is_match_any(each(fields, name)),
            _ => matcher.is_match(None),
        }
    }

    /// Its value in a response or trailer section.
    #[must_use]
    pub fn of_fields<'a>(&self, fields: &'a Fields) -> Option<Cow<'a, str>> {
        match self {
            Self::Name(name) => joined(fields, name),
            Self::Method | Self::Path | Self::Authority | Self::Scheme => None,
        }
    }
}

fn each<'a>(fields: &'a Fields, name: &HeaderName) -> impl Iterator<Item = Cow<'a, str>> {
    fields.get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// All values of a field, joined with commas as Envoy does; invalid UTF-8 is shown with replacement characters.
#[must_use]
pub fn joined<'a>(fields: &'a Fields, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut values = fields.get_all(name);
    let first = String::from_utf8_lossy(values.next()?.as_bytes());
    Some(values.fold(first, |mut text, value| {
        text.to_mut().push(',');
        text.to_mut().push_str(&String::from_utf8_lossy(value.as_bytes()));
        text
    }))
}
