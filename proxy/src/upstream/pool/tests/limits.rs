use xds::model::{CircuitBreakers, RoutingPriority, Thresholds};

use super::*;
use crate::upstream::set::PickContext;

fn thresholds(worker: &mut model::Cluster, thresholds: Thresholds) {
    worker.circuit_breakers = CircuitBreakers { default: thresholds, ..CircuitBreakers::default() };
}

#[test]
fn past_the_connection_limit_requests_wait_for_a_connection() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Slow(Duration::from_millis(30))).await;
        let worker = Rc::new(Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_connections: 1, ..Thresholds::default() });
        }));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!((backend.connections(), backend.requests()), (1, 2), "one after the other");
        assert!(worker.count(M::UpstreamCxOverflow) > 0);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn one_endpoint_can_have_a_limit_of_its_own() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Slow(Duration::from_millis(30))).await;
        let worker = Rc::new(Worker::with(&backend, |model| {
            model.circuit_breakers.per_host_max_connections = Some(1);
        }));
        assert!(both(&worker).await.iter().all(Result::is_ok));
        assert_eq!(backend.connections(), 1);
    });
}

#[test]
fn a_pool_without_a_connection_always_gets_one() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_connections: 0, ..Thresholds::default() });
        });
        assert!(worker.get().await.is_ok());
    });
}

#[test]
fn past_the_pending_limit_requests_are_refused() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Slow(Duration::from_millis(30))).await;
        let worker = Rc::new(Worker::with(&backend, |model| {
            let one = Thresholds { max_connections: 1, max_pending_requests: 1, ..Thresholds::default() };
            thresholds(model, one);
        }));
        let results = both(&worker).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        let refused = results.iter().find_map(reason);
        assert_eq!(refused, Some(Reason::Overflow));
        assert_eq!(worker.count(M::UpstreamRqPendingOverflow), 1);
        assert_eq!(worker.count(M::UpstreamRqTotal), 1, "a refused request was never one of the endpoint's");
        worker.assert_nothing_leaks();
    });
}

#[test]
fn past_the_request_limit_requests_are_refused_and_the_connection_is_kept() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 0 { Reply::Half } else { Reply::Ok("") }).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_requests: 1, ..Thresholds::default() });
        });
        let held = worker.send(get()).await.unwrap();
        assert_eq!(reason(&worker.get().await), Some(Reason::Overflow));
        drop(held);
        assert!(worker.get().await.is_ok());
        assert_eq!(backend.connections(), 2, "the refused request's connection served the third");
    });
}

#[test]
fn routing_priorities_have_limits_and_connections_of_their_own() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 0 { Reply::Half } else { Reply::Ok("") }).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_requests: 1, ..Thresholds::default() });
        });
        let _held = worker.send(get()).await.unwrap();
        let high = SendOptions { priority: RoutingPriority::High, ..SendOptions::default() };
        assert!(worker.send_by(get(), &high).await.is_ok());
        assert_eq!(backend.connections(), 2);
    });
}

#[test]
fn a_request_that_stops_waiting_leaves_its_place() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 0 { Reply::Half } else { Reply::Ok("") }).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_connections: 1, ..Thresholds::default() });
        });
        let held = worker.send(get()).await.unwrap();
        let late = tokio::time::timeout(Duration::from_millis(20), worker.get()).await;
        assert!(late.is_err(), "the only connection is in use");
        assert_eq!(worker.count(M::UpstreamRqCancelled), 1);
        assert_eq!(worker.count(M::UpstreamRqPendingActive), 0);
        drop(held);
        assert!(worker.get().await.is_ok(), "a new connection takes the place of the dropped one");
        worker.assert_nothing_leaks();
    });
}

#[test]
fn a_waiting_request_gets_a_new_connection_when_the_awaited_one_is_lost() {
    on_a_worker(async {
        let backend = Backend::http1(|n| if n == 0 { Reply::Half } else { Reply::Ok("second") }).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_connections: 1, ..Thresholds::default() });
        });
        let held = worker.send(get()).await.unwrap();
        let lose = async move {
            settle().await;
            drop(held);
        };
        let (got, ()) = tokio::join!(worker.get(), lose);
        assert_eq!(got.unwrap(), "second");
    });
}

#[test]
fn bytes_are_refused_past_the_connection_limit() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("")).await;
        let worker = Worker::with(&backend, |model| {
            thresholds(model, Thresholds { max_connections: 1, ..Thresholds::default() });
        });
        let options = SendOptions::default();
        let first = worker.pools.connect(&worker.cluster, &worker.host, &options).await.unwrap();
        let second = worker.pools.connect(&worker.cluster, &worker.host, &options).await;
        assert_eq!(reason(&second), Some(Reason::Overflow));
        drop(first);
        assert!(worker.pools.connect(&worker.cluster, &worker.host, &options).await.is_ok());
    });
}

#[test]
fn pick_first_moves_on_when_a_connection_cannot_be_made() {
    on_a_worker(async {
        let backend = Backend::http1(|_| Reply::Ok("there")).await;
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut model = fixture::model([closed, backend.address].map(fixture::endpoint).into());
        model.load_balancing = fixture::balancing(model::LbPolicy::PickFirst { shuffle_address_list: false });
        let cluster = fixture::cluster(model);
        let pools = Pools::new();
        let mut rng = fastrand::Rng::with_seed(1);
        let mut ended = Vec::new();
        for _ in 0..3 {
            let picked = cluster.pick(&PickContext::default(), &mut rng).unwrap();
            let sent = pools.send(&cluster, &picked.host, get(), &SendOptions::default()).await;
            ended.push(match sent {
                Ok(sent) => read(sent).await.unwrap(),
                Err(error) => format!("{:?}", error.reason()),
            });
        }
        assert_eq!(ended, ["ConnectFailed", "there", "there"]);
    });
}
