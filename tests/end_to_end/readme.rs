//! The README's first order, its lines taken as they stand.

use crate::system::shared;
use std::{fs, process::Command};

#[test]
fn the_first_order_of_the_readme_works_as_it_is_written() {
    let shop = shared();
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let section = readme.split("## A first order").nth(1).expect("the README has the section");
    let script = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it has a script");
    let folder = shop.ready_file.parent().unwrap().join("readme");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(&shop.ready_file, folder.join("oms-ready.json")).unwrap();
    let output = Command::new("bash").args(["-eu", "-c", script]).current_dir(&folder).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    let lines: Vec<&str> = out.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 6, "{out}\n{err}");
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
