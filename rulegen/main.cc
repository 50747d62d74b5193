// rulegen: reads its command line and hands over to the one mode that it names (modes.h).
#include <cstdio>
#include <exception>
#include <filesystem>
#include <system_error>
#include <variant>

#include "common/exit_status.h"
#include "rulegen/modes.h"
#include "rulegen/options.h"

namespace {

int Run(int argc, char** argv) {
  using namespace outgrown::rulegen;
  const std::variant<Options, Exit> parsed = ParseOptions(argc, argv);
  if (const Exit* exit = std::get_if<Exit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->status == outgrown::kExitOk ? stdout : stderr);
    return exit->status;
  }
  const auto& options = std::get<Options>(parsed);
  switch (options.mode) {
    case Mode::kGenerate:
      return RunGenerate(options);
    case Mode::kCheck:
      return RunCheck(options);
    case Mode::kEvaluate:
      return RunEvaluate(options);
    case Mode::kAudit:
      return RunAudit(options);
    case Mode::kHistory:
      return RunHistory(options);
    case Mode::kBacktest:
      return RunBacktest(options);
    case Mode::kArchive:
      return RunArchive(options);
    case Mode::kVerify:
      return RunVerify(options);
  }
  return outgrown::kExitUsage;
}

}  // namespace

// Output that could not be written completely is a failure, so that half a diff never counts as the whole.
int main(int argc, char** argv) {
  int status = outgrown::kExitFailure;
  try {
    status = Run(argc, argv);
  } catch (
      const std::filesystem::filesystem_error& error) {  // a system_error too, but names its paths itself
    std::fprintf(stderr, "rulegen: %s\n", error.what());
    return outgrown::kExitFailure;
  } catch (const std::system_error& error) {  // thrown by fmt::print
    std::fprintf(stderr, "rulegen: standard output: %s\n", error.what());
    return outgrown::kExitFailure;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rulegen: %s\n", error.what());
    return outgrown::kExitFailure;
  }
  if (status == outgrown::kExitNoAnswer) {
    std::fputs(
        "rulegen: is a Prometheus (2.42 or newer, or a server with its query API) at that address? "
        "--prometheus names it; a login comes from --basic-auth-file, --bearer-token-file or "
        "--headers-file\n",
        stderr);
  }
  // stdout is buffered: a full disk may show up only here.
  if (status != outgrown::kExitFailure && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    std::perror("rulegen: standard output: cannot write");
    return outgrown::kExitFailure;
  }
  return status;
}
