use xds::model::EndpointHealth;

use super::*;
use crate::upstream::fixture::{assignment, endpoints, locality, model, tcp_check};

struct Fixture {
    model: model::Cluster,
    membership: Membership,
}

impl Fixture {
    fn new(model: model::Cluster) -> Self {
        Self { model, membership: Membership::default() }
    }

    fn apply(&mut self, wanted: &LoadAssignment) -> Change {
        let transports = Transports::plain();
        let now = Instant::now();
        self.membership.apply(&self.model, &transports, terms(wanted), by_address(wanted), now)
    }

    fn hosts(&self) -> Vec<Arc<Host>> {
        self.membership.localities().into_iter().flat_map(|locality| locality.hosts).collect()
    }
}

fn ports(ports: impl IntoIterator<Item = u16>) -> LoadAssignment {
    assignment(vec![locality(0, endpoints(ports))])
}

#[tokio::test]
async fn endpoints_that_stay_keep_their_state() {
    let mut fixture = Fixture::new(model(Vec::new()));
    assert_eq!(fixture.apply(&ports([1, 2, 3])), Change::Members);
    let before = fixture.hosts();
    before[1].state().set(HealthFlag::FailedOutlierCheck, true);
    assert_eq!(fixture.apply(&ports([2, 4])), Change::Members);
    let after = fixture.hosts();
    assert!(after[0].is(&before[1]), "the endpoint at port 2 is the same");
    assert!(after[0].state().has(HealthFlag::FailedOutlierCheck), "and still ejected");
    assert!(!before.iter().any(|host| host.is(&after[1])), "the one at port 4 is new");
    assert!(before[0].state().has(HealthFlag::Removed), "the one at port 1 is gone");
    assert!(!after[0].state().has(HealthFlag::Removed));
}

#[tokio::test]
async fn an_endpoint_that_comes_back_is_a_new_one() {
    let mut fixture = Fixture::new(model(Vec::new()));
    fixture.apply(&ports([1]));
    let before = fixture.hosts();
    fixture.apply(&ports([]));
    fixture.apply(&ports([1]));
    assert!(!fixture.hosts()[0].is(&before[0]), "its old connections must not be found again");
}

#[tokio::test]
async fn the_same_assignment_changes_nothing_and_a_new_weight_only_terms() {
    let mut fixture = Fixture::new(model(Vec::new()));
    fixture.apply(&ports([1, 2]));
    assert_eq!(fixture.apply(&ports([1, 2])), Change::None);
    let mut heavier = ports([1, 2]);
    heavier.localities[0].endpoints[0].weight = 5;
    assert_eq!(fixture.apply(&heavier), Change::Terms);
    assert_eq!(fixture.hosts()[0].weight(), 5);
    let mut unhealthy = ports([1, 2]);
    unhealthy.localities[0].endpoints[0].health = EndpointHealth::Draining;
    assert_eq!(fixture.apply(&unhealthy), Change::Terms);
    assert!(fixture.hosts()[0].state().has(HealthFlag::EdsStatusDraining));
}

#[tokio::test]
async fn an_endpoint_may_move_between_priorities() {
    let mut fixture = Fixture::new(model(Vec::new()));
    fixture.apply(&assignment(vec![locality(0, endpoints([1])), locality(1, endpoints([2]))]));
    let before = fixture.hosts();
    fixture.apply(&assignment(vec![locality(0, endpoints([2])), locality(1, endpoints([1]))]));
    let after = fixture.hosts();
    assert!(after[0].is(&before[1]) && after[1].is(&before[0]), "both are known again");
    assert_eq!((after[0].priority(), after[1].priority()), (0, 1));
}

#[tokio::test]
async fn a_removed_endpoint_that_passes_its_checks_stays_until_it_fails() {
    let mut fixture = Fixture::new(model::Cluster { health_checks: vec![tcp_check()], ..model(Vec::new()) });
    fixture.apply(&ports([1, 2]));
    let hosts = fixture.hosts();
    let now = Instant::now();
    hosts[0].state().apply_check(0, true, now);
    assert_eq!(fixture.apply(&ports([])), Change::Members, "the one at port 2 never passed, and went");
    assert_eq!(fixture.hosts().len(), 1);
    assert!(hosts[0].state().has(HealthFlag::PendingDynamicRemoval));
    assert!(!fixture.membership.drop_failed(), "it still passes");
    hosts[0].state().apply_check(0, false, now);
    assert!(fixture.membership.drop_failed(), "it failed, and went");
    assert!(fixture.hosts().is_empty());
    assert!(hosts[0].state().has(HealthFlag::Removed));
}

#[tokio::test]
async fn health_can_be_ignored_on_removal() {
    let mut fixture = Fixture::new(model::Cluster {
        health_checks: vec![tcp_check()],
        ignore_health_on_host_removal: true,
        ..model(Vec::new())
    });
    fixture.apply(&ports([1]));
    fixture.hosts()[0].state().apply_check(0, true, Instant::now());
    fixture.apply(&ports([]));
    assert!(fixture.hosts().is_empty(), "it went though it passes");
}

#[tokio::test]
async fn an_endpoint_that_stayed_for_its_health_and_is_wanted_again_is_the_same() {
    let mut fixture = Fixture::new(model::Cluster { health_checks: vec![tcp_check()], ..model(Vec::new()) });
    fixture.apply(&ports([1]));
    let before = fixture.hosts();
    before[0].state().apply_check(0, true, Instant::now());
    fixture.apply(&ports([]));
    fixture.apply(&ports([1]));
    let after = fixture.hosts();
    assert!(after.len() == 1 && after[0].is(&before[0]), "one endpoint, the old one");
    assert!(!after[0].state().has(HealthFlag::PendingDynamicRemoval));
}

#[tokio::test]
async fn new_endpoints_can_be_left_out_of_the_count_before_their_first_check() {
    let mut wanted = model(Vec::new());
    wanted.health_checks = vec![tcp_check()];
    wanted.load_balancing.ignore_new_hosts_until_first_hc = true;
    let mut fixture = Fixture::new(wanted);
    let mut two = ports([1, 2]);
    two.localities[0].endpoints[1].disable_active_health_check = true;
    fixture.apply(&two);
    let pending: Vec<_> =
        fixture.hosts().iter().map(|host| host.state().has(HealthFlag::PendingActiveHc)).collect();
    assert_eq!(pending, [true, false], "an endpoint that is not checked counts at once");
    assert!(!fixture.hosts()[1].state().has(HealthFlag::FailedActiveHc));
}
