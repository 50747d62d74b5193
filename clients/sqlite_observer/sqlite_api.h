// SQLite as a loadable extension sees it: every sqlite3_…() is a macro that goes through the table of functions
// which the library that loads us hands over. So the observer works with a libsqlite3 that is linked
// statically, and never brings a second one into the process.
#pragma once

#include <sqlite3ext.h>

SQLITE_EXTENSION_INIT3
