//! `Jitter`: so that many processes that started together do not log in together for ever.

/// Numbers in `-1.0..=1.0`, each followed by its negative: whatever the luck, their sum stays near
/// zero, and logins come as often as the plan says.
#[derive(Debug, Default)]
pub(super) struct Jitter {
    opposite: Option<f64>,
}

impl Jitter {
    pub(super) fn next(&mut self) -> f64 {
        if let Some(opposite) = self.opposite.take() {
            return opposite;
        }
        let jitter = fastrand::f64() * 2.0 - 1.0;
        self.opposite = Some(-jitter);
        jitter
    }
}
