//! One client's datagrams to one endpoint, and back.
//!
//! One rule: sending never waits; a datagram for which there is no room is dropped and counted, as a network does.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::policy::udp::{UdpMetric, UdpPolicy};
use crate::upstream::{Cluster, ClusterMetric, Host, Permit};

/// The clients' side, which all sessions of a worker share.
#[derive(Debug, Clone)]
pub(super) struct Shore {
    /// What datagrams come and go on.
    pub(super) socket: Rc<UdpSocket>,
    /// Room for the longest datagram there is: sessions are many and read one at a time.
    pub(super) buffer: Rc<RefCell<Vec<u8>>>,
}

/// A session; dropping it ends it.
#[derive(Debug)]
pub(super) struct Session {
    shared: Rc<Shared>,
    task: AbortHandle,
}

/// What the session's two directions share.
#[derive(Debug)]
struct Shared {
    upstream: UdpSocket,
    downstream: Rc<UdpSocket>,
    client: SocketAddr,
    policy: Arc<UdpPolicy>,
    cluster: Arc<Cluster>,
    host: Arc<Host>,
    heard: Cell<Instant>,
    buffer: Rc<RefCell<Vec<u8>>>,
    _permit: Permit,
}

impl Session {
    /// Begins one; `ended` is called when it ends by itself.
    ///
    /// # Errors
    /// What the system said of its socket.
    pub(super) fn begin(
        socket: &Shore,
        policy: &Arc<UdpPolicy>,
        cluster: &Arc<Cluster>,
        host: Arc<Host>,
        client: SocketAddr,
        permit: Permit,
        ended: impl FnOnce() + 'static,
    ) -> io::Result<Self> {
        let target =
            host.socket_address().ok_or_else(|| io::Error::other("the endpoint has no IP address"))?;
        let any = match target {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let upstream = std::net::UdpSocket::bind(any)?;
        upstream.set_nonblocking(true)?;
        upstream.connect(target)?;
        let shared = Rc::new(Shared {
            upstream: UdpSocket::from_std(upstream)?,
            downstream: Rc::clone(&socket.socket),
            client,
            policy: Arc::clone(policy),
            cluster: Arc::clone(cluster),
            host,
            heard: Cell::new(Instant::now()),
            buffer: Rc::clone(&socket.buffer),
            _permit: permit,
        });
        policy.stats.inc(UdpMetric::SessTotal);
        policy.stats.inc(UdpMetric::SessActive);
        let serving = Rc::clone(&shared);
        let task = tokio::task::spawn_local(async move {
            serving.answer().await;
            drop(serving);
            ended();
        });
        Ok(Self { shared, task: task.abort_handle() })
    }

    /// Whether it goes to an endpoint of `cluster` as it is now.
    pub(super) fn is_of(&self, cluster: &Arc<Cluster>) -> bool {
        Arc::ptr_eq(&self.shared.cluster, cluster)
    }

    /// Its endpoint.
    pub(super) fn host(&self) -> &Arc<Host> {
        &self.shared.host
    }

    /// Sends a client's datagram.
    pub(super) fn send(&self, bytes: &[u8]) {
        let Shared { upstream, policy, cluster, heard, .. } = &*self.shared;
        heard.set(Instant::now());
        policy.stats.inc(UdpMetric::RxDatagrams);
        policy.stats.add(UdpMetric::RxBytes, bytes.len() as u64);
        match SockRef::from(upstream).send(bytes) {
            Ok(_) => {
                cluster.stats().inc(ClusterMetric::UdpSessTxDatagrams);
                cluster.stats().add(ClusterMetric::UpstreamCxTxBytesTotal, bytes.len() as u64);
            }
            Err(_) => cluster.stats().inc(ClusterMetric::UdpSessTxErrors),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.policy.stats.dec(UdpMetric::SessActive);
    }
}

impl Shared {
    /// Sends back what comes from the endpoint, until the session was idle for long enough.
    async fn answer(&self) {
        let bytes_max = usize::from(self.policy.model.upstream_bytes_max);
        loop {
            let over = self.heard.get() + self.policy.idle_timeout();
            tokio::select! {
                ready = self.upstream.ready(Interest::READABLE | Interest::ERROR) => {
                    if ready.is_ok_and(|ready| ready.is_error()) {
                        self.look_for_errors();
                    }
                    let mut buffer = self.buffer.borrow_mut();
                    match self.upstream.try_recv(&mut buffer) {
                        Ok(length) if length <= bytes_max => self.pass(&buffer[..length]),
                        Ok(_) => self.cluster.stats().inc(ClusterMetric::UdpSessRxDatagramsDropped),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        // Nobody listens there, says the network: somebody may, later.
                        Err(_) => self.cluster.stats().inc(ClusterMetric::UdpSessRxErrors),
                    }
                }
                () = sleep_until(over) => {
                    if self.heard.get() + self.policy.idle_timeout() <= Instant::now() {
                        self.policy.stats.inc(UdpMetric::IdleTimeout);
                        return;
                    }
                }
            }
        }
    }

    /// What the network says of datagrams that were sent comes without a datagram.
    fn look_for_errors(&self) {
        if let Ok(Some(_)) | Err(_) = self.upstream.take_error() {
            self.cluster.stats().inc(ClusterMetric::UdpSessRxErrors);
        }
        // It was looked at: it is not ready again before the next.
        let looked = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _would_block = self.upstream.try_io(Interest::ERROR, looked);
    }

    fn pass(&self, bytes: &[u8]) {
        self.heard.set(Instant::now());
        self.cluster.stats().inc(ClusterMetric::UdpSessRxDatagrams);
        self.cluster.stats().add(ClusterMetric::UpstreamCxRxBytesTotal, bytes.len() as u64);
        match SockRef::from(&*self.downstream).send_to(bytes, &self.client.into()) {
            Ok(_) => {
                self.policy.stats.inc(UdpMetric::TxDatagrams);
                self.policy.stats.add(UdpMetric::TxBytes, bytes.len() as u64);
            }
            Err(_) => self.policy.stats.inc(UdpMetric::TxErrors),
        }
    }
}
