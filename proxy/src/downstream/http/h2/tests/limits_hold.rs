use super::*;

#[test]
fn the_end_of_the_drain_time_ends_a_connection_with_work() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |_| {
            std::future::pending::<()>().await;
            Response::new(StatusCode::OK, Body::empty())
        })
        .await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        pair.drain.start();
        pair.drain.stop();
        let ended = pair.ended.await.unwrap();
        assert_eq!(ended.error.unwrap().reason(), Reason::Draining);
        assert!(response.await.is_err());
    });
}

#[test]
fn rapid_resets_end_the_connection() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |_| {
            std::future::pending::<()>().await;
            Response::new(StatusCode::OK, Body::empty())
        })
        .await;
        for _ in 0..limits::H2_CLIENT_RESETS_MIN + 10 {
            let Ok((_response, mut stream)) = pair.client.send_request(get("/"), false) else { break };
            tokio::task::yield_now().await;
            stream.send_reset(h2::Reason::CANCEL);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ended = pair.ended.await.unwrap();
        assert_eq!(ended.error.unwrap().reason(), Reason::DownstreamProtocol);
    });
}

#[test]
fn heads_that_break_the_rules_are_answered_without_the_handler() {
    local(async {
        let refused = Rc::new(RefCell::new(Vec::new()));
        let told = refused.clone();
        let settings = H2Settings {
            headers_count_max: 5,
            refusal: Some(Rc::new(move |refusal| {
                told.borrow_mut().push(refusal.error.reason());
                Response::new(refusal.status, Body::full("no"))
            })),
            ..H2Settings::default()
        };
        let mut pair = pair(settings, async |_| Response::new(StatusCode::OK, Body::empty())).await;
        let mut crowded = get("/");
        for count in 0..6 {
            let name: http::HeaderName = format!("x-{count}").parse().unwrap();
            crowded.headers_mut().insert(name, "v".parse().unwrap());
        }
        let user = http::Request::get("http://user@a.test/").body(()).unwrap();
        for (request, status) in [(crowded, 431), (user, 400)] {
            let (response, _) = pair.client.send_request(request, true).unwrap();
            let response = response.await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(text(response.into_body()).await, "no");
        }
        assert_eq!(*refused.borrow(), [Reason::RequestHeadTooLarge, Reason::DownstreamProtocol]);
        drop(pair.client);
        assert_eq!(pair.ended.await.unwrap().refused, 2);
    });
}

/// A request whose names and values, pseudo fields included, are `bytes` in 90 fields.
fn crowded(bytes: usize) -> http::Request<()> {
    let mut request = get("/");
    let path = request.uri().path().len();
    let authority = request.uri().authority().map_or(0, |authority| authority.as_str().len());
    let pseudo = ":method:scheme:authority:path".len() + "GEThttp".len() + path + authority;
    let mut left = bytes - pseudo;
    for count in 0..90 {
        let name: http::HeaderName = format!("x-{count:02}").parse().unwrap();
        let value = if count < 89 { "v".repeat(600) } else { "v".repeat(left - name.as_str().len()) };
        left -= (name.as_str().len() + value.len()).min(left);
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

#[test]
fn a_head_of_many_fields_has_the_limit_that_it_has_on_http1() {
    local(async {
        let mut pair =
            pair(H2Settings::default(), async |_| Response::new(StatusCode::OK, Body::empty())).await;
        for (bytes, status) in [(limits::HEAD_BYTES_MAX, 200), (limits::HEAD_BYTES_MAX + 1, 431)] {
            let (response, _) = pair.client.send_request(crowded(bytes), true).unwrap();
            assert_eq!(response.await.unwrap().status().as_u16(), status, "{bytes} bytes");
        }
    });
}

#[test]
fn a_silent_peer_is_found_by_keepalive() {
    local(async {
        let (mut near, far) = duplex(64 * 1024);
        let keepalive = Keepalive { interval: Duration::from_millis(20), timeout: Duration::from_millis(30) };
        let settings = H2Settings { keepalive: Some(keepalive), ..H2Settings::default() };
        let (ended, _drain) =
            spawn_serve(far, settings, async |_| Response::new(StatusCode::OK, Body::empty()));
        // A preface and empty SETTINGS, then nothing: no answer to any PING.
        near.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let reason = ended.await.unwrap().error.unwrap();
        assert_eq!(reason.detail(), "http/2 keepalive ping was not answered");
    });
}

#[test]
fn an_idle_connection_is_ended_with_goaway() {
    local(async {
        let settings = H2Settings { idle_timeout: Some(Duration::from_millis(50)), ..H2Settings::default() };
        let mut pair = pair(settings, async |_| {
            tokio::time::sleep(Duration::from_millis(150)).await;
            Response::new(StatusCode::OK, Body::full("x"))
        })
        .await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        assert_eq!(text(response.await.unwrap().into_body()).await, "x", "a busy connection is not idle");
        let ended = pair.ended.await.unwrap();
        assert!(ended.error.is_none(), "{ended:?}");
    });
}

#[test]
fn many_responses_leave_in_few_writes() {
    local(async {
        let (mut near, far) = duplex(1024 * 1024);
        let (_ended, _drain) = spawn_serve(far, H2Settings::default(), async |_| {
            Response::new(StatusCode::OK, Body::full(vec![b'x'; 1000]))
        });
        let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        for stream in 0..20_u8 {
            // :method GET, :scheme http, :path /, :authority "a", all but the last from the static table.
            frames.extend([0, 0, 6, 1, 5, 0, 0, 0, stream * 2 + 1, 0x82, 0x86, 0x84, 0x41, 1, b'a']);
        }
        near.write_all(&frames).await.unwrap();
        let (mut reads, mut bytes) = (0, 0);
        let mut buffer = vec![0; 256 * 1024];
        while bytes < 20 * 1000 {
            bytes += near.read(&mut buffer).await.unwrap();
            reads += 1;
        }
        assert!(reads <= 4, "20 responses took {reads} writes");
    });
}
