#include "rulegen/archive/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/file.h"
#include "common/interrupt.h"

namespace outgrown::archive {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSums = "SHA256SUMS";
// A file that is private at its own place must not become readable for others here.
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kPermissions = 0777;

// `sha256sum -c` takes a name with a line break or a backslash only escaped; no archive needs one.
bool IsPlainName(std::string_view path) {
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7F) return false;
  }
  return !path.empty();
}

}  // namespace

Result<Folder> Folder::Create(const fs::path& place) {
  std::error_code failed;
  const fs::path whole = fs::absolute(place, failed).lexically_normal();
  if (failed) return Error{"has no absolute path: " + failed.message(), place.string()};
  const fs::path target = whole.has_filename() ? whole : whole.parent_path();  // "DIR/" is DIR
  const fs::file_status status = fs::symlink_status(target, failed);
  if (fs::exists(status)) {
    const bool empty = fs::is_directory(status) && fs::is_empty(target, failed);
    if (failed) return Error{"cannot read the folder: " + failed.message(), place.string()};
    if (!empty) return Error{"is there already and no empty folder; name a new one", place.string()};
  }
  // Beside the place, since rename(2) does not cross file systems. With the pid, so that two runs at once do
  // not share one.
  const fs::path temporary =
      target.parent_path() / fmt::format(".{}.{}.tmp", target.filename().string(), ::getpid());
  fs::remove_all(temporary, failed);  // left by a killed process that had our pid
  if (::mkdir(temporary.c_str(), kFolderMode) != 0)
    return SystemError("cannot make the folder", temporary, errno);
  return Folder(target, temporary);
}

Folder::Folder(Folder&& other) noexcept
    : place_(std::move(other.place_)),
      temporary_(std::exchange(other.temporary_, {})),
      entries_(std::move(other.entries_)) {}

Folder::~Folder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

Result<Folder::File> Folder::Open(const std::string& path) {
  if (!IsPlainName(path)) return Error{"has a name that a list of checksums cannot hold", path};
  entries_.erase(path);
  fs::path folder = temporary_;
  for (const fs::path& name : fs::path(path).parent_path()) {
    folder /= name;
    if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST)
      return SystemError("cannot make the folder", folder, errno);
  }
  ::unlink(On(path).c_str());  // what can't be unlinked can't be created either
  const int fd = ::open(On(path).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (fd < 0) return SystemError("cannot create", On(path), errno);
  return File(*this, path, fd);
}

Result<void> Folder::Add(const std::string& path, std::string_view bytes) {
  Result<File> file = Open(path);
  if (!file) return file.error();
  if (Result<void> written = file->Write(bytes); !written) return written;
  return file->Close();
}

Result<void> Folder::Copy(const std::string& path, const fs::path& from) {
  // O_NONBLOCK: a FIFO would wait for a writer for ever, before fstat can find out that it is no regular
  // file.
  const int fd = ::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return SystemError("cannot open", from, errno);
  struct stat status = {};
  Result<void> done;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    done = Error{"not a regular file", from.string()};
  Result<File> file = done ? Open(path) : Result<File>(done.error());
  if (file.ok() && ::fchmod(file->fd_, status.st_mode & kPermissions) != 0)
    done = SystemError("cannot set the permissions of", On(path), errno);
  // In pieces: a log may be larger than the memory.
  std::vector<char> piece(1U << 20U);
  while (file.ok() && done.ok()) {
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) done = SystemError("cannot read", from, errno);
    if (count == 0) done = file->Close();
    if (count <= 0) break;
    done = file->Write({piece.data(), static_cast<std::size_t>(count)});
  }
  ::close(fd);
  return file.ok() ? done : Result<void>(file.error());
}

void Folder::Remove(const std::string& path) {
  ::unlink(On(path).c_str());
  entries_.erase(path);
}

Result<void> Folder::Commit() {
  std::string sums;
  // Every file was synced when it was closed. The names in the folders are synced here, and the rename last:
  // after a crash there is a whole archive or none.
  std::set<fs::path> folders = {temporary_};
  for (const auto& [path, entry] : entries_) {
    sums += fmt::format("{}  {}\n", entry.sha256, path);
    for (fs::path folder = On(path).parent_path(); folders.insert(folder).second;)
      folder = folder.parent_path();
  }
  if (Result<void> added = Add(std::string(kSums), sums); !added) return added;
  for (const fs::path& folder : folders) {
    if (Result<void> synced = SyncFolder(folder); !synced) return synced;
  }
  // rename(2) replaces an empty folder only, so an archive that appeared meanwhile is never overwritten.
  if (::rename(temporary_.c_str(), place_.c_str()) != 0)
    return SystemError("cannot rename to", place_, errno);
  temporary_.clear();
  return SyncFolder(place_.parent_path());
}

Folder::File::File(File&& other) noexcept
    : folder_(other.folder_),
      path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      sha256_(std::move(other.sha256_)),
      size_bytes_(other.size_bytes_) {}

Folder::File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> Folder::File::Write(std::string_view bytes) {
  if (Interrupted()) return Error{"interrupted", folder_.On(path_)};
  // The checksum is of the bytes as they were read, so that a disk that stores others is found by the
  // sums.
  sha256_.Update(bytes);
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("cannot write", folder_.On(path_), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> Folder::File::Close() {
  if (::fsync(fd_) != 0) return SystemError("cannot sync", folder_.On(path_), errno);
  if (::close(std::exchange(fd_, -1)) != 0) return SystemError("cannot close", folder_.On(path_), errno);
  folder_.entries_[path_] = {sha256_.Hex(), size_bytes_};
  return {};
}

}  // namespace outgrown::archive
