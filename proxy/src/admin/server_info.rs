//! `/server_info` and `/ready`.

use std::time::{SystemTime, UNIX_EPOCH};

use http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::state::{Phase, State};

/// 200 `LIVE` when serving; 503 with the state's name otherwise.
pub(super) fn ready(state: &State) -> Answer {
    let phase =
        if state.lifecycle.standing().is_failing() { Phase::Draining } else { state.lifecycle.phase() };
    let status = if phase == Phase::Live { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer { status, ..Answer::text(format!("{}\n", phase.as_str())) }
}

/// What runs here, since when, as who.
pub(super) fn server_info(state: &State) -> Answer {
    let about = &state.about;
    let uptime = format!("{}s", about.started.elapsed().as_secs());
    let node = &about.node;
    Answer::json(&json!({
        "version": about.version,
        "state": state.lifecycle.phase().as_str(),
        "hot_restart_version": "disabled",
        "uptime_current_epoch": uptime,
        "uptime_all_epochs": uptime,
        "started_at_unix": unix(about.started_at),
        "concurrency": about.concurrency,
        "command_line_options": about.command_line,
        "node": {
            "id": node.id,
            "cluster": node.cluster,
            "locality": {
                "region": node.locality.region,
                "zone": node.locality.zone,
                "sub_zone": node.locality.sub_zone,
            },
        },
    }))
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
