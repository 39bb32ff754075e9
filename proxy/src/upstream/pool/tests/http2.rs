use super::*;

#[test]
fn requests_at_once_share_a_connection() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Slow(Duration::from_millis(30))).await;
        let worker = Rc::new(Worker::with(&backend, http2));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!((backend.connections(), backend.requests()), (1, 4));
        assert_eq!(worker.count(M::UpstreamCxHttp2Total), 1);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn another_connection_is_opened_when_all_streams_are_taken() {
    on_a_worker(async {
        let backend = Backend::http2(1, |_| Reply::Slow(Duration::from_millis(50))).await;
        let worker = Rc::new(Worker::with(&backend, |model| {
            http2(model);
            model.http.http2.max_concurrent_streams = Some(1);
        }));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!((backend.connections(), backend.requests()), (2, 2));
    });
}

#[test]
fn when_no_connection_may_be_opened_requests_wait_for_a_stream() {
    on_a_worker(async {
        let backend = Backend::http2(1, |_| Reply::Slow(Duration::from_millis(30))).await;
        let worker = Rc::new(Worker::with(&backend, |model| {
            http2(model);
            model.http.http2.max_concurrent_streams = Some(1);
            model.circuit_breakers.default.max_connections = 1;
        }));
        let all = futures_util::future::join_all((0..5).map(|_| worker.get())).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!((backend.connections(), backend.requests()), (1, 5));
        worker.assert_nothing_leaks();
    });
}

#[test]
fn the_clients_version_may_choose() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Ok("two")).await;
        let worker = Worker::with(&backend, |model| model.http.protocol = UpstreamProtocol::Downstream);
        let options = SendOptions { downstream_version: Version::Http2, ..SendOptions::default() };
        let sent = worker.send_by(get(), &options).await.unwrap();
        assert_eq!(sent.connection.version, Some(Version::Http2));
        assert_eq!(read(sent).await.unwrap(), "two");
    });
}

#[test]
fn without_tls_auto_is_http1() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("one")).await;
        let worker = Worker::with(&backend, |model| model.http.protocol = UpstreamProtocol::Auto);
        assert_eq!(worker.get().await.unwrap(), "one");
    });
}

#[test]
fn a_refused_stream_says_so() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Close).await;
        let worker = Worker::with(&backend, http2);
        assert_eq!(reason(&worker.get().await), Some(Reason::UpstreamRefused));
        assert_eq!(worker.count(M::UpstreamRqRxReset), 1);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn a_response_that_is_given_up_only_resets_its_stream() {
    on_a_worker(async {
        let backend = Backend::http2(100, |n| if n == 0 { Reply::Half } else { Reply::Ok("next") }).await;
        let worker = Worker::with(&backend, http2);
        let mut sent = worker.send(get()).await.unwrap();
        assert!(sent.response.body.frame().await.is_some());
        drop(sent);
        worker.assert_nothing_leaks();
        assert_eq!(worker.get().await.unwrap(), "next");
        assert_eq!(backend.connections(), 1);
    });
}

#[test]
fn a_connection_without_streams_is_closed_after_the_idle_timeout() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| {
            http2(model);
            model.http.idle_timeout = Some(Duration::from_millis(20));
        });
        worker.get().await.unwrap();
        eventually("the connection is closed", || backend.open() == 0).await;
        assert_eq!(worker.count(M::UpstreamCxIdleTimeout), 1);
        assert_eq!(worker.count(M::UpstreamCxActive), 0);
    });
}

#[test]
fn a_removed_endpoint_finishes_its_streams_first() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Slow(Duration::from_millis(1500))).await;
        let worker = Worker::with(&backend, http2);
        let remove = async {
            settle().await;
            worker.host.state().set(HealthFlag::Removed, true);
        };
        let (slow, ()) = tokio::join!(worker.get(), remove);
        assert_eq!(slow.unwrap(), "slow", "a sweep came by and cut nothing");
        eventually("the connection is closed", || backend.open() == 0).await;
    });
}

#[test]
fn connections_take_no_more_than_their_requests() {
    on_a_worker(async {
        let backend = Backend::http2(100, |_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| {
            http2(model);
            model.http.max_requests_per_connection = Some(2);
        });
        for _ in 0..4 {
            worker.get().await.unwrap();
        }
        assert_eq!(backend.connections(), 2);
    });
}
