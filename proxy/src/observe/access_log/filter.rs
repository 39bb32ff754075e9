//! Which requests a log writes down.

use xds::model::{
    AccessLogFilter, Comparison, Fraction, HeaderMatcher, MetadataKey, RuntimeUInt32, ValueMatcher,
};

use super::format::{Needs, add};
use crate::error::Invalid;
use crate::observe::field::Field;
use crate::observe::flags;
use crate::observe::record::{Heads, Record};

/// A compiled filter.
#[derive(Debug)]
pub struct Filter(Kind);

#[derive(Debug)]
enum Kind {
    Status(Comparison, RuntimeUInt32),
    Millis(Comparison, RuntimeUInt32),
    /// No health checks are answered by this proxy's listeners, so that every request passes.
    NotHealthCheck,
    /// A share whose numerator may be overruled by what a runtime key says.
    Share(Fraction, String),
    And(Vec<Kind>),
    Or(Vec<Kind>),
    Header(Field, HeaderMatcher),
    AnyFlag,
    Flags(Vec<String>),
    Grpc {
        statuses: Vec<u32>,
        exclude: bool,
    },
    Metadata {
        key: MetadataKey,
        value: ValueMatcher,
        otherwise: bool,
    },
}

impl Filter {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the part that cannot be used.
    pub fn compile(model: &AccessLogFilter) -> Result<Self, Invalid> {
        Kind::compile(model).map(Self)
    }

    /// Whether the request, or a local answer to it, is meant; `random` decides shares.
    #[must_use]
    pub fn passes(&self, record: &Record, heads: &Heads<'_>, random: u64) -> bool {
        self.0.passes(record, heads, random)
    }

    /// Adds the fields this looks at.
    pub fn needs(&self, needs: &mut Needs) {
        self.0.needs(needs);
    }
}

impl Kind {
    fn compile(model: &AccessLogFilter) -> Result<Self, Invalid> {
        let all = |filters: &[AccessLogFilter], name: &str| {
            filters
                .iter()
                .enumerate()
                .map(|(index, filter)| {
                    Self::compile(filter)
                        .map_err(|invalid| invalid.within(&format!("{name}.filters[{index}]")))
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match model {
            AccessLogFilter::StatusCode(comparison, value) => Self::Status(*comparison, value.clone()),
            AccessLogFilter::DurationMillis(comparison, value) => Self::Millis(*comparison, value.clone()),
            AccessLogFilter::NotHealthCheck => Self::NotHealthCheck,
            AccessLogFilter::Runtime { share, key } => Self::Share(*share, key.clone()),
            AccessLogFilter::And(filters) => Self::And(all(filters, "and_filter")?),
            AccessLogFilter::Or(filters) => Self::Or(all(filters, "or_filter")?),
            AccessLogFilter::Header(matcher) => {
                let field = Field::parse(&matcher.name)
                    .map_err(|reason| Invalid::new("header_filter.header.name", reason))?;
                Self::Header(field, matcher.clone())
            }
            AccessLogFilter::ResponseFlag(names) if names.is_empty() => Self::AnyFlag,
            AccessLogFilter::ResponseFlag(names) => {
                if let Some(unknown) = names.iter().find(|name| !flags::is_known(name)) {
                    let reason = format!("{unknown:?} is not one of Envoy's response flags");
                    return Err(Invalid::new("response_flag_filter.flags", reason));
                }
                Self::Flags(names.clone())
            }
            AccessLogFilter::GrpcStatus { statuses, exclude } => {
                Self::Grpc { statuses: statuses.clone(), exclude: *exclude }
            }
            AccessLogFilter::Metadata { key, value, match_if_key_not_found } => {
                Self::Metadata { key: key.clone(), value: value.clone(), otherwise: *match_if_key_not_found }
            }
        })
    }

    fn passes(&self, record: &Record, heads: &Heads<'_>, random: u64) -> bool {
        match self {
            Self::Status(comparison, value) => {
                compare(*comparison, u64::from(record.status), record.runtime.uint32(value))
            }
            Self::Millis(comparison, value) => {
                let millis = record.finished.unwrap_or_else(|| record.elapsed()).as_millis();
                let millis = u64::try_from(millis).unwrap_or(u64::MAX);
                compare(*comparison, millis, record.runtime.uint32(value))
            }
            Self::NotHealthCheck => !record.health_check,
            Self::Share(Fraction { numerator, denominator }, key) => {
                let numerator = record.runtime.integer(key, u64::from(*numerator));
                random % u64::from(*denominator) < numerator
            }
            Self::And(filters) => filters.iter().all(|filter| filter.passes(record, heads, random)),
            Self::Or(filters) => filters.iter().any(|filter| filter.passes(record, heads, random)),
            Self::Header(field, matcher) => heads
                .request
                .as_ref()
                .map_or(matcher.is_match(None), |request| field.passes(matcher, request)),
            Self::AnyFlag => !record.flags.is_empty(),
            Self::Flags(names) => names.iter().any(|name| record.flags.contains(name)),
            Self::Grpc { statuses, exclude } => {
                // Without a gRPC status Envoy maps the HTTP status; `exclude` inverts either way.
                let status = record.grpc_status.unwrap_or_else(|| grpc_of_http(record.status));
                statuses.contains(&status) != *exclude
            }
            Self::Metadata { key: MetadataKey { namespace, path }, value, otherwise } => {
                let found = record.attributes.metadata().value(namespace, path);
                found.map_or(*otherwise, |found| value.is_match(found))
            }
        }
    }

    fn needs(&self, needs: &mut Needs) {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().for_each(|filter| filter.needs(needs)),
            Self::Header(field, _) => {
                needs.request = true;
                if let Field::Name(name) = field {
                    add(&mut needs.request_headers, name);
                }
            }
            Self::Status(..)
            | Self::Millis(..)
            | Self::NotHealthCheck
            | Self::Share(..)
            | Self::AnyFlag
            | Self::Flags(_)
            | Self::Grpc { .. }
            | Self::Metadata { .. } => {}
        }
    }
}

fn compare(comparison: Comparison, found: u64, wanted: u64) -> bool {
    match comparison {
        Comparison::Eq => found == wanted,
        Comparison::Ge => found >= wanted,
        Comparison::Le => found <= wanted,
        Comparison::Ne => found != wanted,
    }
}

/// The gRPC status that stands for an HTTP status (gRPC's "HTTP to gRPC Status Code Mapping"), 200 being OK.
#[must_use]
pub(super) fn grpc_of_http(status: u16) -> u32 {
    match status {
        200 => 0,
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}
