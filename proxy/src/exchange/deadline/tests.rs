use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Deadlines;
use crate::error::{Error, Reason};
use crate::policy::timeout::Timeouts;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn expired(deadlines: &Deadlines) -> (Reason, u128) {
    let begun = Instant::now();
    let error = poll_fn(|cx| deadlines.poll_expired(cx)).await;
    (error.reason(), begun.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn the_earliest_limit_is_reached_first() {
    let cases = [
        (
            Timeouts { whole: Some(ms(50)), stream: Some(ms(80)), ..Timeouts::default() },
            Reason::UpstreamTimeout,
            50,
        ),
        (
            Timeouts { whole: Some(ms(90)), stream: Some(ms(80)), ..Timeouts::default() },
            Reason::MaxDuration,
            80,
        ),
        (
            Timeouts { whole: Some(ms(90)), per_try: Some(ms(20)), ..Timeouts::default() },
            Reason::PerTryTimeout,
            20,
        ),
        (
            Timeouts { idle: Some(ms(30)), whole: Some(ms(90)), ..Timeouts::default() },
            Reason::StreamIdleTimeout,
            30,
        ),
    ];
    for (timeouts, reason, after) in cases {
        let deadlines = Deadlines::begin(None, None, None);
        deadlines.set(&timeouts);
        deadlines.request_complete();
        deadlines.begin_attempt();
        assert_eq!(expired(&deadlines).await, (reason, after), "{timeouts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_counts_from_the_requests_end() {
    let deadlines = Deadlines::begin(None, Some(ms(500)), None);
    deadlines.set(&Timeouts { whole: Some(ms(50)), idle: Some(ms(500)), ..Timeouts::default() });
    let uploading = async {
        sleep(ms(100)).await;
        deadlines.request_complete();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = uploading => unreachable!("it never ends"),
        found = expired(&deadlines) => assert_eq!(found, (Reason::UpstreamTimeout, 150)),
    }
}

#[tokio::test(start_paused = true)]
async fn activity_moves_the_idle_limit_away() {
    let deadlines = Deadlines::begin(None, Some(ms(100)), None);
    let active = async {
        for _ in 0..5 {
            sleep(ms(60)).await;
            deadlines.touch();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = active => unreachable!("it never ends"),
        found = expired(&deadlines) => assert_eq!(found, (Reason::StreamIdleTimeout, 400)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_arrive_in_time_is_late() {
    let deadlines = Deadlines::begin(Some(ms(70)), None, None);
    assert_eq!(expired(&deadlines).await, (Reason::RequestTimeout, 70));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_done_in_time_is_not_limited() {
    let deadlines = Deadlines::begin(Some(ms(70)), None, None);
    let quick = pin!(async {
        sleep(ms(50)).await;
        Ok::<_, Error>(1)
    });
    assert_eq!(deadlines.limit(quick).await.unwrap(), 1);
    deadlines.request_complete();
    let slow = pin!(async {
        sleep(ms(5000)).await;
        Ok::<_, Error>(2)
    });
    assert_eq!(deadlines.limit(slow).await.unwrap(), 2, "a complete request has no request timeout");
}

#[tokio::test(start_paused = true)]
async fn patience_does_not_make_limits_late() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let patience = crate::exchange::patience::Patience::new();
            for limit in [1, 15, 25, 100, 1000] {
                let deadlines = Deadlines::begin(Some(ms(limit)), None, Some(Rc::clone(&patience)));
                assert_eq!(expired(&deadlines).await, (Reason::RequestTimeout, u128::from(limit)));
            }
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_moves_near_while_waiting_patiently_is_kept() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let patience = crate::exchange::patience::Patience::new();
            let deadlines = Deadlines::begin(None, Some(ms(1000)), Some(patience));
            deadlines.set(&Timeouts { whole: Some(ms(4)), idle: Some(ms(1000)), ..Timeouts::default() });
            let uploading = async {
                sleep(ms(2)).await;
                deadlines.request_complete();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = uploading => unreachable!("it never ends"),
                found = expired(&deadlines) => assert_eq!(found, (Reason::UpstreamTimeout, 6)),
            }
        })
        .await;
}
