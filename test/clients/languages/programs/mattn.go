// mattn's go-sqlite3 for script.go.
package main

import (
	"database/sql"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

func observe() {
	sql.Register("observer", &sqlite3.SQLiteDriver{Extensions: []string{"/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite"}})
	loads, err := sql.Open("observer", ":memory:")
	must(err)
	must(loads.Ping())
}

func open(path string, timeout int) *sql.DB {
	database, err := sql.Open("sqlite3", fmt.Sprintf("file:%s?_busy_timeout=%d", path, timeout))
	must(err)
	return database
}

func code(err error) int {
	failure, _ := err.(sqlite3.Error)
	return int(failure.ExtendedCode)
}
