// The cultures that the benchmarks run, as their command lines name them.
#ifndef LIVND_TOOLS_BENCH_SUBJECT_H_
#define LIVND_TOOLS_BENCH_SUBJECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::bench {

inline constexpr uint64_t kSeed = 123;  // livn's default

struct Subject {
  std::shared_ptr<const sim::Culture> culture;
  std::string params;         // in words; the baseline must say the same
  bool learns = false;        // plasticity is to be on
  std::vector<double> start;  // the canonical state from which copies start
  // Of networks with electrodes: how these reach the cells, and by gid which of them hear a cell.
  std::shared_ptr<const sim::StimulusMap> stimulation;
  std::vector<std::vector<int>> electrodes_of_gid;
};

// What MakeSubject takes, for messages about usage.
inline constexpr char kSubjectUsage[] = "SYSTEM | --network FILE | --cells N | --point MODEL N";

//   SYSTEM           a folder; its params/default.json, else livn's default noise
//   --network FILE   a network that tools/bench/network.py has written
//   --cells N        N unconnected excitatory cells without noise
//   --point MODEL N  the same of point neurons that fire by themselves
// Ends the process with a message if the words are others or name what does not exist.
Subject MakeSubject(const std::vector<std::string>& words);

// Puts a copy to the subject's start, `noise_stream` choosing its noise, and lets it learn if the
// subject does.
void Start(const Subject& subject, sim::Gang& gang, int copy, uint32_t noise_stream = 0);

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_SUBJECT_H_
