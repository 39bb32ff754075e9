//! The same history through both variants gives the same world, and the server knows what the client holds.

use std::time::Duration;

use proptest::prelude::*;

use super::pair::{Facts, Pair, identity};
use crate::wire::client::machine::Machine as Client;
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::server::machine::Machine as Server;
use crate::wire::{client, server};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone)]
enum Step {
    /// A resource gets a version; an odd number of 9 is one that the application refuses.
    Put(ResourceType, usize, u8),
    Delete(ResourceType, usize),
    /// A mask of names, and the wildcard where the type has it.
    Subscribe(ResourceType, u8, bool),
    Reconnect,
    Up,
    Server,
    Down,
    Application,
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ty = || {
        prop::sample::select(vec![
            ResourceType::Cluster,
            ResourceType::ClusterLoadAssignment,
            ResourceType::Listener,
            ResourceType::RouteConfiguration,
            ResourceType::Secret,
        ])
    };
    let step = prop_oneof![
        6 => (ty(), 0..NAMES.len(), 0..10_u8).prop_map(|(ty, name, version)| Step::Put(ty, name, version)),
        3 => (ty(), 0..NAMES.len()).prop_map(|(ty, name)| Step::Delete(ty, name)),
        3 => (ty(), 0..16_u8, any::<bool>()).prop_map(|(ty, mask, wildcard)| Step::Subscribe(ty, mask, wildcard)),
        1 => Just(Step::Reconnect),
        5 => Just(Step::Up),
        5 => Just(Step::Server),
        5 => Just(Step::Down),
        5 => Just(Step::Application),
        1 => Just(Step::Settle),
    ];
    prop::collection::vec(step, 0..120)
}

/// What both variants must end with.
#[derive(Debug, PartialEq)]
struct Outcome {
    wanted: Facts,
    held: Facts,
    acknowledged: Facts,
    behind: bool,
    refused: bool,
}

fn play<C, S>(client: C, history: &[Step]) -> Outcome
where
    C: Client,
    S: Server<Request = C::Request, Response = C::Response>,
{
    let mut facts = Facts::new();
    let mut pair = Pair::<C, S>::new(client, &facts);
    for step in history {
        take(&mut pair, &mut facts, step);
        nothing_bad_counts_as_held(&pair);
    }
    // The end of every history: what was bad is mended, what does not exist is not asked for any more (as happens
    // when the cluster or listener that named it goes), and all that was under way arrives.
    for resources in facts.values_mut() {
        resources
            .values_mut()
            .filter(|version| version.starts_with("bad"))
            .for_each(|version| *version = "mended".to_owned());
    }
    pair.change_world(&facts);
    for (ty, interest) in pair.interests.clone() {
        if !ty.is_root() {
            let exists = |name: &String| facts.get(&ty).is_some_and(|resources| resources.contains_key(name));
            pair.subscribe(ty, Interest::named(interest.names.into_iter().filter(exists)));
        }
    }
    pair.settle();
    outcome(&mut pair, &facts)
}

fn take<C, S>(pair: &mut Pair<C, S>, facts: &mut Facts, step: &Step)
where
    C: Client,
    S: Server<Request = C::Request, Response = C::Response>,
{
    match step {
        Step::Put(ty, name, version) => {
            let version = if *version == 9 { "bad".to_owned() } else { format!("v{version}") };
            facts.entry(*ty).or_default().insert(NAMES[*name].to_owned(), version);
            pair.change_world(facts);
        }
        Step::Delete(ty, name) => {
            facts.entry(*ty).or_default().remove(NAMES[*name]);
            pair.change_world(facts);
        }
        Step::Subscribe(ty, mask, wildcard) => {
            let names = (0..NAMES.len()).filter(|bit| mask & (1 << bit) != 0).map(|bit| NAMES[bit]);
            let mut interest = Interest::named(names);
            // The state of the world has no words for "no listeners any more" once all were asked for.
            interest.wildcard = ty.is_root() && (*wildcard || interest.is_empty());
            pair.subscribe(*ty, interest);
        }
        Step::Reconnect => pair.reconnect(),
        Step::Up => drop(pair.step_up()),
        Step::Server => drop(pair.step_server()),
        Step::Down => drop(pair.step_down()),
        Step::Application => drop(pair.step_application()),
        Step::Settle => pair.settle(),
    }
}

fn nothing_bad_counts_as_held<C, S>(pair: &Pair<C, S>)
where
    C: Client,
    S: Server<Request = C::Request, Response = C::Response>,
{
    for (ty, status) in pair.status().types {
        let bad = status.held.iter().find(|(_, version)| version.starts_with("bad"));
        assert_eq!(bad, None, "a refused {ty} counts as held");
    }
}

fn outcome<C, S>(pair: &mut Pair<C, S>, facts: &Facts) -> Outcome
where
    C: Client,
    S: Server<Request = C::Request, Response = C::Response>,
{
    let without_empty = |mut facts: Facts| {
        facts.retain(|_, resources| !resources.is_empty());
        facts
    };
    let mut wanted = facts.clone();
    for (ty, resources) in &mut wanted {
        let interest = pair.interests.get(ty).cloned().unwrap_or_default();
        resources.retain(|name, _| interest.covers(name));
    }
    let status = pair.status();
    let acknowledged = status.types.iter().map(|(ty, status)| (*ty, (*status.held).clone())).collect();
    Outcome {
        wanted: without_empty(wanted),
        held: without_empty(pair.held.clone()),
        acknowledged: without_empty(acknowledged),
        behind: status.types.values().any(|status| status.behind),
        refused: status.types.values().any(|status| status.refusal.is_some()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_history_gives_the_same_world_through_both_variants(history in steps()) {
        let sotw = client::sotw::Sotw::new(identity(), Duration::from_secs(15));
        let sotw = play::<_, server::sotw::Sotw>(sotw, &history);
        let delta = play::<_, server::delta::Delta>(client::delta::Delta::new(identity()), &history);
        for outcome in [&sotw, &delta] {
            prop_assert_eq!(&outcome.held, &outcome.wanted, "what the application holds");
            prop_assert_eq!(&outcome.acknowledged, &outcome.wanted, "what the server believes it holds");
            prop_assert!(!outcome.behind && !outcome.refused, "{:?}", outcome);
        }
        prop_assert_eq!(sotw, delta);
    }
}
