// Physical constants of the RCSD membrane, as livn 2.0.0's native library uses them.
#ifndef LIVND_SIM_CELL_RCSD_RCSD_CONSTANTS_H_
#define LIVND_SIM_CELL_RCSD_RCSD_CONSTANTS_H_

namespace livnd::sim::rcsd {

inline constexpr double kFaraday = 96485.33212;      // C/mol
inline constexpr double kGasConstant = 8.314462618;  // J/(mol K)
inline constexpr double kTemperatureK = 309.15;      // 36 C
inline constexpr double kRtOverFMv = kGasConstant * kTemperatureK / kFaraday * 1e3;

// Ion pools: a shell of depth 0.2 um that relaxes to its rest concentration at 0.075 /ms.
inline constexpr double kShellDepthUm = 0.2;
inline constexpr double kPoolRatePerMs = 0.075;
inline constexpr double kNaInMm = 15.0;
inline constexpr double kNaOutMm = 145.0;
inline constexpr double kKInMm = 145.0;
inline constexpr double kKOutMm = 5.0;
inline constexpr double kCaInMm = 1e-5;  // rest concentration of the calcium pool
inline constexpr double kCaOutMm = 2.0;
inline constexpr double kKcaHalfMm = 0.0005;

// Goldman-Hodgkin-Katz slope factors of the two calcium channels, mV.
inline constexpr double kGhkCanMv = (36.0 / 293.15) * 309.15 / 2.0;
inline constexpr double kGhkCalMv = (25.0 / 293.15) * 309.15 / 2.0;

// Activation of the sodium channel in every section whose parameters do not say otherwise.
inline constexpr double kVHalfMv = -35.0;
inline constexpr double kSlopeMv = 7.8;

// Secants replace derivatives: I(V + kSecantMv) - I(V) over kSecantMv.
inline constexpr double kSecantMv = 0.001;

inline constexpr double kInitMv = -75.0;

}  // namespace livnd::sim::rcsd

#endif  // LIVND_SIM_CELL_RCSD_RCSD_CONSTANTS_H_
