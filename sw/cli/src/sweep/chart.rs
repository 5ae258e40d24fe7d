//! A sweep as a chart: accuracy against cycles of training, or what else is compared first, and the front.

use super::front::front;
use super::results::{Group, Results};
use crate::picture::{colour, dot, legend, svg};
use anyhow::Result;
use plotters::prelude::*;

/// Points in the colour of their level of the axis that splits them most, each level's front as a line of its colour, the front of all of them in
/// black, and the accuracy of the float reference as a dashed line. As SVG.
pub fn chart(results: &Results<'_>, float: Option<f64>) -> Result<String> {
    let (axes, groups, first) = (&results.axes, &results.groups, &results.fronts[0]);
    let (cost, against) = (results.costs[first.cost], results.against[first.against]);
    let scale = if against.more { 100.0 } else { 1.0 };
    let at = |g: &Group| ((cost.of)(g), scale * (against.of)(g));
    let points: Vec<_> = groups.iter().map(at).collect();
    let over = |of: fn(&(f64, f64)) -> f64| {
        points.iter().map(of).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let ((least, most), (low, high)) = (over(|p| p.0), over(|p| p.1));
    let float = float.map(|accuracy| scale * accuracy).filter(|_| against.more);
    let (low, high) = float.map_or((low, high), |float| (low.min(float), high.max(float)));
    let heights = match against.more {
        true => (low - 1.0).max(0.0)..(high + 1.0).min(100.5),
        false => 0.95 * low..1.05 * high.max(1.0),
    };
    let axis = widest(axes.len(), groups, against.of);
    let mut names: Vec<&str> = vec![];
    for group in groups {
        let name = group.levels.get(axis).map_or("", String::as_str);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let (x, y) = match against.more {
        true => ("cycles of training, transfers included", "test accuracy in %"),
        false => (cost.name, against.name),
    };
    svg((860, 520), |area| {
        let range = (least.max(1.0) / 1.1..most.max(2.0) * 1.1).log_scale();
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(if against.more { 56 } else { 72 })
            .build_cartesian_2d(range, heights)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(x).y_desc(y).x_label_formatter(&|cycles| format!("{cycles:.1e}"));
        if !against.more {
            mesh.y_label_formatter(&|value| format!("{value:.2e}"));
        }
        mesh.light_line_style(WHITE).draw()?;
        for (i, name) in names.iter().enumerate() {
            let colour = colour(i, names.len());
            let of = groups.iter().filter(|m| m.levels.get(axis).map_or("", String::as_str) == *name);
            let of: Vec<_> = of.collect();
            let own = front(&of.iter().map(|g| ((cost.of)(g), against.gain(g))).collect::<Vec<_>>());
            let own = own.into_iter().map(|i| at(of[i]));
            chart.draw_series(LineSeries::new(own, colour.mix(0.5).stroke_width(1)))?;
            let circles = of.iter().map(|g| Circle::new(at(g), 3, colour.mix(0.6).filled()));
            chart
                .draw_series(circles)?
                .label(format!("{} {name}", axes.get(axis).unwrap_or(&"")))
                .legend(dot(colour));
        }
        if let Some(float) = float {
            let ends = [(least.max(1.0) / 1.1, float), (most.max(2.0) * 1.1, float)];
            let dashes = DashedLineSeries::new(ends, 6, 4, BLACK.mix(0.6).stroke_width(1));
            chart
                .draw_series(dashes)?
                .label("float")
                .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLACK.mix(0.6).stroke_width(1)));
        }
        let line: Vec<_> = first.places.iter().map(|i| points[*i]).collect();
        chart.draw_series(LineSeries::new(line.iter().copied(), BLACK.stroke_width(1)))?;
        chart.draw_series(line.iter().map(|p| Circle::new(*p, 5, BLACK.stroke_width(1))))?;
        let corner =
            if against.more { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperRight };
        legend(&mut chart, corner)
    })
}

/// The axis whose levels' means lie farthest apart.
fn widest(axes: usize, groups: &[Group], of: fn(&Group) -> f64) -> usize {
    let spread = |axis: usize| {
        let mut sums: Vec<(&str, f64, f64)> = vec![];
        for group in groups {
            match sums.iter_mut().find(|(name, ..)| *name == group.levels[axis]) {
                Some((_, sum, n)) => (*sum, *n) = (*sum + of(group), *n + 1.0),
                None => sums.push((&group.levels[axis], of(group), 1.0)),
            }
        }
        let of = sums.iter().map(|(_, sum, n)| sum / n);
        let (low, high) = of.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        high - low
    };
    (0..axes).max_by(|a, b| spread(*a).total_cmp(&spread(*b)).then(b.cmp(a))).unwrap_or(0)
}
