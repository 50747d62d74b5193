// A store's files as they are looked at once for a scrape: where they are, and what stat says of them. What is asked of them
// later in the scrape is asked of descriptors.
#pragma once

#include <string>

#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter::sqlite {

// A folder that databases are in, with its links resolved.
struct DatabaseFolder {
  std::string given;  // "" before the first
  Measured<std::string> path = Problem::kNoPath;
  FileIdentity identity = {};  // all 0 if it can't be looked at
};

struct StoreFiles {
  Measured<std::string> path = Problem::kNoPath;   // the database's, with its links resolved
  Measured<std::string> place = Problem::kNoPath;  // the same, or where it would be if it is missing
  FileIdentity folder = {};                        // of `place`; all 0: not looked at
  Measured<FileStatus> database = Problem::kNoPath;
  Measured<FileStatus> wal = Problem::kNoPath;  // not asked without a database
};

// `folder` is that of the database before: most stores of a scrape are beside the one before.
StoreFiles LookAt(const std::string& database, DatabaseFolder& folder);

}  // namespace outgrown::exporter::sqlite
