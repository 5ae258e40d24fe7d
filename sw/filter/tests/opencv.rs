//! Results are OpenCV's to the last bit: check sums of its results, made by benches/peers/opencv_filters.py --golden.

use crc::{CRC_32_ISO_HDLC, Crc};
use std::collections::BTreeMap;
use tandem_filter::{Border, Image, Samples, Shape, kind};

/// The script's `pattern`.
fn pattern(count: u64) -> impl Iterator<Item = u16> {
    (0..count).map(|i| (i * i * 31 + i * 17 + (i >> 3) * 101 + (i >> 5) * (i >> 7)) as u16)
}

fn image(of: &str, shape: Shape) -> Image {
    let v = pattern(shape.samples() as u64);
    let samples = match of {
        "u8" => Samples::U8(v.map(|v| v as u8).collect()),
        "u16" => Samples::U16(v.collect()),
        _ => Samples::F32(v.map(|v| f32::from(v as u8)).collect()),
    };
    Image::new(shape, samples).expect("valid")
}

fn bytes(image: Image) -> Vec<u8> {
    match image.into_samples() {
        Samples::U8(v) => v,
        Samples::U16(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Samples::F32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

#[test]
fn every_border_mode_gives_the_same_as_opencv() {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let (mut compared, mut wrong) = (0, vec![]);
    for line in include_str!("golden/opencv.txt").lines().filter(|line| !line.starts_with('#')) {
        let [of, height, width, channels, border, filter, sum] = line.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let shape = Shape { height: number(height), width: number(width), channels: number(channels) };
        let mut words = filter.split('|');
        let kind = kind(words.next().expect("a name")).expect("a filter");
        let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters: BTreeMap<_, _> = words.filter_map(pair).collect();
        let filter = kind.build(&parameters).unwrap_or_else(|e| panic!("{line}: {e}"));
        let border: Border = border.parse().expect("a border");
        let result = filter.apply(&image(of, shape), border).expect("a result");
        compared += 1;
        if format!("{:08x}", crc.checksum(&bytes(result))) != sum {
            wrong.push(line);
        }
    }
    assert!(compared > 740 && wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}
