//! The roofline of products: how fast they run against how much they make of a link word.
//!
//! # Source   Williams, Waterman, Patterson 2009, "Roofline", Communications of the ACM 52(4)

use super::Estimate;
use crate::picture::{dot, legend, svg};
use anyhow::Result;
use plotters::prelude::*;
use tandem_spec::Config;

const COLOURS: [(&str, RGBColor); 3] = [
    ("forward", RGBColor(31, 119, 180)),
    ("input_gradient", RGBColor(214, 39, 40)),
    ("weight_gradient", RGBColor(44, 160, 44)),
];

/// Digit products a cycle over digit products a link word, of the busier direction; both axes are logarithmic. Products that
/// N:M selection avoids do not count. As SVG.
pub fn roofline(config: &Config, estimates: &[Estimate], title: &str) -> Result<String> {
    let peak = (config.array.rows * config.array.cols * config.array.lanes) as f64;
    let at = |e: &Estimate| {
        let words = e.cost.words_in().max(e.cost.words_out).max(1);
        let products = e.cost.products.max(1) as f64;
        (products / words as f64, products / e.cost.cycles.max(1) as f64)
    };
    let points: Vec<_> = estimates.iter().map(at).collect();
    let range = |axis: fn(&(f64, f64)) -> f64| {
        points.iter().map(axis).fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)))
    };
    let (left, right) = range(|p| p.0);
    let (low, _) = range(|p| p.1);
    let (left, right, low) =
        ((left / 1.5).min(peak / 8.0), (right * 1.5).max(peak * 4.0), (low / 1.5).min(peak / 20.0));
    svg((860, 520), |area| {
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d((left..right).log_scale(), (low..peak * 1.4).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("digit products a link word (busier direction)")
            .y_desc("digit products a cycle")
            .x_label_formatter(&|v| format!("{v:.0}"))
            .y_label_formatter(&|v| format!("{v:.0}"))
            .light_line_style(WHITE)
            .draw()?;
        let roof = [(left, left.min(peak)), (peak, peak), (right, peak)];
        chart.draw_series(LineSeries::new(roof, BLACK.stroke_width(2)))?;
        for (name, colour) in COLOURS {
            let of: Vec<_> = estimates.iter().zip(&points).filter(|(e, _)| e.work.product == name).collect();
            if of.is_empty() {
                continue;
            }
            let circles = of.iter().map(|(_, p)| Circle::new(**p, 4, colour.filled()));
            chart.draw_series(circles)?.label(name.replace('_', " ")).legend(dot(colour));
            // Layers of one shape are one point, which the first of them names.
            let mut named: Vec<&(f64, f64)> = vec![];
            let near = |a: f64, b: f64| (a / b).ln().abs() < 0.03;
            let first = of.iter().filter(|(_, p)| {
                let new = !named.iter().any(|q| near(q.0, p.0) && near(q.1, p.1));
                named.push(p);
                new
            });
            let labels = first.map(|(e, p)| {
                EmptyElement::at(**p)
                    + Text::new(e.work.layer.clone(), (6, 2), ("sans-serif", 11).into_font().color(&colour))
            });
            chart.draw_series(labels)?;
        }
        legend(&mut chart, SeriesLabelPosition::LowerRight)
    })
}
