//! Brings every datagram to the worker whose connection it is of.
//!
//! The kernel chooses a worker's socket by the client's address, which is right until the client moves (RFC 9000 §9): a
//! phone that changes networks, a NAT that forgets. So a connection id of ours tells its worker, and whoever receives a
//! datagram of another worker's hands it over. Only short headers are looked at: no client moves before its handshake is
//! done, and until then ids are partly its own choice. One rule: nobody without the key can tell two ids of one worker
//! from two of different ones (RFC 9000 §5.1).
//!
//! Rather than a program in the kernel that picks the socket by the id: this needs no privilege and no unsafe code, and
//! costs a datagram one look and, after a move, one copy.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, UdpPoller};
use tokio::sync::mpsc;

use crate::limits::QUIC_STRAYS_MAX;

/// Bytes that tell the worker, under the mask that the rest gives.
const WORKER_BYTES: usize = 2;

/// Bytes of every id: enough random ones that none comes twice.
const ID_BYTES: usize = WORKER_BYTES + 10;

/// The bit of a long header (RFC 9000 §17).
const LONG: u8 = 0x80;

/// A datagram of another worker.
struct Stray {
    bytes: Vec<u8>,
    meta: RecvMeta,
}

/// One worker's end of the lines between the workers of a listener.
pub struct Line {
    own: usize,
    key: Arc<RandomState>,
    inbox: mpsc::Receiver<Stray>,
    others: Arc<[mpsc::Sender<Stray>]>,
}

/// The lines between so many workers.
pub fn lines(workers: usize) -> Vec<Line> {
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel(QUIC_STRAYS_MAX)).unzip();
    let (key, others) = (Arc::new(RandomState::new()), Arc::<[_]>::from(senders));
    let line = |(own, inbox)| Line { own, key: Arc::clone(&key), inbox, others: Arc::clone(&others) };
    inboxes.into_iter().enumerate().map(line).collect()
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("own", &self.own).finish_non_exhaustive()
    }
}

impl Line {
    /// Makes the ids of this worker's connections.
    pub(super) fn ids(&self) -> Ids {
        Ids { own: self.own, key: Arc::clone(&self.key) }
    }

    /// A socket that gives this worker its own datagrams, wherever they arrived.
    pub(super) fn wrap(self, socket: Arc<dyn AsyncUdpSocket>) -> Routed {
        let Self { own, key, inbox, others } = self;
        Routed { socket, own, key, inbox: Mutex::new(inbox), others }
    }
}

/// Ids that tell their worker to whoever has the key.
#[derive(Clone)]
pub(super) struct Ids {
    own: usize,
    key: Arc<RandomState>,
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_BYTES];
        aws_lc_rs::rand::fill(&mut id[WORKER_BYTES..]).expect("the system has random bytes");
        let worker = u16::try_from(self.own).unwrap_or(u16::MAX) ^ mask(&self.key, &id[WORKER_BYTES..]);
        id[..WORKER_BYTES].copy_from_slice(&worker.to_be_bytes());
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}

fn mask(key: &RandomState, random: &[u8]) -> u16 {
    // The lowest bits of a keyed hash.
    (key.hash_one(random) & 0xffff) as u16
}

/// The worker whose connection the datagram is of; `None` where it does not say.
fn worker(key: &RandomState, datagram: &[u8]) -> Option<usize> {
    let first = datagram.first()?;
    if first & LONG != 0 {
        return None;
    }
    let id = datagram.get(1..1 + ID_BYTES)?;
    let (worker, random) = id.split_at(WORKER_BYTES);
    Some(usize::from(u16::from_be_bytes([worker[0], worker[1]]) ^ mask(key, random)))
}

/// A worker's socket.
pub(super) struct Routed {
    socket: Arc<dyn AsyncUdpSocket>,
    own: usize,
    key: Arc<RandomState>,
    inbox: Mutex<mpsc::Receiver<Stray>>,
    others: Arc<[mpsc::Sender<Stray>]>,
}

impl Routed {
    fn poll_strays(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<usize> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        while count < bufs.len().min(meta.len()) {
            match inbox.poll_recv(cx) {
                Poll::Ready(Some(stray)) if stray.bytes.len() <= bufs[count].len() => {
                    bufs[count][..stray.bytes.len()].copy_from_slice(&stray.bytes);
                    meta[count] = stray.meta;
                    count += 1;
                }
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        if count == 0 { Poll::Pending } else { Poll::Ready(count) }
    }

    /// Hands over the datagrams in `bytes` that are another worker's; how many bytes are left at its start.
    fn keep_own(&self, bytes: &mut [u8], meta: &RecvMeta) -> usize {
        let stride = meta.stride.max(1);
        let other = |datagram: &[u8]| {
            worker(&self.key, datagram)
                .filter(|worker| *worker != self.own)
                .and_then(|at| self.others.get(at))
        };
        let mut kept = 0;
        let mut at = 0;
        while at < meta.len {
            let end = (at + stride).min(meta.len);
            match other(&bytes[at..end]) {
                Some(owner) => {
                    let own_meta = RecvMeta { len: end - at, stride: end - at, ..*meta };
                    // A worker that is behind or gone loses it, as a network does.
                    let _ = owner.try_send(Stray { bytes: bytes[at..end].to_vec(), meta: own_meta });
                }
                None => {
                    bytes.copy_within(at..end, kept);
                    kept += end - at;
                }
            }
            at = end;
        }
        kept
    }
}

impl AsyncUdpSocket for Routed {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(count) = self.poll_strays(cx, bufs, meta) {
            return Poll::Ready(Ok(count));
        }
        let count = ready!(self.socket.poll_recv(cx, bufs, meta))?;
        for (buf, meta) in bufs.iter_mut().zip(meta.iter_mut()).take(count) {
            meta.len = self.keep_own(buf, meta);
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

impl fmt::Debug for Routed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routed").field("socket", &self.socket).field("own", &self.own).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_header(id: &ConnectionId) -> Vec<u8> {
        [&[0x40], &id[..], b"the rest"].concat()
    }

    #[test]
    fn an_id_tells_its_worker_to_whoever_has_the_key_and_to_nobody_else() {
        let lines = lines(5);
        let other = RandomState::new();
        for (own, line) in lines.iter().enumerate() {
            let ids: Vec<_> = (0..100).map(|_| line.ids().generate_cid()).collect();
            assert!(ids.iter().all(|id| worker(&line.key, &short_header(id)) == Some(own)));
            assert!(
                ids.iter().any(|id| worker(&other, &short_header(id)) != Some(own)),
                "the id is not masked"
            );
        }
    }

    #[test]
    fn a_long_header_and_what_is_too_short_name_no_worker() {
        let line = &lines(2)[1];
        let mut datagram = short_header(&line.ids().generate_cid());
        assert_eq!(worker(&line.key, &datagram[..ID_BYTES]), None);
        datagram[0] |= LONG;
        assert_eq!(worker(&line.key, &datagram), None);
    }

    #[tokio::test]
    async fn datagrams_of_another_worker_are_handed_over_and_own_ones_close_ranks() {
        let socket = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let wrap =
            |line: Line| line.wrap(quinn::Runtime::wrap_udp_socket(&quinn::TokioRuntime, socket()).unwrap());
        let mut both = lines(2).into_iter();
        let (one, two) = (both.next().unwrap(), both.next().unwrap());
        let datagrams = [one.ids(), two.ids(), one.ids()].map(|mut ids| short_header(&ids.generate_cid()));
        let (one, two) = (wrap(one), wrap(two));
        let mut bytes = datagrams.concat();
        let meta = RecvMeta { len: bytes.len(), stride: datagrams[0].len(), ..RecvMeta::default() };
        let kept = one.keep_own(&mut bytes, &meta);
        assert_eq!(bytes[..kept], [&datagrams[0][..], &datagrams[2][..]].concat());
        let (mut buf, mut metas) = ([0; 100], [RecvMeta::default()]);
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        let received = two.poll_recv(&mut nobody, &mut [IoSliceMut::new(&mut buf)], &mut metas);
        assert!(matches!(received, Poll::Ready(Ok(1))), "{received:?}");
        assert_eq!(buf[..metas[0].len], datagrams[1]);
    }
}
