//! Tests on texts, headers and query parameters (`envoy.type.matcher.v3`, `HeaderMatcher`).

/// A compiled regular expression; equal when written alike. Matching means matching the whole text.
#[derive(Debug, Clone)]
pub struct Regex {
    source: String,
    whole: regex::Regex,
    anywhere: regex::Regex,
}

impl Regex {
    /// Compiles `source` (RE2 syntax, which the `regex` crate shares but for few corners).
    ///
    /// # Errors
    /// The compiler's message when the expression is malformed or larger than 1 MiB compiled.
    pub fn new(source: &str) -> Result<Self, String> {
        const COMPILED_BYTES_MAX: usize = 1024 * 1024;
        let compile = |text: &str| {
            regex::RegexBuilder::new(text)
                .size_limit(COMPILED_BYTES_MAX)
                .build()
                .map_err(|error| error.to_string())
        };
        let anywhere = compile(source)?;
        let whole = compile(&format!("^(?:{source})$"))?;
        Ok(Self { source: source.to_owned(), whole, anywhere })
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the whole of `text` matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// The expression that finds a match exactly where the whole text matches, for sets of expressions.
    #[must_use]
    pub fn whole(&self) -> &str {
        self.whole.as_str()
    }

    /// `text` with every match replaced; `substitution` uses RE2's `\1` groups as Envoy does.
    #[must_use]
    pub fn replace_all(&self, text: &str, substitution: &str) -> String {
        let replacement = dollar_groups(substitution);
        self.anywhere.replace_all(text, replacement.as_str()).into_owned()
    }

    /// How many capture groups the expression has, the whole match not counted.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.anywhere.captures_len() - 1
    }
}

/// RE2 writes `\1`, the `regex` crate `${1}`; a `$` of RE2 is literal.
fn dollar_groups(substitution: &str) -> String {
    let mut out = String::with_capacity(substitution.len() + 4);
    let mut chars = substitution.chars();
    while let Some(char) = chars.next() {
        match char {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str("${");
                    out.push(digit);
                    out.push('}');
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

/// A test on a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringMatcher {
    /// What the text must be.
    pub pattern: StringPattern,
    /// Whether ASCII case is ignored; never with a regular expression.
    pub ignore_case: bool,
}

/// The forms of a text test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StringPattern {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// Ends with.
    Suffix(String),
    /// Contains.
    Contains(String),
    /// Matches as a whole.
    Regex(Regex),
}

impl StringMatcher {
    /// A case-sensitive equality test.
    #[must_use]
    pub fn exact(text: impl Into<String>) -> Self {
        Self { pattern: StringPattern::Exact(text.into()), ignore_case: false }
    }

    /// Whether `text` passes.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let same = |a: &[u8], b: &[u8]| if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b };
        let (bytes, len) = (text.as_bytes(), text.len());
        match &self.pattern {
            StringPattern::Exact(want) => same(bytes, want.as_bytes()),
            StringPattern::Prefix(want) => len >= want.len() && same(&bytes[..want.len()], want.as_bytes()),
            StringPattern::Suffix(want) => {
                len >= want.len() && same(&bytes[len - want.len()..], want.as_bytes())
            }
            StringPattern::Contains(want) => {
                want.is_empty() || bytes.windows(want.len()).any(|window| same(window, want.as_bytes()))
            }
            StringPattern::Regex(regex) => regex.is_match(text),
        }
    }
}

/// A test on a request header (`envoy.config.route.v3.HeaderMatcher`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMatcher {
    /// Lower case; `:method`, `:path`, `:authority` and `:scheme` name the pseudo-headers.
    pub name: String,
    /// The test.
    pub test: HeaderTest,
    /// Whether the outcome is inverted.
    pub invert: bool,
    /// Whether a missing header counts as an empty one; else it never passes, inverted or not.
    pub treat_missing_header_as_empty: bool,
}

impl HeaderMatcher {
    /// Whether a request with this value of the header passes; `None` is a missing header.
    #[must_use]
    pub fn is_match(&self, value: Option<&str>) -> bool {
        if let HeaderTest::Present(present) = self.test {
            let there = value.is_some() || self.treat_missing_header_as_empty;
            return (there == present) != self.invert;
        }
        let value = match value {
            Some(value) => value,
            None if self.treat_missing_header_as_empty => "",
            None => return false,
        };
        let passes = match &self.test {
            HeaderTest::Text(matcher) => matcher.is_match(value),
            HeaderTest::Range { start, end } => {
                value.parse::<i64>().is_ok_and(|number| (*start..*end).contains(&number))
            }
            HeaderTest::Present(_) => true,
        };
        passes != self.invert
    }

    /// Whether a request with these values of the header, one for each field of its name, passes: one value that
    /// passes is enough, and one that is excluded by an inverted test is too much. Nothing is joined first, so that
    /// a second field cannot hide the first.
    #[must_use]
    pub fn is_match_any<V: AsRef<str>>(&self, values: impl IntoIterator<Item = V>) -> bool {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return self.is_match(None);
        }
        if self.invert {
            values.all(|value| self.is_match(Some(value.as_ref())))
        } else {
            values.any(|value| self.is_match(Some(value.as_ref())))
        }
    }
}

/// What a header's value must be; of several fields of one name each value stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderTest {
    /// A text test.
    Text(StringMatcher),
    /// A decimal integer in `start..end`.
    Range {
        /// Inclusive.
        start: i64,
        /// Exclusive.
        end: i64,
    },
    /// Present (`true`) or absent (`false`).
    Present(bool),
}

/// A test on a query parameter (`QueryParameterMatcher`); the first of its name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryMatcher {
    /// The parameter, case-sensitive.
    pub name: String,
    /// The test.
    pub test: QueryTest,
}

impl QueryMatcher {
    /// Whether a request with this value of the parameter passes; `None` is a missing parameter.
    #[must_use]
    pub fn is_match(&self, value: Option<&str>) -> bool {
        match &self.test {
            QueryTest::Text(matcher) => value.is_some_and(|value| matcher.is_match(value)),
            QueryTest::Present(present) => value.is_some() == *present,
        }
    }
}

/// What a query parameter must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryTest {
    /// A text test on the value as it stands in the path.
    Text(StringMatcher),
    /// Present or absent.
    Present(bool),
}

/// A test on a cookie; the first of its name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieMatcher {
    /// The cookie, case-sensitive.
    pub name: String,
    /// What its value must be; a missing cookie never passes.
    pub text: StringMatcher,
    /// Whether the outcome is inverted.
    pub invert: bool,
}

impl CookieMatcher {
    /// Whether a request with this value of the cookie passes; `None` is a missing cookie.
    #[must_use]
    pub fn is_match(&self, value: Option<&str>) -> bool {
        value.is_some_and(|value| self.text.is_match(value)) != self.invert
    }
}

/// A share of requests (`FractionalPercent`): `numerator` of `denominator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    /// Never more than the denominator.
    pub numerator: u32,
    /// 100, 10,000 or 1,000,000.
    pub denominator: u32,
}

impl Fraction {
    /// Whether a uniformly random `value` falls into the share.
    #[must_use]
    pub fn contains(self, value: u64) -> bool {
        value % u64::from(self.denominator) < u64::from(self.numerator)
    }
}
