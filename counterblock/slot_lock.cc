#include "counterblock/slot_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include "counterblock/layout.h"

namespace outgrown::block {
namespace {

struct flock SlotRange(short type, std::uint32_t index) {
  struct flock range = {};  // l_pid must be 0 for an OFD lock
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(SlotOffset(index));
  range.l_len = 1;
  return range;
}

}  // namespace

bool LockSlot(int fd, std::uint32_t index) {
  const struct flock range = SlotRange(F_WRLCK, index);
  return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
}

void UnlockSlot(int fd, std::uint32_t index) {
  const struct flock range = SlotRange(F_UNLCK, index);
  ::fcntl(fd, F_OFD_SETLK, &range);
}

bool IsSlotLocked(int fd, std::uint32_t index) {
  struct flock range = SlotRange(F_WRLCK, index);
  return ::fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

}  // namespace outgrown::block
