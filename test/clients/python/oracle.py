"""What SQLite itself says of commits: an independent count, read past it from the files.

In WAL mode the wal-index has a counter of commits that wrote frames (iChange, https://www.sqlite.org/walformat.html
does not name it: it is the third word of WalIndexHdr in wal.c); else the database's header has one.
"""

import os
import struct

# Descriptors that stay open: closing a file drops SQLite's locks on it in this process.
_kept = []


class Commits:
    """Counts commits that change the database at `path`, by anybody, from now on. SQLite must have it open."""

    def __init__(self, path: str, wal: bool) -> None:
        self._file = os.open(path + "-shm" if wal else path, os.O_RDONLY)
        _kept.append(self._file)
        # The file change counter is big-endian: https://www.sqlite.org/fileformat2.html#file_change_counter.
        self._format, self._offset = ("=I", 8) if wal else (">I", 24)
        self._start = self._counter()

    def ever(self) -> int:
        return self._counter()

    def count(self) -> int:
        return self._counter() - self._start

    def _counter(self) -> int:
        return struct.unpack(self._format, os.pread(self._file, 4, self._offset))[0]
