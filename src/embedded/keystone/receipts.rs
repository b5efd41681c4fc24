//! Receipts: what a login by some of the methods that a user needs brings (Identity API v3, "Multi-Step
//! Authentication"; `keystone/auth/core.py`, `UserMFARulesValidator`).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::state::random_text;
use crate::embedded::people::User;

/// Those that have been given, by their ids.
#[derive(Debug, Default)]
pub(super) struct Receipts(HashMap<String, Receipt>);

/// A part of a login.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub(super) user: &'static User,
    pub(super) methods: Vec<&'static str>,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl Receipts {
    /// A receipt for these methods of a user, if they are not all that it needs.
    pub(super) fn give(
        &mut self,
        user: &'static User,
        methods: &[&'static str],
        now: Timestamp,
    ) -> Option<(String, Receipt)> {
        if user.needs.iter().all(|needed| methods.contains(needed)) {
            return None;
        }
        let id = format!("gAAAAAB{}", random_text(120));
        let expires_at = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        let receipt = Receipt { user, methods: methods.to_vec(), issued_at: now, expires_at };
        self.0.retain(|_, receipt| receipt.expires_at > now);
        self.0.insert(id.clone(), receipt.clone());
        Some((id, receipt))
    }

    /// What a receipt stands for, if it is known and has not expired.
    pub(super) fn get(&self, id: &str, now: Timestamp) -> Option<&Receipt> {
        self.0.get(id).filter(|receipt| now < receipt.expires_at)
    }
}

/// Keystone's default (`keystone/conf/receipt.py`).
const LIFETIME: SignedDuration = SignedDuration::from_secs(300);
