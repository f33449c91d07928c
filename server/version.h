// The version of livnd itself; physics has its own (env::EnvironmentSpec::physics_version).
#ifndef LIVND_SERVER_VERSION_H_
#define LIVND_SERVER_VERSION_H_

namespace livnd::server {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace livnd::server

#endif  // LIVND_SERVER_VERSION_H_
