//! The README's first order and the guide from a cart to an order, their lines taken as they stand.

use crate::system::{Folder, System, shared};
use std::{fs, path::Path, process::Command};

/// The script of the first order, of the README of this repository.
fn first_order() -> String {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme.split("## A first order").nth(1).expect("the README has the section");
    script(section)
}

fn script(text: &str) -> String {
    let script = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    script.expect("it has a script").to_owned()
}

/// What a script prints, line by line, in a folder with the ready file.
fn lines_of(script: &str, ready_file: &Path, folder: &Path) -> Vec<String> {
    fs::create_dir_all(folder).unwrap();
    fs::copy(ready_file, folder.join("oms-ready.json")).unwrap();
    let output = Command::new("bash").args(["-eu", "-c", script]).current_dir(folder).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.lines().filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
}

#[test]
fn the_first_order_of_the_readme_works_as_it_is_written() {
    let shop = shared();
    let folder = shop.ready_file.parent().unwrap().join("readme");
    let lines = lines_of(&first_order(), &shop.ready_file, &folder);
    assert_eq!(lines.len(), 6, "{lines:#?}");
    for (line, expected) in lines.iter().zip([
        "\"available\":10",
        "\"status\":\"PENDING\"",
        "\"waitingFor\":\"PAYMENT\"",
        "\"status\":\"CONFIRMED\"",
        "\"number\":\"INV-",
        "\"items\":[{",
    ]) {
        assert!(line.contains(expected), "{expected} is not in {line}");
    }
}

#[test]
fn the_guide_from_a_cart_to_an_order_works_as_it_is_written() {
    let folder = Folder::new();
    // It sets up what shipping and tax cost in the whole shop.
    let shop = System::start(&folder, &[]);
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guides/from-cart-to-order.md")).unwrap();
    let first_order = first_order();
    let begin = first_order.split("# an order for two of them").next().unwrap();
    let lines = lines_of(&format!("{begin}\n{}", script(&guide)), &shop.ready_file, &folder.path().join("guide"));
    let last = lines.last().unwrap();
    // 2 × 24.90 with 20 % in it; shipping 4.90.
    assert!(last.contains("\"totalAmount\":{\"amount\":\"54.70\",\"currency\":\"EUR\"}"), "{last}");
    shop.stop();
}
