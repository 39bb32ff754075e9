//! Tests on metadata (`envoy.type.matcher.v3.MetadataMatcher`).

use super::{Metadata, MetadataKey, StringMatcher, Value};

/// A test on a value of metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataMatcher {
    /// Where the value stands; the path is not empty.
    pub key: MetadataKey,
    /// What it must be.
    pub value: ValueMatcher,
    /// Whether the outcome is inverted.
    pub invert: bool,
}

/// What a value must be; no value passes none of these tests.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueMatcher {
    /// Null.
    Null,
    /// This number.
    Exact(f64),
    /// A number in `start..end`.
    Range {
        /// Inclusive.
        start: f64,
        /// Exclusive.
        end: f64,
    },
    /// A text that passes.
    Text(StringMatcher),
    /// This truth value.
    Bool(bool),
    /// Anything; with `false` nothing passes, as in Envoy.
    Present(bool),
    /// A list with an item that passes.
    Item(Box<ValueMatcher>),
    /// One of these tests passes; at least two.
    Any(Vec<ValueMatcher>),
}

impl MetadataMatcher {
    /// Whether `metadata` passes.
    #[must_use]
    pub fn is_match(&self, metadata: &Metadata) -> bool {
        let value = metadata.value(&self.key.namespace, &self.key.path);
        value.is_some_and(|value| self.value.is_match(value)) != self.invert
    }
}

impl ValueMatcher {
    /// Whether a value passes.
    #[must_use]
    pub fn is_match(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            #[allow(clippy::float_cmp, reason = "the configuration asks for this very number")]
            (Self::Exact(wanted), Value::Number(number)) => wanted == number,
            (Self::Range { start, end }, Value::Number(number)) => (*start..*end).contains(number),
            (Self::Text(matcher), Value::String(text)) => matcher.is_match(text),
            (Self::Bool(wanted), Value::Bool(truth)) => wanted == truth,
            (Self::Present(present), _) => *present,
            (Self::Item(matcher), Value::List(items)) => items.iter().any(|item| matcher.is_match(item)),
            (Self::Any(matchers), value) => matchers.iter().any(|matcher| matcher.is_match(value)),
            (
                Self::Null
                | Self::Exact(_)
                | Self::Range { .. }
                | Self::Text(_)
                | Self::Bool(_)
                | Self::Item(_),
                _,
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_passes_tests_of_its_own_type_only() {
        let text = |text: &str| Value::String(text.to_owned());
        let list = Value::List(vec![Value::Number(1.0), text("a")]);
        let a = || ValueMatcher::Text(StringMatcher::exact("a"));
        let rows = [
            (ValueMatcher::Null, Value::Null, true),
            (ValueMatcher::Null, Value::Bool(false), false),
            (ValueMatcher::Exact(1.5), Value::Number(1.5), true),
            (ValueMatcher::Exact(1.0), text("1"), false),
            (ValueMatcher::Range { start: 1.0, end: 2.0 }, Value::Number(1.0), true),
            (ValueMatcher::Range { start: 1.0, end: 2.0 }, Value::Number(2.0), false),
            (a(), text("a"), true),
            (a(), list.clone(), false),
            (ValueMatcher::Bool(true), Value::Bool(true), true),
            (ValueMatcher::Bool(true), Value::Bool(false), false),
            (ValueMatcher::Present(true), Value::Null, true),
            (ValueMatcher::Present(false), Value::Null, false),
            (ValueMatcher::Item(Box::new(a())), list.clone(), true),
            (ValueMatcher::Item(Box::new(ValueMatcher::Null)), list.clone(), false),
            (ValueMatcher::Item(Box::new(a())), text("a"), false),
            (ValueMatcher::Any(vec![ValueMatcher::Null, a()]), text("a"), true),
            (ValueMatcher::Any(vec![ValueMatcher::Null, a()]), text("b"), false),
        ];
        for (matcher, value, expected) in rows {
            assert_eq!(matcher.is_match(&value), expected, "{matcher:?} of {value:?}");
        }
    }

    #[test]
    fn a_missing_value_passes_inverted_tests_only() {
        let matcher = |invert| MetadataMatcher {
            key: MetadataKey { namespace: "n".to_owned(), path: vec!["a".to_owned()] },
            value: ValueMatcher::Present(true),
            invert,
        };
        assert!(!matcher(false).is_match(&Metadata::default()));
        assert!(matcher(true).is_match(&Metadata::default()));
    }
}
