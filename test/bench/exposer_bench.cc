// A bare prometheus-cpp Exposer that serves the series of a page, read from a file in the text format: what serving them costs
// an application that does nothing else. Prints its port, then serves until SIGTERM.
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace {

struct Series {
  std::string name;
  prometheus::Labels labels;
  double value = 0;
};

// Of a line NAME{LABEL="VALUE",...} NUMBER, as the exporter writes it for names without escapes.
Series Parse(const std::string& line) {
  Series series;
  const std::size_t space = line.rfind(' ');
  const std::size_t brace = line.find('{');
  series.name = line.substr(0, std::min(brace, space));
  series.value = std::stod(line.substr(space + 1));
  if (brace == std::string::npos) return series;
  for (std::size_t at = brace + 1; at < space - 1;) {
    const std::size_t quote = line.find("=\"", at);
    const std::size_t end = line.find('"', quote + 2);
    series.labels[line.substr(at, quote - at)] = line.substr(quote + 2, end - quote - 2);
    at = end + 2;
  }
  return series;
}

// The families of a page; each histogram gets its counts when its last line, _count, has come.
class Page {
 public:
  explicit Page(prometheus::Registry& registry) : registry_(registry) {}

  void AddLine(const std::string& line) {
    if (line.starts_with("# TYPE ")) {
      const std::size_t space = line.rfind(' ');
      Begin(line.substr(7, space - 7), line.substr(space + 1));
    } else if (!line.starts_with('#')) {
      AddSeries(Parse(line));
    }
  }

 private:
  void Begin(const std::string& name, const std::string& type) {
    counters_ =
        type == "counter" ? &prometheus::BuildCounter().Name(name).Help(name).Register(registry_) : nullptr;
    gauges_ = type == "gauge" ? &prometheus::BuildGauge().Name(name).Help(name).Register(registry_) : nullptr;
    histograms_ = type == "histogram"
                      ? &prometheus::BuildHistogram().Name(name).Help(name).Register(registry_)
                      : nullptr;
  }

  void AddSeries(Series series) {
    if (counters_ != nullptr) counters_->Add(series.labels).Increment(series.value);
    if (gauges_ != nullptr) gauges_->Add(series.labels).Set(series.value);
    if (histograms_ == nullptr) return;
    if (series.name.ends_with("_bucket")) {
      const double bound = std::stod(series.labels["le"]);
      if (bound != std::numeric_limits<double>::infinity()) bounds_.push_back(bound);
      increments_.push_back(series.value - before_);
      before_ = series.value;
    } else if (series.name.ends_with("_sum")) {
      sum_ = series.value;
    } else {
      histograms_->Add(series.labels, bounds_).ObserveMultiple(increments_, sum_);
      bounds_.clear();
      increments_.clear();
      before_ = 0;
    }
  }

  prometheus::Registry& registry_;
  prometheus::Family<prometheus::Counter>* counters_ = nullptr;
  prometheus::Family<prometheus::Gauge>* gauges_ = nullptr;
  prometheus::Family<prometheus::Histogram>* histograms_ = nullptr;
  std::vector<double> bounds_;
  std::vector<double> increments_;
  double before_ = 0;
  double sum_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  // Before the exposer's threads, which inherit it.
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const auto registry = std::make_shared<prometheus::Registry>();
  Page page(*registry);
  std::ifstream file(argv[1]);
  for (std::string line; std::getline(file, line);) page.AddLine(line);
  prometheus::Exposer exposer("127.0.0.1:0");
  exposer.RegisterCollectable(registry);
  std::printf("%d\n", exposer.GetListeningPorts().front());
  std::fflush(stdout);
  int received = 0;
  sigwait(&ends, &received);
}
