//! HTTP/1.1 messages as a test writes and reads them: exact bytes out, header order and repeats kept in.

use std::io::{self, Read};

const HEAD_BYTES_MAX: usize = 1024 * 1024;
const HEADERS_MAX: usize = 512;

/// A response as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields in order, names as sent.
    pub headers: Vec<(String, String)>,
    /// The body, with chunked framing taken off.
    pub body: Vec<u8>,
    /// Trailer fields after a chunked body.
    pub trailers: Vec<(String, String)>,
    /// Statuses of the interim (1xx) responses before it.
    pub interim: Vec<u16>,
}

impl Response {
    /// The first value of a field, by case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// The backend that answered, if one of ours did.
    pub fn backend(&self) -> Option<String> {
        self.json()["backend"].as_str().map(str::to_owned)
    }
}

/// How a request's body is framed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Framing {
    /// No body and no framing field.
    #[default]
    None,
    /// `Content-Length`.
    Sized(Vec<u8>),
    /// `Transfer-Encoding: chunked`, one chunk per item, then the trailers.
    Chunked(Vec<Vec<u8>>, Vec<(String, String)>),
}

/// A request that is written exactly as stated; nothing is added but the framing field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request target, any form.
    pub target: String,
    /// Header fields in order; `Host` is one of them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Framing,
}

impl Request {
    /// A request with a `Host` field.
    pub fn new(method: &str, host: &str, target: &str) -> Self {
        let headers = vec![("host".to_owned(), host.to_owned())];
        Self { method: method.to_owned(), target: target.to_owned(), headers, body: Framing::None }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a body with `Content-Length`.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Framing::Sized(bytes.into());
        self
    }

    /// Sets a chunked body.
    #[must_use]
    pub fn chunks(mut self, chunks: &[&str]) -> Self {
        self.body =
            Framing::Chunked(chunks.iter().map(|chunk| chunk.as_bytes().to_vec()).collect(), Vec::new());
        self
    }

    /// The bytes on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        match &self.body {
            Framing::None => out.extend_from_slice(b"\r\n"),
            Framing::Sized(body) => {
                out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
                out.extend_from_slice(body);
            }
            Framing::Chunked(chunks, trailers) => write_chunked(&mut out, chunks, trailers),
        }
        out
    }
}

fn write_chunked(out: &mut Vec<u8>, chunks: &[Vec<u8>], trailers: &[(String, String)]) {
    out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    for chunk in chunks {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Reads messages off a stream, keeping what was read too much for the next one.
#[derive(Debug)]
pub struct Reader<S> {
    stream: S,
    buffered: Vec<u8>,
}

impl<S: Read> Reader<S> {
    /// Reads from the stream.
    pub fn new(stream: S) -> Self {
        Self { stream, buffered: Vec::new() }
    }

    /// The stream, to write to it.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The next final response; `head` is true after a HEAD request.
    pub fn response(&mut self, head: bool) -> io::Result<Response> {
        let mut interim = Vec::new();
        loop {
            let mut response = self.head()?;
            if (100..200).contains(&response.status) && response.status != 101 {
                interim.push(response.status);
                continue;
            }
            self.body(&mut response, head)?;
            response.interim = interim;
            return Ok(response);
        }
    }

    /// Reads at least one byte more.
    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buffered.extend_from_slice(&chunk[..read]);
        Ok(())
    }

    /// Exactly this many bytes.
    pub fn exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.buffered.len() < count {
            self.fill()?;
        }
        Ok(self.buffered.drain(..count).collect())
    }

    /// All bytes until the other side closes.
    pub fn to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut all = std::mem::take(&mut self.buffered);
        self.stream.read_to_end(&mut all)?;
        Ok(all)
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffered.windows(2).position(|two| two == b"\r\n") {
                let line = self.exactly(end + 2)?;
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill()?;
        }
    }

    /// The next head alone, interim or final.
    pub fn head(&mut self) -> io::Result<Response> {
        loop {
            if let Some((response, length)) = parse_head(&self.buffered)? {
                self.buffered.drain(..length);
                return Ok(response);
            }
            if self.buffered.len() > HEAD_BYTES_MAX {
                return Err(invalid(format!("no end of the head within {HEAD_BYTES_MAX} bytes")));
            }
            self.fill()?;
        }
    }

    /// The body behind a final head; `head` is true after a HEAD request.
    pub fn body(&mut self, response: &mut Response, head: bool) -> io::Result<()> {
        if head || matches!(response.status, 101 | 204 | 304) {
            return Ok(());
        }
        let chunked = response.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        if chunked {
            return self.chunked(response);
        }
        response.body = match response.header("content-length") {
            Some(length) => {
                let length = length.parse().map_err(|_| invalid(format!("content-length: {length}")))?;
                self.exactly(length)?
            }
            None => self.to_end()?,
        };
        Ok(())
    }

    fn chunked(&mut self, response: &mut Response) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| invalid(format!("chunk size: {line}")))?;
            if size == 0 {
                break;
            }
            let chunk = self.exactly(size)?;
            response.body.extend_from_slice(&chunk);
            self.line()?;
        }
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok(()) };
            response.trailers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(Response, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let length = match head.parse(bytes).map_err(|e| invalid(e.to_string()))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect();
    Ok(Some((Response { status: head.code.unwrap_or(0), headers, ..Response::default() }, length)))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
