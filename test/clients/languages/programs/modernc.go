// modernc's sqlite, SQLite translated into Go, for script.go.
package main

import (
	"database/sql"
	"fmt"

	"modernc.org/sqlite"
)

func observe() {
	database, err := sql.Open("sqlite", ":memory:")
	must(err)
	_, err = database.Exec("SELECT load_extension('/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite')")
	must(err)
}

func open(path string, timeout int) *sql.DB {
	database, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)", path, timeout))
	must(err)
	return database
}

func code(err error) int {
	failure, _ := err.(*sqlite.Error)
	return failure.Code()
}
