//! The store: the desired state on disk, with revisions, and everyone told of its changes.
//!
//! Writers come one after another. Each makes the next world from the current one, has it checked
//! as a whole, writes what changed in one durable transaction, and only then shows it. Readers
//! take the current world, which no disk is needed for.
//!
//! One rule: what watchers and proxies see is on disk.

pub mod error;
pub mod event;

pub mod file;
pub mod watch;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::Value;
use tokio::sync::{broadcast, watch as latest};

use self::error::StoreError;
use self::event::{Change, Event};
use self::file::{Batch, File, Opener};
use self::watch::Watch;
use crate::clock;
use crate::limits;
use crate::resource::document::Metadata;
use crate::resource::invalid::Invalid;
use crate::resource::join_token::JoinTokenStatus;
use crate::resource::kind::{Kind, ObjectRef};
use crate::resource::object::Object;
use crate::resource::reference::{self, Misfit};
use crate::resource::world::World;

/// What is asked of the store.
#[derive(Clone, Debug)]
pub enum Request {
    /// Put a resource that must not exist yet.
    Create(Object),
    /// Put a resource, new or in place of the old one.
    Apply(Object),
    /// Create a join token whose secret has that hash.
    CreateToken(Object, String),
    /// Take a resource out.
    Delete(ObjectRef),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The resource is new.
    Created,
    /// The resource is different now.
    Configured,
    /// The resource already was like that.
    Unchanged,
    /// The resource is gone.
    Deleted,
}

/// Whether a commit is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Change the store.
    Commit,
    /// Say what would happen.
    DryRun,
}

/// The store; shared by reference.
pub struct Store {
    file: Mutex<File>,
    world: latest::Sender<Arc<World>>,
    events: broadcast::Sender<Arc<Event>>,
    trust_domain: Box<str>,
}

impl Store {
    /// Opens or creates the store at `path` for the mesh of `trust_domain`.
    pub fn open(path: &Path, trust_domain: &str) -> Result<Self, StoreError> {
        let (file, world) = File::open(path, trust_domain)?;
        Ok(Self::over(file, world, trust_domain))
    }

    /// Opens with a way of opening the database given.
    pub fn open_with(path: &Path, trust_domain: &str, opener: Opener) -> Result<Self, StoreError> {
        let (file, world) = File::open_with(path, trust_domain, opener)?;
        Ok(Self::over(file, world, trust_domain))
    }

    fn over(file: File, world: World, trust_domain: &str) -> Self {
        Self {
            file: Mutex::new(file),
            world: latest::Sender::new(Arc::new(world)),
            events: broadcast::Sender::new(limits::WATCH_QUEUE),
            trust_domain: trust_domain.into(),
        }
    }

    /// The current state.
    pub fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// The current state and every later one; states in between may be skipped.
    pub fn worlds(&self) -> latest::Receiver<Arc<World>> {
        self.world.subscribe()
    }

    /// Every change after revision `from`, or after now. Blocks on the disk when `from` is past.
    pub fn watch(&self, from: Option<u64>) -> Result<Watch, StoreError> {
        let file = self.lock();
        // Under the lock no commit can fall between the history and the live channel.
        let live = self.events.subscribe();
        let current = self.world.borrow().revision;
        let from = from.unwrap_or(current);
        let oldest = current.saturating_sub(limits::WATCH_HISTORY);
        if from < oldest || from > current {
            return Err(StoreError::Gone { asked: from, oldest });
        }
        let past = if from == current { Vec::new() } else { file.history_after(from)? };
        Ok(Watch::new(past, live, current))
    }

    /// Does all requests in one transaction, or none. Blocks on the disk.
    pub fn commit(
        &self,
        requests: Vec<Request>,
        now: SystemTime,
        intent: Intent,
    ) -> Result<Vec<(Outcome, Object)>, StoreError> {
        let mut file = self.lock();
        self.heal(&mut file)?;
        let mut next = World::clone(&self.world.borrow());
        next.revision += 1;
        let mut batch = Batch::default();
        let mut outcomes = Vec::with_capacity(requests.len());
        for request in requests {
            outcomes.push(step(&mut next, &mut batch, request, now)?);
        }
        if batch.events.is_empty() {
            return Ok(outcomes);
        }
        reference::check(&next).map_err(StoreError::Misfit)?;
        if intent == Intent::Commit {
            file.write(next.revision, &batch)?;
            self.show(next, batch.events);
        }
        Ok(outcomes)
    }

    /// Uses up the join token `name` if its secret has the hash `hash`; answers with the token's
    /// site. Blocks on the disk.
    pub fn redeem(&self, name: &str, hash: &str, now: SystemTime) -> Result<String, StoreError> {
        const UNKNOWN: StoreError = StoreError::Token("it is not known");
        let mut file = self.lock();
        self.heal(&mut file)?;
        let mut next = World::clone(&self.world.borrow());
        let reference = ObjectRef::new(Kind::JoinToken, name);
        let Some(Object::JoinToken(token)) = next.find(&reference).cloned() else {
            return Err(UNKNOWN);
        };
        let kept = file.secret(name)?.ok_or(UNKNOWN)?;
        if aws_lc_rs::constant_time::verify_slices_are_equal(kept.as_bytes(), hash.as_bytes()).is_err() {
            return Err(UNKNOWN);
        }
        let status = token.status.clone().unwrap_or(Value::Null);
        let mut status: JoinTokenStatus =
            serde_json::from_value(status).map_err(|_| StoreError::Token("its status cannot be read"))?;
        if status.used_at.is_some() {
            return Err(StoreError::Token("it was used already"));
        }
        if clock::parse(&status.expires_at).is_none_or(|end| end <= now) {
            return Err(StoreError::Token("it has expired"));
        }
        status.used_at = Some(clock::text(now));
        next.revision += 1;
        let mut metadata = token.metadata.clone();
        metadata.resource_version = Some(next.revision.to_string());
        let status = serde_json::to_value(status).ok();
        let object = Object::JoinToken(token.clone()).with(metadata, status);
        next.insert(object.clone());
        let batch = Batch { events: vec![event(&next, Change::Modified, object)], secrets: Vec::new() };
        file.write(next.revision, &batch)?;
        self.show(next, batch.events);
        Ok(token.spec.site.clone())
    }

    /// Opens the file again after a failed write. What that write left on disk is what counts.
    fn heal(&self, file: &mut File) -> Result<(), StoreError> {
        if !file.is_closed() {
            return Ok(());
        }
        let world = file.reopen(&self.trust_domain).map_err(|e| StoreError::Write(e.to_string()))?;
        let shown = self.world.borrow().revision;
        if world.revision != shown {
            let events = file.history_after(shown)?;
            self.show(world, events);
        }
        Ok(())
    }

    fn show(&self, world: World, events: Vec<Event>) {
        self.world.send_replace(Arc::new(world));
        for event in events {
            // Nobody may be watching; that is fine.
            let _ = self.events.send(Arc::new(event));
        }
    }

    /// A panic while the lock was held left no half of anything: the world is shown last.
    fn lock(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does one request to the next world.
fn step(
    next: &mut World,
    batch: &mut Batch,
    request: Request,
    now: SystemTime,
) -> Result<(Outcome, Object), StoreError> {
    match request {
        Request::Delete(reference) => {
            let object = next.remove(&reference).ok_or(StoreError::NotFound(reference))?;
            batch.events.push(event(next, Change::Deleted, object.clone()));
            Ok((Outcome::Deleted, object))
        }
        Request::Create(object) => {
            if next.find(&object.object_ref()).is_some() {
                return Err(conflict(&object, "exists already"));
            }
            put(next, batch, object, now)
        }
        Request::CreateToken(object, hash) => {
            if next.find(&object.object_ref()).is_some() {
                return Err(conflict(&object, "exists already: a join token cannot be changed"));
            }
            batch.secrets.push((object.metadata().name.clone(), hash));
            put(next, batch, object, now)
        }
        Request::Apply(object) => put(next, batch, object, now),
    }
}

fn put(
    next: &mut World,
    batch: &mut Batch,
    object: Object,
    now: SystemTime,
) -> Result<(Outcome, Object), StoreError> {
    let size = object.to_json().to_string().len();
    if size > limits::DOCUMENT_BYTES_MAX {
        let message = format!("{size} bytes: accepted are at most {}", limits::DOCUMENT_BYTES_MAX);
        return Err(StoreError::Misfit(Misfit {
            object: object.object_ref(),
            invalid: Invalid::new("", message),
        }));
    }
    let old = next.find(&object.object_ref()).cloned();
    check_version(&object, old.as_ref())?;
    if let Some(old) = &old
        && old.same_spec(&object)
        && old.metadata().labels == object.metadata().labels
        && old.metadata().annotations == object.metadata().annotations
    {
        return Ok((Outcome::Unchanged, old.clone()));
    }
    let (change, outcome) = match &old {
        None => (Change::Added, Outcome::Created),
        Some(_) => (Change::Modified, Outcome::Configured),
    };
    let metadata = next_metadata(next.revision, &object, old.as_ref(), now);
    let status = match &old {
        Some(old) => old.status().cloned(),
        None => object.status().cloned(),
    };
    let object = object.with(metadata, status);
    next.insert(object.clone());
    batch.events.push(event(next, change, object.clone()));
    Ok((outcome, object))
}

/// Optimistic concurrency: a version that was sent must be the current one.
fn check_version(object: &Object, old: Option<&Object>) -> Result<(), StoreError> {
    let Some(sent) = &object.metadata().resource_version else {
        return Ok(());
    };
    match old.and_then(|o| o.metadata().resource_version.as_ref()) {
        Some(current) if current == sent => Ok(()),
        Some(current) => Err(conflict(
            object,
            &format!("metadata.resourceVersion {sent} is outdated, it is {current} now: read it again"),
        )),
        None => Err(conflict(object, "was deleted in between, as metadata.resourceVersion was sent")),
    }
}

fn next_metadata(revision: u64, object: &Object, old: Option<&Object>, now: SystemTime) -> Metadata {
    let sent = object.metadata();
    let generation = old.and_then(|o| o.metadata().generation).unwrap_or(0);
    let is_same = old.is_some_and(|o| o.same_spec(object));
    Metadata {
        name: sent.name.clone(),
        namespace: None,
        labels: sent.labels.clone(),
        annotations: sent.annotations.clone(),
        resource_version: Some(revision.to_string()),
        generation: Some(if is_same { generation } else { generation + 1 }),
        creation_timestamp: old
            .and_then(|o| o.metadata().creation_timestamp.clone())
            .or_else(|| Some(clock::text(now))),
    }
}

fn event(world: &World, change: Change, object: Object) -> Event {
    Event { revision: world.revision, change, object }
}

fn conflict(object: &Object, message: &str) -> StoreError {
    StoreError::Conflict { object: object.object_ref(), message: message.to_string() }
}

#[cfg(test)]
mod tests;
