//! A layer's distributions with the levels of its quantizers, as SVG.

use super::Measured;
use super::text::ROLES;
use anyhow::Result;
use plotters::prelude::*;
use tandem_nn::choice::measure::{Candidate, levels};

/// Bars of a histogram.
const BARS: usize = 96;

/// Three histograms, weights, activations and gradients, on a logarithmic scale. Lines below the axis: levels in use; above, up to the
/// top: levels chosen.
pub fn chart(layer: &Measured) -> Result<String> {
    let t = &layer.tensors;
    let kept = t.weight_values();
    let weights: Vec<f32> = (0..kept.v.len()).filter(|i| kept.keeps(*i)).map(|i| kept.v[i]).collect();
    let input: Vec<f32> = t.input.iter().copied().collect();
    let gradient: Vec<f32> = t.gradient.iter().copied().collect();
    let used = |role: usize| {
        let used = t.used.as_ref().and_then(|used| used.get(role));
        used.map_or(vec![], |u| levels(u.integers.as_slice().unwrap_or_default(), &u.scales))
    };
    let bits = layer.bits();
    let own = layer.candidates[2]
        .iter()
        .find(|c| c.quantizer == bits.gradient_quantizer.name && c.bits == bits.gradients)
        .map_or(vec![], |c| c.levels.clone());
    let panels = [(weights, used(0)), (input, used(1)), (gradient, own)];
    let chosen = [&layer.choice.weights, &layer.choice.activations, &layer.choice.gradients];
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (1080, 340)).into_drawing_area();
        area.fill(&WHITE)?;
        for (((panel, role), (values, own)), chosen) in
            area.split_evenly((1, 3)).iter().zip(ROLES).zip(&panels).zip(chosen)
        {
            let title = format!("{} {role}: {} bits, {}", layer.layer, chosen.bits, chosen.name());
            histogram(panel, &title, values, own, chosen)?;
        }
        area.present()?;
    }
    Ok(svg)
}

type Panel<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn histogram(panel: &Panel<'_>, title: &str, values: &[f32], own: &[f32], chosen: &Candidate) -> Result<()> {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (mut low, mut high) = finite().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v), h.max(v)));
    if low >= high {
        // nothing, or one value
        let middle = if low == high { low } else { 0.0 };
        let half = if middle == 0.0 { 1.0 } else { middle.abs() / 2.0 };
        (low, high) = (middle - half, middle + half);
    }
    let width = (high - low) / BARS as f32;
    let mut counts = [0usize; BARS];
    for v in finite() {
        counts[(((v - low) / width) as usize).min(BARS - 1)] += 1;
    }
    let most = counts.iter().max().copied().unwrap_or(0).max(1) as f64;
    let mut chart = ChartBuilder::on(panel)
        .margin(10)
        .caption(title, ("sans-serif", 14))
        .x_label_area_size(26)
        .y_label_area_size(46)
        .build_cartesian_2d(low..high, (0.4..most * 1.6).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(5)
        .x_label_formatter(&|v| format!("{v:.2e}"))
        .y_label_formatter(&|v| format!("{v:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(i, &count)| {
        let left = low + i as f32 * width;
        Rectangle::new([(left, 0.4), (left + width, count as f64)], RGBColor(120, 150, 190).filled())
    });
    chart.draw_series(bars)?;
    let inside =
        |levels: &[f32]| levels.iter().copied().filter(|v| (low..=high).contains(v)).collect::<Vec<_>>();
    let line = |v: f32, from: f64, to: f64, colour: RGBAColor| {
        PathElement::new(vec![(v, from), (v, to)], colour.stroke_width(1))
    };
    chart.draw_series(inside(own).into_iter().map(|v| line(v, 0.4, 0.9, BLACK.into())))?;
    // many levels: the distribution shows through
    let red = RGBColor(200, 40, 30).mix(if chosen.levels.len() > 40 { 0.25 } else { 0.9 });
    chart.draw_series(inside(&chosen.levels).into_iter().map(|v| line(v, 0.9, most * 1.6, red)))?;
    Ok(())
}
