//! How big a head may be on HTTP/2.
//!
//! One rule: a head has the same limit whatever version it comes by. RFC 9113 §6.5.2 counts 32 bytes more for each
//! field than HTTP/1.1 and Envoy do, so the codec is told a limit with room for that, and the sum is taken here.

use http::HeaderMap;

/// What RFC 9113 §6.5.2 counts for a field besides its name and value.
const FIELD_OVERHEAD_BYTES: usize = 32;

/// The pseudo fields that a head may have (RFC 9113 §8.3, RFC 8441 §4).
const PSEUDO_FIELDS_MAX: usize = 5;

/// The largest head accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimit {
    /// Bytes of all names and values, pseudo fields included.
    pub bytes_max: usize,
    /// Fields, without pseudo fields.
    pub fields_max: usize,
}

impl HeadLimit {
    /// The `SETTINGS_MAX_HEADER_LIST_SIZE` that lets every head within this limit in, at most twice its bytes.
    #[must_use]
    pub fn list_bytes_max(self) -> u32 {
        let fields = self.fields_max.saturating_add(PSEUDO_FIELDS_MAX);
        let overhead = fields.saturating_mul(FIELD_OVERHEAD_BYTES).min(self.bytes_max);
        u32::try_from(self.bytes_max.saturating_add(overhead)).unwrap_or(u32::MAX)
    }

    /// What is too big about a head, whose pseudo fields take `pseudo_bytes`; `None` for one within the limit.
    #[must_use]
    pub fn excess(self, pseudo_bytes: usize, headers: &HeaderMap) -> Option<String> {
        let Self { bytes_max, fields_max } = self;
        if headers.len() > fields_max {
            return Some(format!("{} fields, at most {fields_max} accepted", headers.len()));
        }
        let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        let bytes = pseudo_bytes + fields;
        (bytes > bytes_max).then(|| format!("a head of {bytes} bytes, at most {bytes_max} accepted"))
    }
}
