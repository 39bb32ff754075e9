//! The hash that ring hash and Maglev balance by, computed as Envoy computes it (xxHash64, seed 0), so that a
//! client stays at its endpoint when one proxy is replaced by the other.

use http::HeaderValue;
use xds::model::{self, HashSource, Regex};
use xxhash_rust::xxh64::xxh64;

use super::connection::Ends;
use crate::body::RequestHead;
use crate::observe::attributes::Attributes;
use crate::observe::field::Field;
use crate::policy::{cookie, facts};

/// A route's hash policies in order.
#[derive(Debug, Default)]
pub struct HashPolicies(Vec<HashPolicy>);

#[derive(Debug)]
struct HashPolicy {
    source: Source,
    terminal: bool,
}

#[derive(Debug)]
enum Source {
    Header(Field, Option<(Regex, String)>),
    Cookie {
        name: String,
        ttl: Option<std::time::Duration>,
        /// The path among them.
        attributes: String,
    },
    ClientAddress,
    QueryParameter(String),
    Object(String),
}

/// A cookie that the client is to keep so that it hashes alike next time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCookie(pub HeaderValue);

/// What the policies made of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hashed {
    /// The hash; `None` lets the balancer draw.
    pub hash: Option<u64>,
    /// `set-cookie` values for the response.
    pub cookies: Vec<NewCookie>,
}

impl HashPolicies {
    pub(super) fn compile(models: &[model::HashPolicy]) -> Result<Self, String> {
        let policies = models.iter().map(|model| {
            let source = match &model.source {
                HashSource::Header { name, rewrite } => Source::Header(Field::parse(name)?, rewrite.clone()),
                HashSource::Cookie { name, ttl, path, attributes } => Source::Cookie {
                    name: name.clone(),
                    ttl: *ttl,
                    attributes: {
                        let path = if path.is_empty() { String::new() } else { format!("; Path={path}") };
                        path + &cookie::attributes(attributes)
                    },
                },
                HashSource::SourceIp => Source::ClientAddress,
                HashSource::QueryParameter(name) => Source::QueryParameter(name.clone()),
                HashSource::FilterState(key) => Source::Object(key.clone()),
            };
            Ok(HashPolicy { source, terminal: model.terminal })
        });
        Ok(Self(policies.collect::<Result<_, String>>()?))
    }

    /// Combines the policies' hashes as Envoy does: rotate what is there, mix the next in.
    #[must_use]
    pub fn hash(&self, head: &RequestHead, ends: Ends<'_>, attributes: &Attributes) -> Hashed {
        let mut hashed = Hashed::default();
        for policy in &self.0 {
            if let Some(next) = policy.source.hash(head, ends, attributes, &mut hashed.cookies) {
                // Rotating keeps two equal rules from cancelling each other out.
                hashed.hash = Some(hashed.hash.map_or(0, |old| old.rotate_left(1)) ^ next);
            }
            if policy.terminal && hashed.hash.is_some() {
                break;
            }
        }
        hashed
    }
}

impl Source {
    fn hash(
        &self,
        head: &RequestHead,
        ends: Ends<'_>,
        attributes: &Attributes,
        cookies: &mut Vec<NewCookie>,
    ) -> Option<u64> {
        match self {
            Self::Object(key) => attributes.hashable(key).map(|text| xxh64(text.as_bytes(), 0)),
            Self::Header(Field::Name(name), None) => {
                let mut values: Vec<&[u8]> = head.headers.get_all(name).map(HeaderValue::as_bytes).collect();
                // Sorted, so that the order in which a client sends equal fields does not matter.
                values.sort_unstable();
                (!values.is_empty()).then(|| values.iter().fold(0, |seed, value| xxh64(value, seed)))
            }
            Self::Header(Field::Name(name), Some((regex, substitution))) => {
                let values =
                    head.headers.get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
                let values = values.map(|value| regex.replace_all(&value, substitution));
                let mut values: Vec<String> = values.collect();
                values.sort_unstable();
                let mix = |seed, value: &String| xxh64(value.as_bytes(), seed);
                (!values.is_empty()).then(|| values.iter().fold(0, mix))
            }
            Self::Header(pseudo, rewrite) => {
                let value = pseudo.of_request(&facts::view(head))?;
                Some(match rewrite {
                    None => xxh64(value.as_bytes(), 0),
                    Some((regex, by)) => xxh64(regex.replace_all(&value, by).as_bytes(), 0),
                })
            }
            Self::ClientAddress => ends.client.ip().map(|ip| xxh64(ip.to_string().as_bytes(), 0)),
            Self::QueryParameter(name) => {
                facts::query_parameter(&head.path, name).map(|value| xxh64(value.as_bytes(), 0))
            }
            Self::Cookie { name, ttl, attributes } => {
                if let Some(value) = facts::cookie(&head.headers, name).filter(|value| !value.is_empty()) {
                    return Some(xxh64(value.as_bytes(), 0));
                }
                let ttl = (*ttl)?;
                // The same for a whole connection: parallel requests get the same cookie.
                let value = xxh64(format!("{}{}", ends.remote, ends.local).as_bytes(), 0);
                let value = format!("{value:016x}");
                let mut cookie = format!("{name}=\"{value}\"");
                if !ttl.is_zero() {
                    cookie.push_str(&format!("; Max-Age={}", ttl.as_secs()));
                }
                cookie.push_str(attributes);
                cookie.push_str("; HttpOnly");
                cookies.push(NewCookie(HeaderValue::try_from(cookie).ok()?));
                Some(xxh64(value.as_bytes(), 0))
            }
        }
    }
}
