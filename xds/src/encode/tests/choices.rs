//! Choices read from bytes: a list of bytes that shrinks makes a model that shrinks; zeros make the plainest one.

use std::time::Duration;

/// Bytes that decide what a model looks like. When they end, every choice is the first.
pub(super) struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
    /// Makes texts distinct where they have to be.
    named: u32,
}

impl<'a> Choices<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), named: 0 }
    }

    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    pub(super) fn number(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        let width = u64::from(high - low) + 1;
        low + u32::try_from(u64::from(self.number()) % width).expect("below the width")
    }

    pub(super) fn port(&mut self) -> u16 {
        u16::try_from(self.between(1, 65_535)).expect("within the range")
    }

    pub(super) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub(super) fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        values[usize::from(self.byte()) % values.len()].clone()
    }

    pub(super) fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.flag() { Some(make(self)) } else { None }
    }

    pub(super) fn list<T>(&mut self, max: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = usize::from(self.byte()) % (max + 1);
        (0..len).map(|_| make(self)).collect()
    }

    /// As [`Choices::list`], never empty.
    pub(super) fn some<T>(&mut self, max: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let first = make(self);
        let mut list = vec![first];
        list.extend(self.list(max - 1, make));
        list
    }

    /// A percentage.
    pub(super) fn percent(&mut self) -> f64 {
        f64::from(self.between(0, 1000)) / 10.0
    }

    /// A duration that may be zero, up to about two years.
    pub(super) fn duration(&mut self) -> Duration {
        let seconds = u64::from(self.number() % 60_000_000);
        Duration::new(seconds, if self.flag() { self.number() % 1_000_000_000 } else { 0 })
    }

    /// A duration of 2 ms to some 4 minutes.
    pub(super) fn positive(&mut self) -> Duration {
        Duration::from_millis(u64::from(self.between(2, 250_000)))
    }

    /// Text that may be empty and holds no control characters.
    pub(super) fn text(&mut self) -> String {
        let letters = ['a', 'Z', '0', '-', '.', '/', ' ', '%', 'ä', '"'];
        self.list(6, |from| from.one_of(&letters)).into_iter().collect()
    }

    /// A lower-case name that nothing else from here has.
    pub(super) fn name(&mut self) -> String {
        self.named += 1;
        let stem = self.one_of(&["name", "x-field", "a_b", "site.local"]);
        format!("{stem}{}", self.named)
    }
}
