//! Data sets: what is read, and an error that names the file for each way to be wrong. No network.

mod cifar10;
mod digits;
mod fetch;
mod image_folder;
mod mnist;
mod npy;

use std::path::Path;
use tandem_nn::data::{self, DataError};

/// The message with the temporary folder left out.
fn message(error: &DataError, folder: &Path) -> String {
    error.to_string().replace(folder.to_str().unwrap(), "DIR")
}

#[test]
fn an_unknown_set_lists_the_known_ones() {
    let error = data::load("minst", None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown data set `minst`: expected one of digits, mnist, cifar10, folder, npy"
    );
    assert_eq!(data::names().collect::<Vec<_>>(), ["digits", "mnist", "cifar10", "folder", "npy"]);
}

#[test]
fn a_missing_set_names_the_folder_and_the_command_that_fetches_it() {
    let dir = tempfile::tempdir().unwrap();
    let missing = |set| message(&data::load(set, Some(dir.path())).unwrap_err(), dir.path());
    assert_eq!(
        missing("mnist"),
        "data set mnist: no train-images-idx3-ubyte[.gz] in DIR/mnist; \
         fetch it with `tandem data fetch mnist --data DIR`"
    );
    assert_eq!(
        missing("cifar10"),
        "data set cifar10: no data_batch_1.png in DIR/cifar10; fetch it with `tandem data fetch cifar10 --data DIR`"
    );
    assert_eq!(
        missing("folder"),
        "data set folder: no train/CLASS/*.png in DIR/folder; put your own files there"
    );
}

#[test]
fn the_data_folder_is_the_argument_if_there_is_one() {
    assert_eq!(data::data_dir(Some(Path::new("x"))), Path::new("x"));
}

#[test]
fn info_describes_the_embedded_digits() {
    let info = data::info("digits", None, &data::Options::default()).unwrap();
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["train"], 1437);
    assert_eq!(json["test"], 360);
    assert_eq!(json["shape"], serde_json::json!([8, 8, 1]));
    assert_eq!(json["folder"], serde_json::Value::Null);
    assert_eq!(info.train_per_class.iter().sum::<usize>(), 1437);
    assert_eq!(info.test_per_class.len(), info.classes);
    assert_eq!(info.class_names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let train = data::load("digits", None).unwrap().train.images;
    let values: Vec<f64> = train.array().unwrap().iter().map(|v| f64::from(*v) / 16.0).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!((info.mean[0] - mean).abs() < 1e-12 && (info.deviation[0] - variance.sqrt()).abs() < 1e-12);
}
