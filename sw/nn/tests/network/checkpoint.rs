//! Checkpoints: round trips to the bit, and an error that names the file for each way to be wrong.

use ndarray::{Array2, array};
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use tandem_nn::checkpoint::{CheckpointError, Dtype, State};
use tempfile::TempDir;

fn sample() -> State {
    let mut state = State::new();
    state.insert("fc.weight", &[2, 3], &[1.5f32, -0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 3.0, -7.25]);
    state.insert("mean", &[2], &[1e-300f64, 2.0]);
    state.insert("step", &[], &[i64::MIN]);
    state.insert("mask", &[3], &[0u8, 1, 255]);
    state.insert("empty", &[0, 4], &[0f32; 0]);
    state.set_network("lenet5:1234");
    state.set_metadata("config", "[a]\nb = \"ü\"");
    state
}

fn saved() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last.safetensors");
    sample().save(&path).unwrap();
    (folder, path)
}

#[test]
fn a_round_trip_keeps_every_bit() {
    let (_folder, path) = saved();
    let loaded = State::load(&path).unwrap();
    assert_eq!(loaded, sample());
    assert_eq!(loaded.digest(), sample().digest());
    let weight: Vec<f32> = loaded.get("fc.weight", &[2, 3]).unwrap();
    assert!(weight[1].is_sign_negative() && weight[2].is_nan());
    assert_eq!(loaded.scalar::<i64>("step").unwrap(), i64::MIN);
    assert_eq!(loaded.metadata("config"), Some("[a]\nb = \"ü\""));
    assert_eq!(
        loaded.tensors().map(|(name, _)| name).collect::<Vec<_>>(),
        ["empty", "fc.weight", "mask", "mean", "step"]
    );
    assert_eq!(loaded.tensor("mask").unwrap().dtype, Dtype::U8);
}

#[test]
fn equal_states_give_equal_files() {
    let (folder, path) = saved();
    let again = folder.path().join("again.safetensors");
    State::load(&path).unwrap().save(&again).unwrap();
    assert_eq!(fs::read(path).unwrap(), fs::read(again).unwrap());
}

#[test]
fn arrays_are_stored_row_major_whatever_their_layout() {
    let matrix = array![[1f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let mut state = State::new();
    state.insert_array("plain", &matrix);
    state.insert_array("transposed", &matrix.t());
    assert_eq!(state.get::<f32>("transposed", &[3, 2]).unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let mut target = Array2::<f32>::zeros((3, 2));
    state.copy_into("plain", &mut target.view_mut().reversed_axes()).unwrap();
    assert_eq!(target, matrix.t());
    assert_eq!(state.array::<f32>("plain").unwrap(), matrix.into_dyn());
}

#[test]
fn the_digest_sees_tensors_and_not_texts() {
    let mut state = sample();
    state.set_metadata("note", "x");
    assert_eq!(state.digest(), sample().digest());
    state.insert("one_more", &[], &[0u8]);
    assert_ne!(state.digest(), sample().digest());
}

#[test]
fn a_wrong_tensor_is_named_with_what_was_expected() {
    let (_folder, path) = saved();
    let state = State::load(&path).unwrap();
    let message = |error: CheckpointError| error.to_string().replace(path.to_str().unwrap(), "FILE");
    assert_eq!(
        message(state.get::<f32>("fc.bias", &[2]).unwrap_err()),
        "checkpoint FILE: tensor `fc.bias` is missing"
    );
    assert_eq!(
        message(state.get::<f32>("fc.weight", &[3, 2]).unwrap_err()),
        "checkpoint FILE: tensor `fc.weight`: expected shape [3, 2], got [2, 3]"
    );
    assert_eq!(
        message(state.scalar::<f64>("step").unwrap_err()),
        "checkpoint FILE: tensor `step`: expected type F64, got I64"
    );
    let mut target = Array2::<f32>::zeros((3, 3));
    assert!(matches!(state.copy_into("fc.weight", &mut target), Err(CheckpointError::Shape { .. })));
    state.expect_network("lenet5:1234").unwrap();
    assert_eq!(
        message(state.expect_network("mlp:99").unwrap_err()),
        "checkpoint FILE belongs to another network: expected `mlp:99`, got `lenet5:1234`"
    );
    assert!(matches!(State::new().expect_network("mlp:99"), Err(CheckpointError::Network { .. })));
}

#[test]
fn a_file_cut_anywhere_is_truncated_by_name_and_size() {
    let (folder, path) = saved();
    let bytes = fs::read(&path).unwrap();
    let cut_path = folder.path().join("cut.safetensors");
    for length in 0..bytes.len() {
        fs::write(&cut_path, &bytes[..length]).unwrap();
        match State::load(&cut_path).unwrap_err() {
            CheckpointError::Length { file, expected, got } => {
                assert_eq!((file, got), (cut_path.clone(), length as u64));
                assert!(expected > got && expected <= bytes.len() as u64, "{length}: expected {expected}");
            }
            other => panic!("cut to {length}: {other}"),
        }
    }
    fs::write(&cut_path, [&bytes[..], b"x"].concat()).unwrap();
    let error = State::load(&cut_path).unwrap_err().to_string();
    assert!(
        error.contains(&format!("too long: expected {} bytes, got {}", bytes.len(), bytes.len() + 1)),
        "{error}"
    );
}

/// A flipped bit is an error, or (in the padding of the header) changes nothing.
#[test]
fn a_flipped_bit_never_passes_for_other_contents() {
    let (folder, path) = saved();
    let bytes = fs::read(&path).unwrap();
    let flipped_path = folder.path().join("flipped.safetensors");
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&flipped_path, flipped).unwrap();
        if let Ok(state) = State::load(&flipped_path) {
            assert_eq!(state, sample(), "bit {bit}");
        }
    }
}

#[test]
fn other_kinds_of_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    assert!(matches!(State::load(&path), Err(CheckpointError::Read { .. })));
    fs::write(&path, vec![0xffu8; 100]).unwrap();
    assert!(matches!(State::load(&path), Err(CheckpointError::Format { .. })));
    fs::write(&path, b"\x10\0\0\0\0\0\0\0not a safetensors file").unwrap();
    assert!(matches!(State::load(&path), Err(CheckpointError::Format { .. })));
    let bf16 = r#"{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#;
    let bytes = [&(bf16.len() as u64).to_le_bytes()[..], bf16.as_bytes(), &[0, 0]].concat();
    fs::write(&path, bytes).unwrap();
    let error = State::load(&path).unwrap_err().to_string();
    assert!(error.contains("no metadata `tandem`"), "{error}");
    let bf16 = bf16.replacen('{', r#"{"__metadata__":{"tandem":"{\"checksum\":\"\",\"metadata\":{}}"},"#, 1);
    let bytes = [&(bf16.len() as u64).to_le_bytes()[..], bf16.as_bytes(), &[0, 0]].concat();
    fs::write(&path, bytes).unwrap();
    let error = State::load(&path).unwrap_err().to_string();
    assert!(error.contains("`w` has type BF16"), "{error}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let (folder, path) = saved();
    let error = sample().save(&path.join("below-a-file")).unwrap_err();
    assert!(error.to_string().contains("below-a-file"), "{error}");
    let error = sample().save(&folder.path().join("no-such-folder/x")).unwrap_err();
    assert!(matches!(error, CheckpointError::Write { .. }));
    let error = sample().save(folder.path()).unwrap_err();
    assert!(matches!(error, CheckpointError::Write { .. }));
    assert_eq!(State::load(&path).unwrap(), sample());
}

#[test]
#[should_panic(expected = "inserted twice")]
fn a_name_twice_is_a_bug() {
    let mut state = sample();
    state.insert("step", &[], &[1i64]);
}

proptest! {
    #[test]
    fn any_state_survives(
        floats in prop::collection::vec(any::<u32>(), 0..40),
        integers in prop::collection::vec(any::<i64>(), 0..9),
        name in "[ -~]{1,12}",
        text in ".{0,20}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut state = State::new();
        let floats: Vec<f32> = floats.into_iter().map(f32::from_bits).collect();
        state.insert(&format!("f.{name}"), &[1, floats.len()], &floats);
        state.insert(&format!("i.{name}"), &[integers.len()], &integers);
        state.set_metadata(&name, &text);
        state.save(&path).unwrap();
        prop_assert_eq!(State::load(&path).unwrap(), state);
    }
}
