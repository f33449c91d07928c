// What every call meets first.
#ifndef LIVND_SERVER_SERVICE_RECEPTION_H_
#define LIVND_SERVER_SERVICE_RECEPTION_H_

#include "server/machine/memory_budget.h"
#include "server/metrics/metrics.h"
#include "server/trust/trust.h"

namespace livnd::server {

// Who says whether the caller may come in, who counts, and what there is room for. All outlive the
// services.
struct Reception {
  const Trust& trust;
  Metrics& metrics;
  MemoryBudget& memory;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_RECEPTION_H_
