//! What a service may change, and what it is sent.

use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use xds::model::{BodyMode, FieldMutation, FieldSet, Half, MutationRules, ProcessingMode, Regex, SendMode};

use super::change::Rules;
use super::{Change, Modes, ProcessorMetric, Section};
use crate::body::{RequestHead, ResponseHead};
use crate::fields::Fields;
use crate::observe::metrics::Counters;
use crate::policy::samples::get;

fn set(name: &str, value: &str) -> FieldMutation {
    with(name, value, false)
}

fn with(name: &str, value: &str, append: bool) -> FieldMutation {
    let field = FieldSet { name: name.to_owned(), value: value.into(), append };
    FieldMutation { set: vec![field], remove: Vec::new() }
}

fn remove(name: &str) -> FieldMutation {
    FieldMutation { set: Vec::new(), remove: vec![name.to_owned()] }
}

struct World {
    rules: Rules,
    stats: Arc<Counters<ProcessorMetric>>,
    head: RequestHead,
}

impl World {
    fn new(rules: MutationRules) -> Self {
        let stats = Arc::new(Counters::new());
        let mut head = get("a.example", "/p", &[]);
        head.headers.insert("x-a", HeaderValue::from_static("1"));
        Self { rules: Rules::new(rules, Arc::clone(&stats)), stats, head }
    }

    fn change(&mut self, mutation: &FieldMutation) -> Result<(), &'static str> {
        self.rules.change(Section::Request(&mut self.head), mutation, Change::default())
    }

    fn rejected(&self) -> u64 {
        self.stats.get(ProcessorMetric::RejectedHeaderMutations)
    }

    fn field(&self, name: &str) -> Vec<&str> {
        self.head.headers.get_all(name).map(|value| value.to_str().unwrap()).collect()
    }
}

#[test]
fn fields_are_set_appended_and_removed() {
    for (append, there) in [(false, &["2"][..]), (true, &["1", "2"])] {
        let mut world = World::new(MutationRules::default());
        world.change(&with("X-A", "2", append)).unwrap();
        world.change(&with("x-b", "2", append)).unwrap();
        assert_eq!((world.field("x-a"), world.field("x-b")), (there.to_vec(), vec!["2"]), "{append}");
    }
    let mut world = World::new(MutationRules::default());
    world.change(&remove("x-a")).unwrap();
    assert_eq!(world.field("x-a"), Vec::<&str>::new());
}

#[test]
fn what_routing_depends_on_needs_to_be_allowed() {
    for name in ["host", ":authority", ":method", ":scheme", "x-envoy-max-retries"] {
        let value = if name == ":scheme" { "https" } else { "PUT" };
        let mut world = World::new(MutationRules::default());
        world.change(&set(name, value)).unwrap();
        assert_eq!((world.rejected(), &*world.head.authority), (1, "a.example"), "{name}");
        let all = MutationRules { allow_all_routing: true, allow_envoy: true, ..MutationRules::default() };
        let mut world = World::new(all);
        world.change(&set(name, value)).unwrap();
        assert_eq!(world.rejected(), 0, "{name}");
    }
}

#[test]
fn an_expression_that_forbids_beats_one_that_allows() {
    let regex = |text| Some(Regex::new(text).unwrap());
    let rules = MutationRules {
        disallow_all: true,
        allow_expression: regex("x-.*"),
        disallow_expression: regex("x-b"),
        ..MutationRules::default()
    };
    let mut world = World::new(rules);
    for name in ["x-a", "x-b", "y"] {
        world.change(&set(name, "2")).unwrap();
    }
    assert_eq!((world.field("x-a"), world.field("x-b"), world.field("y")), (vec!["2"], vec![], vec![]));
    assert_eq!(world.rejected(), 2);
}

#[test]
fn what_is_not_allowed_is_an_error_only_where_it_is_to_be() {
    let rules = MutationRules { disallow_all: true, disallow_is_error: true, ..MutationRules::default() };
    let mut world = World::new(rules);
    assert_eq!(world.change(&set("x-a", "2")).unwrap_err(), "header_mutation_set_headers_failed");
    assert_eq!(world.change(&remove("x-a")).unwrap_err(), "header_mutation_remove_headers_failed");
    assert_eq!(world.field("x-a"), ["1"]);
}

#[test]
fn no_field_is_made_of_what_is_none() {
    let mut world = World::new(MutationRules::default());
    for bad in [set("a b", "1"), set("x-a", "1\n2"), remove("a b")] {
        assert!(world.change(&bad).unwrap_err().ends_with("contains_invalid_character"), "{bad:?}");
    }
    world.change(&set("", "1")).unwrap();
    assert_eq!(world.rejected(), 4);
}

#[test]
fn too_many_fields_are_refused() {
    let mut world = World::new(MutationRules::default());
    let many = |count| FieldMutation {
        set: (0..count).flat_map(|at| set(&format!("x-{at}"), "1").set).collect(),
        remove: Vec::new(),
    };
    assert!(world.change(&many(101)).unwrap_err().contains("count"));
    assert!(world.change(&many(100)).unwrap_err().contains("result"));
}

#[test]
fn a_replaced_message_may_have_another_method() {
    let mut world = World::new(MutationRules::default());
    let how = Change { replaces: true, without_length: false };
    world.rules.change(Section::Request(&mut world.head), &set(":method", "POST"), how).unwrap();
    assert_eq!(world.head.method, Method::POST);
}

#[test]
fn a_response_s_status_may_be_another() {
    let world = World::new(MutationRules::default());
    let mut head = ResponseHead { status: StatusCode::OK, headers: Fields::new() };
    for (status, expected) in [("404", 404), ("99", 404), ("x", 404), ("503", 503)] {
        world.rules.change(Section::Response(&mut head), &set(":status", status), Change::default()).unwrap();
        assert_eq!(head.status.as_u16(), expected, "{status}");
    }
}

#[test]
fn what_a_mode_does_not_say_stays() {
    let mut modes = Modes::of(ProcessingMode {
        response_headers: SendMode::Skip,
        request_trailers: SendMode::Send,
        ..ProcessingMode::default()
    });
    assert!(modes.head(Half::Request) && !modes.head(Half::Response));
    assert!(modes.trailers(Half::Request) && !modes.trailers(Half::Response));
    modes.change(ProcessingMode {
        response_body: BodyMode::Streamed,
        response_headers: SendMode::Send,
        ..ProcessingMode::default()
    });
    assert!(modes.head(Half::Response) && modes.trailers(Half::Request));
    assert_eq!(modes.bodies(), (BodyMode::None, BodyMode::Streamed));
}
