//! Lists of routes, merged into the order of the configuration while they are asked.
//!
//! One rule: no list holds a route of another, so that each route is asked once.

use smallvec::SmallVec;

/// Routes that regular expressions took.
pub(super) type Hits = SmallVec<[u32; 8]>;

/// Routes to ask; room for what prefixes within prefixes give without an allocation.
#[derive(Default)]
pub(super) struct Candidates<'a>(SmallVec<[&'a [u32]; 8]>);

impl<'a> Candidates<'a> {
    /// Adds routes, in ascending order.
    pub(super) fn add(&mut self, routes: &'a [u32]) {
        if !routes.is_empty() {
            self.0.push(routes);
        }
    }

    /// The first route, in the order of the configuration, that `takes` the request.
    pub(super) fn first(mut self, mut takes: impl FnMut(usize) -> bool) -> Option<usize> {
        while self.0.len() > 1 {
            // The first of the list that is nearest to the configuration's beginning.
            let (at, list) = self.0.iter().enumerate().min_by_key(|(_, list)| list.first())?;
            let (&route, rest) = list.split_first()?;
            if takes(route as usize) {
                return Some(route as usize);
            }
            if rest.is_empty() {
                self.0.swap_remove(at);
            } else {
                self.0[at] = rest;
            }
        }
        let last = self.0.first()?;
        last.iter().map(|route| *route as usize).find(|route| takes(*route))
    }
}
