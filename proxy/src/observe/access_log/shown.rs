//! A value of metadata as text: a text as it is, anything else as JSON.
//!
//! One rule: keys are sorted and numbers are as short as they can be, as in Envoy, so that lines can be compared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use xds::model::Value;

/// The text of a value.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        value => {
            let mut out = String::new();
            json(&mut out, value);
            Cow::Owned(out)
        }
    }
}

/// Appends `value` as JSON.
pub(super) fn json(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Number(value) => number(out, *value),
        Value::String(text) => quoted(out, text),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Struct(fields) => object(out, fields),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json(out, item);
            }
            out.push(']');
        }
    }
}

fn object(out: &mut String, fields: &BTreeMap<String, Value>) {
    out.push('{');
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        quoted(out, name);
        out.push(':');
        json(out, value);
    }
    out.push('}');
}

/// The shorter of the two ways to write a number, the one without exponent if they are as long (C++'s `to_chars`).
fn number(out: &mut String, value: f64) {
    let plain = value.to_string();
    let short = format!("{value:e}");
    let exponent = match short.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => short,
    };
    out.push_str(if exponent.len() < plain.len() { &exponent } else { &plain });
}

/// A `google.protobuf.StringValue` in protobuf's JSON, which hides what HTML could take for a tag.
pub(super) fn message(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quoted(&mut out, text);
    out.replace('<', "\\u003c").replace('>', "\\u003e")
}

/// Appends `text` as a JSON string (RFC 8259 §7).
pub(super) fn quoted(out: &mut String, text: &str) {
    let quoted = serde_json::to_string(text).expect("a text is always valid JSON");
    out.write_str(&quoted).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_envoy_writes_them() {
        let list = Value::List(vec![Value::Null, Value::Bool(true), Value::String("a\"b".to_owned())]);
        let fields = [("b".to_owned(), list), ("a".to_owned(), Value::Number(1.0))];
        let value = Value::Struct(fields.into());
        assert_eq!(text(&value), r#"{"a":1,"b":[null,true,"a\"b"]}"#);
        assert_eq!(text(&Value::String("a\"b".to_owned())), "a\"b");
        for (value, expected) in [
            (1.5, "1.5"),
            (-2.0, "-2"),
            (1000.0, "1000"),
            (100_000.0, "1e+05"),
            (123_456.0, "123456"),
            (0.0001, "1e-04"),
            (0.001, "0.001"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(text(&Value::Number(value)), expected);
        }
    }
}
