//! `Index`: the rules that may be for a request, in their order, told by its method, its service and the first segment of
//! its path, so that a thousand rules cost no more than a few.
//!
//! It leaves out only what cannot match. Whether a rule does is for the rule to say.

use std::collections::HashMap;

use super::path::Path;
use super::{KNOWN_METHODS, Rule};

/// Of each of [`KNOWN_METHODS`], and of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index([OfMethod; KNOWN_METHODS.len() + 1]);

/// Positions of rules, the first of them first.
type Positions = Box<[usize]>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct OfMethod {
    all: Positions,
    /// Of the services that rules name.
    services: HashMap<Box<str>, OfService>,
    /// Of all others.
    others: OfService,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct OfService {
    all: Positions,
    /// Whose paths all begin with a text, by that in lower case.
    segments: HashMap<Box<[u8]>, Positions>,
    /// The rest.
    others: Positions,
}

impl Index {
    pub(super) fn new(list: &[Rule]) -> Self {
        Self(std::array::from_fn(|i| {
            let method = KNOWN_METHODS.get(i);
            let all: Positions =
                (0..list.len()).filter(|at| method.is_none_or(|method| list[*at].is_for(method))).collect();
            let of_service = |service: Option<&String>| {
                let is_for = |at: &usize| {
                    let services = &list[*at].services;
                    services.is_empty() || service.is_some_and(|service| services.contains(service))
                };
                OfService::new(list, all.iter().copied().filter(is_for).collect())
            };
            let mut services = HashMap::new();
            for service in all.iter().flat_map(|at| &list[*at].services) {
                services.entry(service.as_str().into()).or_insert_with(|| of_service(Some(service)));
            }
            OfMethod { services, others: of_service(None), all }
        }))
    }

    /// Those that may be for it, in order. Where nobody knows the path, any may be.
    pub(super) fn find<'a>(
        &'a self,
        method: &str,
        service: &str,
        path: Option<Path<'_>>,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let known = KNOWN_METHODS.iter().position(|known| *known == method).unwrap_or(KNOWN_METHODS.len());
        let of_method = &self.0[known];
        if of_method.all.len() <= FEW {
            return merged(&of_method.all, &[]);
        }
        let of_service = of_method.services.get(service).unwrap_or(&of_method.others);
        let Some(path) = path.filter(|_| of_service.all.len() > FEW) else {
            return merged(&of_service.all, &[]);
        };
        let segment = path.split_first().map(|(first, _)| first.to_ascii_lowercase());
        let own = segment.and_then(|segment| of_service.segments.get(segment.as_slice()));
        merged(&of_service.others, own.map_or(&[], |own| own))
    }
}

impl OfService {
    fn new(list: &[Rule], all: Positions) -> Self {
        let mut segments: HashMap<Box<[u8]>, Vec<usize>> = HashMap::new();
        let mut others = Vec::new();
        for at in all.iter().copied() {
            let paths = &list[at].paths;
            let first: Option<Vec<_>> = paths.iter().map(super::Pattern::first_text).collect();
            match first {
                Some(first) if !first.is_empty() => {
                    for text in first {
                        let own = segments.entry(text.to_ascii_lowercase().into()).or_default();
                        if own.last() != Some(&at) {
                            own.push(at);
                        }
                    }
                }
                Some(_) | None => others.push(at),
            }
        }
        let segments = segments.into_iter().map(|(text, own)| (text, own.into())).collect();
        Self { all, segments, others: others.into() }
    }
}

/// Both, in one order.
fn merged<'a>(one: &'a [usize], other: &'a [usize]) -> impl Iterator<Item = usize> + use<'a> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if b < a => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    })
    .copied()
}

/// So many are looked through without more ado.
const FEW: usize = 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::proxy::rules::Action;

    proptest! {
        #[test]
        fn nothing_that_may_match_is_left_out(
            rules in proptest::collection::vec(("[ab]{0,1}", "(/[aB*]{1,2}){0,2}|/\\*\\*|", "[ab]{0,1}"), 13..40),
            path in "[Ab]{0,2}(/[ab]{1,2}){0,1}",
            service in "[abc]",
        ) {
            let list: Vec<Rule> = rules.iter().map(|(one, path, another)| {
                let mut rule = Rule::new(String::new(), Action::Deny);
                rule.services = [one, another].into_iter().filter(|it| !it.is_empty()).cloned().collect();
                rule.paths = [path.as_str(), "/b/a"].iter().filter_map(|it| it.parse().ok()).collect();
                rule
            }).collect();
            let index = Index::new(&list);
            for path in [Some(Path::of(path.as_bytes())), None] {
                let found: Vec<usize> = index.find("GET", &service, path).collect();
                prop_assert!(found.is_sorted());
                for (at, rule) in list.iter().enumerate() {
                    let is_for_service = rule.services.is_empty() || rule.services.contains(&service);
                    let covers = |path| rule.paths.iter().any(|pattern| pattern.covers(path, true));
                    if is_for_service && path.is_none_or(covers) {
                        prop_assert_eq!(found.iter().filter(|it| **it == at).count(), 1, "{}", at);
                    }
                }
            }
        }
    }
}
