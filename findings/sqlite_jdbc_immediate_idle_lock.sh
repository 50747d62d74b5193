#!/usr/bin/env bash
# Finding: with transaction_mode=IMMEDIATE sqlite-jdbc (3.54.1.0) holds SQLite's write lock from setAutoCommit(false) on, idle or not.
#
# Guess before the run: as of recent versions a transaction begins with its first statement; after commit() the lock is free until then.
# Seen: setAutoCommit(false) alone runs BEGIN IMMEDIATE, and commit() and rollback() begin the next transaction at once. So a connection
# that has committed and waits, for instance in a pool that hands it out with autocommit off, locks every other writer out, and so does
# one that only reads. Only setAutoCommit(true) or close() ends it. The mode is meant to avoid SQLITE_BUSY at the upgrade from
# reading to writing; two such connections lock each other out. With the mode DEFERRED the lock is free after each commit.
#
# Needs Java 11 or newer, curl, and Maven Central. Exits 1 if any of this is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
curl --silent --show-error --fail --output "$folder/sqlite-jdbc.jar" \
  https://repo1.maven.org/maven2/org/xerial/sqlite-jdbc/3.54.1.0/sqlite-jdbc-3.54.1.0.jar
cat >"$folder/Locks.java" <<'JAVA'
import java.sql.*;

public class Locks {
    static String path;

    static void show(String when) throws SQLException {
        String lock = "free";
        try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=100");
                Statement statement = other.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");
            statement.execute("ROLLBACK");
        } catch (SQLException error) {
            lock = error.getErrorCode() == 5 ? "taken" : error.getMessage();
        }
        System.out.println("  " + when + ": " + lock);
    }

    public static void main(String[] arguments) throws SQLException {
        path = arguments[0];
        try (Connection made = DriverManager.getConnection("jdbc:sqlite:" + path); Statement statement = made.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE t(x)");
        }
        for (String mode : new String[] {"DEFERRED", "IMMEDIATE"}) {
            System.out.println(mode);
            Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path + "?transaction_mode=" + mode);
            connection.setAutoCommit(false);
            show("autocommit off");
            Statement statement = connection.createStatement();
            statement.executeUpdate("INSERT INTO t VALUES (1)");
            connection.commit();
            show("committed");
            statement.executeQuery("SELECT count(*) FROM t").close();
            connection.rollback();
            show("read and rolled back");
            connection.setAutoCommit(true);
            show("autocommit on");
            connection.setAutoCommit(false);
            connection.close();
            show("closed");
        }
    }
}
JAVA
seen=$(java -cp "$folder/sqlite-jdbc.jar" "$folder/Locks.java" "$folder/store.db" 2>"$folder/log") || { cat "$folder/log" >&2; exit 1; }
echo "$seen"
[ "$seen" = "DEFERRED
  autocommit off: free
  committed: free
  read and rolled back: free
  autocommit on: free
  closed: free
IMMEDIATE
  autocommit off: taken
  committed: taken
  read and rolled back: taken
  autocommit on: free
  closed: free" ] || { echo "the behaviour has changed" >&2; exit 1; }
