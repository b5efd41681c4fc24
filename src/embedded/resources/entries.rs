//! What there is: per project and collection, in the order in which it was made.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::api::Collection;

/// One thing.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project_id: String,
    /// What its maker said beside that.
    pub(super) given: Map<String, Value>,
}

/// There are enough of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enough;

/// Everything in one service.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// By project and collection.
    lists: HashMap<(String, &'static str), Vec<Entry>>,
    made: u32,
}

impl Entries {
    /// A project's things of one kind; those from the start are made when first asked for.
    pub(super) fn list(&mut self, project_id: &str, collection: &Collection) -> &mut Vec<Entry> {
        self.lists.entry((project_id.to_owned(), collection.name)).or_insert_with(|| {
            let seed = |n: usize| Entry {
                id: format!("{:08x}-0000-4000-8000-{:012x}", 0x5eed_0000 + n, n * 7919),
                name: format!("{}-{n:02}", collection.one.replace('_', "-")),
                project_id: project_id.to_owned(),
                given: Map::new(),
            };
            (1..=collection.seeds).map(seed).collect()
        })
    }

    /// Makes one; it is the last of its list.
    pub(super) fn make(
        &mut self,
        project_id: &str,
        collection: &Collection,
        given: &Map<String, Value>,
    ) -> Result<Entry, Enough> {
        if self.made >= MOST_MADE {
            return Err(Enough);
        }
        self.made += 1;
        let number = self.made;
        let mut given = given.clone();
        let name = given.remove("name").or_else(|| given.remove("stack_name"));
        let name = name.and_then(|name| name.as_str().map(str::to_owned));
        for known in ["id", "uuid", "links"] {
            given.remove(known);
        }
        let entry = Entry {
            id: format!("{number:08x}-0000-4000-8000-{:012x}", u64::from(number) * 104_729),
            name: name.unwrap_or_default(),
            project_id: project_id.to_owned(),
            given,
        };
        self.list(project_id, collection).push(entry.clone());
        Ok(entry)
    }
}

/// All that were ever made count, so that deleting does not make more room for names.
pub(super) const MOST_MADE: u32 = 1000;
