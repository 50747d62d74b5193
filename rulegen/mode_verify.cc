// --verify: reach the servers, compare, print.
#include <string>
#include <utility>

#include "common/exit_status.h"
#include "common/time_text.h"
#include "rulegen/connection.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/verify/verify.h"
#include "thresholds/table.h"

namespace outgrown::rulegen {
namespace {

// All queries together may take this many times the timeout of one.
constexpr int kVerifyPatience = 2;

Result<prometheus_api::RuleServer> OpenRuleServer(const ConnectionOptions& options) {
  Result<prometheus_api::HttpClient> http = OpenHttp(options);
  if (!http) return http.error();
  return prometheus_api::RuleServer(std::move(*http), options.timeout_ms);
}

}  // namespace

int RunVerify(const Options& options) {
  const Specs specs = LoadSpecs(options, Purpose::kArtefacts);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllArtefacts(specs);
  if (all.status != kExitOk) return all.status;
  Result<prometheus_api::RuleServer> rules = OpenRuleServer(RuleConnection(options));
  if (!rules) return Fail(rules.error());
  // vmalert has no /api/v1/format_query; the server with the series may have it.
  Result<prometheus_api::RuleServer> series = OpenRuleServer(options.evaluate.connection);
  if (!series) return Fail(series.error());
  Result<prometheus_api::PrometheusClient> prometheus = Connect(options.evaluate.connection, kVerifyPatience);
  if (!prometheus) return Fail(prometheus.error());
  verify::Expressions expressions([&](const std::string& expr) {
    std::optional<std::string> canonical = rules->Format(expr);
    return canonical ? canonical : series->Format(expr);
  });
  const verify::Copies copies{*rules,      *series,         *prometheus,
                              expressions, CompiledTable(), !options.specs.empty(),
                              options.out, NowMs()};
  const Result<std::vector<verify::SpecReport>> reports = verify::Verify(all.made, copies);
  if (!reports) return Fail(reports.error());
  const std::string text =
      options.evaluate.format == Format::kJson ? verify::JsonReport(*reports) : verify::TextReport(*reports);
  return Answer(text, verify::ExitStatusOf(*reports));
}

}  // namespace outgrown::rulegen
