// What every call meets first.
#ifndef LIVND_SERVER_SERVICE_RECEPTION_H_
#define LIVND_SERVER_SERVICE_RECEPTION_H_

#include "server/metrics/metrics.h"
#include "server/trust/trust.h"

namespace livnd::server {

// Who says whether the caller may come in, and who counts. Both outlive the services.
struct Reception {
  const Trust& trust;
  Metrics& metrics;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_RECEPTION_H_
