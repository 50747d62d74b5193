#include "exporter/sqlite/store_files.h"

namespace outgrown::exporter::sqlite {

StoreFiles LookAt(const std::string& database, DatabaseFolder& folder) {
  StoreFiles files;
  if (database.empty()) return files;
  const std::size_t slash = database.rfind('/');
  std::string given = slash == std::string::npos ? "./" : database.substr(0, slash + 1);
  const std::string name = database.substr(slash == std::string::npos ? 0 : slash + 1);
  if (folder.given != given) {
    const Measured<std::string> path = ResolvePath(given);
    folder = {std::move(given), path, path.ok() ? IdentityOf(*path) : FileIdentity{}};
  }
  files.path = files.place = folder.path;
  files.folder = folder.identity;
  if (!folder.path.ok()) return files;
  (*files.place) += (*files.place).ends_with('/') ? name : '/' + name;
  files.database = StatusOf(*files.place);
  // SQLite puts -wal beside the file that a link leads to, not beside the link.
  if (files.database.ok()) {
    files.path = files.place;
  } else {
    files.path = ResolvePath(database);
    if (!files.path.ok()) return files;
    files.place = files.path;
    files.folder = {};
    files.database = StatusOf(*files.path);
  }
  if (files.database.ok()) files.wal = StatusOf(*files.path + "-wal");
  return files;
}

}  // namespace outgrown::exporter::sqlite
