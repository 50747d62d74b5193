// What an expression of a spec may name.
#include <string>

#include <doctest/doctest.h>

#include "test/thresholds/rows.h"
#include "test/thresholds/spec_text.h"

using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::Hold;
using outgrown::test::kIntervals;
using outgrown::test::kRate;
using outgrown::test::kSpecText;
using outgrown::test::Row;

TEST_CASE("expressions name what exists") {
  for (const Row& row : {
           Row{"queue_jobs_total[5m]", "queue_jobs_total{kind=\"a\"}[5m]",
               "queue_jobs_total{kinds=\"a\"}[5m]",
               "the unknown label \"kinds\", expected a label of \"queue_jobs_total\"; did you mean "
               "\"kind\"?"},
           Row{"queue_jobs_total[5m]", "queue_jobs_total{path=\"a\"}[5m]",
               "queue_jobs_total{pathh=\"a\"}[5m]", "unknown label"},
           Row{"queue_jobs_total[5m]", "queue_jobs_total[5m] offset 1d", "queue_job_total[5m]",
               "did you mean \"queue_jobs_total\"?"},
           Row{"queue_jobs_total[5m]", "checkpoint_writes_total{status=\"error\"}[5m]",
               "checkpoint_write_total[5m]", "did you mean \"checkpoint_writes_total\"?"},
           Row{"queue_jobs_total[5m]", "queue_wait_seconds_bucket{le=\"1\"}[5m]",
               "queue_wait_seconds_count{le=\"1\"}[5m]", "the unknown label \"le\""},
           Row{"queue_jobs_total[5m]", "queue_wait_seconds_sum[5m]", "queue_wait_secs[5m]", "unknown series"},
           // A native histogram has its own name, of which only a rate means anything.
           Row{"rate(queue_jobs_total[5m])", "rate(queue_wait_seconds[5m])",
               "increase(queue_wait_seconds[5m])", "the histogram"},
           Row{"queue_jobs_total[5m]", "queue_size_bytes_count[5m]", "queue_size_bytes_bucket[5m]",
               "unknown series"},
           Row{kRate, "max by (job, instance, path) (queue_size_bytes{quantile=\"0.9\"})",
               "max by (job, instance, path) (queue_up{quantile=\"0.9\"})", "the unknown label \"quantile\""},
           Row{kRate, "sum by (status) (rate(queue_jobs_total[5m]))",
               "sum by (state) (rate(queue_jobs_total[5m]))",
               "a label that one of the expression's series has"},
           Row{kRate, "sum by (x) (label_replace(queue_up, \\\"x\\\", \\\"\\\", \\\"\\\", \\\"\\\"))",
               "sum by (x) (queue_up)", "the unknown label \"x\""},
           Row{kRate, "up * 2", "up_ * 2", "unknown series"},
           Row{kRate, "increase(queue_jobs_total[5m])", "increase(queue_up[5m])", "no counter"},
           Row{kRate, "delta(queue_up[5m])", "delta(queue_jobs_total[5m])", "a gauge"},
           Row{kRate, "irate(queue_wait_seconds_bucket[5m])", "irate(queue_size_bytes[5m])", "no counter"},
           Row{kRate, "vector(1) + queue_up", "vector(1)", "reads no series"},
           Row{"\"max by (job, instance, path) (queue_up)\"", "\"queue:jobs_per_second\"", "\"queue:depth\"",
               "not recorded yet"},
           Row{kRate, "queue_up", "queue:depth", "not recorded yet"},
           Row{kRate, "hour() * queue_up", "Hour() * queue_up", "did you mean \"hour\"?"},
           Row{kRate, "avg_over_time(queue_up[5m])", "average_over_time(queue_up[5m])", "unknown function"},
       }) {
    Hold(row);
  }
  const std::string bytes64k = "queue_up" + std::string((64 << 10) - 8, ' ');
  CHECK(DiagnosticsOf(Changed(kRate, bytes64k,
                              Changed("expr = \"\"\"\nsum", "expr = \"\"\"sum", std::string(kSpecText))))
            .find("65537 bytes") != std::string::npos);
}

TEST_CASE("a function that a flavor does not know is refused with that flavor") {
  const std::string expression = Changed(kRate, "queue_up * day_of_year()");
  CHECK(DiagnosticsOf(expression) == "");
  CHECK(DiagnosticsOf(Changed(kIntervals, "flavors = [\"prometheus\", \"victoriametrics\"]", expression))
            .find("\"day_of_year\", which VictoriaMetrics does not know") != std::string::npos);
}
