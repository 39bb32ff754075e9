//! Text in pieces of any size, and what a gRPC-Web client is told.

use super::*;

fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

#[test]
fn each_frame_is_a_text_of_its_own_however_it_comes() {
    let frames = [frame(b"one"), frame(b""), frame(&[7; 1000]), frame(b"x")];
    let expected: String = frames.iter().map(|frame| STANDARD.encode(frame)).collect();
    let bytes = frames.concat();
    for piece in [1, 2, 3, 5, 7, 64, bytes.len()] {
        let mut encoder = Encoder::default();
        let text: Vec<u8> = bytes.chunks(piece).flat_map(|piece| encoder.encode(piece)).collect();
        assert_eq!(String::from_utf8(text).unwrap(), expected, "in pieces of {piece}");
    }
}

#[test]
fn a_frame_that_breaks_off_is_written_before_the_trailers() {
    let mut encoder = Encoder::default();
    let mut text = encoder.encode(&frame(b"whole")[..7]).to_vec();
    text.extend_from_slice(&encoder.last(b"end"));
    let expected = STANDARD.encode(&frame(b"whole")[..7]) + &STANDARD.encode(b"end");
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn text_is_decoded_in_pieces_of_any_size() {
    let text = STANDARD.encode(frame(b"a message"));
    for piece in 1..text.len() {
        let mut decoder = Decoder::default();
        let bytes: Vec<u8> =
            text.as_bytes().chunks(piece).flat_map(|piece| decoder.decode(piece).unwrap()).collect();
        assert_eq!((bytes, decoder.end()), (frame(b"a message"), Ok(())), "in pieces of {piece}");
    }
}

#[test]
fn what_is_not_base64_is_refused() {
    for (text, expected) in [
        ("AA=A", Err("grpc_base_64_decode_failed")),
        ("A*AA", Err("grpc_base_64_decode_failed")),
        ("AAA_", Err("grpc_base_64_decode_failed")),
        ("AAAAA", Err("grpc_base_64_decode_failed_bad_size")),
        ("AAA", Err("grpc_base_64_decode_failed_bad_size")),
        ("AAA=", Ok(())),
        ("", Ok(())),
    ] {
        let mut decoder = Decoder::default();
        let found = decoder.decode(text.as_bytes()).and_then(|_| decoder.end());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn trailers_become_a_frame_with_their_length() {
    let mut trailers = Fields::new();
    trailers.append("grpc-status", HeaderValue::from_static("0"));
    trailers.append("x-sum", HeaderValue::from_static("a b"));
    assert_eq!(&trailers_frame(&trailers)[..], b"\x80\0\0\0\x1agrpc-status:0\r\nx-sum:a b\r\n");
    assert_eq!(&trailers_frame(&Fields::new())[..], b"\x80\0\0\0\0");
}

#[test]
fn only_a_response_that_is_not_grpcs_becomes_a_message() {
    for (status, content_type, has_body, expected) in [
        (200, "application/grpc", true, false),
        (200, "application/grpc+proto", true, false),
        (200, "application/grpc-web", true, false),
        (200, "Application/gRPC-web+proto ; charset=x", true, false),
        (200, "application/grpc-web-text", true, true),
        (200, "application/json", true, true),
        (200, "application/json", false, false),
        (503, "application/grpc", true, true),
    ] {
        let mut head = ResponseHead { status: StatusCode::from_u16(status).unwrap(), headers: Fields::new() };
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let speech = Speech { text_request: false, text_response: true };
        assert_eq!(speech.answer(&mut head, has_body), expected, "{status} {content_type} {has_body}");
        assert_eq!(head.headers.get(CONTENT_TYPE).unwrap(), "application/grpc-web-text+proto");
    }
}
