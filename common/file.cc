#include "common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace outgrown {
namespace {

Error SystemError(std::string_view doing, const std::filesystem::path& path, int error_number) {
  return Error{std::string(doing) + ": " + std::generic_category().message(error_number), path.string()};
}

// A descriptor that closes itself. Close() reports what close(2) said, which for a written file matters.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

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

Result<void> SyncFolder(const std::filesystem::path& folder) {
  Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("cannot open the folder", folder, errno);
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return SystemError("cannot sync the folder", folder, errno);
  return {};
}

// Creates `path` anew, writes, syncs and closes it. open(2) applies the umask, as for any new file.
Result<void> WriteTemporary(const std::string& path, std::string_view bytes) {
  ::unlink(path.c_str());  // left by a killed process that had our pid
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (fd.get() < 0) return SystemError("cannot create", path, errno);
  if (Result<void> written = WriteAll(fd.get(), bytes, path); !written) return written;
  if (::fsync(fd.get()) != 0) return SystemError("cannot sync", path, errno);
  if (fd.Close() != 0) return SystemError("cannot close", path, errno);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t size_bytes_max) {
  // O_NONBLOCK: a FIFO must not hang us; it has no effect on a regular file.
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemError("cannot open", path, errno);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return SystemError("cannot stat", path, errno);
  if (!S_ISREG(status.st_mode)) return Error{"not a regular file", path.string()};
  std::string bytes;
  std::size_t room = static_cast<std::size_t>(status.st_size) + 1;
  while (true) {
    if (bytes.size() > size_bytes_max) {
      return Error{"larger than " + std::to_string(size_bytes_max) + " bytes", path.string()};
    }
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

Result<WriteOutcome> WriteFileIfChanged(const std::filesystem::path& path, std::string_view bytes) {
  if (const Result<std::string> old = ReadFile(path); old.ok() && *old == bytes)
    return WriteOutcome::kUnchanged;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  if (made) return Error{"cannot make the folder: " + made.message(), folder.string()};

  const std::string temporary =
      (folder / ("." + path.filename().string() + "." + std::to_string(::getpid()) + ".tmp")).string();
  Result<void> done = WriteTemporary(temporary, bytes);
  if (done.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    done = SystemError("cannot rename the temporary file to", path, errno);
  }
  if (!done) {
    ::unlink(temporary.c_str());
    return done.error();
  }
  if (Result<void> synced = SyncFolder(folder); !synced) return synced.error();
  return WriteOutcome::kWritten;
}

}  // namespace outgrown
