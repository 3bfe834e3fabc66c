//! The program as a backend starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::{env, fs, process, thread};

fn program(arguments: &[&str], variable: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wove-tasks"));
    command.args(arguments).env_remove("WOVE_BACKEND_PAYLOAD").env("WOVE_ENCODING", "json");
    if let Some(text) = variable {
        command.env("WOVE_BACKEND_PAYLOAD", text);
    }
    command.output().expect("the program starts")
}

/// The URL of a receiver that answers every event with 204.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/wove/events/s3cret", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                if let Some(value) = line.strip_prefix("Content-Length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    reader.read_exact(&mut vec![0; length]).expect("a body");
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").expect("an answer");
                }
                line.clear();
            }
        }
    });
    url
}

#[test]
fn without_a_payload_it_ends_with_2() {
    for (argument, variable) in [
        (None, None),
        (None, Some("s3cret")),
        (Some("s3cret"), Some("{}")),
        (Some("@/nonexistent/s3cret"), None),
        (Some("[1]"), None),
    ] {
        let output = program(argument.as_slice(), variable);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn it_runs_the_payload_and_prints_its_summary() {
    let payload = format!(
        r#"{{"version": 1, "run_id": "r1", "task_id": "t", "task_name": "add",
            "callback_url": "{}", "args_json": "{{\"a\": 1, \"b\": 2}}"}}"#,
        receiver()
    );
    let path = env::temp_dir().join(format!("wove-tasks-{}.json", process::id()));
    fs::write(&path, &payload).expect("a file");
    let file = format!("@{}", path.display());
    for (argument, variable) in
        [(Some(payload.as_str()), Some("nonsense")), (None, Some(&payload)), (Some(&file), None)]
    {
        let output = program(argument.as_slice(), variable);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).expect("text");
        let last = text.trim_end().lines().last().expect("a line");
        let summary: serde_json::Value = serde_json::from_str(last).expect("a summary");
        assert_eq!(
            (&summary["outcome"], &summary["delivered"]),
            (&"succeeded".into(), &true.into())
        );
        assert!(!text.contains("s3cret"));
    }
    fs::remove_file(path).expect("the file");
}
