// How many servers write to the store: what the operator said, because a file can't know it.
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {

Result<void> CollectDeployment(StoreScrape& store, Samples& samples) {
  samples.Set("checkpoint_deployment_servers", {store.target.name, store.settings.shared_id},
              store.settings.servers);
  return {};
}

}  // namespace outgrown::exporter
