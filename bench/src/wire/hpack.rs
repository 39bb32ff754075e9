//! Header blocks (RFC 7541) that are the same every time: spelled out once, then named by their place in the
//! peer's table. Nothing is decoded but the status.

/// A field: its name in the static table or by itself, and its value.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: Name,
    pub value: String,
}

/// A field's name.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// Its index in the static table (RFC 7541 appendix A).
    Static(u8),
    /// Its text.
    Text(&'static str),
}

/// `:status: 200` in the static table, as an indexed field.
pub const STATUS_200: u8 = 0x88;

const INDEXED: u8 = 0x80;
const KEPT_LITERAL: u8 = 0x40;
const FIRST_DYNAMIC: usize = 62;

/// The size update that a sender begins with once the peer has no table.
pub const NO_TABLE: u8 = 0x20;

/// Spells fields out; the peer keeps them in its table when asked to.
pub fn literals(fields: &[Field], kept: bool) -> Vec<u8> {
    let mut block = Vec::new();
    for field in fields {
        let (first, bits) = if kept { (KEPT_LITERAL, 6) } else { (0, 4) };
        match field.name {
            Name::Static(index) => put_number(&mut block, first, bits, index as usize),
            Name::Text(name) => {
                block.push(first);
                put_text(&mut block, name);
            }
        }
        put_text(&mut block, &field.value);
    }
    block
}

/// Names the fields that stand at these places among all that were kept, the first kept being 0 of `kept`.
pub fn indexed(places: std::ops::Range<usize>, kept: usize) -> Vec<u8> {
    let mut block = Vec::new();
    for place in places {
        // The table counts from the newest.
        put_number(&mut block, INDEXED, 7, FIRST_DYNAMIC + kept - 1 - place);
    }
    block
}

/// Whether a response's header block says 200. Every encoder puts the status first and has it in its static table.
pub fn is_200(block: &[u8]) -> bool {
    let is_size_update = |byte: &u8| byte & 0xe0 == NO_TABLE;
    // A size update may stand in front; its number is of several bytes when the prefix is full (RFC 7541 §5.1).
    let mut rest = block;
    while let Some((first, after)) = rest.split_first().filter(|(first, _)| is_size_update(first)) {
        rest = after;
        if first & 0x1f == 0x1f {
            let end = rest.iter().position(|byte| byte & 0x80 == 0).map_or(rest.len(), |last| last + 1);
            rest = &rest[end..];
        }
    }
    rest.first() == Some(&STATUS_200)
}

fn put_text(block: &mut Vec<u8>, text: &str) {
    put_number(block, 0, 7, text.len());
    block.extend_from_slice(text.as_bytes());
}

/// An integer with a prefix of so many bits (RFC 7541 §5.1).
fn put_number(block: &mut Vec<u8>, first: u8, bits: u8, number: usize) {
    let full = (1 << bits) - 1;
    if number < full {
        block.push(first | number as u8);
        return;
    }
    block.push(first | full as u8);
    let mut rest = number - full;
    while rest >= 128 {
        block.push(rest as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_rfc() {
        let put = |first, bits, number| {
            let mut block = Vec::new();
            put_number(&mut block, first, bits, number);
            block
        };
        assert_eq!(put(0, 5, 10), [10]);
        assert_eq!(put(0, 5, 1337), [31, 154, 10]);
        assert_eq!(put(0, 8, 42), [42]);
    }

    #[test]
    fn a_field_is_kept_and_then_named_by_its_place_from_the_newest() {
        let fields = [(Name::Static(4), "/a"), (Name::Text("te"), "trailers")];
        let fields = fields.map(|(name, value)| Field { name, value: value.to_owned() });
        assert_eq!(literals(&fields, true), b"\x44\x02/a\x40\x02te\x08trailers");
        assert_eq!(literals(&fields, false), b"\x04\x02/a\x00\x02te\x08trailers");
        assert_eq!(indexed(0..2, 2), [0x80 | 63, 0x80 | 62]);
        assert_eq!(indexed(0..1, 3), [0x80 | 64], "what was kept later moves it back");
    }

    #[test]
    fn a_status_is_seen_behind_size_updates() {
        assert!(is_200(&[0x88, 1]));
        assert!(is_200(&[0x20, 0x3f, 0xe1, 0x1f, 0x88]));
        assert!(!is_200(&[0x8d]));
        assert!(!is_200(&[]));
    }
}
