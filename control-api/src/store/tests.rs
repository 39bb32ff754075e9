use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use redb::backends::InMemoryBackend;
use redb::{Database, StorageBackend, TableDefinition};
use serde_json::json;

use super::watch::Told;
use super::*;

const DOMAIN: &str = "test.mesh";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn site(name: &str, port: u16) -> Object {
    Object::parse(&json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Site",
        "metadata": {"name": name},
        "spec": {"gateway": {"address": "127.0.0.1", "port": port, "meshPort": port + 1}}}))
    .unwrap()
}

fn token() -> Object {
    let status = JoinTokenStatus { expires_at: clock::text(at(60)), used_at: None, secret: None };
    let object = Object::parse(&json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
        "metadata": {"name": "t"}, "spec": {"site": "a"}}))
    .unwrap();
    let metadata = object.metadata().clone();
    object.with(metadata, serde_json::to_value(status).ok())
}

fn apply(store: &Store, object: Object) -> Result<Outcome, StoreError> {
    let outcomes = store.commit(vec![Request::Apply(object)], at(0), Intent::Commit)?;
    Ok(outcomes[0].0)
}

fn names(store: &Store) -> Vec<String> {
    let world = store.world();
    world.sites().map(|s| s.metadata.name.clone()).collect()
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let store = Store::open(&path, DOMAIN).unwrap();
    apply(&store, site("a", 1000)).unwrap();
    apply(&store, site("b", 2000)).unwrap();
    let before = store.world();
    drop(store);
    let after = Store::open(&path, DOMAIN).unwrap().world();
    assert_eq!(after.revision, 2);
    assert!(before.sites().eq(after.sites()), "{before:?} {after:?}");
}

#[test]
fn the_same_again_makes_no_revision_and_a_change_makes_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    assert_eq!(apply(&store, site("a", 1000)).unwrap(), Outcome::Created);
    assert_eq!(apply(&store, site("a", 1000)).unwrap(), Outcome::Unchanged);
    assert_eq!(store.world().revision, 1);
    assert_eq!(apply(&store, site("a", 1500)).unwrap(), Outcome::Configured);
    let world = store.world();
    let metadata = &world.site("a").unwrap().metadata;
    assert_eq!(metadata.resource_version.as_deref(), Some("2"));
    assert_eq!(metadata.generation, Some(2));
}

#[test]
fn an_outdated_resource_version_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    apply(&store, site("a", 1000)).unwrap();
    let read = Object::Site(Arc::new(store.world().site("a").unwrap().clone()));
    apply(&store, site("a", 1500)).unwrap();
    let error = apply(&store, read).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.world().site("a").unwrap().spec.gateway.port, 1500);
}

#[test]
fn one_misfit_refuses_the_whole_batch() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    let batch = vec![Request::Apply(site("a", 1000)), Request::Apply(site("b", 1001))];
    let error = store.commit(batch, at(0), Intent::Commit).unwrap_err();
    assert!(matches!(error, StoreError::Misfit(_)), "{error}");
    assert!(names(&store).is_empty());
    assert_eq!(store.world().revision, 0);
}

#[test]
fn a_site_in_use_cannot_be_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    apply(&store, site("a", 1000)).unwrap();
    apply(&store, token()).unwrap();
    let delete = vec![Request::Delete(ObjectRef::new(Kind::Site, "a"))];
    let error = store.commit(delete, at(0), Intent::Commit).unwrap_err();
    assert!(error.to_string().contains("JoinToken/t: spec.site"), "{error}");
    assert_eq!(names(&store), ["a"]);
}

#[test]
fn a_dry_run_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    let batch = vec![Request::Apply(site("a", 1000))];
    let outcomes = store.commit(batch, at(0), Intent::DryRun).unwrap();
    assert_eq!(outcomes[0].0, Outcome::Created);
    assert!(names(&store).is_empty());
}

#[test]
fn a_store_of_a_newer_version_is_refused_by_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    drop(Store::open(&path, DOMAIN).unwrap());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("schema", 7_u32.to_be_bytes().as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Store::open(&path, DOMAIN).err().expect("refused");
    let is_newer = matches!(error, StoreError::Newer { found: 7, known: 1, .. });
    assert!(is_newer, "{error}");
}

#[test]
fn a_store_of_another_trust_domain_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    drop(Store::open(&path, DOMAIN).unwrap());
    let error = Store::open(&path, "other.mesh").err().expect("refused");
    assert!(matches!(error, StoreError::TrustDomain { .. }), "{error}");
}

#[test]
fn a_store_that_is_open_elsewhere_is_said_to_be_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let _first = Store::open(&path, DOMAIN).unwrap();
    let error = Store::open(&path, DOMAIN).err().expect("refused");
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn a_damaged_store_is_said_to_be_corrupt_and_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let store = Store::open(&path, DOMAIN).unwrap();
    for i in 0..50 {
        apply(&store, site(&format!("s{i}"), 1000 + 2 * i)).unwrap();
    }
    drop(store);
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    let text = b"resourceVersion";
    let hits: Vec<_> = (0..good.len() - text.len()).filter(|i| good[*i..].starts_with(text)).collect();
    for hit in &hits {
        flipped[*hit] ^= 0x40;
    }
    assert!(!hits.is_empty(), "documents are stored as text");
    let cases = [
        ("empty", Vec::new()),
        ("text", b"this is not a store, but somebody's notes\n".repeat(200)),
        ("half", good[..good.len() / 2].to_vec()),
        ("flipped", flipped),
    ];
    for (name, bytes) in cases {
        std::fs::write(&path, &bytes).unwrap();
        let error = Store::open(&path, DOMAIN).err().expect(name);
        assert!(matches!(error, StoreError::Corrupt { .. }), "{name}: {error}");
        assert!(error.to_string().contains("store.redb"), "{name}: {error}");
    }
}

/// A disk that takes no more than `room` bytes of growth once told so.
#[derive(Clone)]
struct Disk {
    inner: Arc<InMemoryBackend>,
    writes_left: Arc<AtomicU64>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Disk {
    fn spend(&self) -> io::Result<()> {
        self.writes_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .map(|_| ())
            .map_err(|_| io::Error::from(io::ErrorKind::StorageFull))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.spend()?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.spend()?;
        self.inner.write(offset, data)
    }
}

#[test]
fn a_full_disk_refuses_the_write_and_changes_nothing_and_recovers() {
    let disk =
        Disk { inner: Arc::new(InMemoryBackend::new()), writes_left: Arc::new(AtomicU64::new(u64::MAX)) };
    let opened = disk.clone();
    let opener: Opener = Box::new(move || Database::builder().create_with_backend(opened.clone()));
    let store = Store::open_with(Path::new("disk"), DOMAIN, opener).unwrap();
    apply(&store, site("a", 1000)).unwrap();
    let mut refused = 0;
    for room in 0..200 {
        disk.writes_left.store(room, Ordering::SeqCst);
        let name = format!("n{room}");
        let outcome = apply(&store, site(&name, 2000 + 2 * room as u16));
        disk.writes_left.store(u64::MAX, Ordering::SeqCst);
        match outcome {
            Ok(_) => assert!(names(&store).contains(&name), "{room}"),
            Err(error) => {
                refused += 1;
                assert!(matches!(error, StoreError::Write(_)), "{room}: {error}");
                assert!(!names(&store).contains(&name), "{room}: {error}");
            }
        }
        // With room again the next write is taken, and the world on disk is the world shown.
        apply(&store, site("a", 1000 + 2 * (room as u16 % 2))).unwrap();
        let on_disk = store.lock().reopen(DOMAIN).unwrap();
        assert!(on_disk.sites().eq(store.world().sites()), "{room}");
        if refused > 0 && names(&store).contains(&name) {
            return;
        }
    }
    panic!("no write was ever taken, or none refused");
}

#[tokio::test]
async fn a_watch_from_the_past_sees_every_change_once_and_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let store = Store::open(&path, DOMAIN).unwrap();
    for i in 0..3 {
        apply(&store, site(&format!("s{i}"), 1000 + 2 * i)).unwrap();
    }
    drop(store);
    let store = Store::open(&path, DOMAIN).unwrap();
    let mut watch = store.watch(Some(1)).unwrap();
    apply(&store, site("s3", 3000)).unwrap();
    let delete = vec![Request::Delete(ObjectRef::new(Kind::Site, "s0"))];
    store.commit(delete, at(0), Intent::Commit).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        match watch.next().await {
            Some(Told::Event(e)) => {
                seen.push((e.revision, e.change, e.object.metadata().name.clone()));
            }
            other => panic!("{other:?}"),
        }
    }
    let expected = [
        (2, Change::Added, "s1"),
        (3, Change::Added, "s2"),
        (4, Change::Added, "s3"),
        (5, Change::Deleted, "s0"),
    ];
    assert_eq!(seen, expected.map(|(r, c, n)| (r, c, n.to_string())));
}

#[tokio::test]
async fn a_watcher_that_is_too_slow_is_told_to_list_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    let mut watch = store.watch(None).unwrap();
    // One transaction with more changes than the queue holds.
    let sites = (0..=limits::WATCH_QUEUE as u16 + 1)
        .map(|i| Request::Apply(site(&format!("s{i}"), 1000 + 2 * i)))
        .collect();
    store.commit(sites, at(0), Intent::Commit).unwrap();
    assert!(matches!(watch.next().await, Some(Told::Resync)));
    assert!(watch.next().await.is_none());
}

#[test]
fn a_watch_from_a_revision_that_is_not_kept_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("s"), DOMAIN).unwrap();
    let error = store.watch(Some(9)).err().expect("the future is not known");
    assert!(matches!(error, StoreError::Gone { .. }), "{error}");
}

#[test]
fn a_join_token_opens_once_in_time_and_with_its_secret() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let store = Store::open(&path, DOMAIN).unwrap();
    apply(&store, site("a", 1000)).unwrap();
    let create = vec![Request::CreateToken(token(), "hash".into())];
    store.commit(create, at(0), Intent::Commit).unwrap();
    let reason = |error: StoreError| error.to_string();
    assert!(reason(store.redeem("t", "wrong", at(1)).unwrap_err()).contains("not known"));
    assert!(reason(store.redeem("u", "hash", at(1)).unwrap_err()).contains("not known"));
    assert!(reason(store.redeem("t", "hash", at(61)).unwrap_err()).contains("expired"));
    assert_eq!(store.redeem("t", "hash", at(1)).unwrap(), "a");
    drop(store);
    let store = Store::open(&path, DOMAIN).unwrap();
    assert!(reason(store.redeem("t", "hash", at(2)).unwrap_err()).contains("used already"));
}
