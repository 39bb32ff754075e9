use super::*;

fn of(pairs: &[(&'static str, &'static str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in pairs {
        fields.append(*name, HeaderValue::from_static(value));
    }
    fields
}

fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

#[test]
fn an_inserted_value_takes_the_first_place_of_its_name() {
    let mut fields = of(&[("a", "1"), ("b", "2"), ("a", "3"), ("c", "4"), ("a", "5")]);
    let before = fields.insert("a", HeaderValue::from_static("6"));
    assert_eq!(before.unwrap(), "1");
    assert_eq!(pairs(&fields), [("a", "6"), ("b", "2"), ("c", "4")]);
    assert_eq!(fields.insert("d", HeaderValue::from_static("7")), None);
    assert_eq!(fields["d"], "7");
}

#[test]
fn a_number_is_the_same_value_each_time() {
    for asked in [0, 7, 15_000, 7 + 64, 7, u64::MAX, 15_000] {
        assert_eq!(number(asked), asked.to_string());
    }
}

#[test]
fn all_values_of_a_name_are_removed_at_once() {
    let mut fields = of(&[("a", "1"), ("b", "2"), ("a", "3")]);
    assert_eq!(fields.remove("a").unwrap(), "1");
    assert_eq!(fields.remove("a"), None);
    assert_eq!(pairs(&fields), [("b", "2")]);
}

#[test]
fn a_name_is_the_same_whoever_made_it() {
    let head = Bytes::from_static(b"x-mine: 1\r\nX-Mine: 2\r\nAccept: 3\r\n");
    let mut fields = Fields::new();
    for name in [&head[..6], &head[11..17], &head[22..28]] {
        fields.append(Name::read(&head, name).unwrap(), HeaderValue::from_static("v"));
    }
    assert_eq!(fields.get_all(HeaderName::from_static("x-mine")).count(), 2, "read and known are one name");
    assert!(fields.contains_key(http::header::ACCEPT) && fields.contains_key("accept"));
    for wrong in [&b""[..], b"a b", b"a:", "\u{e4}".as_bytes(), b"A\0"] {
        let head = Bytes::copy_from_slice(wrong);
        assert!(Name::read(&head, &head[..]).is_none(), "{wrong:?}");
    }
}

#[test]
fn nothing_is_lost_on_the_way_through_a_header_map() {
    let fields = of(&[("a", "1"), ("b", "2"), ("a", "3"), ("set-cookie", "x"), ("set-cookie", "y")]);
    let back = Fields::from(HeaderMap::from(fields.clone()));
    let mut sorted = pairs(&fields);
    sorted.sort_unstable();
    let mut came = pairs(&back);
    came.sort_unstable();
    assert_eq!(came, sorted);
}
