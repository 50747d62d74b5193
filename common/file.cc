#include "common/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace outgrown {

Error SystemError(std::string_view doing, const std::filesystem::path& path, int error_number) {
  return Error{std::string(doing) + ": " + std::generic_category().message(error_number), path.string()};
}

namespace {

// A descriptor that closes itself. Close() reports what close(2) said, which for a written file matters.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

// write(2) may write less than it was given (disk nearly full, RLIMIT_FSIZE, a signal); the next call then
// gives the reason.
Result<void> WriteAll(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return SystemError("cannot write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

// ".NAME.RANDOM.tmp", where RANDOM is kRandomDigits hexadecimal digits: no process, in whatever PID
// namespace, ever meets another's file.
constexpr std::size_t kRandomDigits = 16;
constexpr std::string_view kTemporaryEnding = ".tmp";

Result<std::string> TemporaryName(const std::string& name, const std::filesystem::path& folder) {
  std::uint64_t random = 0;
  // Requests of up to 256 bytes are neither interrupted nor cut short once the pool is ready (man 2
  // getrandom).
  if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    return SystemError("cannot get random bytes for a temporary file's name", folder / name, errno);
  }
  std::string digits(kRandomDigits, '0');
  for (char& digit : digits) {
    digit = "0123456789abcdef"[random & 15U];
    random >>= 4U;
  }
  return (folder / ("." + name + "." + digits + std::string(kTemporaryEnding))).string();
}

// The NAME in a temporary file's name; empty if it is none.
std::string_view NameOfTemporary(std::string_view file) {
  const std::size_t around = 2 + kRandomDigits + kTemporaryEnding.size();
  if (file.size() <= around || !file.starts_with('.') || !file.ends_with(kTemporaryEnding)) return {};
  const std::string_view name = file.substr(1, file.size() - around);
  const std::string_view digits = file.substr(name.size() + 2, kRandomDigits);
  if (file[name.size() + 1] != '.' || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return {};
  return name;
}

// A file that is being written under a temporary name. It is locked from its creation until after the rename,
// which is how RemoveAbandoned distinguishes it from one whose writer was killed.
struct Temporary {
  std::string path;
  Descriptor fd;
};

Result<Temporary> CreateTemporary(const std::filesystem::path& folder, const std::string& name, mode_t mode) {
  while (true) {
    const Result<std::string> path = TemporaryName(name, folder);
    if (!path.ok()) return path.error();
    // open(2) applies the umask, as for any new file.
    Temporary made{
        *path, Descriptor(::open(path->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode))};
    if (made.fd.get() < 0) return SystemError("cannot create", *path, errno);
    // A file system without locks has no RemoveAbandoned either.
    // flock(2), not fcntl(2): it belongs to the open file description, so two threads of one process exclude
    // each other, and a close of another descriptor of the file doesn't drop it.
    while (::flock(made.fd.get(), LOCK_EX) != 0 && errno == EINTR) {
    }
    struct stat status = {};
    if (::fstat(made.fd.get(), &status) != 0 || status.st_nlink > 0) return made;
    // Between open and flock another process took it for abandoned and removed it; a second time is unlikely.
  }
}

constexpr mode_t kPermissions = 0777;

// Gives the still empty temporary file the owner, group and mode of the file that it will replace, or be beside.
Result<void> KeepAccess(const Temporary& temporary, const struct stat& old) {
  struct stat made = {};
  if (::fstat(temporary.fd.get(), &made) != 0) return SystemError("cannot stat", temporary.path, errno);
  mode_t mode = old.st_mode & kPermissions;
  const bool is_same = made.st_uid == old.st_uid && made.st_gid == old.st_gid;
  // Root may give both, a member of the group the group.
  if (!is_same && ::fchown(temporary.fd.get(), old.st_uid, old.st_gid) != 0 &&
      ::fchown(temporary.fd.get(), static_cast<uid_t>(-1), old.st_gid) != 0) {
    // The group could not be kept, so its permissions are dropped rather than given to another group.
    mode &= ~static_cast<mode_t>(S_IRWXG) | ((mode & S_IRWXO) << 3U);
  }
  if ((made.st_mode & kPermissions) != mode && ::fchmod(temporary.fd.get(), mode) != 0) {
    return SystemError("cannot set the mode of", temporary.path, errno);
  }
  return {};
}

// Sync, then rename: a rename that reaches the disk before the bytes would leave an empty file after a crash.
Result<void> WriteAndRename(Temporary& temporary, std::string_view bytes, const std::filesystem::path& path) {
  if (Result<void> written = WriteAll(temporary.fd.get(), bytes, temporary.path); !written) return written;
  if (::fsync(temporary.fd.get()) != 0) return SystemError("cannot sync", temporary.path, errno);
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) {
    return SystemError("cannot rename the temporary file to", path, errno);
  }
  // After the rename, because it drops the lock. fsync has said that the bytes are on the disk.
  if (temporary.fd.Close() != 0) return SystemError("cannot close", path, errno);
  return {};
}

}  // namespace

Result<void> SyncFolder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.empty() ? "." : folder;
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("cannot open the folder", path, errno);
  // Nothing more can be done about a file system that can't sync a folder.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return SystemError("cannot sync the folder", path, errno);
  return {};
}

Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t size_bytes_max) {
  // O_NONBLOCK: a FIFO must not hang us; it has no effect on a regular file.
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemError("cannot open", path, errno);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return SystemError("cannot stat", path, errno);
  if (!S_ISREG(status.st_mode)) return Error{"not a regular file", path.string()};
  const auto too_large = [&] {
    return Error{"larger than " + std::to_string(size_bytes_max) + " bytes", path.string()};
  };
  // Before the buffer is made: a sparse file may say more than there is memory for.
  if (static_cast<std::size_t>(status.st_size) > size_bytes_max) return too_large();
  std::string bytes;
  // One byte more than the size, so that the usual file is read by one call and its end is seen by the
  // second. Files of /proc say 0, and a file may grow meanwhile; the loop goes on until read(2) returns 0.
  std::size_t room = static_cast<std::size_t>(status.st_size) + 1;
  while (true) {
    if (bytes.size() > size_bytes_max) return too_large();
    const std::size_t old_size = bytes.size();
    bytes.resize(old_size + room);
    const ssize_t count = ::read(fd.get(), bytes.data() + old_size, room);
    if (count < 0 && errno == EINTR) {
      bytes.resize(old_size);
      continue;
    }
    if (count < 0) return SystemError("cannot read", path, errno);
    bytes.resize(old_size + static_cast<std::size_t>(count));
    if (count == 0) return bytes;
    room = 65536;
  }
}

Result<WriteOutcome> ReplaceFileIfChanged(const std::filesystem::path& path, std::string_view bytes,
                                          mode_t mode_if_new, const std::filesystem::path& like_if_new) {
  // An equal file keeps its time and its inode, so that a build which depends on it doesn't run again. A file
  // that can't be read, or is larger than ReadFile's limit, is written anew.
  if (const Result<std::string> old = ReadFile(path); old.ok() && *old == bytes)
    return WriteOutcome::kUnchanged;
  // rename(2) is atomic within one file system only, so the temporary file is made beside its target.
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  if (made) return Error{"cannot make the folder: " + made.message(), folder.string()};

  struct stat like = {};
  const auto is_file = [&like](const std::filesystem::path& name) {
    return ::stat(name.c_str(), &like) == 0 && S_ISREG(like.st_mode);
  };
  const bool has_model = is_file(path) || is_file(like_if_new);
  // A file that is replaced may hold a secret, so until KeepAccess has given it the old mode only its owner
  // may read it.
  Result<Temporary> temporary =
      CreateTemporary(folder, path.filename().string(), has_model ? S_IRUSR | S_IWUSR : mode_if_new);
  if (!temporary.ok()) return temporary.error();
  Result<void> done = has_model ? KeepAccess(*temporary, like) : Result<void>();
  if (done.ok()) done = WriteAndRename(*temporary, bytes, path);
  if (!done.ok()) {
    ::unlink(temporary->path.c_str());
    return done.error();
  }
  return WriteOutcome::kWritten;
}

Result<WriteOutcome> WriteFileIfChanged(const std::filesystem::path& path, std::string_view bytes,
                                        mode_t mode_if_new, const std::filesystem::path& like_if_new) {
  Result<WriteOutcome> outcome = ReplaceFileIfChanged(path, bytes, mode_if_new, like_if_new);
  if (!outcome.ok() || *outcome == WriteOutcome::kUnchanged) return outcome;
  // The bytes are in place by now. Whoever acknowledges them to somebody else must not do so before the name
  // is durable.
  if (Result<void> synced = SyncFolder(path.parent_path()); !synced) return synced.error();
  return outcome;
}

void RemoveAbandoned(const std::filesystem::path& folder, const std::set<std::string>& names) {
  std::error_code none;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder, none)) {
    const std::string file = entry.path().filename().string();
    // Only names that this caller writes: other files of that form are none of its business.
    if (!names.contains(std::string(NameOfTemporary(file)))) continue;
    // A symbolic link or a FIFO of that name is nothing that we made: neither followed nor waited for.
    const Descriptor fd(::open(entry.path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (fd.get() >= 0 && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

Result<std::vector<std::filesystem::directory_entry>> EntriesOf(const std::filesystem::path& folder) {
  std::vector<std::filesystem::directory_entry> entries;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, failed), end;
       !failed && entry != end; entry.increment(failed)) {
    entries.push_back(*entry);
  }
  if (failed && failed != std::errc::no_such_file_or_directory && failed != std::errc::not_a_directory)
    return Error{"cannot read the folder: " + failed.message(), folder.string()};
  return entries;
}

bool IsSameFile(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code none;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(a, none);
  // equivalent() compares device and inode, and fails if neither file is there; the paths decide then.
  return (!whole.empty() && whole == std::filesystem::weakly_canonical(b, none)) ||
         std::filesystem::equivalent(a, b, none);
}

}  // namespace outgrown
