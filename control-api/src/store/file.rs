//! The file under the store: tables, schema version, opening, one transaction per change.
//!
//! One rule: a transaction is durable when it returns, or it did not happen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, TableDefinition};

use super::error::StoreError;
use super::event::{Change, Event};
use crate::limits;
use crate::resource::kind::ObjectRef;
use crate::resource::object::Object;
use crate::resource::world::World;

/// The newest schema that this program knows.
pub const SCHEMA: u32 = 1;

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const OBJECTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("objects");
const HISTORY: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("history");
const SECRETS: TableDefinition<&str, &str> = TableDefinition::new("secrets");

/// How a database is opened; tests bring one whose disk fills up.
pub type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The open file.
pub struct File {
    path: PathBuf,
    opener: Opener,
    /// Absent after a failed write, until it is opened anew: redb refuses to go on after one.
    database: Option<Database>,
}

/// What one transaction writes.
#[derive(Default)]
pub struct Batch {
    /// The changed resources, all at the batch's revision.
    pub events: Vec<Event>,
    /// Join token secrets to keep, as `(name, hash)`.
    pub secrets: Vec<(String, String)>,
}

impl File {
    /// Opens or creates the file at `path` and reads the world in it.
    pub fn open(path: &Path, trust_domain: &str) -> Result<(Self, World), StoreError> {
        if std::fs::metadata(path).is_ok_and(|m| m.len() == 0) {
            return Err(corrupt(path, "it is empty"));
        }
        make_if_missing(path, trust_domain)?;
        let owned = path.to_path_buf();
        let opener: Opener = Box::new(move || Database::builder().set_cache_size(16 << 20).open(&owned));
        Self::open_with(path, trust_domain, opener)
    }

    /// Opens with a way of opening given.
    pub fn open_with(path: &Path, trust_domain: &str, opener: Opener) -> Result<(Self, World), StoreError> {
        let mut file = Self { path: path.to_path_buf(), opener, database: None };
        let world = file.reopen(trust_domain)?;
        Ok((file, world))
    }

    /// Whether a failed write has closed the file.
    pub fn is_closed(&self) -> bool {
        self.database.is_none()
    }

    /// Opens the file anew and reads the world in it.
    pub fn reopen(&mut self, trust_domain: &str) -> Result<World, StoreError> {
        let path = self.path.clone();
        // Two handles on one file would write over each other.
        self.database = None;
        // A damaged file can make redb panic; that is an answer too, not the end of the process.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let mut database = (self.opener)().map_err(|e| open_error(&path, e))?;
            let intact = database.check_integrity().map_err(|e| open_error(&path, e))?;
            if !intact {
                tracing::warn!(path = %path.display(), "store was repaired after an unclean end");
            }
            prepare(&database, &path, trust_domain)?;
            let world = read_world(&database, &path, trust_domain)?;
            Ok((database, world))
        }))
        .unwrap_or_else(|panic| Err(corrupt(&path, panic_text(&panic))))?;
        self.database = Some(opened.0);
        Ok(opened.1)
    }

    /// Writes one batch at `revision`, all of it or nothing.
    pub fn write(&mut self, revision: u64, batch: &Batch) -> Result<(), StoreError> {
        let Some(database) = &self.database else {
            return Err(StoreError::Write("the store is closed".into()));
        };
        let written = catch_unwind(AssertUnwindSafe(|| write_batch(database, revision, batch)))
            .unwrap_or_else(|panic| Err(redb::Error::Corrupted(panic_text(&panic))));
        written.map_err(|error| {
            self.database = None;
            StoreError::Write(error.to_string())
        })
    }

    /// The hash of a join token's secret.
    pub fn secret(&self, token: &str) -> Result<Option<String>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(SECRETS)?;
            Ok(table.get(token)?.map(|hash| hash.value().to_string()))
        })
    }

    /// The changes after `revision`, oldest first.
    pub fn history_after(&self, revision: u64) -> Result<Vec<Event>, StoreError> {
        let rows: Vec<(u64, Vec<u8>)> = self.read(|transaction| {
            let table = transaction.open_table(HISTORY)?;
            table
                .range((revision.saturating_add(1), 0)..)?
                .map(|row| row.map(|(key, value)| (key.value().0, value.value().to_vec())))
                .collect::<Result<_, _>>()
                .map_err(redb::Error::from)
        })?;
        rows.into_iter()
            .map(|(at, row)| Event::decode(at, &row).map_err(|reason| corrupt(&self.path, reason)))
            .collect()
    }

    fn read<T>(
        &self,
        body: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let unreadable = |reason: String| StoreError::Open { path: self.path.clone(), reason };
        let database = self
            .database
            .as_ref()
            .ok_or_else(|| unreadable("a write failed; it is opened again at the next".into()))?;
        let transaction = database.begin_read().map_err(|e| unreadable(e.to_string()))?;
        body(&transaction).map_err(|e| unreadable(e.to_string()))
    }
}

/// Makes a new store beside its place and moves it there whole: a disk that is full, or a crash, leaves no half of
/// one behind.
fn make_if_missing(path: &Path, trust_domain: &str) -> Result<(), StoreError> {
    let failed =
        |error: std::io::Error| StoreError::Open { path: path.to_path_buf(), reason: error.to_string() };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = std::fs::File::open(directory).map_err(failed)?;
    // Held until the end of this function: two processes that begin at once make one store.
    directory.lock().map_err(failed)?;
    if path.exists() {
        return Ok(());
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = Path::new(&new);
    let _left_by_a_crash = std::fs::remove_file(new);
    let made = Database::create(new)
        .map_err(|error| open_error(path, error))
        .and_then(|database| prepare(&database, path, trust_domain))
        .and_then(|()| std::fs::rename(new, path).map_err(failed));
    if made.is_err() {
        let _the_first_error_counts = std::fs::remove_file(new);
    }
    made?;
    directory.sync_all().map_err(failed)
}

fn write_batch(database: &Database, revision: u64, batch: &Batch) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert("revision", revision.to_be_bytes().as_slice())?;
        let mut objects = transaction.open_table(OBJECTS)?;
        let mut history = transaction.open_table(HISTORY)?;
        let mut secrets = transaction.open_table(SECRETS)?;
        for (index, event) in batch.events.iter().enumerate() {
            let object = event.object.object_ref();
            let key = (object.kind.name(), object.name.as_str());
            let document = event.object.to_json().to_string();
            match event.change {
                Change::Added | Change::Modified => {
                    objects.insert(key, document.as_bytes())?;
                }
                Change::Deleted => {
                    objects.remove(key)?;
                    secrets.remove(object.name.as_str())?;
                }
            }
            history.insert((revision, index as u32), event.encode().as_slice())?;
        }
        for (token, hash) in &batch.secrets {
            secrets.insert(token.as_str(), hash.as_str())?;
        }
        let oldest = revision.saturating_sub(limits::WATCH_HISTORY);
        history.retain_in(..(oldest, 0), |_, _| false)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Makes the tables of a new file; checks the versions of an old one.
fn prepare(database: &Database, path: &Path, trust_domain: &str) -> Result<(), StoreError> {
    let failed = |e: redb::Error| storage_error(path, &e);
    let transaction = database.begin_write().map_err(|e| failed(e.into()))?;
    {
        let mut meta = transaction.open_table(META).map_err(|e| failed(e.into()))?;
        let found = meta.get("schema").map_err(|e| failed(e.into()))?.map(|v| v.value().to_vec());
        match found {
            None => {
                for (key, value) in [
                    ("schema", SCHEMA.to_be_bytes().as_slice()),
                    ("revision", 0_u64.to_be_bytes().as_slice()),
                    ("trust_domain", trust_domain.as_bytes()),
                ] {
                    meta.insert(key, value).map_err(|e| failed(e.into()))?;
                }
            }
            Some(bytes) => check_schema(path, &bytes)?,
        }
        transaction.open_table(OBJECTS).map_err(|e| failed(e.into()))?;
        transaction.open_table(HISTORY).map_err(|e| failed(e.into()))?;
        transaction.open_table(SECRETS).map_err(|e| failed(e.into()))?;
    }
    transaction.commit().map_err(|e| failed(e.into()))
}

fn check_schema(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let bytes = bytes.try_into().map_err(|_| corrupt(path, "its schema version is not a number"))?;
    let found = u32::from_be_bytes(bytes);
    if found > SCHEMA {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known: SCHEMA });
    }
    Ok(())
}

fn read_world(database: &Database, path: &Path, trust_domain: &str) -> Result<World, StoreError> {
    let failed = |e: redb::Error| storage_error(path, &e);
    let transaction = database.begin_read().map_err(|e| failed(e.into()))?;
    let meta = transaction.open_table(META).map_err(|e| failed(e.into()))?;
    let value = |key: &str| -> Result<Vec<u8>, StoreError> {
        let row = meta.get(key).map_err(|e| failed(e.into()))?;
        row.map(|v| v.value().to_vec()).ok_or_else(|| corrupt(path, format!("it has no {key}")))
    };
    let found = String::from_utf8_lossy(&value("trust_domain")?).into_owned();
    if found != trust_domain {
        return Err(StoreError::TrustDomain {
            path: path.to_path_buf(),
            found,
            asked: trust_domain.to_string(),
        });
    }
    let revision = value("revision")?
        .as_slice()
        .try_into()
        .map_err(|_| corrupt(path, "its revision is not a number"))?;
    let mut world = World::new(trust_domain);
    world.revision = u64::from_be_bytes(revision);
    let objects = transaction.open_table(OBJECTS).map_err(|e| failed(e.into()))?;
    for row in objects.iter().map_err(|e| failed(e.into()))? {
        let (key, document) = row.map_err(|e| failed(e.into()))?;
        let (kind, name) = key.value();
        let object =
            Event::read_object(document.value()).map_err(|e| corrupt(path, format!("{kind}/{name}: {e}")))?;
        check_key(path, (kind, name), &object)?;
        world.insert(object);
    }
    Ok(world)
}

fn check_key(path: &Path, key: (&str, &str), object: &Object) -> Result<(), StoreError> {
    let found: ObjectRef = object.object_ref();
    if (found.kind.name(), found.name.as_str()) == key {
        return Ok(());
    }
    Err(corrupt(path, format!("{}/{} holds {found}", key.0, key.1)))
}

fn corrupt(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::Corrupt { path: path.to_path_buf(), reason: reason.into() }
}

fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.to_path_buf() },
        DatabaseError::Storage(StorageError::Io(error)) => storage_error(path, &redb::Error::Io(error)),
        DatabaseError::Storage(StorageError::Corrupted(reason)) => corrupt(path, reason),
        DatabaseError::UpgradeRequired(version) => {
            corrupt(path, format!("its file format {version} is too old"))
        }
        other => StoreError::Open { path: path.to_path_buf(), reason: other.to_string() },
    }
}

/// A file that is too short or does not begin as a store does is corrupt; the rest is the system's.
fn storage_error(path: &Path, error: &redb::Error) -> StoreError {
    use std::io::ErrorKind;
    match error {
        redb::Error::Io(e) if matches!(e.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
            corrupt(path, e.to_string())
        }
        redb::Error::Corrupted(reason) => corrupt(path, reason.clone()),
        redb::Error::TableTypeMismatch { .. } | redb::Error::TypeDefinitionChanged { .. } => {
            corrupt(path, error.to_string())
        }
        other => StoreError::Open { path: path.to_path_buf(), reason: other.to_string() },
    }
}

fn panic_text(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("its pages contradict each other").to_string()
}
