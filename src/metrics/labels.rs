//! What a route is called in metrics and logs: its service's type and its region, numbered once for the life of the
//! process, so that counting is an index.

use std::sync::Arc;

/// A service in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Its number, below [`MOST_LABELS`].
    pub id: usize,
    /// The type as in the catalog.
    pub service: String,
    /// The region; `*` where there is none.
    pub region: String,
}

/// What is answered without a route, 0, and what there is no number left for, 1, come first.
pub const MOST_LABELS: usize = 256;

/// All that there have been, by their numbers: what was counted stays told of when its route has gone.
#[derive(Clone, Debug)]
pub struct Labels(Vec<Arc<Label>>);

impl Default for Labels {
    fn default() -> Self {
        let mut labels = Self(Vec::new());
        labels.add("gatestone", "");
        labels.add("other", "");
        labels
    }
}

impl Labels {
    /// All.
    pub fn all(&self) -> &[Arc<Label>] {
        &self.0
    }

    /// The one of a route, as before if there was one of the name.
    pub fn of(&mut self, service: &str, region: &str) -> Arc<Label> {
        let known = self.0.iter().find(|it| it.service == service && it.region == region);
        match known {
            Some(label) => Arc::clone(label),
            None if self.0.len() < MOST_LABELS => self.add(service, region),
            None => Arc::clone(&self.0[1]),
        }
    }

    fn add(&mut self, service: &str, region: &str) -> Arc<Label> {
        let label = Label { id: self.0.len(), service: service.to_owned(), region: region.to_owned() };
        self.0.push(Arc::new(label));
        Arc::clone(&self.0[self.0.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_there_are_so_many() {
        let mut labels = Labels::default();
        let first = labels.of("compute", "GRA");
        assert_eq!((first.id, labels.of("compute", "GRA").id, labels.of("compute", "SBG").id), (2, 2, 3));
        for region in 0..2 * MOST_LABELS {
            let label = labels.of("image", &region.to_string());
            assert!(label.id < MOST_LABELS && label.id > 0);
        }
        assert_eq!((labels.all().len(), labels.of("volume", "GRA").service.as_str()), (MOST_LABELS, "other"));
        assert_eq!(labels.of("compute", "GRA").id, 2);
    }
}
