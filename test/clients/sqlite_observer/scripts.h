// SQL scripts with the counts that they must give.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

namespace outgrown::test {

struct Step {
  char connection;
  const char* sql;
  int code = SQLITE_OK;
};

struct Script {
  std::string name;
  std::vector<Step> steps;
  const char* counts;
  const char* only = "";  // the journal modes in which it is meant, all if empty
};

// On the connection 'a' alone.
const std::vector<Script>& OneConnection();
// The same, but with locking_mode=EXCLUSIVE nothing would tell that a failed statement was not the store's.
const Script& TempFailure();
// On 'a' and 'b'.
const std::vector<Script>& TwoConnections();

}  // namespace outgrown::test
