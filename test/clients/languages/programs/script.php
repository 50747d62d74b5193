<?php
// The work that ../cases.py describes. Usage: php script.php DATABASE MODE, with the client's file in $CLIENT, which defines
// observe(), connect(path, timeout in milliseconds), run(connection, sql), rows(connection) and code(connection, exception).
require __DIR__ . "/" . getenv("CLIENT");

const INSERT = "INSERT INTO t VALUES(NULL, 'a')";
const AGAIN = "INSERT INTO t VALUES(1, 'again')";
const REASONS = [5 => "busy", 517 => "busy_snapshot", 1555 => "constraint"];
$seen = ["ok" => 0, "busy" => 0, "busy_snapshot" => 0, "constraint" => 0];

function attempt($connection, ...$statements) {
    global $seen;
    try {
        foreach ($statements as $statement) run($connection, $statement);
        $seen["ok"] += 1;
    } catch (Exception $error) {
        $seen[REASONS[code($connection, $error)]] += 1;
    }
}

function script($path) {
    $one = connect($path, 0);
    $other = connect($path, 0);
    attempt($one, "PRAGMA journal_mode = WAL");
    attempt($one, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)");
    for ($i = 0; $i < 20; ++$i) attempt($one, INSERT);
    for ($i = 0; $i < 5; ++$i) attempt($one, "BEGIN", INSERT, INSERT, INSERT, "COMMIT");
    for ($i = 0; $i < 3; ++$i) attempt($one, AGAIN);
    for ($i = 0; $i < 2; ++$i) foreach (["BEGIN", INSERT, "ROLLBACK"] as $statement) run($one, $statement);
    run($one, "BEGIN");
    run($one, INSERT);
    try {
        run($one, AGAIN);
    } catch (Exception $error) {
    }
    attempt($one, "COMMIT");
    attempt($one, "BEGIN", INSERT, AGAIN);
    run($one, "ROLLBACK");
    run($one, "DELETE FROM t WHERE id = -1");

    run($other, "BEGIN IMMEDIATE");
    for ($i = 0; $i < 4; ++$i) attempt($one, INSERT);
    attempt($one, "BEGIN IMMEDIATE");
    run($other, "ROLLBACK");
    run($one, "BEGIN");
    rows($one);
    attempt($other, INSERT);
    attempt($one, INSERT);
    run($one, "ROLLBACK");
}

[, $path, $mode] = $argv;
if (getenv("OBSERVED") === "yes") observe();
if ($mode === "script") {
    script($path);
    echo json_encode($seen), "\n";
} elseif ($mode === "rows") {
    echo rows(connect($path, 60000)), "\n";
} else {  // PHP has no threads
    $connection = connect($path, 60000);
    for ($i = 0; $i < 100; ++$i) run($connection, "INSERT INTO t VALUES(NULL, 'thread')");
    if ($mode === "threads") {
        echo json_encode(["ok" => 100]), "\n";
        stream_get_contents(STDIN);
    } elseif ($mode === "exit") {
        run($connection, "BEGIN");
        run($connection, INSERT);
        exit(0);
    } else {
        echo "writing\n";
        while (true) run($connection, INSERT);
    }
}
