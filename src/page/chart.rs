//! Lines of a small chart, as the path of an SVG: the last sample stands at the right end, and what there is no sample of
//! is empty.

use std::fmt::Write as _;

/// Width and height of the charts, as in `page.html`.
const WIDTH: usize = 300;
const HEIGHT: f64 = 60.0;
/// Room for the line's own width at the top.
const HEADROOM: f64 = 3.0;

/// How far up `most` reaches: a round figure above it.
pub(super) fn top(most: f64, least: f64) -> f64 {
    let most = most.max(least);
    let power = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0];
    steps.into_iter().map(|step| step * power).find(|top| *top >= most * 0.999).unwrap_or(most)
}

/// A line through the values, broken where there is none.
pub(super) fn line(values: impl ExactSizeIterator<Item = Option<f64>>, places: usize, top: f64) -> String {
    let (step, first) = (WIDTH / places, places.saturating_sub(values.len()));
    let (mut path, mut last) = (String::new(), None);
    for (i, value) in values.enumerate() {
        let y = value.map(|value| height(value, top));
        match (y, last) {
            (Some(y), Some(last)) => put_step(&mut path, step, y - last),
            // One alone is a dot.
            (Some(y), None) => _ = write!(path, "M{} {y}h0", (first + i + 1) * step),
            (None, _) => {}
        }
        last = y;
    }
    path
}

/// The area below the values.
pub(super) fn area(values: impl ExactSizeIterator<Item = f64>, places: usize, top: f64) -> String {
    let (step, first) = (WIDTH / places, places.saturating_sub(values.len()));
    let (mut path, mut last) = (format!("M{} {HEIGHT}", (first + 1) * step), None);
    for value in values {
        let y = height(value, top);
        match last {
            Some(last) => put_step(&mut path, step, y - last),
            None => _ = write!(path, "V{y}"),
        }
        last = Some(y);
    }
    _ = write!(path, "V{HEIGHT}Z");
    path
}

fn put_step(path: &mut String, step: usize, up: f64) {
    _ = match up {
        0.0 => write!(path, "h{step}"),
        0.0.. => write!(path, "l{step} {up}"),
        _ => write!(path, "l{step}{up}"),
    };
}

/// A bar for each value above 0.
pub(super) fn bars(values: impl ExactSizeIterator<Item = f64>, places: usize, top: f64) -> String {
    let (step, first) = (WIDTH / places, places.saturating_sub(values.len()));
    let mut path = String::new();
    for (i, value) in values.enumerate().filter(|(_, value)| *value > 0.0) {
        // What is there is seen, however small.
        let y = height(value, top).min(HEIGHT - 2.0);
        _ = write!(path, "M{} {HEIGHT}V{y}", (first + i) * step + step / 2);
    }
    path
}

fn height(value: f64, top: f64) -> f64 {
    let up = (value / top).clamp(0.0, 1.0) * (HEIGHT - HEADROOM);
    ((HEIGHT - up) * 2.0).round() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stands_at_the_right_and_gaps_stay_open() {
        let values = [Some(0.0), None, Some(10.0), Some(5.0)];
        assert_eq!(line(values.into_iter(), 150, 10.0), "M294 60h0M298 3h0l2 28.5");
        assert_eq!(area([0.0, 10.0].into_iter(), 150, 10.0), "M298 60V60l2-57V60Z");
        assert_eq!(bars([0.0, 0.001].into_iter(), 150, 10.0), "M299 60V58");
        assert_eq!(line(std::iter::empty(), 150, 10.0), "");
    }

    #[test]
    fn a_chart_reaches_to_a_round_figure() {
        for (most, expected) in [(0.0, 1.0), (1.0, 1.0), (1.2, 1.5), (37.0, 40.0), (760.0, 1000.0)] {
            assert!((top(most, 1.0) - expected).abs() < 1e-9, "{most}");
        }
    }
}
