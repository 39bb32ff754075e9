//! Envoy's response flags (`%RESPONSE_FLAGS%`): short marks for what went wrong.

use crate::error::Reason;

/// Short and long names, as Envoy prints them.
const NAMES: [(&str, &str); 30] = [
    ("LH", "FailedLocalHealthCheck"),
    ("UH", "NoHealthyUpstream"),
    ("UT", "UpstreamRequestTimeout"),
    ("LR", "LocalReset"),
    ("UR", "UpstreamRemoteReset"),
    ("UF", "UpstreamConnectionFailure"),
    ("UC", "UpstreamConnectionTermination"),
    ("UO", "UpstreamOverflow"),
    ("NR", "NoRouteFound"),
    ("DI", "DelayInjected"),
    ("FI", "FaultInjected"),
    ("RL", "RateLimited"),
    ("UAEX", "UnauthorizedExternalService"),
    ("RLSE", "RateLimitServiceError"),
    ("DC", "DownstreamConnectionTermination"),
    ("URX", "UpstreamRetryLimitExceeded"),
    ("SI", "StreamIdleTimeout"),
    ("IH", "InvalidEnvoyRequestHeaders"),
    ("DPE", "DownstreamProtocolError"),
    ("UMSDR", "UpstreamMaxStreamDurationReached"),
    ("RFCF", "ResponseFromCacheFilter"),
    ("NFCF", "NoFilterConfigFound"),
    ("DT", "DurationTimeout"),
    ("UPE", "UpstreamProtocolError"),
    ("NC", "NoClusterFound"),
    ("OM", "OverloadManagerTerminated"),
    ("DF", "DnsResolutionFailed"),
    ("DO", "DropOverload"),
    ("DR", "DownstreamRemoteReset"),
    ("UDO", "UnconditionalDropOverload"),
];

/// Most flags that one request carries; more say nothing new.
const FLAGS_MAX: usize = 6;

/// The flags of one request or connection, in the order they were set (which is how Envoy prints them).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    // Positions in `NAMES` plus one; zero is free.
    set: [u8; FLAGS_MAX],
}

impl Flags {
    /// Sets the flag of `reason`, if Envoy has one for it.
    pub fn insert_reason(&mut self, reason: Reason) {
        // Envoy's connection manager sets no flag when `max_stream_duration` is over; `DT` is the TCP proxy's.
        if reason != Reason::MaxDuration {
            self.insert(reason.flag());
        }
    }

    /// Sets the flag with this short name; unknown names are none.
    pub fn insert(&mut self, short: &str) {
        let Some(at) = NAMES.iter().position(|(name, _)| *name == short) else { return };
        let mark = u8::try_from(at + 1).expect("there are fewer flags than 255");
        if !self.set.contains(&mark)
            && let Some(free) = self.set.iter_mut().find(|slot| **slot == 0)
        {
            *free = mark;
        }
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set[0] == 0
    }

    /// Whether the flag with this short name is set.
    #[must_use]
    pub fn contains(&self, short: &str) -> bool {
        self.names().any(|(name, _)| name == short)
    }

    /// The flags as `%RESPONSE_FLAGS%` shows them; `None` if there are none.
    #[must_use]
    pub fn short(&self) -> Option<String> {
        self.join(|(short, _)| short)
    }

    /// The flags as `%RESPONSE_FLAGS_LONG%` shows them; `None` if there are none.
    #[must_use]
    pub fn long(&self) -> Option<String> {
        self.join(|(_, long)| long)
    }

    fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        self.set.iter().filter(|mark| **mark != 0).map(|mark| NAMES[usize::from(*mark) - 1])
    }

    fn join(&self, pick: fn((&'static str, &'static str)) -> &'static str) -> Option<String> {
        let names: Vec<&str> = self.names().map(pick).collect();
        (!names.is_empty()).then(|| names.join(","))
    }
}

/// Whether Envoy has a flag with this short name; a log filter may only name such.
#[must_use]
pub fn is_known(short: &str) -> bool {
    NAMES.iter().any(|(name, _)| *name == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_in_the_order_they_were_set() {
        let mut flags = Flags::default();
        assert_eq!(flags.short(), None);
        flags.insert("URX");
        flags.insert_reason(Reason::ConnectFailed);
        flags.insert("URX");
        assert_eq!(flags.short().as_deref(), Some("URX,UF"));
        assert_eq!(flags.long().as_deref(), Some("UpstreamRetryLimitExceeded,UpstreamConnectionFailure"));
    }

    #[test]
    fn every_reason_has_a_known_flag_or_none() {
        for reason in
            [Reason::NoRoute, Reason::NoCluster, Reason::UpstreamProtocol, Reason::StreamIdleTimeout]
        {
            assert!(is_known(reason.flag()), "{reason:?} has the flag {:?}", reason.flag());
        }
    }
}
