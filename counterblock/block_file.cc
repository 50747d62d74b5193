#include "counterblock/block_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "counterblock/header.h"

namespace outgrown::block {

namespace {

constexpr std::string_view kSuffix = ".counters";
constexpr std::size_t kStoreNameSizeMax = 64;

bool IsDirectory(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string Environment(const char* name) {
  // Null in a set-uid program: its caller must not choose where it writes.
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// No slash and no leading dot, so that a name never leaves its directory. Independent of the locale, unlike
// isalnum().
bool IsNameCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

}  // namespace

Result<std::string> ResolveDirectory(std::string_view given, std::string_view application) {
  if (!given.empty()) return std::string(given);
  if (std::string named = Environment("OUTGROWN_DIR"); !named.empty()) return named;
  if (!application.empty() && IsStoreName(application)) {
    std::string system = "/run/outgrown/" + std::string(application);
    if (IsDirectory(system)) return system;
  }
  if (const std::string runtime = Environment("XDG_RUNTIME_DIR"); !runtime.empty()) {
    std::string personal = runtime + "/outgrown";
    // EEXIST: another process of the user was faster.
    if (IsDirectory(personal) || ::mkdir(personal.c_str(), 0700) == 0 || errno == EEXIST) return personal;
  }
  const std::string system = application.empty() ? "/run/outgrown/APPLICATION (no application was named)"
                                                 : "/run/outgrown/" + std::string(application);
  return Error{"no directory for counter blocks: OUTGROWN_DIR is not set, " + system +
                   " does not exist, and XDG_RUNTIME_DIR is not set or has no room for us",
               ""};
}

bool IsStoreName(std::string_view name) {
  return !name.empty() && name.size() <= kStoreNameSizeMax && name.front() != '.' &&
         std::ranges::all_of(name, IsNameCharacter);
}

std::string FileNameOf(const BlockName& name) {
  return name.store + ".v" + std::to_string(name.major) + std::string(kSuffix);
}

std::optional<BlockName> ParseFileName(std::string_view file_name) {
  if (!file_name.ends_with(kSuffix)) return std::nullopt;
  file_name.remove_suffix(kSuffix.size());
  const std::size_t dot = file_name.rfind(".v");
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view digits = file_name.substr(dot + 2);
  BlockName name{std::string(file_name.substr(0, dot)), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.major);
  // "v01" would be a second name for "v1", so one block would be counted twice.
  if (error != std::errc() || end != digits.data() + digits.size() || digits.front() == '0')
    return std::nullopt;
  if (!IsStoreName(name.store)) return std::nullopt;
  return name;
}

namespace {

constexpr std::string_view kReadAdvice = "; its group or an ACL has to let this user read it";

std::string ListingAdvice(std::error_code failed) {
  if (failed == std::errc::permission_denied) return std::string(kReadAdvice);
  if (failed != std::errc::no_such_file_or_directory) return "";
  return "; an application's folder of counter blocks is made by systemd-tmpfiles, or by hand "
         "(outgrown-exporter(8), FILES)";
}

}  // namespace

Result<std::vector<BlockName>> ListBlocks(const std::string& directory) {
  std::vector<BlockName> names;
  std::error_code failed;
  std::filesystem::directory_iterator entry(directory, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (std::optional<BlockName> name = ParseFileName(entry->path().filename().string())) {
      names.push_back(*std::move(name));
    }
  }
  // Half a list would read as stores that are gone.
  if (failed)
    return Error{"cannot list the directory: " + failed.message() + ListingAdvice(failed), directory};
  std::ranges::sort(names, {}, [](const BlockName& name) { return std::tie(name.store, name.major); });
  return names;
}

namespace {

Error SystemError(std::string_view doing, const std::string& path, int error_number) {
  return Error{std::string(doing) + ": " + std::generic_category().message(error_number), path};
}

// A reader is another user than the application, and needs to be let in.
Error AccessError(std::string_view doing, const std::string& path, int error_number, Access access) {
  Error error = SystemError(doing, path, error_number);
  if (access == Access::kRead && error_number == EACCES) error.what += kReadAdvice;
  return error;
}

// A descriptor numbered 0, 1 or 2 would be the application's standard stream, if it has closed its own: what
// it prints would land in the block. F_DUPFD_CLOEXEC finds a number from 3 on; no lock has been set yet.
Descriptor AwayFromStandardStreams(Descriptor fd) {
  if (fd.get() < 0 || fd.get() > 2) return fd;
  return Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

Result<void> CheckStatus(const struct stat& status, gid_t directory_group, const std::string& path) {
  if (S_ISLNK(status.st_mode)) return Error{"refused: a symbolic link", path};
  if (!S_ISREG(status.st_mode)) return Error{"refused: not a regular file", path};
  // Somebody may have linked a file of ours here, to have it written to, or ours elsewhere, to keep it.
  if (status.st_nlink != 1) {
    return Error{"refused: " + std::to_string(status.st_nlink) + " hard links, expected 1", path};
  }
  // Who may write to a block can claim a store's writes.
  if ((status.st_mode & S_IRWXO) != 0) return Error{"refused: accessible to the world", path};
  // A file of our own user is trusted whatever its group: no other user can have made it, or linked it here.
  if (status.st_gid != directory_group && status.st_uid != ::geteuid()) {
    return Error{"refused: its group is " + std::to_string(status.st_gid) + ", its directory's is " +
                     std::to_string(directory_group) + ", and it is another user's",
                 path};
  }
  return {};
}

// While it lives, a write beyond RLIMIT_FSIZE gives this thread EFBIG and no SIGXFSZ, which would end the
// application. The kernel sends that signal to the calling thread only, so a mask of the thread is enough.
class FileSizeSignalBlocked {
 public:
  FileSizeSignalBlocked() {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGXFSZ);
    sigset_t pending;
    ::sigemptyset(&pending);
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGXFSZ) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &old_mask_);
  }
  FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
  FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;
  ~FileSizeSignalBlocked() {
    // A signal that came while it was blocked is ours: taken away, or it would be delivered at the unmasking.
    // One that was pending before is the application's.
    const struct timespec at_once = {};
    if (!was_pending_) ::sigtimedwait(&signal_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }

 private:
  sigset_t signal_;
  sigset_t old_mask_;
  bool was_pending_ = false;
};

// Allocates, writes the header, sets mode and group. The rest of the file is zero, which is what an unused
// slot is.
Result<void> Initialise(int fd, std::uint32_t slot_count, std::string_view database, gid_t directory_group,
                        const std::string& path) {
  const FileSizeSignalBlocked blocked;
  // ftruncate would succeed on a full tmpfs, and the first store into the mapping would then die of SIGBUS.
  int failed = EINTR;
  // posix_fallocate returns the error and leaves errno alone. It may be interrupted by a signal on tmpfs.
  while (failed == EINTR) failed = ::posix_fallocate(fd, 0, static_cast<off_t>(FileBytes(slot_count)));
  if (failed != 0) return SystemError("cannot allocate the counter block", path, failed);
  struct timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const Header header = MakeHeader(
      slot_count, database,
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec));
  const std::uint64_t overflow_tag = SlotTag(slot_count);
  const auto overflow_tag_at = static_cast<off_t>(SlotOffset(slot_count) + offsetof(Slot, tag));
  if (::pwrite(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
      ::pwrite(fd, &overflow_tag, sizeof overflow_tag, overflow_tag_at) !=
          static_cast<ssize_t>(sizeof overflow_tag)) {
    return SystemError("cannot write the counter block's header", path, errno);
  }
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return SystemError("cannot stat", path, errno);
  // A folder of a group that we are not in (a Kubernetes emptyDir without fsGroup, say): then the block stays
  // at mode 0600, for processes of our own user alone, and not for whoever else is in our group.
  if (status.st_gid != directory_group && ::fchown(fd, static_cast<uid_t>(-1), directory_group) != 0)
    return {};
  // Set explicitly, since the umask may be stricter: all processes of the group write to the block.
  if (::fchmod(fd, 0660) != 0) return SystemError("cannot set the counter block's mode", path, errno);
  return {};
}

std::string TemporaryName(const std::string& file_name) {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return "." + file_name + "." + std::to_string(::getpid()) + "." + std::to_string(::gettid()) + "." +
         std::to_string(now.tv_sec) + std::to_string(now.tv_nsec) + ".tmp";
}

}  // namespace

Result<Folder> Folder::Open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("cannot open the directory", path, errno);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return SystemError("cannot stat", path, errno);
  return Folder(path, std::move(fd), status.st_gid);
}

Result<std::optional<OpenedFile>> OpenBlockFile(const Folder& folder, const std::string& file_name,
                                                Access access) {
  const std::string path = folder.path() + "/" + file_name;

  // Looked at before it is opened, since opening a device can act on it; and again after, since it may have
  // been replaced.
  struct stat status = {};
  if (::fstatat(folder.descriptor(), file_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::optional<OpenedFile>();
    return AccessError("cannot stat", path, errno, access);
  }
  if (Result<void> fit = CheckStatus(status, folder.group(), path); !fit) return fit.error();
  const int mode = access == Access::kRead ? O_RDONLY : O_RDWR;
  // O_NONBLOCK and O_NOCTTY: should it have become a FIFO or a terminal, opening neither waits nor makes it
  // ours.
  Descriptor fd = AwayFromStandardStreams(Descriptor(::openat(
      folder.descriptor(), file_name.c_str(), mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::optional<OpenedFile>();
    return AccessError("cannot open", path, errno, access);
  }
  // From here on the descriptor decides, whatever becomes of the path.
  if (::fstat(fd.get(), &status) != 0) return SystemError("cannot stat", path, errno);
  if (status.st_nlink == 0) return std::optional<OpenedFile>();  // removed since, and not linked elsewhere
  if (Result<void> fit = CheckStatus(status, folder.group(), path); !fit) return fit.error();
  return std::optional<OpenedFile>({std::move(fd), static_cast<std::uint64_t>(status.st_size)});
}

Result<std::optional<OpenedFile>> OpenBlockFile(const std::string& directory, const std::string& file_name,
                                                Access access) {
  const Result<Folder> folder = Folder::Open(directory);
  if (!folder) return folder.error();
  return OpenBlockFile(*folder, file_name, access);
}

Result<bool> CreateBlockFile(const std::string& directory, const std::string& file_name,
                             std::uint32_t slot_count, std::string_view database) {
  const std::string path = directory + "/" + file_name;
  const Result<Folder> folder = Folder::Open(directory);
  if (!folder) return folder.error();

  // The name ends in .tmp, which ParseFileName refuses, so no reader meets half a block. Process, thread and
  // time make it unique within a PID namespace; O_EXCL shows the rest.
  const std::string temporary = TemporaryName(file_name);
  const Descriptor fd = AwayFromStandardStreams(Descriptor(::openat(
      folder->descriptor(), temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)));
  if (fd.get() < 0) return SystemError("cannot create a counter block", path, errno);
  Result<void> initialised = Initialise(fd.get(), slot_count, database, folder->group(), path);
  if (!initialised) {
    ::unlinkat(folder->descriptor(), temporary.c_str(), 0);
    return initialised.error();
  }
  // Published in one step that replaces nothing. A plain rename would replace the block of a creator that was
  // faster and leave it counting in a file without a name. link() and unlink() would not, but between the two
  // the block has two links, which readers refuse, and a SIGKILL there would leave it so for ever.
  if (::renameat2(folder->descriptor(), temporary.c_str(), folder->descriptor(), file_name.c_str(),
                  RENAME_NOREPLACE) == 0) {
    return true;
  }
  const int failed = errno;
  ::unlinkat(folder->descriptor(), temporary.c_str(), 0);
  if (failed == EEXIST) return false;
  if (failed == EINVAL) {
    return Error{
        "cannot publish the counter block: its file system can't rename without replacing (NFS, some FUSE); "
        "choose a folder on another one",
        path};
  }
  return SystemError("cannot publish the counter block", path, failed);
}

Result<void> FillHoles(int fd, std::uint64_t file_bytes) {
  // Not posix_fallocate: where the file system cannot allocate, glibc's substitute reads a byte of each page
  // and writes it back, which would undo a record that is made in between.
  int done = -1;
  do {
    done = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(file_bytes));
  } while (done != 0 && errno == EINTR);
  if (done != 0 && errno != EOPNOTSUPP) return SystemError("cannot allocate the counter block", "", errno);
  return {};
}

}  // namespace outgrown::block
