// What only the operator knows, from the options: how many servers write to the store, and the limits.
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {

Result<void> CollectDeployment(StoreScrape& store, Samples& samples) {
  samples.Set("checkpoint_deployment_servers", {store.target.name, store.settings.shared_id},
              store.settings.servers);
  return {};
}

// The threshold table, to show the limits beside the measurements, and its digest, so that an alert can
// detect when exporter and rules were made from different specs.
Result<void> CollectThresholdTable(const Settings& settings, Samples& samples) {
  const Table& table = *settings.table;
  samples.Set("checkpoint_threshold_table_info", {table.store, table.digest}, 1);
  for (const ThresholdRow& threshold : table.thresholds) {
    samples.Set(
        "checkpoint_threshold",
        {table.store, threshold.id, table.signals[threshold.signal].id, table.verdicts[threshold.verdict].id},
        threshold.limit);
  }
  return {};
}

}  // namespace outgrown::exporter
