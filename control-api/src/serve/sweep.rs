//! Join tokens that can open nothing any more are taken out after a while.
//!
//! One rule: a token that still opens something is never taken out.

use std::sync::Arc;
use std::time::SystemTime;

use crate::clock;
use crate::limits;
use crate::resource::document::Document;
use crate::resource::join_token::{JoinTokenSpec, JoinTokenStatus};
use crate::resource::kind::ObjectRef;
use crate::resource::world::World;
use crate::store::{Intent, Request, Store};

/// Sweeps now and then until the task is dropped.
pub async fn run(store: Arc<Store>) {
    loop {
        let sweeping = Arc::clone(&store);
        let swept = tokio::task::spawn_blocking(move || {
            let now = SystemTime::now();
            let requests: Vec<_> = spent(&sweeping.world(), now).into_iter().map(Request::Delete).collect();
            sweeping.commit(requests, now, Intent::Commit)
        });
        match swept.await {
            Ok(Ok(_)) => {}
            // Somebody deleted one in between, or the disk is full: the next time will do.
            Ok(Err(error)) => tracing::info!(%error, "spent join tokens were not taken out"),
            Err(error) => tracing::error!(%error, "spent join tokens were not taken out"),
        }
        tokio::time::sleep(limits::SWEEP_INTERVAL).await;
    }
}

/// The tokens that were used or have expired long enough ago.
fn spent(world: &World, now: SystemTime) -> Vec<ObjectRef> {
    let is_over = |token: &&Document<JoinTokenSpec>| {
        let status = token.status.clone().unwrap_or_default();
        let Ok(status) = serde_json::from_value::<JoinTokenStatus>(status) else {
            return false;
        };
        let end = status.used_at.as_deref().unwrap_or(&status.expires_at);
        clock::parse(end).is_some_and(|end| end + limits::SPENT_TOKEN_KEPT <= now)
    };
    world.join_tokens().filter(is_over).map(Document::object_ref).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::json;

    use super::*;
    use crate::resource::object::Object;

    #[test]
    fn only_tokens_that_have_long_been_over_are_taken_out() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds);
        let kept = limits::SPENT_TOKEN_KEPT.as_secs();
        let mut world = World::new("test.mesh");
        for (name, expires, used) in [
            ("open", 2 * kept, None),
            ("expired-long-ago", 0, None),
            ("expired-just-now", kept - 10, None),
            ("used-long-ago", 2 * kept, Some(0)),
            ("used-just-now", 2 * kept, Some(kept - 10)),
        ] {
            let object = Object::parse(&json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
                "metadata": {"name": name}, "spec": {"site": "fra"}}))
            .unwrap();
            let status = JoinTokenStatus {
                expires_at: clock::text(at(expires)),
                used_at: used.map(|used| clock::text(at(used))),
                secret: None,
            };
            let metadata = object.metadata().clone();
            world.insert(object.with(metadata, serde_json::to_value(status).ok()));
        }
        let spent: Vec<_> = spent(&world, at(kept)).into_iter().map(|o| o.name).collect();
        assert_eq!(spent, ["expired-long-ago", "used-long-ago"]);
    }
}
