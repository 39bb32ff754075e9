//! Decompression (`envoy.filters.http.decompressor`; RFC 9110 §8.4): which bodies, and what heads and trailers say then.

use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, StatusCode};
use xds::model::{self, DecompressDirection, DecompressorLibrary};

use crate::body::{RequestHead, ResponseHead};
use crate::error::{Invalid, Reason};
use crate::fields::{Fields, number};
use crate::limits::{BROTLI_INFLATE_RATIO_MAX, ZSTD_INFLATE_RATIO_MAX};
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum DecompressorMetric {
    RequestDecompressed,
    RequestNotDecompressed,
    RequestCompressedBytes,
    RequestUncompressedBytes,
    RequestMalformed,
    ResponseDecompressed,
    ResponseNotDecompressed,
    ResponseCompressedBytes,
    ResponseUncompressedBytes,
    ResponseMalformed,
}

impl MetricSet for DecompressorMetric {
    const METRICS: &'static [Metric] = &[
        counter("request.decompressed", "Requests decompressed."),
        counter("request.not_decompressed", "Requests with a body left as it was."),
        counter("request.total_compressed_bytes", "Bytes that came."),
        counter("request.total_uncompressed_bytes", "Bytes that were made of them."),
        counter("request.malformed", "Requests refused for what could not be decompressed."),
        counter("response.decompressed", "Responses decompressed."),
        counter("response.not_decompressed", "Responses with a body left as it was."),
        counter("response.total_compressed_bytes", "Bytes that came."),
        counter("response.total_uncompressed_bytes", "Bytes that were made of them."),
        counter("response.malformed", "Responses broken off for what could not be decompressed."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

/// Which way a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the upstream.
    Request,
    /// To the client.
    Response,
}

/// The filter in a chain.
#[derive(Debug)]
pub struct Decompressor {
    library: DecompressorLibrary,
    chunk_bytes: usize,
    request: DecompressDirection,
    response: DecompressDirection,
    advertise: bool,
    compressed_bytes: HeaderName,
    uncompressed_bytes: HeaderName,
    stats: Arc<Counters<DecompressorMetric>>,
}

/// What becomes of a body so far, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sizes {
    /// Bytes that came.
    pub compressed: u64,
    /// Bytes that were made of them.
    pub uncompressed: u64,
}

impl Decompressor {
    /// Takes `model` over; `counters` gives those of a part, which has a dotted name.
    ///
    /// # Errors
    /// When no field can be called after the library.
    pub fn compile(
        model: &model::Decompressor,
        counters: impl FnOnce(String) -> Arc<Counters<DecompressorMetric>>,
    ) -> Result<Self, Invalid> {
        let model::Decompressor { name, library, chunk_bytes, request, response, advertise_accept_encoding } =
            model;
        let field = |what: &str| {
            let field = format!("x-envoy-decompressor-{name}-{what}-bytes").to_ascii_lowercase();
            HeaderName::try_from(field).map_err(|_| {
                Invalid::new("decompressor_library.name", format!("{name:?} cannot stand in a field's name"))
            })
        };
        let family = match library {
            DecompressorLibrary::Gzip { .. } => "gzip",
            DecompressorLibrary::Brotli => "brotli",
            DecompressorLibrary::Zstd => "zstd",
        };
        Ok(Self {
            library: *library,
            chunk_bytes: *chunk_bytes as usize,
            request: *request,
            response: *response,
            advertise: *advertise_accept_encoding,
            compressed_bytes: field("compressed")?,
            uncompressed_bytes: field("uncompressed")?,
            stats: counters(format!("decompressor.{name}.{family}")),
        })
    }

    /// How it decompresses.
    #[must_use]
    pub fn library(&self) -> DecompressorLibrary {
        self.library
    }

    /// Bytes to make at a time.
    #[must_use]
    pub fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// Tells the upstream what is accepted here; marks the head, and says so, if its body is to be decompressed.
    pub fn request(&self, head: &mut RequestHead, has_body: bool) -> bool {
        if self.response.enabled && self.advertise {
            self.accept(&mut head.headers);
        }
        if !has_body || head.is_tunnel() {
            return false;
        }
        let found = self.take_off(self.request, &mut head.headers);
        self.stats.inc(match found {
            true => DecompressorMetric::RequestDecompressed,
            false => DecompressorMetric::RequestNotDecompressed,
        });
        found
    }

    /// Marks the head, and says so, if its body is to be decompressed.
    pub fn response(&self, head: &mut ResponseHead, has_body: bool) -> bool {
        if !has_body || head.status == StatusCode::SWITCHING_PROTOCOLS {
            return false;
        }
        let found = self.take_off(self.response, &mut head.headers);
        self.stats.inc(match found {
            true => DecompressorMetric::ResponseDecompressed,
            false => DecompressorMetric::ResponseNotDecompressed,
        });
        found
    }

    /// Whether that much may be made of what came; more is a bomb.
    #[must_use]
    pub fn allows(&self, sizes: Sizes) -> bool {
        let ratio = match self.library {
            DecompressorLibrary::Gzip { max_inflate_ratio } => u64::from(max_inflate_ratio),
            DecompressorLibrary::Brotli => BROTLI_INFLATE_RATIO_MAX,
            DecompressorLibrary::Zstd => ZSTD_INFLATE_RATIO_MAX,
        };
        sizes.uncompressed <= sizes.compressed.saturating_mul(ratio)
    }

    /// A body has ended: counts it, and adds its sizes to its trailers.
    pub fn end(&self, direction: Direction, sizes: Sizes, trailers: &mut Fields) {
        self.count(direction, sizes);
        trailers.insert(self.compressed_bytes.clone(), number(sizes.compressed));
        trailers.insert(self.uncompressed_bytes.clone(), number(sizes.uncompressed));
    }

    /// A body could not be decompressed; why it breaks off.
    #[must_use]
    pub fn malformed(&self, direction: Direction, sizes: Sizes) -> Reason {
        self.count(direction, sizes);
        let (metric, reason) = match direction {
            Direction::Request => (DecompressorMetric::RequestMalformed, Reason::RequestEncoding),
            Direction::Response => (DecompressorMetric::ResponseMalformed, Reason::ResponseEncoding),
        };
        self.stats.inc(metric);
        reason
    }

    fn count(&self, direction: Direction, sizes: Sizes) {
        use DecompressorMetric as M;
        let (compressed, uncompressed) = match direction {
            Direction::Request => (M::RequestCompressedBytes, M::RequestUncompressedBytes),
            Direction::Response => (M::ResponseCompressedBytes, M::ResponseUncompressedBytes),
        };
        self.stats.add(compressed, sizes.compressed);
        self.stats.add(uncompressed, sizes.uncompressed);
    }

    /// Names the encoding last and without a weight in `accept-encoding`: it costs nobody more than bytes.
    fn accept(&self, fields: &mut Fields) {
        let encoding = self.library.encoding();
        let said = listed(fields, ACCEPT_ENCODING);
        let others = said.split(',').map(str::trim).filter(|part| {
            let name = part.split(';').next().unwrap_or_default();
            !part.is_empty() && name.trim() != encoding
        });
        let list = others.chain([encoding]).collect::<Vec<_>>().join(",");
        // What was a field's text still is.
        if let Ok(value) = HeaderValue::try_from(list) {
            fields.insert(ACCEPT_ENCODING, value);
        }
    }

    /// Takes the last encoding off, if it is this one and may be; it was put on last (RFC 9110 §8.4).
    fn take_off(&self, direction: DecompressDirection, fields: &mut Fields) -> bool {
        let DecompressDirection { enabled, ignore_no_transform_header } = direction;
        if !enabled || !fields.contains_key(CONTENT_ENCODING) {
            return false;
        }
        let forbidden = || listed(fields, CACHE_CONTROL).split(',').any(|part| is(part, "no-transform"));
        if !ignore_no_transform_header && forbidden() {
            return false;
        }
        let codings = listed(fields, CONTENT_ENCODING);
        let (others, last) = codings.rsplit_once(',').unwrap_or(("", &codings));
        if !is(last, self.library.encoding()) {
            return false;
        }
        match HeaderValue::try_from(others.trim()) {
            Ok(others) if !others.is_empty() => fields.insert(CONTENT_ENCODING, others),
            _ => fields.remove(CONTENT_ENCODING),
        };
        fields.remove(CONTENT_LENGTH);
        true
    }
}

fn is(part: &str, token: &str) -> bool {
    part.trim().eq_ignore_ascii_case(token)
}

/// All values of a field as one list (RFC 9110 §5.3); empty if one is no text.
fn listed(fields: &Fields, name: HeaderName) -> String {
    let values = fields.get_all(name).map(|value| std::str::from_utf8(value.as_bytes()));
    values.collect::<Result<Vec<_>, _>>().unwrap_or_default().join(",")
}

#[cfg(test)]
mod tests;
