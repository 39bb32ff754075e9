//! Sorts what a resource file holds, and tells what left it since it was read last.
//!
//! One rule: a bad resource takes neither its neighbours nor its own former version along.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use xds::wire::resource::ResourceType;

/// A resource by type and name.
pub(super) type Named = (ResourceType, String);

/// What is to be done after a file was read.
#[derive(Debug)]
pub(super) struct FileUpdate<B> {
    /// To be taken in.
    pub(super) resources: Vec<(Named, B)>,
    /// Why the others are not.
    pub(super) refused: Vec<String>,
    /// Clusters and listeners that stood in the file before and do not any more.
    pub(super) gone: Vec<Named>,
}

/// What stood in each file when it was read last.
#[derive(Debug, Default)]
pub(super) struct Files(HashMap<String, BTreeSet<Named>>);

impl Files {
    /// Whether the file was read, or could not be.
    pub(super) fn was_read(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Notes that the file cannot be read; what stood in it stays.
    pub(super) fn failed(&mut self, path: &str) {
        self.0.entry(path.to_owned()).or_default();
    }

    /// Sorts the content that `path` has now: bodies with their names, or with the reason why they have none.
    pub(super) fn update<B>(&mut self, path: &str, bodies: Vec<(Result<Named, String>, B)>) -> FileUpdate<B> {
        let mut update = FileUpdate { resources: Vec::new(), refused: Vec::new(), gone: Vec::new() };
        let mut counts: BTreeMap<Named, usize> = BTreeMap::new();
        for (named, body) in bodies {
            match named {
                Ok(name) => {
                    *counts.entry(name.clone()).or_default() += 1;
                    update.resources.push((name, body));
                }
                Err(why) => update.refused.push(why),
            }
        }
        // A resource without a name may be any of those that seem to be gone.
        let all_named = update.refused.is_empty();
        update.resources.retain(|(name, _)| counts.get(name) == Some(&1));
        let twice = counts.iter().filter(|(_, count)| **count > 1);
        let refusals = twice.map(|((ty, name), count)| {
            format!("{} {name}: the file holds {count} resources of this name", ty.message_name())
        });
        update.refused.extend(refusals);
        let mut now: BTreeSet<Named> = counts.into_keys().collect();
        let before = self.0.get(path).into_iter().flatten();
        let gone: Vec<_> = before.filter(|name| name.0.is_root() && !now.contains(*name)).cloned().collect();
        if all_named {
            update.gone = gone;
        } else {
            now.extend(gone);
        }
        self.0.insert(path.to_owned(), now);
        update
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str) -> (Result<Named, String>, ()) {
        let named = Ok((ResourceType::Cluster, name.to_owned()));
        (named.and_then(|named| if name.is_empty() { Err("no name".to_owned()) } else { Ok(named) }), ())
    }

    fn names(update: &FileUpdate<()>) -> Vec<&str> {
        update.resources.iter().map(|((_, name), ())| name.as_str()).collect()
    }

    #[test]
    fn what_left_the_file_is_gone() {
        let mut files = Files::default();
        files.update("a", vec![cluster("one"), cluster("two")]);
        let update = files.update("a", vec![cluster("two")]);
        assert_eq!(names(&update), ["two"]);
        assert_eq!(update.gone, [(ResourceType::Cluster, "one".to_owned())]);
        assert!(files.update("b", vec![cluster("one")]).gone.is_empty(), "files do not know of each other");
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_and_keeps_what_it_was() {
        let mut files = Files::default();
        files.update("a", vec![cluster("one"), cluster("two")]);
        let update = files.update("a", vec![cluster("one"), cluster("two"), cluster("one")]);
        assert_eq!(names(&update), ["two"]);
        assert!(update.gone.is_empty());
        let refused = ["envoy.config.cluster.v3.Cluster one: the file holds 2 resources of this name"];
        assert_eq!(update.refused, refused);
    }

    #[test]
    fn nothing_goes_while_a_resource_has_no_name() {
        let mut files = Files::default();
        files.update("a", vec![cluster("one"), cluster("two")]);
        let update = files.update("a", vec![cluster("two"), cluster("")]);
        assert_eq!((names(&update), update.gone.len(), update.refused.len()), (vec!["two"], 0, 1));
        assert_eq!(files.update("a", vec![cluster("two")]).gone.len(), 1, "it goes once all have names");
    }
}
