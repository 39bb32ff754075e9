//! A client machine and a server machine with queues between them, and an application that holds resources.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::google::protobuf::Any;
use prost::Message as _;

use crate::wire::client::event::Event;
use crate::wire::client::machine::{Identity, Machine as Client, Output};
use crate::wire::nack::Rejection;
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::server::machine::Machine as Server;
use crate::wire::server::status::StreamStatus;
use crate::wire::server::world::{Item, Resources, World};

/// The body of a test's resource: every type has its name in field 1.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Body {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "1000")]
    pub(super) version: String,
}

/// A resource; an application refuses versions that begin with `bad`.
pub(super) fn body(ty: ResourceType, name: &str, version: &str) -> Any {
    let body = Body { name: name.to_owned(), version: version.to_owned() };
    Any { type_url: ty.type_url(), value: body.encode_to_vec() }
}

/// Type, name, version.
pub(super) type Facts = BTreeMap<ResourceType, BTreeMap<String, String>>;

pub(super) fn world(facts: &Facts) -> Arc<World> {
    let resources = facts.iter().map(|(ty, resources)| {
        let item = |name: &String, version: &String| Item {
            version: version.clone(),
            body: body(*ty, name, version),
        };
        let items = resources.iter().map(|(name, version)| (name.clone(), Arc::new(item(name, version))));
        (*ty, Resources::new(items.collect()))
    });
    Arc::new(resources.fold(World::default(), |world, (ty, resources)| world.with(ty, resources)))
}

pub(super) fn identity() -> Identity {
    Identity { node: Node { id: "test".to_owned(), ..Node::default() }, first_message_only: true }
}

pub(super) struct Pair<C: Client, S> {
    pub(super) client: C,
    pub(super) server: S,
    world: Arc<World>,
    pub(super) up: VecDeque<C::Request>,
    pub(super) down: VecDeque<C::Response>,
    pub(super) events: VecDeque<Event>,
    pub(super) interests: BTreeMap<ResourceType, Interest>,
    /// What the application holds.
    pub(super) held: Facts,
    pub(super) now: Instant,
}

impl<C: Client, S: Server<Request = C::Request, Response = C::Response>> Pair<C, S> {
    pub(super) fn new(mut client: C, facts: &Facts) -> Self {
        let world = world(facts);
        let up = client.open().into();
        Self {
            client,
            server: S::new(Arc::clone(&world)),
            world,
            up,
            down: VecDeque::new(),
            events: VecDeque::new(),
            interests: BTreeMap::new(),
            held: Facts::new(),
            now: Instant::now(),
        }
    }

    pub(super) fn change_world(&mut self, facts: &Facts) {
        self.world = world(facts);
        self.server.world(Arc::clone(&self.world));
    }

    pub(super) fn subscribe(&mut self, ty: ResourceType, interest: Interest) {
        self.held.entry(ty).or_default().retain(|name, _| interest.covers(name));
        self.up.extend(self.client.subscribe(ty, interest.clone(), self.now));
        self.interests.insert(ty, interest);
    }

    /// What was under way is lost, and the server begins with an empty memory.
    pub(super) fn reconnect(&mut self) {
        self.client.closed();
        self.up.clear();
        self.down.clear();
        self.server = S::new(Arc::clone(&self.world));
        self.up.extend(self.client.open());
    }

    /// One request reaches the server.
    pub(super) fn step_up(&mut self) -> bool {
        let Some(request) = self.up.pop_front() else { return false };
        self.server.request(request).unwrap();
        true
    }

    /// The server sends one response, if it has one.
    pub(super) fn step_server(&mut self) -> bool {
        let Some(response) = self.server.next() else { return false };
        self.down.push_back(response);
        true
    }

    /// One response reaches the client.
    pub(super) fn step_down(&mut self) -> bool {
        let Some(response) = self.down.pop_front() else { return false };
        self.client.connected(self.now);
        for output in self.client.receive(response, self.now).unwrap() {
            match output {
                Output::Send(request) => self.up.push_back(request),
                Output::Tell(event) => self.events.push_back(event),
            }
        }
        true
    }

    /// The application takes one event in and gives its verdict.
    pub(super) fn step_application(&mut self) -> bool {
        match self.events.pop_front() {
            None => return false,
            Some(Event::Updated { ticket, resources, removed, .. }) => {
                let held = self.held.entry(ticket.ty).or_default();
                for name in removed {
                    held.remove(&name);
                }
                let mut rejected = Vec::new();
                for arrived in resources {
                    let body = Body::decode(arrived.body.value.as_slice()).unwrap();
                    if body.version.starts_with("bad") {
                        rejected.push(Rejection { name: arrived.name, error: "it is bad".to_owned() });
                    } else if self.interests[&ticket.ty].covers(&arrived.name) {
                        held.insert(arrived.name, body.version);
                    }
                }
                self.up.extend(self.client.settle(&ticket, rejected));
            }
            Some(Event::Gone { ty, names, .. }) => {
                names.iter().for_each(|name| drop(self.held.entry(ty).or_default().remove(name)));
            }
            Some(Event::Connected | Event::Disconnected { .. }) => {}
        }
        true
    }

    /// Runs until nobody has anything to say; panics if that never comes.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            if !(self.step_up() || self.step_server() || self.step_down() || self.step_application()) {
                return;
            }
        }
        panic!("the two sides never stop talking");
    }

    pub(super) fn status(&self) -> StreamStatus {
        self.server.status()
    }
}
