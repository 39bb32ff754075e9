//! Who asked, for clusters whose endpoints are told.
//!
//! One rule: nothing is made for the others.

use std::sync::Arc;

use crate::observe::record::{ConnectionFacts, Place};
use crate::upstream::{Cluster, Origin};

/// The origin of what comes on `connection` and whose client is at `remote`; `None` if `cluster` tells nobody.
pub(super) fn of(connection: &ConnectionFacts, remote: &Place, cluster: &Cluster) -> Option<Arc<Origin>> {
    cluster.tells_origin().then(|| {
        let ends = match (remote, &connection.local) {
            (Place::Ip(client), Place::Ip(here)) => Some((*client, *here)),
            _ => None,
        };
        Arc::new(Origin { ends, tlvs: connection.tlvs.clone() })
    })
}
