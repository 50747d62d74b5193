#include "exporter/web_config.h"

#include <ctime>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/logins.h"
#include "test/common/temporary_folder.h"

using outgrown::Result;
using outgrown::exporter::IsBcryptHash;
using outgrown::exporter::Logins;
using outgrown::exporter::ReadWebConfig;
using outgrown::exporter::WebConfig;

namespace {

// Of "s3cret" and of "größe:!", with the lowest cost.
const std::string kHash = "$2b$04$4NvtftzuXZkHD0z.Sj1VQen7Sdok/MkdrKFEmB7ZoPQ5CUp0kRiIm";
const std::string kOther = "$2y$04$0Z8CC/Tlg.vX8zzDBHHPpe15ztLbtdV.3Y6I3EGvWeNCPnfGBf7JO";

Result<WebConfig> Read(const std::string& text) {
  const outgrown::test::TemporaryFolder folder;
  const std::string file = folder.path() / "web.yml";
  std::ofstream(file) << text;
  Result<WebConfig> read = ReadWebConfig(file);
  if (read) return read;
  outgrown::Error error = read.error();
  if (error.where.starts_with(file)) error.where = "web.yml" + error.where.substr(file.size());
  return error;
}

}  // namespace

TEST_CASE("the users of a web configuration are read") {
  const auto read = Read("# who may read\nbasic_auth_users:\n  prometheus: " + kHash + "\n  \"the team\": '" +
                         kOther + "'\n");
  REQUIRE(read.ok());
  CHECK(read->basic_auth_users ==
        std::map<std::string, std::string>{{"prometheus", kHash}, {"the team", kOther}});
  for (const char* nothing : {"", "# nothing\n", "basic_auth_users:\n", "basic_auth_users: {}\n"}) {
    const auto none = Read(nothing);
    REQUIRE(none.ok());
    CHECK(none->basic_auth_users.empty());
  }
}

TEST_CASE("what can't be done, and what is not known, is refused with its line and key") {
  struct Row {
    std::string text;
    std::string where;
    std::string what;
  };
  const std::vector<Row> rows = {
      {"\ntls_server_config:\n  cert_file: a.pem\n", "web.yml:2",
       "found tls_server_config, expected basic_auth_users alone"},
      {"tls_server_config: {}\n", "web.yml:1", "put nginx in front, with deploy/nginx.conf"},
      {"http_server_config:\n  http2: true\n", "web.yml:1", "found http_server_config"},
      {"basic_auth_user:\n  a: b\n", "web.yml:1",
       "found the unknown key basic_auth_user, expected basic_auth_users"},
      {"basic_auth_users:\nbasic_auth_users:\n", "web.yml:2", "twice"},
      {"basic_auth_users:\n  a: " + kHash + "\n  a: " + kHash + "\n", "web.yml:3", "the user a twice"},
      {"basic_auth_users:\n  a: secret\n", "web.yml:2", "no bcrypt hash for a"},
      {"basic_auth_users:\n  a: " + kHash.substr(0, 59) + "\n", "web.yml:2", "htpasswd -nB"},
      {"basic_auth_users:\n  \"a:b\": " + kHash + "\n", "web.yml:2", "a colon"},
      {"basic_auth_users:\n  \"\": " + kHash + "\n", "web.yml:2", "empty"},
      {"basic_auth_users: [a]\n", "web.yml:1", "no users"},
      {"- a\n", "web.yml:1", "expected keys"},
      {"basic_auth_users: {\n", "web.yml:2", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto read = Read(row.text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().where == row.where);
    CHECK(read.error().what.find(row.what) != std::string::npos);
    CHECK(read.error().Text().find("secret") == std::string::npos);
  }
  CHECK_FALSE(ReadWebConfig("/nowhere/web.yml").ok());
}

TEST_CASE("only bcrypt's hashes are taken") {
  CHECK(IsBcryptHash(kHash));
  CHECK(IsBcryptHash(kOther));
  for (const char* other : {"", "secret", "$6$abcdefgh$0123456789012345678901234567890123456789012345",
                            "$2b$99$4NvtftzuXZkHD0z.Sj1VQen7Sdok/MkdrKFEmB7ZoPQ5CUp0kRiIm"})
    CHECK_FALSE(IsBcryptHash(other));
}

TEST_CASE("a login is admitted by its user's password alone, remembered or not") {
  Logins logins({{"prometheus", kHash}, {"team", kOther}});
  for (int round = 0; round < 3; ++round) {
    CHECK(logins.Admits("Basic cHJvbWV0aGV1czpzM2NyZXQ="));  // prometheus:s3cret
    CHECK(logins.Admits("bAsIc cHJvbWV0aGV1czpzM2NyZXQ="));  // the scheme's case is free (RFC 7235, 2.1)
    CHECK(logins.Admits("Basic dGVhbTpncsO2w59lOiE="));      // team:größe:!
    for (const char* refused : {
             "",
             "Basic",
             "Basic ",
             "Bearer cHJvbWV0aGV1czpzM2NyZXQ=",
             "Basic cHJvbWV0aGV1czpzM2NyZXU=",      // prometheus:s3creu
             "Basic cHJvbWV0aGV1czo=",              // prometheus:
             "Basic dGVhbTpzM2NyZXQ=",              // team:s3cret
             "Basic bm9ib2R5OnMzY3JldA==",          // nobody:s3cret
             "Basic cHJvbWV0aGV1cw==",              // prometheus
             "Basic cHJvbWV0aGV1czpzM2NyZXQAeA==",  // prometheus:s3cret\0x
             "Basic cHJvbWV0aGV1czpzM2NyZXQ",       // without its padding
             "Basic cHJvbWV0aGV1czpzM2NyZXQ*",
         }) {
      CAPTURE(refused);
      CHECK_FALSE(logins.Admits(refused));
    }
  }
  CHECK(Logins({}).Admits(""));
}

TEST_CASE(
    "a login that was right is not checked by bcrypt again, and an unknown user costs as much as a wrong "
    "password") {
  // Processor time of this process alone, of a hash that takes some 20 ms.
  const std::map<std::string, std::string> users = {
      {"prometheus", "$2b$08$7sVhFfm8ODQL2fJOG270.uo71pAypGmNdin5BvyLbMF1sTSdeSzjS"}};
  Logins logins(users);
  const auto ticks = [&](const char* login, bool admitted) {
    const std::clock_t begin = std::clock();
    for (int i = 0; i < 10; ++i) REQUIRE(logins.Admits(login) == admitted);
    return std::clock() - begin;
  };
  const std::clock_t right = ticks("Basic cHJvbWV0aGV1czpzM2NyZXQ=", true);
  CHECK(3 * right < ticks("Basic cHJvbWV0aGV1czpzM2NyZXU=", false));
  CHECK(3 * right < ticks("Basic bm9ib2R5OnMzY3JldA==", false));
}
