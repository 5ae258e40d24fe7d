//! Types, orders and lengths, and files that are none.

use super::*;
use ndarray::{Array2, arr2};
use ndarray_npy::WriteNpyExt;

/// An npy file with this dictionary and data.
fn file(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut all = b"\x93NUMPY\x01\x00".to_vec();
    all.extend((dictionary.len() as u16).to_le_bytes());
    all.extend(dictionary.as_bytes());
    all.extend(data);
    all
}

fn simple(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    file(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n"), data)
}

fn on_disk<T>(bytes: &[u8], read: impl Fn(&Path) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npy");
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

fn read(bytes: &[u8]) -> ArrayD<i32> {
    on_disk(bytes, |path| integers(path, 1000)).unwrap()
}

fn refused(bytes: &[u8], says: &[&str]) {
    for error in [
        on_disk(bytes, |p| integers(p, 1000)).map(|_| ()).unwrap_err().to_string(),
        on_disk(bytes, |p| complex(p, 1000)).map(|_| ()).unwrap_err().to_string(),
    ] {
        assert!(says.iter().all(|s| error.contains(s)), "{error}");
    }
}

fn refused_at(path: &Path, says: &str) {
    let error = integers(path, 9).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn integers_of_every_type_and_order() {
    let wanted = arr2(&[[1, 2, -3], [4, 5, 6]]);
    macro_rules! written {
        ($($t:ty),*) => {$({
            let mut bytes = vec![];
            wanted.mapv(|v| v as $t).write_npy(&mut bytes).unwrap();
            assert_eq!(read(&bytes), wanted.clone().into_dyn());
            let mut bytes = vec![];
            wanted.t().mapv(|v| v as $t).reversed_axes().write_npy(&mut bytes).unwrap();
            assert_eq!(read(&bytes), wanted.clone().into_dyn());
        })*};
    }
    written!(i8, i16, i32, i64);
    let mut bytes = vec![];
    Array2::<u64>::from_elem((1, 2), 7).write_npy(&mut bytes).unwrap();
    assert_eq!(read(&bytes), Array2::from_elem((1, 2), 7).into_dyn());
    assert_eq!(read(&simple(">i2", "(2,)", &[0xff, 0xfe, 1, 0])).into_raw_vec_and_offset().0, [-2, 256]);
    assert_eq!(read(&simple("|u1", "()", &[200]))[IxDyn(&[])], 200);
    let big = on_disk(&simple("<u8", "(1, 2)", &[255; 16]), |p| integers(p, 9)).unwrap_err().to_string();
    assert!(big.contains("[0, 0] = 18446744073709551615"), "{big}");
}

#[test]
fn floats_of_every_type() {
    let z = [Complex::new(0.5, -0.25)];
    let read = |bytes: &[u8]| on_disk(bytes, |p| complex(p, 9)).unwrap().into_raw_vec_and_offset().0;
    let f32s: Vec<u8> = [0.5f32, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect();
    let f64s: Vec<u8> = [0.5f64, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect();
    let swapped: Vec<u8> = [0.5f64, -0.25].iter().flat_map(|v| v.to_be_bytes()).collect();
    assert_eq!(read(&simple("<c8", "(1,)", &f32s)), z);
    assert_eq!(read(&simple("<c16", "(1,)", &f64s)), z);
    assert_eq!(read(&simple(">c16", "(1,)", &swapped)), z);
    let real = [Complex::new(0.5, 0.0), Complex::new(-0.25, 0.0)];
    assert_eq!(read(&simple("<f4", "(2,)", &f32s)), real);
    assert_eq!(read(&simple("<f8", "(2,)", &f64s)), real);
}

#[test]
fn a_length_that_is_not_the_header_s() {
    for (descr, size) in [("|i1", 1), ("<i8", 8)] {
        let said = on_disk(&simple(descr, "(5, 7)", &vec![0; 35 * size - 1]), |p| integers(p, 1000));
        let (expected, found) = ((35 * size).to_string(), (35 * size - 1).to_string());
        let said = said.unwrap_err().to_string();
        assert!(["truncated", "[5, 7]", &expected, &found].iter().all(|s| said.contains(s)), "{said}");
    }
    let said = on_disk(&simple("<f4", "(3,)", &[0; 15]), |p| complex(p, 1000)).unwrap_err().to_string();
    assert!(said.contains("too long") && said.contains("12 bytes, found 15"), "{said}");
    for shape in ["(5000000000, 3)", "(4294967296, 4294967296, 1)", "(18446744073709551615,)"] {
        let side = shape.trim_matches(['(', ')']).split(',').next().unwrap();
        let said = on_disk(&simple("<i4", shape, &[0; 12]), |p| integers(p, 1000)).unwrap_err().to_string();
        assert!(said.contains(side) && said.contains("1000"), "{said}");
    }
}

#[test]
fn files_that_are_no_arrays_of_such_numbers() {
    refused(b"", &["not an npy array"]);
    refused(b"no npy at all", &["not an npy array"]);
    refused(b"\x93NUMPY\x01\x00\xff\xff{", &["cut inside its header"]);
    refused(b"\x93NUMPY\x09\x00\x00\x00", &["version 9"]);
    refused(&simple("<i4", "(3", &[0; 12]), &["its header is"]);
    refused(&simple("<i4", "(-3,)", &[0; 12]), &["its header is"]);
    refused(&file("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", &[0; 4]), &["header"]);
    refused(&file("{'descr': '<i4', 'shape': (1,)}", &[0; 4]), &["fortran_order"]);
    for descr in ["|b1", "<U3", "|O", "<f2", "=i4", "<i3", "", "i", "é4"] {
        refused(&simple(descr, "(1,)", &[0; 4]), &["npy array: its type is"]);
    }
    let integer = on_disk(&simple("<i4", "(1,)", &[0; 4]), |p| complex(p, 9)).unwrap_err().to_string();
    assert!(integer.contains("not a complex64, complex128, float32 or float64"), "{integer}");
    let folder = tempfile::tempdir().unwrap();
    refused_at(folder.path(), "directory");
    // endless
    refused_at(Path::new("/dev/zero"), "not an npy array");
}
