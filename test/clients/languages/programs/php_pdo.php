<?php
// PHP's PDO for script.php: it can load nothing, but uses the same library as the class SQLite3.

function observe() {
    (new SQLite3(":memory:"))->loadExtension("outgrown_sqlite.so");
}

function connect($path, $timeout) {
    $connection = new PDO("sqlite:$path", null, null, [PDO::ATTR_TIMEOUT => intdiv($timeout, 1000)]);
    $connection->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $connection->setAttribute(PDO::SQLITE_ATTR_EXTENDED_RESULT_CODES, true);
    return $connection;
}

function run($connection, $sql) {
    $connection->exec($sql);
}

function rows($connection) {
    return $connection->query("SELECT count(*) FROM t")->fetchColumn();
}

function code($connection, $error) {
    return $error->errorInfo[1];
}
