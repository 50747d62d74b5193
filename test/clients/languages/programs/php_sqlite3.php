<?php
// PHP's class SQLite3 for script.php.

function observe() {
    (new SQLite3(":memory:"))->loadExtension("outgrown_sqlite.so");
}

function connect($path, $timeout) {
    $connection = new SQLite3($path);
    $connection->enableExceptions(true);
    $connection->enableExtendedResultCodes(true);
    $connection->busyTimeout($timeout);
    return $connection;
}

function run($connection, $sql) {
    $connection->exec($sql);
}

function rows($connection) {
    return $connection->querySingle("SELECT count(*) FROM t");
}

function code($connection, $error) {
    return $connection->lastExtendedErrorCode();
}
