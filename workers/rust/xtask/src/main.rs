//! Writes the stubs in `generated/rust/src` from `proto/`.
//!
//! `cargo run -p xtask` for the repository's own folder; another one as the argument, to compare.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    // As cargo says now, not when this was built: checkouts share a target folder.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or("run it with `cargo run -p xtask`")?;
    let root = Path::new(&manifest).join("../../..");
    let out = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => root.join("generated/rust/src"),
    };
    fs::create_dir_all(&out)?;
    let proto = root.join("proto");
    let mut files: Vec<PathBuf> = fs::read_dir(proto.join("wovepb/v1"))?
        .map(|entry| entry.map(|found| found.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|name| name == "proto"));
    files.sort(); // the order of the generated code
    let descriptors = protox::compile(&files, [&proto])?;

    let mut config = prost_build::Config::new();
    config.out_dir(&out);
    tonic_prost_build::configure()
        .out_dir(&out)
        .client_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"grpc-server\")]")
        .build_transport(false)
        .compile_fds_with_config(descriptors.clone(), config)?;
    pbjson_build::Builder::new()
        .out_dir(&out)
        .register_descriptors(&descriptors.encode_to_vec())?
        .ignore_unknown_fields()
        .build(&[".wove.v1"])?;
    Ok(())
}
