//! The vocabulary of decoding: where a value stands, and how a value is refused.
//!
//! The one rule: nothing is dropped in silence. A message is destructured with every field named; what is not
//! converted goes through [`absent!`] or [`off!`], or stands beside a comment saying why it may be ignored.

use std::fmt;

use envoy_types::pb::google::protobuf::BoolValue;

/// Why a resource is refused: the path of the field, and what is wrong with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field, as `filter_chains[0].filters[1].typed_config`; empty for the resource as a whole.
    pub path: String,
    /// What was found and what is accepted.
    pub reason: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Invalid {}

/// Where in a resource a value stands. A cursor: it borrows its parent, and text is only made for an error.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    field: &'a str,
    within: Within<'a>,
}

/// Which part of a field is meant.
#[derive(Clone, Copy)]
enum Within<'a> {
    Whole,
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// The resource itself.
    pub const ROOT: Path<'static> = Path { parent: None, field: "", within: Within::Whole };

    /// A field of the message at this path.
    #[must_use]
    pub fn field(&'a self, name: &'a str) -> Path<'a> {
        let field = name.strip_prefix("r#").unwrap_or(name);
        Path { parent: Some(self), field, within: Within::Whole }
    }

    /// The value here, when it has elements or members of its own: a list in a list, an object in an object.
    #[must_use]
    pub fn inside(&'a self) -> Path<'a> {
        self.field("")
    }

    /// An element of the repeated field at this path.
    #[must_use]
    pub fn index(self, index: usize) -> Path<'a> {
        Path { within: Within::Index(index), ..self }
    }

    /// A value of the map at this path.
    #[must_use]
    pub fn key(self, key: &'a str) -> Path<'a> {
        Path { within: Within::Key(key), ..self }
    }

    /// The error that refuses the value here.
    #[must_use]
    pub fn invalid(&self, reason: impl Into<String>) -> Invalid {
        Invalid { path: self.to_string(), reason: reason.into() }
    }

    /// Refuses the value here.
    ///
    /// # Errors
    /// Always.
    pub fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, Invalid> {
        Err(self.invalid(reason))
    }

    /// Refuses a setting that exists in Envoy but not here.
    ///
    /// # Errors
    /// Always.
    pub fn unsupported<T>(&self) -> Result<T, Invalid> {
        self.refuse("is not supported here; leave it unset")
    }

    /// Accepts nothing but the default, for a field that is not supported.
    ///
    /// # Errors
    /// When the field is set.
    pub fn absent<T: Default + PartialEq>(&self, value: &T) -> Result<(), Invalid> {
        if *value == T::default() { Ok(()) } else { self.unsupported() }
    }

    /// Accepts an unset or false switch, for a behaviour that is not supported.
    ///
    /// # Errors
    /// When the switch is on.
    pub fn off(&self, value: Option<&BoolValue>) -> Result<(), Invalid> {
        if value.is_some_and(|switch| switch.value) {
            self.refuse("true is not supported here; leave it unset or false")
        } else {
            Ok(())
        }
    }

    /// Accepts an unset or true switch, for a behaviour that cannot be turned off.
    ///
    /// # Errors
    /// When the switch is off.
    pub fn on(&self, value: Option<&BoolValue>) -> Result<(), Invalid> {
        if value.is_some_and(|switch| !switch.value) {
            self.refuse("false is not supported here; leave it unset or true")
        } else {
            Ok(())
        }
    }

    /// The message of a field that must be set.
    ///
    /// # Errors
    /// When it is not.
    pub fn required<'v, T>(&self, value: &'v Option<T>) -> Result<&'v T, Invalid> {
        value.as_ref().ok_or_else(|| self.invalid("is required"))
    }

    /// Every element of a repeated field, each converted under its own path.
    ///
    /// # Errors
    /// That of the first element that is refused.
    pub fn each<T, U>(
        &self,
        values: &[T],
        convert: impl Fn(&Path<'_>, &T) -> Result<U, Invalid>,
    ) -> Result<Vec<U>, Invalid> {
        values.iter().enumerate().map(|(index, value)| convert(&self.index(index), value)).collect()
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if parent.parent.is_some() && !self.field.is_empty() {
                f.write_str(".")?;
            }
        }
        f.write_str(self.field)?;
        match self.within {
            Within::Whole => Ok(()),
            Within::Index(index) => write!(f, "[{index}]"),
            Within::Key(key) => write!(f, "[{key:?}]"),
        }
    }
}

/// Refuses each named field that is set. A macro, so that a binding cannot be reported under another name.
macro_rules! absent {
    ($path:expr; $($field:ident),+ $(,)?) => {
        $($path.field(stringify!($field)).absent($field)?;)+
    };
}

/// Refuses each named switch that is on.
macro_rules! off {
    ($path:expr; $($field:ident),+ $(,)?) => {
        $($path.field(stringify!($field)).off($field.as_ref())?;)+
    };
}

pub(super) use {absent, off};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_the_field_is_written() {
        let hosts = Path::ROOT.field("virtual_hosts").index(3);
        let config = hosts.field("typed_per_filter_config").key("envoy.filters.http.cors");
        assert_eq!(
            config.field("r#match").to_string(),
            "virtual_hosts[3].typed_per_filter_config[\"envoy.filters.http.cors\"].match"
        );
        let object = config.key("a");
        assert!(object.inside().index(1).to_string().ends_with("_config[\"a\"][1]"));
        assert_eq!(Path::ROOT.to_string(), "");
    }

    #[test]
    fn an_error_says_path_and_reason() {
        let path = Path::ROOT.field("name");
        assert_eq!(path.refuse::<()>("is required").unwrap_err().to_string(), "name: is required");
        assert_eq!(Path::ROOT.refuse::<()>("is empty").unwrap_err().to_string(), "is empty");
    }
}
