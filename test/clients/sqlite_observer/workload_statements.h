// The statements of the random workloads, and what each does to the store.
#pragma once

#include <algorithm>
#include <string>

namespace outgrown::test::workload {

enum class Effect {
  kNone,     // reads, or writes elsewhere, or controls the transaction
  kNothing,  // would write to the store but changes nothing
  kChange,   // changes the store if it succeeds
  kPartial,  // changes the store, and keeps or dirties it if it fails at a later row
};

struct Operation {
  const char* sql;  // # is an id that is new, @ one that is taken
  Effect effect;
  bool keeps_on_failure = false;  // OR FAIL: what was changed before the failure stays
};

inline constexpr const char* kTempFailure = "INSERT INTO mine VALUES(1)";

inline constexpr Operation kOperations[] = {
    {"BEGIN", Effect::kNone},
    {"BEGIN", Effect::kNone},
    {"BEGIN IMMEDIATE", Effect::kNothing},
    {"BEGIN EXCLUSIVE", Effect::kNothing},
    {"COMMIT", Effect::kNone},
    {"COMMIT", Effect::kNone},
    {"COMMIT", Effect::kNone},
    {"ROLLBACK", Effect::kNone},
    {"SAVEPOINT s", Effect::kNone},
    {"RELEASE s", Effect::kNone},
    {"ROLLBACK TO s", Effect::kNone},
    {"SELECT count(*) FROM t", Effect::kNone},
    {"INSERT INTO t(id) VALUES(#)", Effect::kChange},
    {"INSERT INTO t(id) VALUES(#)", Effect::kChange},
    {"INSERT INTO t(id, u) VALUES(#, #) RETURNING id", Effect::kChange},
    {"INSERT INTO t(id) VALUES(@)", Effect::kNothing},
    {"INSERT INTO t(u) VALUES(@)", Effect::kNothing},
    {"INSERT INTO t(id) VALUES(#), (@)", Effect::kPartial},
    {"INSERT OR FAIL INTO t(id) VALUES(#), (@)", Effect::kPartial, true},
    {"INSERT OR FAIL INTO t(id) VALUES(@), (#)", Effect::kNothing, true},
    {"INSERT OR ROLLBACK INTO t(id) VALUES(#), (@)", Effect::kPartial},
    {"INSERT OR IGNORE INTO t(id) VALUES(@)", Effect::kNothing},
    {"INSERT OR REPLACE INTO t(id, u) VALUES(@, @)", Effect::kChange},
    {"UPDATE t SET n = n + 1 WHERE id = @", Effect::kChange},
    {"UPDATE t SET n = n + 1 WHERE id = -1", Effect::kNothing},
    {"DELETE FROM t WHERE id = -1", Effect::kNothing},
    {"INSERT INTO guarded VALUES(-1)", Effect::kNothing},
    {"INSERT INTO guarded VALUES(#)", Effect::kChange},
    {"INSERT INTO big VALUES(zeroblob(9000000))", Effect::kPartial},
    {"INSERT INTO mine VALUES(#)", Effect::kNone},
    {kTempFailure, Effect::kNone},
    {"PRAGMA user_version = #", Effect::kChange},
    {"CREATE TABLE c#(x)", Effect::kChange},
    {"CREATE TABLE IF NOT EXISTS t(x)", Effect::kNothing},
    {"EXPLAIN INSERT INTO t(id) VALUES(#)", Effect::kNone},
    {"INSERT INTO nowhere VALUES(1)", Effect::kNone},
};

inline bool IsSchemaChange(const std::string& sql) {
  return sql.find("CREATE TABLE c") == 0 || sql.find("PRAGMA") == 0;
}

// It is compiled without the schema.
inline bool NeedsNoSchema(const std::string& sql) {
  constexpr const char* kWords[] = {"BEGIN",     "COMMIT",  "ROLLBACK",
                                    "SAVEPOINT", "RELEASE", "PRAGMA user_version"};
  return std::ranges::any_of(kWords, [&](const char* word) { return sql.starts_with(word); });
}

}  // namespace outgrown::test::workload
