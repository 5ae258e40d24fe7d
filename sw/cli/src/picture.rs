//! What charts have in common: the canvas, colours and the legend.

use anyhow::Result;
use plotters::coord::{CoordTranslate, Shift};
use plotters::prelude::*;

/// Part of a canvas.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A white canvas with what `draw` draws on it, as SVG.
pub fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// A colour of so many, evenly around the circle.
pub fn colour(place: usize, of: usize) -> RGBColor {
    let (r, g, b) = HSLColor(place as f64 / of as f64, 0.75, 0.42).rgb();
    RGBColor(r, g, b)
}

/// A series' mark in the legend.
pub fn dot(colour: RGBColor) -> impl Fn((i32, i32)) -> Circle<(i32, i32), i32> {
    move |(x, y)| Circle::new((x + 8, y), 4, colour.filled())
}

/// The frame with the names of all series.
pub fn legend<'a, C: CoordTranslate>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, C>,
    position: SeriesLabelPosition,
) -> Result<()> {
    let mut labels = chart.configure_series_labels();
    labels.position(position).background_style(WHITE).border_style(BLACK).draw()?;
    Ok(())
}
