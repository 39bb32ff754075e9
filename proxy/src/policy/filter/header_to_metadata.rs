//! Dynamic metadata made of fields and cookies (`envoy.filters.http.header_to_metadata`).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use xds::model::{
    self, MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule, MetadataSource, MetadataText,
    MetadataWithoutValue, Value,
};

use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::limits::METADATA_VALUE_BYTES_MAX;
use crate::observe::attributes::Attributes;
use crate::observe::field::Field;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet, Scope};
use crate::policy::facts;
use crate::policy::http::Shared;

/// Where values go if a rule says nothing else.
const NAMESPACE: &str = "envoy.filters.http.header_to_metadata";

/// As Envoy reads it: what fills up the last group may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum HeaderToMetadataMetric {
    RequestRulesProcessed,
    ResponseRulesProcessed,
    RequestMetadataAdded,
    ResponseMetadataAdded,
    RequestHeaderNotFound,
    ResponseHeaderNotFound,
    Base64DecodeFailed,
    HeaderValueTooLong,
}

impl MetricSet for HeaderToMetadataMetric {
    #[rustfmt::skip]
    const METRICS: &'static [Metric] = &[
        Metric { name: "request_rules_processed", kind: Kind::Counter, help: "Rules that were asked about requests." },
        Metric { name: "response_rules_processed", kind: Kind::Counter, help: "Rules that were asked about responses." },
        Metric { name: "request_metadata_added", kind: Kind::Counter, help: "Values made of requests." },
        Metric { name: "response_metadata_added", kind: Kind::Counter, help: "Values made of responses." },
        Metric { name: "request_header_not_found", kind: Kind::Counter, help: "Requests without the field or cookie of a rule." },
        Metric { name: "response_header_not_found", kind: Kind::Counter, help: "Responses without the field or cookie of a rule." },
        Metric { name: "base64_decode_failed", kind: Kind::Counter, help: "Values that were to be Base64 and are not." },
        Metric { name: "header_value_too_long", kind: Kind::Counter, help: "Values of 8 KiB or more." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter, in a chain or on a host or route.
#[derive(Debug)]
pub struct HeaderToMetadata {
    request: Vec<Rule>,
    response: Vec<Rule>,
    stats: Option<Arc<Counters<HeaderToMetadataMetric>>>,
}

#[derive(Debug)]
struct Rule {
    source: Source,
    on_present: Option<MetadataFromValue>,
    on_missing: Option<MetadataWithoutValue>,
}

#[derive(Debug)]
enum Source {
    Header { field: Field, remove: bool },
    Cookie(String),
}

/// Which message is looked at.
#[derive(Debug, Clone, Copy)]
enum Side {
    Request,
    Response,
}

impl HeaderToMetadata {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the rule whose field has no valid name.
    pub fn compile(model: &model::HeaderToMetadata, shared: &Shared) -> Result<Self, Invalid> {
        let model::HeaderToMetadata { request_rules, response_rules, stat_prefix } = model;
        let each = |name: &str, rules: &[MetadataRule]| {
            let compile = |(index, rule)| {
                let at = |invalid: Invalid| invalid.within(&format!("{name}[{index}]"));
                Rule::compile(rule).map_err(at)
            };
            rules.iter().enumerate().map(compile).collect::<Result<Vec<_>, _>>()
        };
        let counted =
            |name: &String| shared.counters(Scope::new("http_filter_name", "envoy_http_filter_prefix", name));
        Ok(Self {
            request: each("request_rules", request_rules)?,
            response: each("response_rules", response_rules)?,
            stats: Some(stat_prefix).filter(|name| !name.is_empty()).map(counted),
        })
    }

    /// Notes what the rules make of a request.
    pub fn note_request(&self, head: &mut RequestHead, attributes: &mut Attributes) {
        for rule in &self.request {
            let found = match &rule.source {
                Source::Header { field, .. } => field.of_request(&facts::view(head)).map(Cow::into_owned),
                Source::Cookie(name) => cookie(&head.headers, name),
            };
            rule.take_away(found.is_some(), &mut head.headers);
            self.put(Side::Request, rule, found, attributes);
        }
    }

    /// Notes what the rules make of a response.
    pub fn note_response(&self, fields: &mut Fields, attributes: &mut Attributes) {
        for rule in &self.response {
            let found = match &rule.source {
                Source::Header { field, .. } => field.of_fields(fields).map(Cow::into_owned),
                Source::Cookie(name) => cookie(fields, name),
            };
            rule.take_away(found.is_some(), fields);
            self.put(Side::Response, rule, found, attributes);
        }
    }

    fn put(&self, side: Side, rule: &Rule, found: Option<String>, attributes: &mut Attributes) {
        use HeaderToMetadataMetric as M;
        let pick = |request, response| if matches!(side, Side::Request) { request } else { response };
        self.count(pick(M::RequestRulesProcessed, M::ResponseRulesProcessed));
        let (place, text) = match (found, &rule.on_present, &rule.on_missing) {
            (Some(text), Some(MetadataFromValue { place, value }), _) => (place, of(text, value)),
            (None, _, missing) => {
                self.count(pick(M::RequestHeaderNotFound, M::ResponseHeaderNotFound));
                let Some(MetadataWithoutValue { place, value }) = missing else { return };
                (place, value.clone())
            }
            (Some(_), None, _) => return,
        };
        let MetadataPlace { namespace, key, kind, base64 } = place;
        if text.is_empty() {
            return;
        }
        if text.len() >= METADATA_VALUE_BYTES_MAX {
            return self.count(M::HeaderValueTooLong);
        }
        let bytes = match base64.then(|| BASE64.decode(&text)) {
            None => text.into_bytes(),
            Some(Ok(bytes)) if !bytes.is_empty() => bytes,
            Some(_) => return self.count(M::Base64DecodeFailed),
        };
        let Some(value) = read(bytes, *kind) else { return };
        let namespace = if namespace.is_empty() { NAMESPACE } else { namespace };
        attributes.metadata_mut().put(namespace, [(key.clone(), value)].into());
        self.count(pick(M::RequestMetadataAdded, M::ResponseMetadataAdded));
    }

    fn count(&self, metric: HeaderToMetadataMetric) {
        if let Some(stats) = &self.stats {
            stats.inc(metric);
        }
    }
}

impl Rule {
    fn compile(model: &MetadataRule) -> Result<Self, Invalid> {
        let MetadataRule { source, on_present, on_missing } = model;
        let source = match source {
            MetadataSource::Header { name, remove } => Source::Header {
                field: Field::parse(name).map_err(|reason| Invalid::new("header", reason))?,
                remove: *remove,
            },
            MetadataSource::Cookie(name) => Source::Cookie(name.clone()),
        };
        Ok(Self { source, on_present: on_present.clone(), on_missing: on_missing.clone() })
    }

    fn take_away(&self, found: bool, fields: &mut Fields) {
        if let Source::Header { field: Field::Name(name), remove: true } = &self.source
            && found
        {
            fields.remove(name);
        }
    }
}

/// A cookie's value; an empty one counts as missing.
fn cookie(fields: &Fields, name: &str) -> Option<String> {
    facts::cookie(fields, name).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn of(found: String, text: &MetadataText) -> String {
    match text {
        MetadataText::Own => found,
        MetadataText::Fixed(text) => text.clone(),
        MetadataText::Rewritten { regex, substitution } => regex.replace_all(&found, substitution),
    }
}

/// The value that a field's bytes stand for, if they do.
fn read(bytes: Vec<u8>, kind: MetadataKind) -> Option<Value> {
    match kind {
        MetadataKind::Text => Some(Value::String(String::from_utf8_lossy(&bytes).into_owned())),
        MetadataKind::Number => {
            let number: f64 = std::str::from_utf8(&bytes).ok()?.trim().parse().ok()?;
            number.is_finite().then_some(Value::Number(number))
        }
        MetadataKind::Encoded => xds::decode::encoded_value(&bytes),
    }
}

#[cfg(test)]
mod tests {
    use xds::model::Regex;

    use super::*;
    use crate::policy::samples::{get, shared};

    fn place(kind: MetadataKind, base64: bool) -> MetadataPlace {
        MetadataPlace { namespace: String::new(), key: "k".to_owned(), kind, base64 }
    }

    fn rule(source: MetadataSource, place: MetadataPlace, value: MetadataText) -> MetadataRule {
        MetadataRule { source, on_present: Some(MetadataFromValue { place, value }), on_missing: None }
    }

    fn header(remove: bool) -> MetadataSource {
        MetadataSource::Header { name: "x-a".to_owned(), remove }
    }

    fn compile(rule: MetadataRule) -> HeaderToMetadata {
        let model = model::HeaderToMetadata { request_rules: vec![rule], ..Default::default() };
        HeaderToMetadata::compile(&model, &shared()).unwrap()
    }

    fn noted(rule: MetadataRule, headers: &[(&str, &str)]) -> Option<Value> {
        let mut attributes = Attributes::default();
        compile(rule).note_request(&mut get("h", "/", headers), &mut attributes);
        attributes.metadata().value(NAMESPACE, &["k".to_owned()]).cloned()
    }

    #[test]
    fn a_value_is_read_as_its_rule_says() {
        let text = |text: &str| Some(Value::String(text.to_owned()));
        let rows = [
            (MetadataKind::Text, false, "a b", text("a b")),
            (MetadataKind::Text, false, "", None),
            (MetadataKind::Text, true, "YWI=", text("ab")),
            (MetadataKind::Text, true, "YWI", text("ab")),
            (MetadataKind::Text, true, "a?", None),
            (MetadataKind::Number, false, " 1.5 ", Some(Value::Number(1.5))),
            (MetadataKind::Number, false, "1e3", Some(Value::Number(1000.0))),
            (MetadataKind::Number, false, "one", None),
            (MetadataKind::Number, false, "inf", None),
            // A string_value (field 3) of two bytes.
            (MetadataKind::Encoded, true, "GgJhYg==", text("ab")),
            (MetadataKind::Encoded, true, "IAE=", Some(Value::Bool(true))),
            (MetadataKind::Encoded, true, "////", None),
        ];
        for (kind, base64, value, expected) in rows {
            let found = noted(rule(header(false), place(kind, base64), MetadataText::Own), &[("x-a", value)]);
            assert_eq!(found, expected, "{kind:?} {base64} {value:?}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_left_out() {
        let of = |bytes: usize| {
            let rule = rule(header(false), place(MetadataKind::Text, false), MetadataText::Own);
            noted(rule, &[("x-a", &"a".repeat(bytes))])
        };
        assert!(of(METADATA_VALUE_BYTES_MAX - 1).is_some());
        assert_eq!(of(METADATA_VALUE_BYTES_MAX), None);
    }

    #[test]
    fn a_rule_says_what_stands_for_the_value() {
        let text = |text: &str| Some(Value::String(text.to_owned()));
        let regex = Regex::new("^(.)(.)").unwrap();
        let rewritten = MetadataText::Rewritten { regex, substitution: r"\2\1".to_owned() };
        let of = |value, headers: &[_]| {
            noted(rule(header(false), place(MetadataKind::Text, false), value), headers)
        };
        assert_eq!(of(MetadataText::Own, &[("x-a", "1"), ("x-a", "2")]), text("1,2"));
        assert_eq!(of(MetadataText::Fixed("f".to_owned()), &[("x-a", "")]), text("f"));
        assert_eq!(of(rewritten, &[("x-a", "abc")]), text("bac"));
    }

    #[test]
    fn what_is_missing_has_a_value_of_its_own() {
        let missing = |source| MetadataRule {
            source,
            on_present: None,
            on_missing: Some(MetadataWithoutValue {
                place: place(MetadataKind::Text, false),
                value: "none".to_owned(),
            }),
        };
        let cookie = || MetadataSource::Cookie("c".to_owned());
        let none = Some(Value::String("none".to_owned()));
        assert_eq!(noted(missing(header(false)), &[]), none);
        assert_eq!(noted(missing(header(false)), &[("x-a", "")]), None);
        assert_eq!(noted(missing(cookie()), &[("cookie", "c=")]), none);
        assert_eq!(noted(missing(cookie()), &[("cookie", "c=1")]), None);
    }

    #[test]
    fn a_field_is_taken_away_where_the_rule_says_so() {
        for remove in [false, true] {
            let rule = rule(header(remove), place(MetadataKind::Text, false), MetadataText::Own);
            let mut head = get("h", "/", &[("x-a", "1"), ("x-b", "2")]);
            compile(rule).note_request(&mut head, &mut Attributes::default());
            assert_eq!(head.headers.contains_key("x-a"), !remove);
            assert!(head.headers.contains_key("x-b"));
        }
    }
}
