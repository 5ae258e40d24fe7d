//! Fronts: points that no other one beats in accuracy and cost together.

/// Places of the points on the front, cheapest first: of those that cost as much, the most accurate; each more accurate than
/// all that cost less. Values that are no numbers are on no front.
pub fn front(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..points.len()).filter(|i| points[*i].0.is_finite() && points[*i].1.is_finite()).collect();
    order.sort_by(|a, b| {
        let ((cost_a, gain_a), (cost_b, gain_b)) = (points[*a], points[*b]);
        cost_a.total_cmp(&cost_b).then(gain_b.total_cmp(&gain_a)).then(a.cmp(b))
    });
    let mut best = f64::NEG_INFINITY;
    order.retain(|i| {
        let better = points[*i].1 > best;
        best = best.max(points[*i].1);
        better
    });
    order
}

#[cfg(test)]
mod tests {
    use super::front;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        let points =
            [(3.0, 0.9), (1.0, 0.5), (2.0, 0.4), (1.0, 0.6), (4.0, 0.9), (f64::NAN, 1.0), (5.0, 0.95)];
        assert_eq!(front(&points), [3, 0, 6]);
        assert!(front(&[]).is_empty());
    }

    proptest! {
        /// A point is on the front if none is at least as good in both and better in one; of equal ones the first is.
        #[test]
        fn by_its_definition(points in prop::collection::vec((0u8..8, 0u8..8), 0..20)) {
            let points: Vec<(f64, f64)> = points.iter().map(|(c, g)| (f64::from(*c), f64::from(*g))).collect();
            let found = front(&points);
            for (i, p) in points.iter().enumerate() {
                let beats = |(j, q): (usize, &(f64, f64))| {
                    q.0 <= p.0 && q.1 >= p.1 && (q != p || j < i)
                };
                let beaten = points.iter().enumerate().filter(|(j, _)| *j != i).any(beats);
                prop_assert_eq!(found.contains(&i), !beaten);
            }
        }
    }
}
