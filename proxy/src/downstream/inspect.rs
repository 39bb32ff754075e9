//! Runs a listener's filters on a connection before its chain is chosen.
//!
//! The rule: bytes that a filter looked at are read again by whoever comes next, except a PROXY header, which is
//! consumed; all filters together get one deadline, and none holds more bytes than its limit.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;
use xds::model::{ListenerFilter, ProxyProtocolFilter, ProxyProtocolVersion, TransportProtocol};

use super::original_dst::original_destination;
use super::proxy_protocol::{self, Parsed, version};
use super::sniff::{self, Finding, HelloReader};
use crate::codec::io::Stream;
use crate::observe::metrics::Counters;
use crate::observe::proxy_protocol::ProxyProtocolMetric as Metric;
use crate::snapshot::Arrival;

/// What is counted of PROXY headers.
type ProxyProtocolStats = Counters<Metric>;

/// Room for what one read may bring while looking.
const READ_BYTES: usize = 2 * 1024;

/// Why a connection is closed before a chain is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The client sent too little within `listener_filters_timeout`.
    Timeout,
    /// The client closed before it sent anything.
    Closed,
    /// The PROXY header is missing or broken; what is wrong.
    ProxyProtocol(&'static str),
}

/// How long a listener's filters may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// `listener_filters_timeout`; zero is for ever.
    pub timeout: Duration,
    /// `continue_on_listener_filters_timeout`.
    pub continue_on_timeout: bool,
}

/// Runs `filters` in order on `stream`, notes in `arrival` what they find, and gives the stream back.
///
/// # Errors
/// Why the connection must be closed.
pub async fn inspect(
    stream: Stream,
    filters: &[ListenerFilter],
    patience: Patience,
    stats: Option<&ProxyProtocolStats>,
    arrival: &mut Arrival,
) -> Result<Stream, Refused> {
    if filters.is_empty() {
        return Ok(stream);
    }
    let mut head = Head { stream, bytes: BytesMut::new(), ended: false };
    let run = async {
        for filter in filters {
            apply(filter, &mut head, stats, arrival).await?;
        }
        Ok(())
    };
    let ran = if patience.timeout.is_zero() {
        run.await
    } else {
        match tokio::time::timeout(patience.timeout, run).await {
            Ok(ran) => ran,
            Err(_) if patience.continue_on_timeout => Ok(()),
            Err(_) => Err(Refused::Timeout),
        }
    };
    ran.map(|()| head.stream.rewound(head.bytes.freeze()))
}

/// Tells HTTP/2 with prior knowledge from HTTP/1 (`codec_type` AUTO on plain text). Waits for the client's first
/// bytes; the caller bounds the wait.
///
/// # Errors
/// The client closed before it sent anything.
pub async fn prior_knowledge(stream: Stream) -> Result<(bool, Stream), Refused> {
    let mut head = Head { stream, bytes: BytesMut::new(), ended: false };
    let http2 = head.look(sniff::http2_preface).await?.is_some();
    Ok((http2, head.stream.rewound(head.bytes.freeze())))
}

async fn apply(
    filter: &ListenerFilter,
    head: &mut Head,
    stats: Option<&ProxyProtocolStats>,
    arrival: &mut Arrival,
) -> Result<(), Refused> {
    match filter {
        ListenerFilter::OriginalDst => {
            if let Some(destination) = head.stream.tcp().and_then(original_destination) {
                arrival.destination = Some(destination);
            }
        }
        ListenerFilter::ProxyProtocol(filter) => proxy_header(head, filter, stats, arrival).await?,
        ListenerFilter::TlsInspector => {
            let mut reader = HelloReader::default();
            if let Some(hello) = head.look(|bytes| reader.read(bytes)).await? {
                arrival.transport = TransportProtocol::Tls;
                arrival.server_name = hello.server_name;
                arrival.application_protocols = hello.application_protocols;
            }
        }
        // Where TLS was found there is nothing to read yet.
        ListenerFilter::HttpInspector if arrival.transport == TransportProtocol::RawBuffer => {
            if let Some(version) = head.look(sniff::http).await? {
                arrival.application_protocols = vec![version.application_protocol().to_owned()];
            }
        }
        ListenerFilter::HttpInspector => {}
    }
    Ok(())
}

async fn proxy_header(
    head: &mut Head,
    filter: &ProxyProtocolFilter,
    stats: Option<&ProxyProtocolStats>,
    arrival: &mut Arrival,
) -> Result<(), Refused> {
    let count = |metric| stats.into_iter().for_each(|stats| stats.inc(metric));
    let of = |found: ProxyProtocolVersion, metrics: [Metric; 2]| match found {
        ProxyProtocolVersion::V1 => count(metrics[0]),
        ProxyProtocolVersion::V2 => count(metrics[1]),
    };
    let optional = filter.allow_requests_without_proxy_protocol;
    let unwanted = |bytes: &[u8]| version(bytes).filter(|found| filter.disallowed_versions.contains(found));
    let found = head
        .look(|bytes| match proxy_protocol::parse(bytes) {
            Parsed::Incomplete => Finding::Incomplete,
            Parsed::Absent => Finding::Absent,
            // Where no header is needed, one that is not wanted is none.
            _ if optional && unwanted(bytes).is_some() => Finding::Absent,
            Parsed::Header { bytes, addresses } => Finding::Found(Ok((bytes, addresses))),
            Parsed::Malformed(why) => Finding::Found(Err(why)),
        })
        .await?;
    let Some(header) = found else {
        if optional {
            count(Metric::NotFoundAllowed);
            return Ok(());
        }
        count(Metric::NotFoundDisallowed);
        return Err(Refused::ProxyProtocol("no header"));
    };
    let spoken = version(&head.bytes).unwrap_or(ProxyProtocolVersion::V1);
    if unwanted(&head.bytes).is_some() {
        of(spoken, [Metric::V1Found, Metric::V2Found]);
        of(spoken, [Metric::V1Disallowed, Metric::V2Disallowed]);
        return Err(Refused::ProxyProtocol("a header of a version that is disallowed"));
    }
    let read = header.and_then(|(bytes, addresses)| {
        let tlvs = proxy_protocol::tlvs(&head.bytes[..bytes], &filter.pass_through)?;
        Ok((bytes, addresses, tlvs))
    });
    let (bytes, addresses, tlvs) = read.map_err(|why| {
        of(spoken, [Metric::V1Error, Metric::V2Error]);
        Refused::ProxyProtocol(why)
    })?;
    of(spoken, [Metric::V1Found, Metric::V2Found]);
    head.bytes.advance(bytes);
    if let Some(addresses) = addresses {
        arrival.source = Some(addresses.source);
        arrival.destination = Some(addresses.destination);
    }
    arrival.tlvs = (!tlvs.is_empty()).then(|| tlvs.into());
    Ok(())
}

/// A stream and the bytes of it that were looked at.
struct Head {
    stream: Stream,
    bytes: BytesMut,
    ended: bool,
}

impl Head {
    /// Reads until `look` can tell. The end of the stream tells, too: what is incomplete then is absent.
    /// Cancel safe: bytes stay here.
    async fn look<T>(&mut self, mut look: impl FnMut(&[u8]) -> Finding<T>) -> Result<Option<T>, Refused> {
        loop {
            if !self.bytes.is_empty() {
                match look(&self.bytes) {
                    Finding::Found(found) => return Ok(Some(found)),
                    Finding::Absent => return Ok(None),
                    Finding::Incomplete if self.ended => return Ok(None),
                    Finding::Incomplete => {}
                }
            } else if self.ended {
                return Err(Refused::Closed);
            }
            self.bytes.reserve(READ_BYTES);
            // A stream that fails is read again, and reports it, by whoever serves it.
            self.ended = matches!(self.stream.read_buf(&mut self.bytes).await, Ok(0) | Err(_));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const PATIENCE: Patience = Patience { timeout: Duration::from_secs(5), continue_on_timeout: false };

    fn proxy(allow_requests_without_proxy_protocol: bool) -> ListenerFilter {
        ListenerFilter::ProxyProtocol(Box::new(ProxyProtocolFilter {
            allow_requests_without_proxy_protocol,
            ..ProxyProtocolFilter::default()
        }))
    }

    fn arrival() -> Arrival {
        Arrival::new(Some("127.0.0.1:80".parse().unwrap()), Some("127.0.0.1:999".parse().unwrap()))
    }

    async fn sent(bytes: &[u8]) -> (DuplexStream, Stream) {
        let (mut client, here) = duplex(64 * 1024);
        client.write_all(bytes).await.unwrap();
        (client, here.into())
    }

    async fn rest(mut stream: Stream) -> Vec<u8> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn a_proxy_header_is_adopted_and_consumed() {
        let (client, stream) = sent(b"PROXY TCP4 192.0.2.1 10.0.0.1 5 443\r\nGET / HTTP/1.1\r\n\r\n").await;
        drop(client);
        let mut arrival = arrival();
        let filters = [proxy(false), ListenerFilter::TlsInspector, ListenerFilter::HttpInspector];
        let stream = inspect(stream, &filters, PATIENCE, None, &mut arrival).await.unwrap();
        assert_eq!(arrival.source, Some("192.0.2.1:5".parse().unwrap()));
        assert_eq!(arrival.destination, Some("10.0.0.1:443".parse().unwrap()));
        assert_eq!(arrival.direct_source, Some("127.0.0.1:999".parse().unwrap()));
        assert_eq!(arrival.application_protocols, ["http/1.1"]);
        assert_eq!(rest(stream).await, b"GET / HTTP/1.1\r\n\r\n");
    }

    #[tokio::test]
    async fn a_missing_or_broken_proxy_header_closes() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"PROXY TCP4 x\r\n"] {
            let (_client, stream) = sent(bytes).await;
            let refused = inspect(stream, &[proxy(false)], PATIENCE, None, &mut arrival()).await.unwrap_err();
            assert!(matches!(refused, Refused::ProxyProtocol(_)), "{refused:?}");
        }
        let optional = proxy(true);
        let (client, stream) = sent(b"GET / HTTP/1.1\r\n").await;
        drop(client);
        let stream = inspect(stream, &[optional], PATIENCE, None, &mut arrival()).await.unwrap();
        assert_eq!(rest(stream).await, b"GET / HTTP/1.1\r\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_runs_into_the_deadline() {
        let filters = [ListenerFilter::TlsInspector];
        let (_client, stream) = sent(b"\x16").await;
        let refused = inspect(stream, &filters, PATIENCE, None, &mut arrival()).await.unwrap_err();
        assert_eq!(refused, Refused::Timeout);
        let (client, stream) = sent(b"\x16").await;
        let patience = Patience { continue_on_timeout: true, ..PATIENCE };
        let stream = inspect(stream, &filters, patience, None, &mut arrival()).await.unwrap();
        drop(client);
        assert_eq!(rest(stream).await, b"\x16", "what was read is not lost");
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_and_closes_is_gone() {
        let (client, stream) = sent(b"").await;
        drop(client);
        let refused = inspect(stream, &[ListenerFilter::HttpInspector], PATIENCE, None, &mut arrival()).await;
        assert_eq!(refused.unwrap_err(), Refused::Closed);
    }

    #[tokio::test]
    async fn prior_knowledge_is_told_by_the_preface() {
        for (bytes, http2) in
            [(&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], true), (b"PUT / HTTP/1.1\r\n", false)]
        {
            let (client, stream) = sent(bytes).await;
            drop(client);
            let (found, stream) = prior_knowledge(stream).await.unwrap();
            assert_eq!(found, http2);
            assert_eq!(rest(stream).await, bytes);
        }
    }
}
