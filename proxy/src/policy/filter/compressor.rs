//! Compression (`envoy.filters.http.compressor`; RFC 9110 §8.4, §12.5.3): which bodies, in which of the encodings that
//! the client accepts.

use std::sync::Arc;

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderValue, StatusCode};
use xds::model::{self, CompressDirection, CompressorLibrary, CompressorPerRoute, StringMatcher};

use crate::body::{RequestHead, ResponseHead};
use crate::fields::Fields;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};
use crate::policy::facts;

/// Types that are compressed unless the configuration lists others: Envoy's.
const TYPES: [&str; 10] = [
    "application/javascript",
    "application/json",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/plain",
    "text/xml",
    "application/xml",
    "text/javascript",
];

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum CompressorMetric {
    RequestCompressed,
    RequestNotCompressed,
    ResponseCompressed,
    ResponseNotCompressed,
}

impl MetricSet for CompressorMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "compressor.request.compressed", kind: Kind::Counter, help: "Requests compressed." },
        Metric { name: "compressor.request.not_compressed", kind: Kind::Counter, help: "Requests left." },
        Metric { name: "compressor.response.compressed", kind: Kind::Counter, help: "Responses compressed." },
        Metric { name: "compressor.response.not_compressed", kind: Kind::Counter, help: "Responses left." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter in a chain.
#[derive(Debug)]
pub struct Compressor {
    library: CompressorLibrary,
    request: Option<Direction>,
    response: Direction,
    disable_on_etag: bool,
    weaken_etag: bool,
    remove_accept_encoding: bool,
    uncompressible: Vec<u16>,
    choose_first: bool,
    stats: Arc<Counters<CompressorMetric>>,
}

#[derive(Debug)]
struct Direction {
    enabled: bool,
    min_content_length: u64,
    types: Vec<StringMatcher>,
}

/// What one compressor of a chain offers for a response.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// The name in `content-encoding`.
    pub encoding: &'static str,
    choose_first: bool,
}

impl Direction {
    fn new(model: &CompressDirection) -> Self {
        let CompressDirection { enabled, min_content_length, content_type } = model;
        let types = match content_type.as_slice() {
            [] => TYPES.map(StringMatcher::exact).to_vec(),
            types => types.to_vec(),
        };
        Self { enabled: *enabled, min_content_length: u64::from(*min_content_length), types }
    }

    /// Whether the body is long enough, as far as its head says; one whose length is not said is.
    fn is_long(&self, fields: &Fields) -> bool {
        match facts::text(fields, CONTENT_LENGTH.as_str()) {
            Some(length) => length.parse::<u64>().is_ok_and(|length| length >= self.min_content_length),
            None => true,
        }
    }

    fn is_of_type(&self, fields: &Fields) -> bool {
        let Some(text) = facts::text(fields, CONTENT_TYPE.as_str()) else { return true };
        let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        self.types.iter().any(|matcher| matcher.is_match(&kind))
    }
}

impl Compressor {
    /// Takes `model` over.
    #[must_use]
    pub fn new(model: &model::Compressor, stats: Arc<Counters<CompressorMetric>>) -> Self {
        let model::Compressor {
            library,
            request,
            response,
            disable_on_etag_header,
            weaken_etag_on_compress,
            remove_accept_encoding_header,
            uncompressible_response_codes,
            choose_first,
        } = model;
        Self {
            library: *library,
            request: request.as_ref().map(Direction::new),
            response: Direction::new(response),
            disable_on_etag: *disable_on_etag_header,
            weaken_etag: *weaken_etag_on_compress,
            remove_accept_encoding: *remove_accept_encoding_header,
            uncompressible: uncompressible_response_codes.clone(),
            choose_first: *choose_first,
            stats,
        }
    }

    /// How it compresses.
    #[must_use]
    pub fn library(&self) -> CompressorLibrary {
        self.library
    }

    /// Decides on a request, and marks its head if its body is to be compressed. Gives what the client accepts, and whether the body is to be compressed.
    pub fn request(
        &self,
        said: Option<CompressorPerRoute>,
        head: &mut RequestHead,
        has_body: bool,
    ) -> (Option<HeaderValue>, bool) {
        let accepts = head.headers.get(ACCEPT_ENCODING).cloned();
        let remove = match said {
            Some(CompressorPerRoute::Overrides { remove_accept_encoding_header }) => {
                remove_accept_encoding_header.unwrap_or(self.remove_accept_encoding)
            }
            Some(CompressorPerRoute::Disabled) | None => self.remove_accept_encoding,
        };
        if remove && self.compresses_responses(said) {
            head.headers.remove(ACCEPT_ENCODING);
        }
        let Some(direction) = &self.request else { return (accepts, false) };
        let compress = direction.enabled
            && said != Some(CompressorPerRoute::Disabled)
            && has_body
            && !head.is_tunnel()
            && !head.headers.contains_key(CONTENT_ENCODING)
            && direction.is_long(&head.headers)
            && direction.is_of_type(&head.headers);
        if compress {
            self.mark(&mut head.headers);
        }
        self.stats.inc(match compress {
            true => CompressorMetric::RequestCompressed,
            false => CompressorMetric::RequestNotCompressed,
        });
        (accepts, compress)
    }

    /// What the filter offers for a response, if its type is one of the filter's.
    #[must_use]
    pub fn offer(&self, fields: &Fields) -> Option<Offer> {
        let offer = Offer { encoding: self.library.encoding(), choose_first: self.choose_first };
        self.response.is_of_type(fields).then_some(offer)
    }

    /// Decides on a response, and marks its head if its body is to be compressed. `chosen` is the encoding that the
    /// client likes best of those that the chain offers.
    pub fn response(
        &self,
        said: Option<CompressorPerRoute>,
        chosen: Option<&str>,
        head: &mut ResponseHead,
        has_body: bool,
    ) -> bool {
        let fields = &mut head.headers;
        let long = self.compresses_responses(said) && self.response.is_long(fields);
        let compressible = long
            && head.status != StatusCode::SWITCHING_PROTOCOLS
            && self.response.is_of_type(fields)
            && !facts::text(fields, CACHE_CONTROL.as_str())
                .is_some_and(|text| has_token(text, "no-transform"))
            && !(self.disable_on_etag && fields.contains_key(ETAG))
            && !fields.contains_key(CONTENT_ENCODING)
            && !self.uncompressible.contains(&head.status.as_u16());
        let compress = compressible && has_body && chosen == Some(self.library.encoding());
        if compress {
            self.fit_etag(fields);
            self.mark(fields);
        }
        self.stats.inc(match compress {
            true => CompressorMetric::ResponseCompressed,
            false => CompressorMetric::ResponseNotCompressed,
        });
        // A cache has to know that the answer depends on what was accepted, whatever became of this one.
        if compressible {
            vary(fields);
        }
        compress
    }

    fn compresses_responses(&self, said: Option<CompressorPerRoute>) -> bool {
        match said {
            Some(CompressorPerRoute::Disabled) => false,
            Some(CompressorPerRoute::Overrides { .. }) => true,
            None => self.response.enabled,
        }
    }

    fn mark(&self, fields: &mut Fields) {
        fields.remove(CONTENT_LENGTH);
        fields.insert(CONTENT_ENCODING, HeaderValue::from_static(self.library.encoding()));
    }

    /// A strong validator stands for other bytes (RFC 9110 §8.8.3).
    fn fit_etag(&self, fields: &mut Fields) {
        let Some(etag) = fields.get(ETAG) else { return };
        if etag.as_bytes().get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"w/")) {
            return;
        }
        match HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()) {
            Ok(weak) if self.weaken_etag => fields.insert(ETAG, weak),
            _ => fields.remove(ETAG),
        };
    }
}

/// The encoding that a client which sent `accepts` likes best of those that are offered, in the chain's order.
#[must_use]
pub fn choose(accepts: &str, offers: &[Offer]) -> Option<&'static str> {
    let weighted: Vec<(&str, f32)> = accepts.split(',').map(weighted).collect();
    let is_refused = |offer: &Offer| {
        weighted.iter().any(|(name, quality)| *quality == 0.0 && offer.encoding.eq_ignore_ascii_case(name))
    };
    let mut best: Option<(&'static str, f32)> = None;
    for (name, quality) in &weighted {
        let offered = match *name {
            "*" => offers.iter().find(|offer| !is_refused(offer)),
            name => offers.iter().find(|offer| offer.encoding.eq_ignore_ascii_case(name)),
        };
        let found = match offered {
            Some(offer) => offer.encoding,
            None if name.eq_ignore_ascii_case("identity") => "identity",
            None => continue,
        };
        let better = match best {
            None => *quality > 0.0,
            // Of those that are liked alike, the client's first is taken, or the last that wants to be.
            Some((_, liked)) => {
                *quality > liked || (*quality == liked && offered.is_some_and(|offer| offer.choose_first))
            }
        };
        if better {
            best = Some((found, *quality));
        }
    }
    best.map(|(encoding, _)| encoding).filter(|encoding| *encoding != "identity")
}

/// A name with its weight (RFC 9110 §12.4.2); one whose weight cannot be read is not wanted, as in Envoy.
fn weighted(part: &str) -> (&str, f32) {
    let (name, parameter) = part.split_once(';').unwrap_or((part, ""));
    let quality = match parameter.trim().strip_prefix("q=") {
        Some(quality) => quality.trim().parse().unwrap_or(0.0),
        None => 1.0,
    };
    (name.trim(), quality)
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn vary(fields: &mut Fields) {
    const NAME: &str = "Accept-Encoding";
    let before = facts::text(fields, VARY.as_str()).filter(|text| !text.is_empty());
    let value = match before {
        None => HeaderValue::from_static(NAME),
        Some(text) if has_token(text, NAME) => return,
        Some(text) => match HeaderValue::try_from(format!("{text}, {NAME}")) {
            Ok(value) => value,
            Err(_) => return,
        },
    };
    fields.insert(VARY, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_and_filters_break_ties_only_if_they_want_to() {
        let offers = |choose_first| ["gzip", "br"].map(|encoding| Offer { encoding, choose_first });
        for (accepts, clients, chains) in [
            ("gzip", Some("gzip"), Some("gzip")),
            ("br, gzip", Some("br"), Some("gzip")),
            ("gzip, br", Some("gzip"), Some("br")),
            ("*;q=0.1, gzip;q=0.05", Some("gzip"), Some("gzip")),
            ("gzip;q=0.5, br;q=0.6", Some("br"), Some("br")),
            ("gzip;q=0", None, None),
            ("deflate", None, None),
            ("*", Some("gzip"), Some("gzip")),
            ("gzip;q=0, *", Some("br"), Some("br")),
            ("gzip;q=x", None, None),
            ("identity, gzip;q=0.9", None, None),
            ("", None, None),
        ] {
            assert_eq!(choose(accepts, &offers(false)), clients, "{accepts}");
            assert_eq!(choose(accepts, &offers(true)), chains, "{accepts}, choose_first");
        }
    }
}
