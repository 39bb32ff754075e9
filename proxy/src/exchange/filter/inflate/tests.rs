//! Bodies in pieces of any size, broken ones, and ones that grow.

use std::io::Write;

use super::*;

const LIBRARIES: [DecompressorLibrary; 3] = [
    DecompressorLibrary::Gzip { max_inflate_ratio: 100 },
    DecompressorLibrary::Brotli,
    DecompressorLibrary::Zstd,
];

fn compressed(library: DecompressorLibrary, text: &[u8]) -> Vec<u8> {
    match library {
        DecompressorLibrary::Gzip { .. } => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        DecompressorLibrary::Brotli => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(text).unwrap();
            encoder.into_inner()
        }
        DecompressorLibrary::Zstd => zstd::encode_all(text, 3).unwrap(),
    }
}

fn text() -> Vec<u8> {
    (0..20_000_u32).flat_map(|number| (number * number).to_string().into_bytes()).collect()
}

/// What comes of `bytes` in pieces, and whether they are whole.
fn decoded(library: DecompressorLibrary, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, bool), Malformed> {
    let mut decoder = Decoder::new(library)?;
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            let made = decoder.decode(&mut input, 4096)?;
            assert!(made.len() <= 4096, "a chunk is a chunk");
            if made.is_empty() {
                assert!(input.is_empty(), "more input is asked for while there is some");
                break;
            }
            found.extend_from_slice(&made);
        }
    }
    Ok((found, decoder.is_whole()))
}

#[test]
fn bodies_are_decoded_in_pieces_of_any_size() {
    for library in LIBRARIES {
        for text in [text(), b"short".to_vec(), Vec::new(), vec![b'x'; 300_000]] {
            let bytes = compressed(library, &text);
            for piece in [1, 3, 100, 4096, bytes.len()] {
                let (found, whole) = decoded(library, &bytes, piece).unwrap();
                assert!(found == text && whole, "{library:?}, {} bytes in pieces of {piece}", text.len());
            }
        }
    }
}

#[test]
fn what_a_piece_stands_for_is_had_before_the_next_one_comes() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(b"first").unwrap();
    encoder.flush().unwrap();
    let mut decoder = Decoder::new(LIBRARIES[0]).unwrap();
    let mut input = Bytes::copy_from_slice(encoder.get_ref());
    assert_eq!(&decoder.decode(&mut input, 4096).unwrap()[..], b"first");
    assert!(!decoder.is_whole());
}

#[test]
fn a_body_that_breaks_off_is_not_whole() {
    for library in LIBRARIES {
        let bytes = compressed(library, &text());
        for cut in [1, bytes.len() / 2, bytes.len() - 1] {
            let (found, whole) = decoded(library, &bytes[..cut], 1000).unwrap();
            assert!(!whole, "{library:?} cut at {cut}");
            assert!(text().starts_with(&found), "{library:?} cut at {cut}");
        }
    }
}

#[test]
fn other_bytes_are_refused() {
    for library in LIBRARIES {
        let other = b"These are not the bytes that you are looking for, whatever they were said to be.";
        assert!(decoded(library, other, 100).is_err(), "{library:?}");
    }
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut bytes = compressed(LIBRARIES[0], b"some text");
    let at = bytes.len() - 6;
    bytes[at] ^= 1;
    assert!(decoded(LIBRARIES[0], &bytes, 100).is_err());
}

#[test]
fn members_and_frames_follow_one_another_and_what_is_none_is_passed_over() {
    for library in [LIBRARIES[0], LIBRARIES[2]] {
        let two = [compressed(library, b"one "), compressed(library, b"two")].concat();
        for piece in [1, 5, two.len()] {
            assert_eq!(decoded(library, &two, piece), Ok((b"one two".to_vec(), true)), "{library:?} {piece}");
        }
        let cut = &two[..two.len() - 1];
        assert_eq!(decoded(library, cut, 7).map(|(_, whole)| whole), Ok(false), "{library:?}");
    }
    for library in LIBRARIES {
        let padded = [compressed(library, b"one"), vec![0; 10]].concat();
        assert_eq!(decoded(library, &padded, 100), Ok((b"one".to_vec(), true)), "{library:?}");
    }
}

#[test]
fn a_window_that_nobody_may_ask_for_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&text()).unwrap();
    let bytes = encoder.finish().unwrap();
    assert!(decoded(DecompressorLibrary::Zstd, &bytes, 1000).is_err());
}
