// The work that ../cases.py describes, with rusqlite. Usage: PROGRAM DATABASE MODE
use rusqlite::{Connection, Error, Result};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc;
use std::time::Duration;

const INSERT: &str = "INSERT INTO t VALUES(NULL, 'a')";
const AGAIN: &str = "INSERT INTO t VALUES(1, 'again')";

fn observe() -> Result<()> {
    let connection = Connection::open_in_memory()?;
    unsafe {
        connection.load_extension_enable()?;
        connection.load_extension("/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite", None::<&str>)
    }
}

fn open(path: &str, timeout_ms: u64) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_millis(timeout_ms))?;
    Ok(connection)
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute(sql, []).map(|_| ())
}

fn rows(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
}

fn attempt(seen: &mut BTreeMap<&str, u32>, result: Result<()>) -> Result<()> {
    let outcome = match result {
        Ok(()) => "ok",
        Err(Error::SqliteFailure(failure, _)) if failure.extended_code == 5 => "busy",
        Err(Error::SqliteFailure(failure, _)) if failure.extended_code == 517 => "busy_snapshot",
        Err(Error::SqliteFailure(failure, _)) if failure.extended_code == 1555 => "constraint",
        Err(error) => return Err(error),
    };
    *seen.entry(outcome).or_insert(0) += 1;
    Ok(())
}

fn script(path: &str) -> Result<BTreeMap<&'static str, u32>> {
    let mut seen = BTreeMap::new();
    let mut one = open(path, 0)?;
    let other = open(path, 0)?;
    attempt(&mut seen, one.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())))?;
    attempt(&mut seen, run(&one, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)"))?;
    for _ in 0..20 {
        attempt(&mut seen, run(&one, INSERT))?;
    }
    for _ in 0..5 {
        let transaction = one.transaction()?;
        for _ in 0..3 {
            run(&transaction, INSERT)?;
        }
        attempt(&mut seen, transaction.commit())?;
    }
    for _ in 0..3 {
        attempt(&mut seen, run(&one, AGAIN))?;
    }
    for _ in 0..2 {
        let transaction = one.transaction()?;
        run(&transaction, INSERT)?;
        transaction.rollback()?;
    }
    for commits in [true, false] {
        let transaction = one.transaction()?;
        run(&transaction, INSERT)?;
        let failed = run(&transaction, AGAIN);
        if commits {
            attempt(&mut seen, transaction.commit())?;
        } else {
            attempt(&mut seen, failed)?; // the transaction is rolled back when it goes out of scope
        }
    }
    run(&one, "DELETE FROM t WHERE id = -1")?;

    run(&other, "BEGIN IMMEDIATE")?;
    for _ in 0..4 {
        attempt(&mut seen, run(&one, INSERT))?;
    }
    attempt(&mut seen, run(&one, "BEGIN IMMEDIATE"))?;
    run(&other, "ROLLBACK")?;
    let transaction = one.transaction()?;
    rows(&transaction)?;
    attempt(&mut seen, run(&other, INSERT))?;
    attempt(&mut seen, run(&transaction, INSERT))?;
    transaction.rollback()?;
    Ok(seen)
}

/// Four threads with a connection each; returns when each has written `count` rows, or 50 of endlessly many.
fn write(path: &str, count: Option<u32>) {
    let (done, all) = mpsc::channel();
    for _ in 0..4 {
        let (path, done) = (path.to_string(), done.clone());
        std::thread::spawn(move || {
            let connection = open(&path, 60000).unwrap();
            for row in 1..=count.unwrap_or(u32::MAX) {
                run(&connection, "INSERT INTO t VALUES(NULL, 'thread')").unwrap();
                if row == count.unwrap_or(50) {
                    done.send(()).unwrap();
                }
            }
        });
    }
    drop(done);
    for _ in 0..4 {
        all.recv().unwrap(); // fails if a thread has panicked
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let (path, mode) = (&arguments[1], arguments[2].as_str());
    if std::env::var("OBSERVED").as_deref() == Ok("yes") {
        observe()?;
    }
    match mode {
        "script" => {
            let seen = script(path)?;
            let pairs: Vec<String> = seen.iter().map(|(outcome, count)| format!("\"{outcome}\": {count}")).collect();
            println!("{{{}}}", pairs.join(", "));
        }
        "rows" => println!("{}", rows(&open(path, 60000)?)?),
        "threads" => {
            let held = open(path, 60000)?;
            rows(&held)?;
            write(path, Some(25));
            println!("{{\"ok\": 100}}");
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        "exit" => {
            write(path, None);
            std::process::exit(0);
        }
        _ => {
            write(path, None);
            println!("writing");
            loop {
                std::thread::park();
            }
        }
    }
    Ok(())
}
