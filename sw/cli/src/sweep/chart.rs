//! A sweep as a chart: accuracy against cycles of training, and the front.

use super::results::Group;
use anyhow::Result;
use plotters::prelude::*;

/// Points in the colour of their level of the axis that splits accuracy most, and the front as a line. As SVG.
pub fn chart(axes: &[&str], groups: &[Group], front: &[usize]) -> Result<String> {
    let at = |g: &Group| (g.cycles, 100.0 * g.accuracy.mean);
    let points: Vec<_> = groups.iter().map(at).collect();
    let over = |of: fn(&(f64, f64)) -> f64| {
        points.iter().map(of).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let ((least, most), (low, high)) = (over(|p| p.0), over(|p| p.1));
    let axis = widest(axes.len(), groups);
    let mut names: Vec<&str> = vec![];
    for group in groups {
        let name = group.levels.get(axis).map_or("", String::as_str);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (860, 520)).into_drawing_area();
        area.fill(&WHITE)?;
        let range = (least.max(1.0) / 1.1..most.max(2.0) * 1.1).log_scale();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(range, (low - 1.0).max(0.0)..(high + 1.0).min(100.5))?;
        chart
            .configure_mesh()
            .x_desc("cycles of training, transfers included")
            .y_desc("test accuracy in %")
            .x_label_formatter(&|cycles| format!("{cycles:.1e}"))
            .light_line_style(WHITE)
            .draw()?;
        for (i, name) in names.iter().enumerate() {
            let (r, g, b) = HSLColor(i as f64 / names.len() as f64, 0.75, 0.42).rgb();
            let colour = RGBColor(r, g, b);
            let of = groups.iter().filter(|m| m.levels.get(axis).map_or("", String::as_str) == *name);
            let circles = of.map(|m| Circle::new(at(m), 3, colour.mix(0.6).filled()));
            chart
                .draw_series(circles)?
                .label(format!("{} {name}", axes.get(axis).unwrap_or(&"")))
                .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
        }
        let line: Vec<_> = front.iter().map(|i| points[*i]).collect();
        chart.draw_series(LineSeries::new(line.iter().copied(), BLACK.stroke_width(1)))?;
        chart.draw_series(line.iter().map(|p| Circle::new(*p, 5, BLACK.stroke_width(1))))?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE)
            .border_style(BLACK)
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}

/// The axis whose levels' mean accuracies lie farthest apart.
fn widest(axes: usize, groups: &[Group]) -> usize {
    let spread = |axis: usize| {
        let mut sums: Vec<(&str, f64, f64)> = vec![];
        for group in groups {
            match sums.iter_mut().find(|(name, ..)| *name == group.levels[axis]) {
                Some((_, sum, n)) => (*sum, *n) = (*sum + group.accuracy.mean, *n + 1.0),
                None => sums.push((&group.levels[axis], group.accuracy.mean, 1.0)),
            }
        }
        let of = sums.iter().map(|(_, sum, n)| sum / n);
        let (low, high) = of.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        high - low
    };
    (0..axes).max_by(|a, b| spread(*a).total_cmp(&spread(*b)).then(b.cmp(a))).unwrap_or(0)
}
