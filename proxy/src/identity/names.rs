//! The names in a certificate, and whether one of them is one that is asked for.
//!
//! One rule: a name is compared with what is asked for its kind alone; a user principal never passes as a DNS name.

use std::net::IpAddr;

use x509_parser::asn1_rs::{Any, Class, FromDer, Oid, Tag, ToDer};
use x509_parser::extensions::GeneralName;
use x509_parser::num_bigint::BigInt;
use x509_parser::prelude::X509Certificate;
use xds::model::{SanMatcher, SanType, StringPattern};

/// The kind and the text of a name that can be asked for.
enum Name<'a> {
    Dns(&'a str),
    Uri(&'a str),
    Email(&'a str),
    Ip(IpAddr),
    Other { oid: String, text: String },
}

/// Whether the certificate has a name that is `accepted`.
///
/// # Errors
/// Names those it has, and those that are accepted.
pub(super) fn judge(certificate: &X509Certificate<'_>, accepted: &[SanMatcher]) -> Result<(), String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names: Vec<Name<'_>> = extension
        .map(|extension| extension.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    if names.iter().any(|name| accepted.iter().any(|san| passes(name, san))) {
        return Ok(());
    }
    let shown: Vec<_> = names.iter().map(text).collect();
    let wanted: Vec<_> = accepted.iter().map(|san| format!("{:?}", san.matcher.pattern)).collect();
    Err(format!("the peer is [{}]; accepted: [{}]", shown.join(", "), wanted.join(", ")))
}

fn name<'a>(name: &GeneralName<'a>) -> Option<Name<'a>> {
    match name {
        GeneralName::DNSName(name) => Some(Name::Dns(name)),
        GeneralName::URI(uri) => Some(Name::Uri(uri)),
        GeneralName::RFC822Name(mail) => Some(Name::Email(mail)),
        GeneralName::IPAddress(bytes) => ip(bytes).map(Name::Ip),
        GeneralName::OtherName(oid, value) => {
            Some(Name::Other { oid: oid.to_id_string(), text: other_text(value)? })
        }
        _ => None,
    }
}

fn text(name: &Name<'_>) -> String {
    match name {
        Name::Dns(text) | Name::Uri(text) | Name::Email(text) => (*text).to_owned(),
        Name::Ip(ip) => ip.to_string(),
        Name::Other { oid, text } => format!("{oid}: {text}"),
    }
}

fn passes(name: &Name<'_>, san: &SanMatcher) -> bool {
    match (&san.san_type, name) {
        (SanType::Dns | SanType::Any, Name::Dns(name)) => match &san.matcher.pattern {
            StringPattern::Exact(wanted) => is_dns_name(name, wanted),
            _ => san.matcher.is_match(name),
        },
        (SanType::Uri | SanType::Any, Name::Uri(text))
        | (SanType::Email | SanType::Any, Name::Email(text)) => san.matcher.is_match(text),
        (SanType::IpAddress | SanType::Any, Name::Ip(ip)) => san.matcher.is_match(&ip.to_string()),
        (SanType::OtherName(wanted), Name::Other { oid, text }) => {
            wanted.as_str() == oid && san.matcher.is_match(text)
        }
        _ => false,
    }
}

/// Whether the certificate's `pattern` covers `wanted`: letters of either case, and one `*` within the first of at
/// least two labels stands for any part of that label, unless the label is an A-label (RFC 6125 section 6.4.3).
fn is_dns_name(pattern: &str, wanted: &str) -> bool {
    let (pattern, wanted) = (pattern.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    if pattern == wanted {
        return true;
    }
    let (Some((label, rest)), Some((wanted, wanted_rest))) =
        (pattern.split_once('.'), wanted.split_once('.'))
    else {
        return false;
    };
    if label.starts_with("xn--") || rest != wanted_rest || rest.contains('*') {
        return false;
    }
    match label.split_once('*') {
        Some((before, after)) => {
            !after.contains('*')
                && wanted.len() + 1 >= label.len()
                && wanted.starts_with(before)
                && wanted.ends_with(after)
        }
        None => false,
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// An other name's value as the text that Envoy makes of it; `None` for a type of value that it has none for.
fn other_text(value: &[u8]) -> Option<String> {
    let (_, explicit) = Any::from_der(value).ok()?;
    if explicit.class() != Class::ContextSpecific || explicit.tag() != Tag(0) {
        return None;
    }
    let (_, value) = Any::from_der(explicit.data).ok()?;
    if value.class() != Class::Universal {
        return None;
    }
    // What is no text is shown as one all the same, so that a part of it can be asked for.
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match value.tag() {
        Tag::Null => Some(String::new()),
        Tag::Boolean => Some(if value.data.first() == Some(&0) { "false" } else { "true" }.to_owned()),
        Tag::Integer | Tag::Enumerated => Some(BigInt::from_signed_bytes_be(value.data).to_string()),
        Tag::Oid => Some(Oid::new(value.data.into()).to_id_string()),
        // The first byte counts the bits of the last that are not used.
        Tag::BitString => value.data.split_first().map(|(_, bits)| lossy(bits)),
        Tag::OctetString
        | Tag::PrintableString
        | Tag::TeletexString
        | Tag::Ia5String
        | Tag::GeneralString
        | Tag::VisibleString
        | Tag::Utf8String
        | Tag::UtcTime
        | Tag::GeneralizedTime => Some(lossy(value.data)),
        Tag::BmpString => {
            let units = value.data.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        Tag::UniversalString => {
            let letters = value.data.chunks_exact(4);
            letters
                .map(|four| char::from_u32(u32::from_be_bytes([four[0], four[1], four[2], four[3]])))
                .collect()
        }
        Tag::Sequence | Tag::Set => value.to_der_vec_raw().ok().map(|whole| lossy(&whole)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_a_part_of_the_first_label() {
        for (pattern, wanted, covers) in [
            ("a.b", "A.B", true),
            ("*.a.b", "x.a.b", true),
            ("x*z.a.b", "xyz.a.b", true),
            ("*.a.b", "x.y.a.b", false),
            ("*.a.b", "a.b", false),
            ("**.a.b", "xy.a.b", false),
            ("xn--*.a.b", "xn--x.a.b", false),
            ("x.*.b", "x.a.b", false),
            ("*", "b", false),
            ("ab*b.a", "ab.a", false),
        ] {
            assert_eq!(is_dns_name(pattern, wanted), covers, "{pattern} for {wanted}");
        }
    }

    #[test]
    fn an_other_name_is_the_text_that_envoy_makes_of_it() {
        let explicit = |der: &[u8]| {
            let mut whole = vec![0xa0, u8::try_from(der.len()).unwrap()];
            whole.extend_from_slice(der);
            other_text(&whole)
        };
        for (der, text) in [
            (&[5, 0][..], Some("")),
            (&[1, 1, 0xff], Some("true")),
            (&[1, 1, 0], Some("false")),
            (&[2, 2, 0xff, 0x7f], Some("-129")),
            (&[10, 1, 7], Some("7")),
            (&[6, 2, 0x2a, 3], Some("1.2.3")),
            (&[3, 2, 0, b'a'], Some("a")),
            (&[4, 2, b'h', b'i'], Some("hi")),
            (&[12, 2, 0xc3, 0xa9], Some("é")),
            (&[30, 2, 0, 0xe9], Some("é")),
            (&[28, 4, 0, 0, 0, 0xe9], Some("é")),
            (&[48, 3, 12, 1, b'a'], Some("0\u{3}\u{c}\u{1}a")),
            (&[9, 1, 0], None),
        ] {
            assert_eq!(explicit(der).as_deref(), text, "{der:?}");
        }
        assert_eq!(other_text(&[12, 1, b'a']), None, "a value without its tag");
        assert_eq!(other_text(&[0xa0, 9]), None, "a value that ends early");
    }
}
