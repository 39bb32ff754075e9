//! HTTP/1.1 messages read by the letter of RFC 9112, independent of every parser that the product uses.
//!
//! One rule: what the grammar does not allow is an error that says why; nothing is skipped, trimmed or guessed.

/// One request, as any reader must understand it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request target, as sent.
    pub target: String,
    /// The minor version: 0 or 1.
    pub minor: u8,
    /// Fields in order, names in lower case, values without the white space around them.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body without its framing.
    pub body: Vec<u8>,
    /// Trailer fields, as `fields`.
    pub trailers: Vec<(String, Vec<u8>)>,
}

/// How far the bytes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A whole request, and how many bytes it takes.
    Whole(Request, usize),
    /// More bytes are needed.
    Part,
    /// No reader may accept this.
    Wrong(&'static str),
}

/// How far the bytes of an answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// A whole answer with the interim ones before it.
    Whole {
        /// The status.
        status: u16,
        /// How many bytes it takes.
        taken: usize,
        /// Whether the connection goes on (RFC 9112 §9.3).
        keep: bool,
    },
    /// More bytes are needed, or the connection's end.
    Part,
    /// No reader may accept this.
    Wrong(&'static str),
}

/// How a body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

/// What stops a reading before its end.
enum Stop {
    Part,
    Wrong(&'static str),
}

type Reading<T> = Result<T, Stop>;

/// Reads one request from the start of `bytes`.
#[must_use]
pub fn request(bytes: &[u8]) -> Parsed {
    let mut at = 0;
    match read(bytes, &mut at) {
        Ok(request) => Parsed::Whole(request, at),
        Err(Stop::Part) => Parsed::Part,
        Err(Stop::Wrong(why)) => Parsed::Wrong(why),
    }
}

/// Reads one answer, to a request with this method, from the start of `bytes`.
#[must_use]
pub fn answer(bytes: &[u8], method: &str) -> Answered {
    let mut at = 0;
    match read_answer(bytes, &mut at, method) {
        Ok((status, keep)) => Answered::Whole { status, taken: at, keep },
        Err(Stop::Part) => Answered::Part,
        Err(Stop::Wrong(why)) => Answered::Wrong(why),
    }
}

/// Reads all requests; `Err` says what is wrong with the rest, or that it is not whole.
pub fn requests(bytes: &[u8]) -> Result<Vec<Request>, &'static str> {
    let (mut rest, mut all) = (bytes, Vec::new());
    while !rest.is_empty() {
        match request(rest) {
            Parsed::Whole(request, taken) => {
                all.push(request);
                rest = &rest[taken..];
            }
            Parsed::Part => return Err("the last request is not whole"),
            Parsed::Wrong(why) => return Err(why),
        }
    }
    Ok(all)
}

impl Request {
    /// The values of a field, by its name in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(have, _)| have == name).map(|(_, value)| value.as_slice())
    }

    /// The value of `Host`, which the reading has found to be there once in HTTP/1.1.
    #[must_use]
    pub fn host(&self) -> String {
        self.values("host")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .next()
            .unwrap_or_default()
    }
}

/// The framing that the fields of a message declare, if they do.
fn framing(message: &Request) -> Reading<Option<Framing>> {
    let mut lengths = message.values("content-length");
    let mut codings = message.values("transfer-encoding");
    match (lengths.next(), codings.next()) {
        (Some(_), Some(_)) => Err(Stop::Wrong("length and coding")),
        (None, None) => Ok(None),
        (Some(length), None) => {
            if lengths.next().is_some() {
                return Err(Stop::Wrong("two lengths"));
            }
            decimal(length).map(Framing::Length).map(Some)
        }
        (None, Some(coding)) => {
            let known = coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
            if known && message.minor == 1 {
                Ok(Some(Framing::Chunked))
            } else {
                Err(Stop::Wrong("a coding other than chunked, or in HTTP/1.0"))
            }
        }
    }
}

/// The final status, and whether the connection goes on.
fn read_answer(bytes: &[u8], at: &mut usize, method: &str) -> Reading<(u16, bool)> {
    loop {
        let mut head = Request::default();
        let status = status_line(line(bytes, at)?, &mut head)?;
        head.fields = fields(bytes, at)?;
        let framing = framing(&head)?;
        let announced = !matches!(framing, None | Some(Framing::Length(0)));
        if matches!(status, 100..=199 | 204) && announced {
            return Err(Stop::Wrong("an answer without a body announces one"));
        }
        if matches!(status, 100 | 102..=199) {
            continue;
        }
        let lists = head.values("connection").map(|list| String::from_utf8_lossy(list).to_ascii_lowercase());
        let options = lists.collect::<Vec<_>>().join(",");
        let says = |option: &str| options.split(',').any(|one| one.trim() == option);
        let keep = !says("close") && (head.minor == 1 || says("keep-alive"));
        if method != "HEAD" && !matches!(status, 101 | 204 | 304) {
            // Without a length the body ends with the connection.
            body(bytes, at, framing.ok_or(Stop::Part)?, &mut head)?;
        }
        return Ok((status, keep));
    }
}

/// `HTTP-version SP status-code [ SP reason ]`.
fn status_line(line: &[u8], into: &mut Request) -> Reading<u16> {
    let wrong = Stop::Wrong("status line is not a version, three digits and a reason");
    into.minor = match line.get(..9) {
        Some(b"HTTP/1.1 ") => 1,
        Some(b"HTTP/1.0 ") => 0,
        _ => return Err(wrong),
    };
    let (code, reason) = line[9..].split_at_checked(3).ok_or(Stop::Wrong("status is not three digits"))?;
    let reason_is_text = reason.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    if !code.iter().all(u8::is_ascii_digit) || code[0] == b'0' || !(reason.is_empty() || reason[0] == b' ') {
        return Err(wrong);
    }
    if !reason_is_text {
        return Err(Stop::Wrong("reason has a control character"));
    }
    Ok(code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

fn read(bytes: &[u8], at: &mut usize) -> Reading<Request> {
    let mut request = Request::default();
    request_line(line(bytes, at)?, &mut request)?;
    request.fields = fields(bytes, at)?;
    let hosts = request.values("host").count();
    if hosts > 1 || (hosts == 0 && request.minor == 1) {
        return Err(Stop::Wrong("not one host"));
    }
    let framing = framing(&request)?.unwrap_or(Framing::Length(0));
    body(bytes, at, framing, &mut request)?;
    Ok(request)
}

fn body(bytes: &[u8], at: &mut usize, framing: Framing, into: &mut Request) -> Reading<()> {
    match framing {
        Framing::Length(length) => into.body = exactly(bytes, at, length)?.to_vec(),
        Framing::Chunked => {
            loop {
                let size = chunk_size(line(bytes, at)?)?;
                if size == 0 {
                    break;
                }
                into.body.extend_from_slice(exactly(bytes, at, size)?);
                if exactly(bytes, at, 2)? != b"\r\n" {
                    return Err(Stop::Wrong("chunk without its end"));
                }
            }
            into.trailers = fields(bytes, at)?;
        }
    }
    Ok(())
}

fn request_line(line: &[u8], into: &mut Request) -> Reading<()> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts.as_slice() else {
        return Err(Stop::Wrong("request line has not three parts"));
    };
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(Stop::Wrong("method is no token"));
    }
    if target.is_empty() || !target.iter().all(|byte| (0x21..0x7f).contains(byte)) {
        return Err(Stop::Wrong("target has a character that is not allowed"));
    }
    into.minor = match *version {
        b"HTTP/1.1" => 1,
        b"HTTP/1.0" => 0,
        _ => return Err(Stop::Wrong("version is neither HTTP/1.1 nor HTTP/1.0")),
    };
    into.method = String::from_utf8_lossy(method).into_owned();
    into.target = String::from_utf8_lossy(target).into_owned();
    Ok(())
}

fn fields(bytes: &[u8], at: &mut usize) -> Reading<Vec<(String, Vec<u8>)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(bytes, at)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Stop::Wrong("field without a colon"))?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(Stop::Wrong("field name is no token"));
        }
        if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(Stop::Wrong("field value has a control character"));
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        fields.push((name, trimmed(value).to_vec()));
    }
}

/// The next line without its CRLF; a CR or LF of its own is wrong.
fn line<'b>(bytes: &'b [u8], at: &mut usize) -> Reading<&'b [u8]> {
    let rest = &bytes[*at..];
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).ok_or(Stop::Part)?;
    match (rest[end], rest.get(end + 1)) {
        (b'\r', Some(b'\n')) => {
            *at += end + 2;
            Ok(&rest[..end])
        }
        (b'\r', None) => Err(Stop::Part),
        _ => Err(Stop::Wrong("a bare CR or LF")),
    }
}

fn exactly<'b>(bytes: &'b [u8], at: &mut usize, count: usize) -> Reading<&'b [u8]> {
    let end = at.checked_add(count).ok_or(Stop::Wrong("a length beyond memory"))?;
    let found = bytes.get(*at..end).ok_or(Stop::Part)?;
    *at = end;
    Ok(found)
}

/// `1*HEXDIG [ *( BWS ";" … ) ]`.
fn chunk_size(line: &[u8]) -> Reading<usize> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let text = std::str::from_utf8(&line[..digits]).unwrap_or_default();
    let extension = &line[digits..];
    let extends = extension.is_empty() || trimmed(extension).first() == Some(&b';');
    if !extends || extension.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
        return Err(Stop::Wrong("chunk size is followed by something else"));
    }
    usize::from_str_radix(text, 16).map_err(|_| Stop::Wrong("chunk size is no number in memory"))
}

fn decimal(text: &[u8]) -> Reading<usize> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok()).ok_or(Stop::Wrong("length is no decimal number in memory"))
}

fn trimmed(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(bytes: &str) -> &'static str {
        match request(bytes.as_bytes()) {
            Parsed::Wrong(why) => why,
            other => panic!("{bytes:?} was read as {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_whole_and_alone() {
        let bytes = b"POST /a HTTP/1.1\r\nHost:  a.test \r\nX-A:\r\nContent-Length: 3\r\n\r\nabcGET ";
        let Parsed::Whole(request, taken) = request(bytes) else { panic!("it is whole") };
        assert_eq!(taken, bytes.len() - 4);
        assert_eq!((request.method.as_str(), request.target.as_str(), request.minor), ("POST", "/a", 1));
        assert_eq!((request.host().as_str(), request.body.as_slice()), ("a.test", &b"abc"[..]));
        assert_eq!(request.values("x-a").collect::<Vec<_>>(), [b""]);
    }

    #[test]
    fn chunks_are_joined_and_trailers_kept() {
        let bytes = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0A;x\r\n0123456789\r\n0\r\nx-t: 1\r\n\r\n";
        let all = requests(bytes).expect("the bytes are right");
        assert_eq!(all[0].body, b"abc0123456789");
        assert_eq!(all[0].trailers, [("x-t".to_owned(), b"1".to_vec())]);
        for end in 0..bytes.len() {
            assert_eq!(request(&bytes[..end]), Parsed::Part, "{end} bytes are not a whole request");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_wrong() {
        let head = "POST / HTTP/1.1\r\nhost: a\r\n";
        assert_eq!(wrong("GET / HTTP/1.1\nhost: a\r\n\r\n"), "a bare CR or LF");
        assert_eq!(wrong("GET  / HTTP/1.1\r\nhost: a\r\n\r\n"), "request line has not three parts");
        assert_eq!(wrong("GET / HTTP/1.1\r\n\r\n"), "not one host");
        assert_eq!(wrong(&format!("{head}x : 1\r\n\r\n")), "field name is no token");
        assert_eq!(wrong(&format!("{head} folded\r\n\r\n")), "field without a colon");
        assert_eq!(wrong(&format!("{head}x: \0\r\n\r\n")), "field value has a control character");
        assert_eq!(wrong(&format!("{head}content-length: 1\r\ncontent-length: 1\r\n\r\n")), "two lengths");
        let both = format!("{head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(wrong(&both), "length and coding");
        let chunk = |text: &str| format!("{head}transfer-encoding: chunked\r\n\r\n{text}");
        assert_eq!(wrong(&chunk("3\r\nabcd\r\n0\r\n\r\n")), "chunk without its end");
        assert_eq!(wrong(&chunk("+3\r\nabc\r\n")), "chunk size is followed by something else");
        assert_eq!(wrong(&chunk("3 \r\nabc\r\n")), "chunk size is followed by something else");
        assert_eq!(wrong(&chunk("\r\nabc\r\n")), "chunk size is no number in memory");
    }

    #[test]
    fn an_answer_is_read_with_the_interim_ones_before_it() {
        let bytes = b"HTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP";
        let whole = Answered::Whole { status: 200, taken: bytes.len() - 4, keep: true };
        assert_eq!(answer(bytes, "GET"), whole);
        assert_eq!(answer(&bytes[..bytes.len() - 5], "GET"), Answered::Part);
        let head = b"HTTP/1.1 200\r\ncontent-length: 9\r\nconnection: Close\r\n\r\n";
        assert_eq!(answer(head, "HEAD"), Answered::Whole { status: 200, taken: head.len(), keep: false });
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "GET"), Answered::Part);
        for wrong in ["HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n"] {
            assert!(matches!(answer(wrong.as_bytes(), "GET"), Answered::Wrong(_)), "{wrong:?}");
        }
        let body = b"HTTP/1.1 204 None\r\ncontent-length: 1\r\n\r\nx";
        assert_eq!(answer(body, "GET"), Answered::Wrong("an answer without a body announces one"));
    }
}
