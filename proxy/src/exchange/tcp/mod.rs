//! Passes one downstream connection's bytes to an endpoint.
//!
//! Pick a cluster, connect to one of its endpoints (trying others as often as configured), relay, write the log line.
//! One rule: the line is written however the connection ends, also when its task is dropped.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use xds::model::FilterStateFactory;

use super::copy::{Copied, CopyEnd, CopyLimits, copy};
use super::origin;
use crate::body::Text;
use crate::error::{Error, Reason};
use crate::observe::record::{ConnectionFacts, Record, UpstreamFacts};
use crate::policy::tcp::{TcpMetric, TcpPolicy};
use crate::splice::AsSocket;
use crate::upstream::pool::{Connected, Pools, SendOptions};
use crate::upstream::{Cluster, Clusters, PickContext};

/// Serves `downstream`, whose listener lets a connection buffer `buffer_limit_bytes` (zero: any number), to its end;
/// `stopped` is the end of the drain time. Must run inside a `LocalSet`.
pub async fn serve<D>(
    mut downstream: D,
    buffer_limit_bytes: u32,
    policy: &Arc<TcpPolicy>,
    clusters: &Clusters,
    pools: &Pools,
    facts: Rc<ConnectionFacts>,
    stopped: impl Future<Output = ()>,
) where
    D: AsyncRead + AsyncWrite + AsSocket + Unpin,
{
    let mut journal = Journal::begin(policy, facts);
    let relay = async {
        match connect(policy, clusters, pools, &mut journal.record).await {
            Ok((connected, cluster)) => {
                let limits = limits(policy, buffer_limit_bytes, &cluster);
                pass(&mut downstream, connected, limits, &mut journal).await;
            }
            Err(why) => {
                if why.reason() == Reason::NoCluster {
                    policy.stats.inc(TcpMetric::CxNoRoute);
                }
                journal.record.details = Cow::Owned(why.detail().to_owned());
            }
        }
    };
    tokio::select! {
        () = relay => {}
        // The relay is cut where it stands; `journal` keeps what it did.
        () = stopped => {}
    }
}

/// Connects to an endpoint of the connection's cluster and notes on the way what a log may want.
async fn connect(
    policy: &TcpPolicy,
    clusters: &Clusters,
    pools: &Pools,
    record: &mut Record,
) -> Result<(Connected, Arc<Cluster>), Error> {
    let mut random = fastrand::Rng::new();
    let name: Arc<str> = Arc::from(policy.cluster(random.u64(..), &record.attributes));
    record.cluster = Arc::clone(&name);
    let Some(cluster) = clusters.get(&name) else {
        record.flags.insert_reason(Reason::NoCluster);
        return Err(Error::new(Reason::NoCluster, format!("cluster {name} does not exist")));
    };
    let hash = policy.hash(record);
    let mut failed = None;
    for _ in 0..policy.connect_attempts_max {
        record.attempts += 1;
        match attempt(cluster, pools, hash, &mut random, record).await {
            Ok(connected) => return Ok((connected, Arc::clone(cluster))),
            Err(why) => {
                record.flags.insert_reason(why.reason());
                record.upstream_failure = Cow::Owned(why.detail().to_owned());
                // Another endpoint cannot help where there is none, or where a limit of the cluster is reached.
                let another = matches!(
                    why.reason(),
                    Reason::ConnectFailed | Reason::ConnectTimeout | Reason::UpstreamTls
                );
                if !another {
                    return Err(why);
                }
                failed = Some(why);
            }
        }
    }
    // Envoy's flag for a TCP connection whose attempts are used up, whatever their number.
    record.flags.insert("URX");
    Err(failed.unwrap_or_else(|| Error::new(Reason::Internal, "no attempt was made")))
}

async fn attempt(
    cluster: &Arc<Cluster>,
    pools: &Pools,
    hash: Option<u64>,
    random: &mut fastrand::Rng,
    record: &mut Record,
) -> Result<Connected, Error> {
    let server_name = record.attributes.text_of(FilterStateFactory::UpstreamServerName).map(Text::from);
    let origin = origin::of(&record.connection, &record.connection.remote, cluster);
    let options = SendOptions { server_name, origin, ..SendOptions::default() };
    let picked = cluster.pick(&PickContext { hash, ..PickContext::default() }, random)?;
    let host = picked.host.address().clone();
    record.upstream = Some(UpstreamFacts { host, local: None, protocol: "" });
    let connected = pools.connect(cluster, &picked.host, &options).await?;
    if let Some(upstream) = &mut record.upstream {
        upstream.local = connected.facts.local;
    }
    Ok(connected)
}

/// What bounds the relay. Both connections' buffer limits hold for bytes that are on their way from one to the other.
fn limits(policy: &TcpPolicy, downstream_bytes: u32, cluster: &Cluster) -> CopyLimits {
    let limits = [downstream_bytes, cluster.model().per_connection_buffer_limit_bytes];
    let smallest = limits.into_iter().filter(|limit| *limit > 0).min();
    CopyLimits {
        held_bytes_max: smallest.map_or(usize::MAX, |limit| limit as usize),
        idle_timeout: policy.idle_timeout,
        max_duration: policy.max_duration,
    }
}

async fn pass<D>(downstream: &mut D, connected: Connected, limits: CopyLimits, journal: &mut Journal)
where
    D: AsyncRead + AsyncWrite + AsSocket + Unpin,
{
    let Connected { mut stream, facts: _, guard } = connected;
    let end = tokio::select! {
        end = copy(downstream, &mut stream, limits, &mut journal.copied) => Some(end),
        () = guard.until_cut() => None,
    };
    let (stats, record) = (&journal.policy.stats, &mut journal.record);
    match end {
        Some(CopyEnd::Complete) => {}
        Some(CopyEnd::Idle) => {
            stats.inc(TcpMetric::IdleTimeout);
            record.termination = Cow::Borrowed("tcp_session_idle_timeout");
        }
        Some(CopyEnd::MaxDuration) => {
            stats.inc(TcpMetric::MaxDuration);
            record.flags.insert("DT");
            record.termination = Cow::Borrowed("max_connection_duration_reached");
        }
        Some(CopyEnd::Downstream(why)) => record.termination = Cow::Owned(format!("downstream: {why}")),
        Some(CopyEnd::Upstream(why)) => {
            guard.ended_by_remote();
            record.upstream_failure = Cow::Owned(why.to_string());
        }
        None => record.termination = Cow::Borrowed("upstream_host_unhealthy"),
    }
}

/// The connection's record and counters; told when dropped.
struct Journal {
    policy: Arc<TcpPolicy>,
    record: Record,
    copied: Copied,
}

impl Journal {
    fn begin(policy: &Arc<TcpPolicy>, facts: Rc<ConnectionFacts>) -> Self {
        policy.stats.inc(TcpMetric::CxTotal);
        policy.stats.inc(TcpMetric::CxActive);
        let record = Record::begin(facts, "", policy.runtime.load());
        Self { policy: Arc::clone(policy), record, copied: Copied::default() }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let TcpPolicy { stats, access_log, .. } = &*self.policy;
        stats.dec(TcpMetric::CxActive);
        stats.add(TcpMetric::CxRxBytesTotal, self.copied.to_upstream);
        stats.add(TcpMetric::CxTxBytesTotal, self.copied.to_downstream);
        self.record.bytes_received = self.copied.to_upstream;
        self.record.bytes_sent = self.copied.to_downstream;
        self.record.finished = Some(self.record.elapsed());
        if !access_log.is_empty() {
            access_log.write(&self.record, fastrand::u64(..));
        }
    }
}
