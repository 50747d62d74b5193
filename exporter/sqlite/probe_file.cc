#include "exporter/sqlite/probe_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace outgrown::exporter::sqlite {
namespace {

Problem ProblemOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Problem::kMissing;
    case EACCES:
    case EPERM:
      return Problem::kNoPermission;
    case ELOOP:  // O_NOFOLLOW met a link
      return Problem::kNotRegular;
    default:
      return Problem::kUnreadable;
  }
}

Measured<FileStatus> OfRegularFile(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return Problem::kNotRegular;
  return FileStatus{
      status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
      static_cast<double>(status.st_mtim.tv_sec) + static_cast<double>(status.st_mtim.tv_nsec) / 1e9};
}

}  // namespace

Measured<std::string> ResolvePath(const std::string& path) {
  std::array<char, PATH_MAX> resolved;
  // SQLite resolves links in unixFullPathname (os_unix.c) before it names -wal, -shm and -journal.
  if (::realpath(path.c_str(), resolved.data()) == nullptr) return ProblemOfErrno(errno);
  return std::string(resolved.data());
}

Measured<FileStatus> StatusOf(const std::string& path) {
  struct stat status = {};
  // lstat: the path is resolved, so a link at its end was put there since.
  if (::lstat(path.c_str(), &status) != 0) return ProblemOfErrno(errno);
  return OfRegularFile(status);
}

FileIdentity IdentityOf(const std::string& path) {
  struct statx status = {};
  // For the birth time, which stat(2) lacks: ext4 gives a deleted file's inode number to the next file at
  // once.
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) != 0) return {};
  FileIdentity identity{makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino, 0};
  if ((status.stx_mask & STATX_BTIME) != 0) {
    identity.born_ns =
        static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000 + status.stx_btime.tv_nsec;
  }
  return identity;
}

Measured<std::uint64_t> FileSize(const std::string& path) {
  const Measured<FileStatus> status = StatusOf(path);
  if (!status.ok()) return status.problem();
  return status->size_bytes;
}

Measured<ProbeFile> ProbeFile::Open(const std::string& path) {
  // Looked at before it is opened, because opening a device can act on it and opening a FIFO wakes its
  // writer; and again afterwards, because it may have been replaced in between.
  if (const Measured<std::uint64_t> size = FileSize(path); !size.ok()) return size.problem();
  // O_NOCTTY, O_NONBLOCK: should a terminal or a FIFO have taken its place, opening it neither makes it ours
  // nor waits.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return ProblemOfErrno(errno);
  ProbeFile file(fd);
  if (const Measured<std::uint64_t> size = file.Size(); !size.ok()) return size.problem();
  return file;
}

ProbeFile::~ProbeFile() {
  if (fd_ >= 0) ::close(fd_);
}

Measured<FileStatus> ProbeFile::Status() const {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) return ProblemOfErrno(errno);
  return OfRegularFile(status);
}

Measured<std::uint64_t> ProbeFile::Size() const {
  const Measured<FileStatus> status = Status();
  if (!status.ok()) return status.problem();
  return status->size_bytes;
}

Measured<std::size_t> ProbeFile::ReadAt(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  ssize_t count = 0;
  do {
    count = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return ProblemOfErrno(errno);
  // A second pread for the rest could see another moment; the callers' headers are small enough for one.
  if (static_cast<std::size_t>(count) < bytes.size()) return Problem::kTruncated;
  return bytes.size();
}

Measured<std::optional<pid_t>> ProbeFile::LockHolder(short lock_type, off_t offset, off_t length) const {
  // A POSIX lock is asked about, of the kind that SQLite sets; F_GETLK never reports locks of our own
  // process, which has none.
  struct flock lock = {};
  lock.l_type = lock_type;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset;
  lock.l_len = length;
  // On a read-only descriptor F_GETLK may ask for a write lock, which F_SETLK could not set (man 2 fcntl).
  if (::fcntl(fd_, F_GETLK, &lock) != 0) return ProblemOfErrno(errno);
  if (lock.l_type == F_UNLCK) return std::optional<pid_t>();
  return std::optional<pid_t>(std::max<pid_t>(lock.l_pid, 0));
}

Measured<bool> ProbeFile::IsLocked(short lock_type, off_t offset, off_t length) const {
  const Measured<std::optional<pid_t>> holder = LockHolder(lock_type, offset, length);
  if (!holder.ok()) return holder.problem();
  return holder->has_value();
}

}  // namespace outgrown::exporter::sqlite
