//! The region of a cloud entry: `regions`, or `region_name`.

use crate::catalog::Region;

use super::super::yaml::{Node, Value};
use super::cloud::Reader;
use super::layers::{Map, texts, update};

impl Reader<'_> {
    /// The region's name; its `values` go over the map. `None` after a mistake.
    pub(super) fn choose_region(&mut self, map: &mut Map) -> Option<Option<Region>> {
        let regions = map.remove("regions").filter(|node| !node.is_null());
        let mut known: Vec<(String, Map)> = Vec::new();
        if let Some(node) = regions {
            let Value::List(items) = node.value else {
                self.mistakes.at(format!("{}:{}, `regions`", node.file, node.line), "it is not a list");
                return None;
            };
            for item in items {
                known.push(self.known_region(&item)?);
            }
        } else {
            let asked = map.get("region_name").map(texts).unwrap_or_default();
            if let [only] = asked.as_slice() {
                // A single region is a default, which another choice replaces.
                let region = self.region.map_or_else(|| only.clone(), |region| region.value.0.clone());
                return Some(Some(Region(region)));
            }
            known = asked.into_iter().map(|name| (name, Map::new())).collect();
        }
        let Some(region) = self.region else {
            let Some((name, values)) = known.into_iter().next() else { return Some(None) };
            update(map, values);
            return Some(Some(Region(name)));
        };
        if known.is_empty() {
            return Some(Some(region.value.clone()));
        }
        let names: Vec<String> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
        let Some((_, values)) = known.into_iter().find(|(name, _)| *name == region.value.0) else {
            self.mistakes.at(
                &region.place,
                format!(
                    "`{}` is not a region of cloud `{}`; it has {} (region names are case sensitive)",
                    region.value.0,
                    self.name,
                    names.join(", ")
                ),
            );
            return None;
        };
        update(map, values);
        Some(Some(region.value.clone()))
    }

    fn known_region(&mut self, item: &Node) -> Option<(String, Map)> {
        if let Some(name) = item.text() {
            return Some((name.to_owned(), Map::new()));
        }
        let named = item.map().and_then(|map| Some((map, map.get("name")?.text()?)));
        let Some((map, name)) = named else {
            self.mistakes.at(item.place(), "a region is a name, or a mapping with `name` and `values`");
            return None;
        };
        let values = map.get("values").and_then(Node::map).map(super::normalized).unwrap_or_default();
        Some((name.to_owned(), values))
    }
}
