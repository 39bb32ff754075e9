use bytes::Bytes;

use super::*;

#[test]
fn the_next_request_takes_the_connection_of_the_last() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("hello")).await;
        let worker = Worker::new(&backend);
        for _ in 0..5 {
            assert_eq!(worker.get().await.unwrap(), "hello");
        }
        assert_eq!((backend.connections(), backend.requests()), (1, 5));
        assert_eq!(worker.count(M::UpstreamCxTotal), 1);
        assert_eq!(worker.count(M::UpstreamCxHttp1Total), 1);
        assert_eq!((worker.count(M::UpstreamRqTotal), worker.count(M::UpstreamRq2xx)), (5, 5));
        assert_eq!(worker.host.state().stats().get(HostMetric::RqSuccess), 5);
        assert_eq!(worker.cluster.histograms().upstream_rq_time.sum().count(), 5);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn the_addresses_of_the_connection_are_told() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::new(&backend);
        let sent = worker.send(get()).await.unwrap();
        let facts = &sent.connection;
        assert_eq!(facts.remote, Some(backend.address));
        assert!(facts.local.is_some_and(|local| local != backend.address));
        assert_eq!((facts.version, facts.tls.is_none()), (Some(Version::Http11), true));
    });
}

#[test]
fn requests_at_once_get_connections_of_their_own() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Slow(Duration::from_millis(50))).await;
        let worker = Rc::new(Worker::new(&backend));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!(backend.connections(), 2);
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!(backend.connections(), 2, "both connections are used again");
    });
}

#[test]
fn an_idle_connection_that_the_backend_closed_is_not_used() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::OkThenClose).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        settle().await;
        worker.send(request(Method::POST, Body::full(Bytes::from_static(b"x")))).await.unwrap();
        assert_eq!(backend.connections(), 2);
        assert_eq!(worker.count(M::UpstreamCxDestroyRemote), 1);
    });
}

#[test]
fn a_kept_connection_that_turns_out_closed_costs_an_idempotent_request_nothing() {
    on_a_worker(async {
        // The second request arrives when the backend has made up its mind to close.
        let backend = Backend::http1(|n| if n == 1 { Reply::Close } else { Reply::Ok("again") }).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        assert_eq!(worker.get().await.unwrap(), "again");
        assert_eq!((backend.connections(), backend.requests()), (2, 3));
        worker.assert_nothing_leaks();
    });
}

#[test]
fn a_request_with_a_full_body_is_sent_again_whole() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 1 { Reply::Close } else { Reply::Ok("stored") }).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        let put = request(Method::PUT, Body::full(Bytes::from_static(b"all of it")));
        assert_eq!(read(worker.send(put).await.unwrap()).await.unwrap(), "stored");
    });
}

#[test]
fn a_request_that_is_not_idempotent_is_never_sent_twice() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 1 { Reply::Close } else { Reply::Ok("") }).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        let sent = worker.send(request(Method::POST, Body::full(Bytes::from_static(b"pay")))).await;
        assert_eq!(reason(&sent), Some(Reason::UpstreamClosed));
        assert_eq!(backend.requests(), 2);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn a_fresh_connection_that_is_closed_is_an_error() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Close).await;
        let worker = Worker::new(&backend);
        assert_eq!(reason(&worker.get().await), Some(Reason::UpstreamClosed));
        assert_eq!(backend.requests(), 1, "it is not tried again");
        assert_eq!(worker.host.state().stats().get(HostMetric::RqError), 1);
    });
}

#[test]
fn a_refused_connection_fails_the_request_and_is_counted() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Close).await;
        let worker = Worker::new(&backend);
        drop(backend);
        settle().await;
        assert_eq!(reason(&worker.get().await), Some(Reason::ConnectFailed));
        assert_eq!(worker.count(M::UpstreamCxConnectFail), 1);
        assert_eq!(worker.count(M::UpstreamRqPendingFailureEject), 1);
        assert_eq!(worker.count(M::UpstreamCxActive), 0);
        assert_eq!(worker.host.state().stats().get(HostMetric::CxConnectFail), 1);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn a_response_that_is_given_up_closes_its_connection() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Half).await;
        let worker = Worker::new(&backend);
        let mut sent = worker.send(get()).await.unwrap();
        assert!(sent.response.body.frame().await.is_some(), "half of it is here");
        assert_eq!(worker.count(M::UpstreamRqActive), 1, "the request goes on while its body is read");
        drop(sent);
        worker.assert_nothing_leaks();
        assert_eq!(worker.count(M::UpstreamRqTxReset), 1);
        eventually("the backend sees the end", || backend.open() == 0).await;
        assert_eq!(worker.count(M::UpstreamCxDestroyWithActiveRq), 1);
    });
}

#[test]
fn a_body_of_known_length_need_not_be_asked_for_its_end() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("hello")).await;
        let worker = Worker::new(&backend);
        let mut sent = worker.send(get()).await.unwrap();
        if let Some(frame) = sent.response.body.frame().await {
            assert!(matches!(frame, Ok(Frame::Data(bytes)) if bytes == "hello"));
        }
        worker.assert_nothing_leaks();
        assert_eq!(worker.count(M::UpstreamRqTxReset), 0);
    });
}

#[test]
fn a_request_given_up_before_its_response_closes_its_connection() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Silence).await;
        let worker = Worker::new(&backend);
        let late = tokio::time::timeout(Duration::from_millis(50), worker.get()).await;
        assert!(late.is_err());
        worker.assert_nothing_leaks();
        eventually("the backend sees the end", || backend.open() == 0).await;
        assert_eq!(worker.count(M::UpstreamCxActive), 0);
    });
}

#[test]
fn unused_connections_are_closed_after_the_idle_timeout() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker =
            Worker::with(&backend, |model| model.http.idle_timeout = Some(Duration::from_millis(20)));
        worker.get().await.unwrap();
        assert_eq!(worker.count(M::UpstreamCxActive), 1);
        eventually("the connection is closed", || backend.open() == 0).await;
        assert_eq!(worker.count(M::UpstreamCxIdleTimeout), 1);
        assert_eq!(worker.count(M::UpstreamCxDestroyLocal), 1);
    });
}

#[test]
fn an_expired_connection_is_not_used_even_before_it_is_swept() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| {
            model.http.max_connection_duration = Some(Duration::from_millis(20));
        });
        worker.get().await.unwrap();
        settle().await;
        worker.get().await.unwrap();
        assert_eq!(backend.connections(), 2);
        assert_eq!(worker.count(M::UpstreamCxMaxDurationReached), 1);
    });
}

#[test]
fn a_connection_takes_no_more_than_its_requests() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| model.http.max_requests_per_connection = Some(2));
        for _ in 0..5 {
            worker.get().await.unwrap();
        }
        assert_eq!(backend.connections(), 3);
        assert_eq!(worker.count(M::UpstreamCxMaxRequests), 2);
    });
}

#[test]
fn a_removed_endpoint_keeps_no_connection() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        worker.host.state().set(HealthFlag::Removed, true);
        eventually("idle connections are closed", || backend.open() == 0).await;
        let mut sent = worker.send(get()).await.unwrap();
        assert!(sent.response.body.frame().await.is_none(), "what is in flight finishes");
        settle().await;
        assert_eq!(backend.open(), 0, "and its connection is not kept");
    });
}

#[test]
fn connections_end_with_their_cluster() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let Worker { pools, cluster, host } = Worker::new(&backend);
        let sent = pools.send(&cluster, &host, get(), &SendOptions::default()).await.unwrap();
        drop((sent, cluster, host));
        eventually("the connection is closed", || backend.open() == 0).await;
    });
}

#[test]
fn connections_end_with_their_worker() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::new(&backend);
        worker.get().await.unwrap();
        let Worker { pools, cluster, .. } = worker;
        drop(pools);
        eventually("the connection is closed", || backend.open() == 0).await;
        assert_eq!(cluster.stats().get(M::UpstreamCxActive), 0);
    });
}

#[test]
fn a_failing_endpoint_is_left_at_once_where_the_cluster_wants_it() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 0 { Reply::Half } else { Reply::Silence }).await;
        let worker = Worker::with(&backend, |model| {
            model.close_connections_on_host_health_failure = true;
        });
        let mut half = worker.send(get()).await.unwrap();
        assert!(half.response.body.frame().await.is_some_and(|frame| frame.is_ok()));
        let failing = Arc::clone(&worker.host);
        let fail = async move {
            settle().await;
            failing.state().set(HealthFlag::FailedActiveHc, true);
        };
        let (silent, rest, ()) = tokio::join!(worker.get(), half.response.body.frame(), fail);
        assert_eq!(reason(&silent), Some(Reason::UpstreamClosed), "waiting for a head");
        assert_eq!(reason(&rest.unwrap()), Some(Reason::UpstreamClosed), "in the middle of a body");
        drop(half);
        eventually("both connections are closed", || backend.open() == 0).await;
        worker.assert_nothing_leaks();
    });
}

#[test]
fn bytes_get_a_connection_of_their_own() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("raw")).await;
        let worker = Worker::new(&backend);
        let options = SendOptions::default();
        let mut connected = worker.pools.connect(&worker.cluster, &worker.host, &options).await.unwrap();
        connected.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 64];
        let read = connected.stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].ends_with(b"raw"));
        assert_eq!(connected.facts.remote, Some(backend.address));
        assert_eq!(worker.count(M::UpstreamCxActive), 1);
        drop(connected);
        assert_eq!(worker.count(M::UpstreamCxActive), 0);
        assert_eq!(worker.cluster.circuit(model::RoutingPriority::Default).connections(), 0);
    });
}

#[test]
fn a_stream_lives_no_longer_than_the_cluster_allows() {
    on_a_worker(async {
        for reply in [Reply::Silence, Reply::Half] {
            let backend = Backend::http1(move |_| reply).await;
            let worker = Worker::with(&backend, |model| {
                model.http.max_stream_duration = Some(Duration::from_millis(40));
            });
            assert_eq!(reason(&worker.get().await), Some(Reason::UpstreamMaxDuration), "{reply:?}");
            assert_eq!(worker.count(M::UpstreamRqMaxDurationReached), 1);
            worker.assert_nothing_leaks();
            eventually("the connection is closed", || backend.open() == 0).await;
        }
    });
}

#[test]
fn server_errors_in_a_row_are_told_to_the_judge() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Status(503)).await;
        let worker = Worker::with(&backend, |model| {
            model.outlier_detection =
                Some(model::OutlierDetection { max_ejection_percent: 100, ..Default::default() });
        });
        for _ in 0..5 {
            worker.get().await.unwrap();
        }
        let mut rng = fastrand::Rng::with_seed(1);
        worker.cluster.maintain(tokio::time::Instant::now(), false, &mut rng);
        assert!(worker.host.state().has(HealthFlag::FailedOutlierCheck));
        assert_eq!(worker.count(M::UpstreamRq5xx), 5);
        assert_eq!(worker.host.state().stats().get(HostMetric::RqError), 5);
    });
}
