//! What heads say before and after, and how much may be made of how little.

use xds::model::DecompressDirection;

use super::*;
use crate::policy::samples::{fields, get};

fn model() -> model::Decompressor {
    let direction = DecompressDirection { enabled: true, ignore_no_transform_header: false };
    model::Decompressor {
        name: "Lib".to_owned(),
        library: DecompressorLibrary::Gzip { max_inflate_ratio: 10 },
        chunk_bytes: 4096,
        request: direction,
        response: direction,
        advertise_accept_encoding: true,
    }
}

fn compiled(model: &model::Decompressor) -> Decompressor {
    Decompressor::compile(model, |part| {
        assert_eq!(part, "decompressor.Lib.gzip");
        Arc::new(Counters::new())
    })
    .unwrap()
}

fn text(fields: &Fields, name: HeaderName) -> Option<String> {
    fields.get(name).map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
}

#[test]
fn only_the_encoding_that_was_put_on_last_is_taken_off() {
    let filter = compiled(&model());
    for (encoding, taken, left) in [
        ("gzip", true, None),
        ("GZIP", true, None),
        ("br, gzip", true, Some("br")),
        ("gzip, br", false, Some("gzip, br")),
        ("x-gzip", false, Some("x-gzip")),
        ("identity", false, Some("identity")),
    ] {
        let mut head = get("a", "/", &[("content-encoding", encoding), ("content-length", "5")]);
        assert_eq!(filter.request(&mut head, true), taken, "{encoding}");
        assert_eq!(text(&head.headers, CONTENT_ENCODING).as_deref(), left, "{encoding}");
        assert_eq!(head.headers.contains_key(CONTENT_LENGTH), !taken, "{encoding}");
    }
}

#[test]
fn the_last_of_several_fields_counts() {
    let mut head = get("a", "/", &[("content-encoding", "gzip"), ("content-encoding", "br")]);
    assert!(!compiled(&model()).request(&mut head, true));
    let mut head = get("a", "/", &[("content-encoding", "br"), ("content-encoding", "gzip")]);
    assert!(compiled(&model()).request(&mut head, true));
    assert_eq!(text(&head.headers, CONTENT_ENCODING).as_deref(), Some("br"));
}

#[test]
fn no_transform_is_heeded_unless_it_is_to_be_ignored() {
    for (ignored, taken) in [(false, false), (true, true)] {
        let mut model = model();
        model.response.ignore_no_transform_header = ignored;
        let headers = fields(&[("content-encoding", "gzip"), ("cache-control", "max-age=1, No-Transform")]);
        let mut head = ResponseHead { status: StatusCode::OK, headers };
        assert_eq!(compiled(&model).response(&mut head, true), taken);
    }
}

#[test]
fn what_is_off_or_has_no_body_is_left() {
    let mut off = model();
    off.request.enabled = false;
    for (model, has_body) in [(model(), false), (off, true)] {
        let mut head = get("a", "/", &[("content-encoding", "gzip")]);
        assert!(!compiled(&model).request(&mut head, has_body));
        assert!(head.headers.contains_key(CONTENT_ENCODING));
    }
}

#[test]
fn upstreams_are_told_once_what_is_accepted() {
    for (said, told) in [
        (&[][..], "gzip"),
        (&[("accept-encoding", "br")][..], "br,gzip"),
        (&[("accept-encoding", "gzip;q=0.3, br;q=0.5")][..], "br;q=0.5,gzip"),
        (&[("accept-encoding", "gzip"), ("accept-encoding", "br")][..], "br,gzip"),
    ] {
        let mut head = get("a", "/", said);
        compiled(&model()).request(&mut head, false);
        assert_eq!(text(&head.headers, ACCEPT_ENCODING).as_deref(), Some(told), "{said:?}");
    }
}

#[test]
fn upstreams_are_told_nothing_that_does_not_hold() {
    let (mut silent, mut off) = (model(), model());
    silent.advertise_accept_encoding = false;
    off.response.enabled = false;
    for model in [silent, off] {
        let mut head = get("a", "/", &[]);
        compiled(&model).request(&mut head, false);
        assert!(!head.headers.contains_key(ACCEPT_ENCODING));
    }
}

#[test]
fn a_bomb_is_what_grows_more_than_is_allowed() {
    let filter = compiled(&model());
    for (compressed, uncompressed, allowed) in [(10, 100, true), (10, 101, false), (0, 0, true)] {
        assert_eq!(filter.allows(Sizes { compressed, uncompressed }), allowed, "{compressed} {uncompressed}");
    }
}

#[test]
fn trailers_tell_sizes_under_the_librarys_name() {
    let mut trailers = Fields::new();
    compiled(&model()).end(Direction::Response, Sizes { compressed: 3, uncompressed: 9 }, &mut trailers);
    assert_eq!(trailers.get("x-envoy-decompressor-lib-compressed-bytes").unwrap(), "3");
    assert_eq!(trailers.get("x-envoy-decompressor-lib-uncompressed-bytes").unwrap(), "9");
}
