//! Durations as the Gateway API writes them (GEP-2257): `1h30m`, `5s`, `250ms`.
//!
//! One rule: what was read is written back unchanged in meaning, never as a bare number.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is not a duration: accepted are up to four of <number>h, m, s or ms, for example 1m30s or 250ms"
            )
        };
        let mut rest = text;
        let mut total = Duration::ZERO;
        let mut parts = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 5 || parts == 4 {
                return Err(refuse());
            }
            let number: u64 = rest[..digits].parse().map_err(|_| refuse())?;
            rest = &rest[digits..];
            let (unit_bytes, unit) = match rest.as_bytes() {
                [b'm', b's', ..] => (2, Duration::from_millis(1)),
                [b'h', ..] => (1, Duration::from_secs(3600)),
                [b'm', ..] => (1, Duration::from_secs(60)),
                [b's', ..] => (1, Duration::from_secs(1)),
                _ => return Err(refuse()),
            };
            // Five digits of hours stay far below what Duration can hold.
            total += unit * number as u32;
            rest = &rest[unit_bytes..];
            parts += 1;
        }
        if parts == 0 { Err(refuse()) } else { Ok(Self(total)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.as_secs(), self.0.subsec_millis());
        let parts =
            [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (u64::from(millis), "ms")];
        if parts.iter().all(|(n, _)| *n == 0) {
            return f.write_str("0s");
        }
        for (number, unit) in parts.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, "{number}{unit}")?;
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9]{1,5}(h|m|s|ms)){1,4}$",
            "description": "A duration as in GEP-2257, for example 1m30s or 250ms."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_in_gateway_api_form() {
        for (text, millis) in [("1h30m", 5_400_000), ("250ms", 250), ("1m1s", 61_000), ("0s", 0)] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.0.as_millis(), millis, "{text}");
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_accepted_form() {
        for text in ["", "5", "s", "5d", "-1s", "1.5s", "123456s", "1h1h1h1h1h", "5 s"] {
            let error = text.parse::<Span>().unwrap_err();
            assert!(error.contains("for example 1m30s"), "{text}: {error}");
        }
    }
}
