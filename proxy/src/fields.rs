//! The fields of a head or trailer section, in the order in which they came.
//!
//! A head has about a dozen fields, and looking through so many names costs less than keeping a table of hashes.
//! One rule: names are in lower case, whoever made them.

use std::cell::RefCell;
use std::fmt;
use std::ops::Index;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Room kept for fields that are added on the way.
const SPARE: usize = 8;

/// Names with their values; a name may come more than once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Name, HeaderValue)>);

/// A field's name.
#[derive(Clone)]
pub enum Name {
    /// One that the `http` crate made.
    Known(HeaderName),
    /// A token in lower case, cut out of a head.
    Read(Bytes),
}

/// A number as a field's value. Those that were asked for lately cost no allocation.
#[must_use]
pub fn number(number: u64) -> HeaderValue {
    const SLOTS: usize = 64;
    thread_local! {
        static LATELY: RefCell<[Option<(u64, HeaderValue)>; SLOTS]> = const { RefCell::new([const { None }; SLOTS]) };
    }
    LATELY.with_borrow_mut(|slots| {
        let slot = &mut slots[number as usize % SLOTS];
        match slot {
            Some((known, value)) if *known == number => value.clone(),
            _ => slot.insert((number, HeaderValue::from(number))).1.clone(),
        }
    })
}

/// What fields are looked up by.
pub trait Lookup {
    /// The name, in lower case.
    fn name(&self) -> &[u8];
}

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No fields, with room for `count` and a few more.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count + SPARE))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value of `name`.
    pub fn get(&self, name: impl Lookup) -> Option<&HeaderValue> {
        let at = self.position(name.name())?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// All values of `name`.
    pub fn get_all(&self, name: impl Lookup) -> impl Iterator<Item = &HeaderValue> {
        self.iter().filter(move |(found, _)| found.as_bytes() == name.name()).map(|(_, value)| value)
    }

    /// Whether `name` is there.
    pub fn contains_key(&self, name: impl Lookup) -> bool {
        self.position(name.name()).is_some()
    }

    /// Makes `value` the only one of `name`; gives the first one there was.
    pub fn insert(&mut self, name: impl Into<Name>, value: HeaderValue) -> Option<HeaderValue> {
        let name = name.into();
        let Some(at) = self.position(name.as_bytes()) else {
            self.append(name, value);
            return None;
        };
        let mut others = at + 1;
        while let Some(next) = self.0.get(others..).and_then(|rest| position(rest, name.as_bytes())) {
            others += next;
            self.0.remove(others);
        }
        Some(std::mem::replace(&mut self.0[at].1, value))
    }

    /// Adds a value behind all others.
    pub fn append(&mut self, name: impl Into<Name>, value: HeaderValue) {
        if self.0.capacity() == 0 {
            self.0.reserve(SPARE);
        }
        self.0.push((name.into(), value));
    }

    /// Removes all values of `name`; gives the first one.
    pub fn remove(&mut self, name: impl Lookup) -> Option<HeaderValue> {
        let name = name.name();
        let at = self.position(name)?;
        let (_, first) = self.0.remove(at);
        if self.position(name).is_some() {
            self.0.retain(|(found, _)| found.as_bytes() != name);
        }
        Some(first)
    }

    /// Keeps the fields that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Name, &HeaderValue) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// The names, one for each field.
    pub fn keys(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|(name, _)| name)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        position(&self.0, name)
    }
}

fn position(fields: &[(Name, HeaderValue)], name: &[u8]) -> Option<usize> {
    fields.iter().position(|(found, _)| found.as_bytes() == name)
}

impl Name {
    /// The name as it stands in `head`; `None` if it is not a field name. Costs no allocation unless it has
    /// capitals and is none of the standard names.
    #[must_use]
    pub fn read(head: &Bytes, name: &[u8]) -> Option<Self> {
        if name.is_empty() {
            return None;
        }
        if name.iter().all(|byte| is_lower_token(*byte)) {
            return Some(Self::Read(head.slice_ref(name)));
        }
        HeaderName::from_bytes(name).ok().map(Self::Known)
    }

    /// The name in lower case.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Known(name) => name.as_str().as_bytes(),
            Self::Read(name) => name,
        }
    }

    /// The name in lower case, as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(name) => name.as_str(),
            Self::Read(name) => std::str::from_utf8(name).expect("a token is ASCII"),
        }
    }
}

/// Whether a byte may stand in a token (RFC 9110 §5.6.2): a method, a field's name.
#[must_use]
pub const fn is_token(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let others = b"!#$%&'*+-.^_`|~";
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    TABLE[byte as usize]
}

const fn is_lower_token(byte: u8) -> bool {
    is_token(byte) && !byte.is_ascii_uppercase()
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<HeaderName> for Name {
    fn from(name: HeaderName) -> Self {
        Self::Known(name)
    }
}

impl From<&HeaderName> for Name {
    fn from(name: &HeaderName) -> Self {
        Self::Known(name.clone())
    }
}

/// A name of the program's own, which must be in lower case.
impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        debug_assert!(name.bytes().all(is_lower_token), "{name:?} is not a field name in lower case");
        Self::Read(Bytes::from_static(name.as_bytes()))
    }
}

/// Fails never for a name that was read or known.
impl From<Name> for HeaderName {
    fn from(name: Name) -> Self {
        match name {
            Name::Known(name) => name,
            Name::Read(name) => HeaderName::from_lowercase(&name).expect("a token in lower case is a name"),
        }
    }
}

impl Lookup for HeaderName {
    fn name(&self) -> &[u8] {
        self.as_str().as_bytes()
    }
}

impl Lookup for Name {
    fn name(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Lookup for str {
    fn name(&self) -> &[u8] {
        debug_assert!(!self.bytes().any(|byte| byte.is_ascii_uppercase()), "{self:?} has capitals");
        self.as_bytes()
    }
}

impl<T: Lookup + ?Sized> Lookup for &T {
    fn name(&self) -> &[u8] {
        (**self).name()
    }
}

impl Index<&str> for Fields {
    type Output = HeaderValue;

    fn index(&self, name: &str) -> &HeaderValue {
        self.get(name).unwrap_or_else(|| panic!("no field {name:?}"))
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = (&'a Name, &'a HeaderValue);
    type IntoIter = std::iter::Map<
        std::slice::Iter<'a, (Name, HeaderValue)>,
        fn(&'a (Name, HeaderValue)) -> (&'a Name, &'a HeaderValue),
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl From<HeaderMap> for Fields {
    fn from(map: HeaderMap) -> Self {
        let mut fields = Self::with_capacity(map.len());
        let mut last: Option<HeaderName> = None;
        for (name, value) in map {
            // A further value of the same name comes without it.
            last = name.or(last);
            if let Some(name) = &last {
                fields.append(name, value);
            }
        }
        fields
    }
}

impl From<Fields> for HeaderMap {
    fn from(fields: Fields) -> Self {
        let mut map = Self::with_capacity(fields.len());
        for (name, value) in fields.0 {
            map.append(HeaderName::from(name), value);
        }
        map
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

#[cfg(test)]
mod tests;
