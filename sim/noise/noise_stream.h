// The counter-based normal numbers of the conductance noise.
//
// livn 2.0.0: Philox 4x32-10 with key (key0, 0) and counter words [block, id3, id1, id2]; words of
// a block are used in order; u = (word + 1) / 4294967297; normals by the polar method, first
// variate only. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
#ifndef LIVND_SIM_NOISE_NOISE_STREAM_H_
#define LIVND_SIM_NOISE_NOISE_STREAM_H_

#include <cstdint>

namespace livnd::sim {

// Identifies one stream. Every noisy section of every copy has its own.
struct NoiseStreamKey {
  uint32_t key0 = 0;          // high 32 bits of the seed; 0 gives livn's streams
  uint32_t id1 = 0, id2 = 0;  // gid + 1, section index + 1
  uint32_t id3 = 0;           // low 32 bits of (seed + stream * 1000003)
};

// Normals 0 .. count - 1 of a stream from a pair on (two words a pair; a rejected pair makes the draw
// take the next). Normals first, first + every, ... go to out[0], out[1], ...; the others only use up
// their pairs.
struct NoiseDraw {
  NoiseStreamKey key;
  int64_t position = 0;  // the pair to go on from; afterwards behind the last pair used
  int count = 0;
  int first = 0, every = 1;  // every: 1, or 2 with first 0 or 1
  double* out = nullptr;  // whole tiles of kTileLanes numbers: what is left of the last is spoilt
};

// Makes draws of streams, in order.
void DrawNormals(NoiseDraw* draws, int num_draws);

}  // namespace livnd::sim

#endif  // LIVND_SIM_NOISE_NOISE_STREAM_H_
