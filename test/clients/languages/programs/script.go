// The work that ../cases.py describes, with database/sql. Usage: PROGRAM DATABASE MODE
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const (
	insert = "INSERT INTO t VALUES(NULL, 'a')"
	again  = "INSERT INTO t VALUES(1, 'again')"
)

var (
	reasons = map[int]string{5: "busy", 517: "busy_snapshot", 1555: "constraint"}
	seen    = map[string]int{"ok": 0, "busy": 0, "busy_snapshot": 0, "constraint": 0}
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func attempt(err error) {
	if err == nil {
		seen["ok"]++
		return
	}
	reason, known := reasons[code(err)]
	if !known {
		must(err)
	}
	seen[reason]++
}

func run(connection *sql.Conn, statement string) error {
	_, err := connection.ExecContext(context.Background(), statement)
	return err
}

func begin(connection *sql.Conn) *sql.Tx {
	transaction, err := connection.BeginTx(context.Background(), nil)
	must(err)
	return transaction
}

func in(transaction *sql.Tx, statement string) error {
	_, err := transaction.Exec(statement)
	return err
}

// connect gives one connection of a pool of its own.
func connect(path string, timeout int) *sql.Conn {
	connection, err := open(path, timeout).Conn(context.Background())
	must(err)
	return connection
}

func script(path string) {
	one, other := connect(path, 0), connect(path, 0)
	attempt(run(one, "PRAGMA journal_mode = WAL"))
	attempt(run(one, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)"))
	for i := 0; i < 20; i++ {
		attempt(run(one, insert))
	}
	for i := 0; i < 5; i++ {
		transaction := begin(one)
		for j := 0; j < 3; j++ {
			must(in(transaction, insert))
		}
		attempt(transaction.Commit())
	}
	for i := 0; i < 3; i++ {
		attempt(run(one, again))
	}
	for i := 0; i < 2; i++ {
		transaction := begin(one)
		must(in(transaction, insert))
		must(transaction.Rollback())
	}
	for _, commits := range []bool{true, false} {
		transaction := begin(one)
		must(in(transaction, insert))
		failed := in(transaction, again)
		if commits {
			attempt(transaction.Commit())
		} else {
			attempt(failed)
			must(transaction.Rollback())
		}
	}
	must(run(one, "DELETE FROM t WHERE id = -1"))

	must(run(other, "BEGIN IMMEDIATE"))
	for i := 0; i < 4; i++ {
		attempt(run(one, insert))
	}
	attempt(run(one, "BEGIN IMMEDIATE"))
	must(run(other, "ROLLBACK"))
	transaction := begin(one)
	var rows int
	must(transaction.QueryRow("SELECT count(*) FROM t").Scan(&rows))
	attempt(run(other, insert))
	attempt(in(transaction, insert))
	must(transaction.Rollback())
	must(one.Close())
	must(other.Close())
}

// write starts four goroutines with a connection each, and returns when each has written count rows, or 50 of endlessly many.
func write(path string, count int) {
	done := make(chan bool)
	for i := 0; i < 4; i++ {
		go func() {
			connection := connect(path, 60000)
			for row := 1; count == 0 || row <= count; row++ {
				must(run(connection, "INSERT INTO t VALUES(NULL, 'thread')"))
				if row == count || count == 0 && row == 50 {
					done <- true
				}
			}
		}()
	}
	for i := 0; i < 4; i++ {
		<-done
	}
}

func main() {
	path, mode := os.Args[1], os.Args[2]
	if os.Getenv("OBSERVED") == "yes" {
		observe()
	}
	switch mode {
	case "script":
		script(path)
		must(json.NewEncoder(os.Stdout).Encode(seen))
	case "rows":
		var rows int
		must(open(path, 60000).QueryRow("SELECT count(*) FROM t").Scan(&rows))
		fmt.Println(rows)
	case "threads":
		held := connect(path, 60000)
		must(run(held, "SELECT count(*) FROM t"))
		write(path, 25)
		fmt.Println(`{"ok": 100}`)
		_, err := io.Copy(io.Discard, os.Stdin)
		must(err)
		must(held.Close())
	case "exit":
		write(path, 0)
		os.Exit(0)
	case "endless":
		write(path, 0)
		fmt.Println("writing")
		select {}
	}
}
