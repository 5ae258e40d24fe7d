//! A comparison as a chart: accuracy against integrated compute cycles.

use super::{Comparison, Line, Means};
use crate::picture::{self, svg};
use anyhow::Result;
use plotters::prelude::*;

/// One polyline a row, a point a column, with standard errors; controls are open circles in the colour of
/// what they control. The reference is a black cross. As SVG.
pub fn chart(comparison: &Comparison, means: &Means) -> Result<String> {
    let at = |line: &Line| (line.compute, 100.0 * line.accuracy.mean);
    let error = |line: &Line| 100.0 * line.accuracy.standard_error.unwrap_or(0.0);
    let cycles = means.lines.iter().map(|line| line.compute.max(1.0));
    let lowest = means.lines.iter().map(|line| at(line).1 - error(line)).fold(100.0, f64::min);
    let (least, most) = cycles.fold((f64::MAX, 1.0f64), |(l, m), c| (l.min(c), m.max(c)));
    svg((960, 540), |area| {
        let (plot, legend) = area.split_horizontally(760);
        let mut chart = ChartBuilder::on(&plot)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d((least / 1.1..most * 1.1).log_scale(), (lowest - 0.2).max(0.0)..100.0)?;
        chart
            .configure_mesh()
            .x_desc("compute cycles of the whole training, scoring included")
            .y_desc("test accuracy in %")
            .x_label_formatter(&|cycles| format!("{cycles:.1e}"))
            .light_line_style(WHITE)
            .draw()?;
        for (i, row) in comparison.rows().into_iter().enumerate() {
            let control = comparison.control(row);
            let colour = colour(comparison, control.unwrap_or(row));
            let mut lines: Vec<_> =
                means.lines.iter().filter(|l| l.row == row && l.column.is_some()).collect();
            lines.sort_by(|a, b| a.compute.total_cmp(&b.compute));
            let points: Vec<_> = lines.iter().map(|line| at(line)).collect();
            let thin = colour.mix(if control.is_some() { 0.3 } else { 0.8 });
            chart.draw_series(LineSeries::new(points, thin.stroke_width(1)))?;
            let style = if control.is_some() { colour.stroke_width(1) } else { colour.filled() };
            for line in lines {
                let ((x, y), e) = (at(line), error(line));
                chart
                    .draw_series([PathElement::new(vec![(x, y - e), (x, y + e)], colour.stroke_width(1))])?;
                chart.draw_series([Circle::new((x, y), 4, style)])?;
            }
            let place = 20 + 18 * i as i32;
            legend.draw(&Circle::new((10, place), 4, style))?;
            legend.draw(&Text::new(row.to_owned(), (22, place - 6), ("sans-serif", 13)))?;
        }
        if let Some(reference) = means.reference() {
            let place = 20 + 18 * comparison.rows().len() as i32;
            chart.draw_series([Cross::new(at(reference), 5, BLACK.stroke_width(2))])?;
            legend.draw(&Cross::new((10, place), 5, BLACK.stroke_width(2)))?;
            legend.draw(&Text::new(reference.row.clone(), (22, place - 6), ("sans-serif", 13)))?;
        }
        Ok(())
    })
}

/// The colour of a row that is no control, evenly around the circle.
fn colour(comparison: &Comparison, row: &str) -> RGBColor {
    let own: Vec<_> =
        comparison.rows().into_iter().filter(|name| comparison.control(name).is_none()).collect();
    let place = own.iter().position(|name| *name == row).unwrap_or(0);
    picture::colour(place, own.len())
}
